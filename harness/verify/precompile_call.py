"""Calls of precompiled contracts by themselves, on a machine that has nothing but the contract's frame."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from contend.evm import errors
from contend.evm.layout import FRAME, MACHINE, RULES
from contend.evm.vm import precompiles
from contend.evm.vm.native_contracts import IN_PYTHON

_OUTPUT_BYTES = 1 << 16


class Answer(NamedTuple):
    """What a contract answers.

    Attributes
    ----------
    error : int
        See `evm.errors`.
    gas_left : int
    gas_charged : int
        As work done; zero where there was not enough.
    output : bytes
    """

    error: int
    gas_left: int
    gas_charged: int
    output: bytes


class PrecompileCall:
    """A call of a precompiled contract, prepared once and made as often as wanted.

    Parameters
    ----------
    number : int
        The contract's address.
    data : bytes
    gas : int
    in_python : bool
        Whether the implementation in Python answers, not the native one, where there are both.
    modexp : int
        EIP that prices modular exponentiation.
    """

    def __init__(
        self, number: int, data: bytes, gas: int = 1 << 40, in_python: bool = False, modexp: int = 2565
    ) -> None:
        self._machine, self._frame, self._rules = MACHINE.zeros(), FRAME.zeros(), RULES.zeros()
        self._output, self._data = ctypes.create_string_buffer(_OUTPUT_BYTES), ctypes.create_string_buffer(data)
        self._gas = gas
        self._rules["modexp"] = modexp
        self._frame["pc"], self._frame["calldata"], self._frame["calldata_size"] = (
            number, ctypes.addressof(self._data), len(data),
        )  # fmt: skip
        for name, value in (
            ("rules", self._rules.ctypes.data), ("frames", self._frame.ctypes.data), ("output_bytes", _OUTPUT_BYTES),
            ("output", ctypes.addressof(self._output)), ("compute", precompiles.address()),
        ):  # fmt: skip
            self._machine[name] = value
        self._address = int(self._machine.ctypes.data)
        self._python = precompiles.function_of(precompiles.PYTHON)
        precompiles.compile_native(number)
        self._function = self._python if in_python else precompiles.function_of(number)

    def make(self) -> None:
        """Make the call, and nothing else: what a benchmark times."""
        self._frame["gas"] = self._gas
        if self._function(self._address) == IN_PYTHON:
            self._python(self._address)

    def answer(self) -> Answer:
        """Make the call."""
        self.make()
        precompiles.raise_failure()
        error = int(self._machine["precompile_result"][0]) - 1
        size = int(self._machine["output_size"][0]) if error == errors.NONE else 0
        charged = int(self._machine["precompile_gas"][0])
        return Answer(error, int(self._frame["gas"][0]), charged, self._output.raw[:size])
