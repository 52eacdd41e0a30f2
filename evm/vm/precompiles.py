"""Precompiled contracts: which there are, what they cost, and how the interpreter gets at them.

The interpreter gives a precompiled contract a frame like any other. When it is to run that frame it returns `COMPUTE`
with everything in the machine, as it returns `NEED` for a location. `evm.interpreter.resume` then calls, by address,
the function that this module makes for native code, which leaves output, gas and outcome in the machine; and the
interpreter goes on. Copying (identity) is done in place.

That function is one of machine code where there is one (`evm.vm.native_contracts`): it holds no GIL. It is compiled
when a contract is first called, or by `contend warm-up`, so nobody waits for curves who does not use them. For the
others, and until then, it is Python, on libraries (`evm.crypto.curves`): the entry that `ctypes` makes takes the GIL
for the call and gives it back, from whatever thread. Either touches nothing but the machine that it is given, which
belongs to the calling worker alone, and what it computes depends on the input alone; so it may be called from many
threads, and in each process of the sharded strategy, and gives the same everywhere.

What a contract computes is the same under all forks that have it. Gas: the Yellow Paper's appendix E, EIP-1108
(alt_bn128), EIP-2565 or, by the fork's rules, EIP-7883 (modexp), EIP-152 (blake2f), EIP-4844 (point evaluation),
EIP-2537 (BLS12-381) and EIP-7951 (P-256).
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from contend.evm import errors
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.errors import CapacityError
from contend.evm.layout import FRAME, MACHINE, PRECOMPILE_SPAN, RULES
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.vm.call import frame_at, set_output

NOT_COMPUTED = -1
RECOVER, IDENTITY, MODEXP = 1, 4, 5
BLS = "bls12_381"
# The place of Python's function in the table of functions, and how many words that has.
PYTHON, FUNCTIONS = 0, PRECOMPILE_SPAN + 4
# Longest numbers of a modular exponentiation. Longer ones cost 9 * 10**7 gas for every bit of the exponent, and longer
# exponents 7 * 10**8 with the shortest numbers: no block pays for either, but a test can have gas without end.
MODEXP_BYTES = 1 << 17
MODEXP_EXPONENT_BYTES = 1 << 28
# Bits of an exponent times squared words of a modulus, computed in one piece: some tenths of a second.
MODEXP_WORK = 1 << 24
GAS_IDENTITY, GAS_IDENTITY_WORD = 15, 3


@kernel()
def run_precompile(machine):
    """Run the current frame, which is a precompiled contract's; the error, or `NOT_COMPUTED`."""
    frame = frame_at(machine, machine.depth)
    if frame.pc == IDENTITY:
        size, gas = frame.calldata_size, frame.gas
        needed = GAS_IDENTITY + GAS_IDENTITY_WORD * ((size + 31) >> 5)
        if needed > gas:
            frame.gas = I(0)
            return I(errors.OUT_OF_GAS)
        frame.gas = gas - needed
        machine.gas_done += U(needed)
        add_work(machine, cost_model.COPY_WORD, (size + 31) >> 5)
        return I(errors.NONE) if set_output(machine, frame.calldata, size) else I(errors.OUTPUT_CAPACITY)
    result = machine.precompile_result
    machine.precompile_result = I(0)
    if result == 0:
        return I(NOT_COMPUTED)
    add_work(machine, cost_model.PRECOMPILE_GAS, machine.precompile_gas)
    machine.gas_done += U(machine.precompile_gas)
    return result - 1


class Precompile(NamedTuple):
    """A precompiled contract.

    Attributes
    ----------
    gas : callable
        Of an input.
    run : callable
        Output for an input; None where the contract fails, which costs all the gas that it was given.
    """

    gas: Callable[[bytes], int]
    run: Callable[[bytes], bytes | None]


def _by_word(base: int, word: int) -> Callable[[bytes], int]:
    return lambda data: base + word * ((len(data) + 31) // 32)


def _fixed(gas: int) -> Callable[[bytes], int]:
    return lambda data: gas


def number_at(data: bytes, at: int, size: int = 32) -> int:
    """Big-endian integer of `size` bytes from `at`; what lies beyond the data is zero."""
    part = data[at : at + size]
    return int.from_bytes(part, "big") << (8 * (size - len(part))) if part else 0


def modexp_gas(data: bytes, eip: int = 2565) -> int:
    """Gas of a modular exponentiation: the words of its numbers squared, times the bits of the exponent.

    Parameters
    ----------
    data : bytes
    eip : int
        2565 or 7883: the latter has neither a third of it nor less than 500, and doubles what is long.
    """
    base_size, exponent_size, modulus_size = (number_at(data, at) for at in (0, 32, 64))
    longest, later = max(base_size, modulus_size), eip == 7883
    complexity = 16 if later and longest <= 32 else ((longest + 7) // 8) ** 2 * (2 if later else 1)
    if complexity == 0:
        return 200
    head = number_at(data, 96 + base_size, min(exponent_size, 32))
    iterations = max((16 if later else 8) * max(exponent_size - 32, 0) + max(head.bit_length() - 1, 0), 1)
    return max(500, complexity * iterations) if later else max(200, complexity * iterations // 3)


def _too_long(data: bytes, eip: int) -> bool:
    """Whether a modular exponentiation fails for the length of its numbers (EIP-7823, which came with EIP-7883)."""
    return eip == 7883 and any(number_at(data, at) > 1024 for at in (0, 32, 64))


def _modexp(data: bytes) -> bytes:
    base_size, exponent_size, modulus_size = (number_at(data, at) for at in (0, 32, 64))
    if modulus_size == 0:
        return b""
    if max(base_size, modulus_size) > MODEXP_BYTES or exponent_size > MODEXP_EXPONENT_BYTES:
        raise CapacityError("the numbers of a modular exponentiation are too long to be computed with")
    base = number_at(data, 96, base_size)
    exponent = number_at(data, 96 + base_size, exponent_size)
    modulus = number_at(data, 96 + base_size + exponent_size, modulus_size)
    return (power(base, exponent, modulus) if modulus else 0).to_bytes(modulus_size, "big")


def power(base: int, exponent: int, modulus: int) -> int:
    """As `pow`, which keeps the GIL until it is done: where that takes long, in pieces, so that others are heard."""
    bits, words = exponent.bit_length(), modulus.bit_length() // 64 + 1
    piece = max(MODEXP_WORK // words**2, 1)
    result = 1 % modulus
    for at in range((bits - 1) // piece * piece if bits else 0, -1, -piece):
        result = pow(result, 1 << piece, modulus) if at + piece < bits else result
        result = result * pow(base, (exponent >> at) & ((1 << piece) - 1), modulus) % modulus
    return result


def _blake2_gas(data: bytes) -> int:
    return number_at(data, 0, 4) if len(data) == 213 else 0


def _lazily(name: str, module: str = "curves") -> Callable[[bytes], Any]:
    """Import the cryptography when it is first used: a block without it does not wait for it."""

    def run(data: bytes) -> Any:
        return getattr(import_module(f"contend.evm.crypto.{module}"), name)(data)

    return run


PRECOMPILES: dict[int, Precompile] = {
    1: Precompile(_fixed(3000), _lazily("recover")),
    2: Precompile(_by_word(60, 12), lambda data: hashlib.sha256(data).digest()),
    3: Precompile(_by_word(600, 120), _lazily("ripemd160")),
    4: Precompile(_by_word(GAS_IDENTITY, GAS_IDENTITY_WORD), lambda data: data),
    5: Precompile(modexp_gas, _modexp),
    6: Precompile(_fixed(150), _lazily("bn128_add")),
    7: Precompile(_fixed(6000), _lazily("bn128_multiply")),
    8: Precompile(lambda data: 45_000 + 34_000 * (len(data) // 192), _lazily("bn128_pairing")),
    9: Precompile(_blake2_gas, _lazily("blake2_compress")),
    10: Precompile(_fixed(50_000), _lazily("verify_kzg_proof")),
    11: Precompile(_fixed(375), _lazily("g1_add", BLS)),
    12: Precompile(_lazily("g1_multiples_gas", BLS), _lazily("g1_multiples", BLS)),
    13: Precompile(_fixed(600), _lazily("g2_add", BLS)),
    14: Precompile(_lazily("g2_multiples_gas", BLS), _lazily("g2_multiples", BLS)),
    15: Precompile(_lazily("pairing_gas", BLS), _lazily("pairing_check", BLS)),
    16: Precompile(_fixed(5_500), _lazily("map_to_g1", BLS)),
    17: Precompile(_fixed(23_800), _lazily("map_to_g2", BLS)),
    256: Precompile(_fixed(6_900), _lazily("verify", "p256")),
}

_failures: list[BaseException] = []


def raise_failure() -> None:
    """Raise what went wrong in computing a precompiled contract, if anything did: a defect, or Ctrl-C, never a result.

    To be called wherever a block has ended in a fault. What several workers met is one failure, and is forgotten.
    """
    failure = _failures[0] if _failures else None
    _failures.clear()
    if failure is not None:
        raise failure from None


def _compute(address: int) -> int:
    machine = MACHINE.array_at(address)[0]
    try:
        number = _number(machine)
        if number in PRECOMPILES and compile_native(number) and function_of(number)(address) == 0:
            return 0
        machine["precompile_gas"] = 0
        machine["precompile_result"] = 1 + _run(machine)
    except CapacityError:
        machine["precompile_result"] = 1 + errors.OUTPUT_CAPACITY
    # Nothing may pass through the native code that calls this, Ctrl-C included.
    except BaseException as error:
        _failures.append(error)
        machine["precompile_result"] = 1 + errors.PRECOMPILE_FAULT
    return 0


def _frame(machine: Any) -> Any:
    return FRAME.array_at(int(machine["frames"]) + int(machine["depth"]) * FRAME.words * 8)[0]


def _number(machine: Any) -> int:
    return int(_frame(machine)["pc"])


def _run(machine: Any) -> int:
    """Run the contract of the machine's current frame and take its gas; the error."""
    frame = _frame(machine)
    contract = PRECOMPILES[int(frame["pc"])]
    data = ctypes.string_at(int(frame["calldata"]), int(frame["calldata_size"]))
    gas, needed = int(frame["gas"]), contract.gas(data)
    if contract is PRECOMPILES[MODEXP]:
        eip = int(RULES.array_at(int(machine["rules"]))[0]["modexp"])
        if _too_long(data, eip):
            frame["gas"] = 0
            return errors.PRECOMPILE_FAILED
        needed = modexp_gas(data, eip)
    frame["gas"] = 0
    if needed > gas:
        return errors.OUT_OF_GAS
    output = contract.run(data)
    machine["precompile_gas"] = needed
    if output is None:
        return errors.PRECOMPILE_FAILED
    if len(output) > machine["output_bytes"]:
        return errors.OUTPUT_CAPACITY
    ctypes.memmove(int(machine["output"]), output, len(output))
    machine["output_size"] = len(output)
    frame["gas"] = gas - needed
    return errors.NONE


_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_entry = _FUNCTION(_compute)


def _address_of(function: Any) -> int:
    found = ctypes.cast(function, ctypes.c_void_p).value
    assert found is not None
    return found


# By number the function that computes a contract, at first Python's for all; at `PYTHON`, which no contract has, that
# for good; behind them what native functions call. Written under the GIL and read by workers that do not hold it: a
# word changes once, from one right answer to another.
_functions = np.full(FUNCTIONS, _address_of(_entry), np.uint64)


def compile_native(number: int) -> bool:
    """Have a contract computed without Python from now on; False where it cannot be, or is already."""
    from contend.evm.crypto.secp256k1 import library_functions
    from contend.evm.vm.native_contracts import NATIVES

    native = NATIVES.get(number)
    if native is None or _functions[number] != _functions[PYTHON]:
        return False
    if number == RECOVER:
        found = library_functions()
        if found is None:
            return False
        for place, address in found.items():
            _functions[PRECOMPILE_SPAN + place] = address
    _functions[number] = native.address
    return True


def compile_natives() -> None:
    """Compile all that is computed without Python, which a block otherwise does that is the first to call it."""
    for number in PRECOMPILES:
        compile_native(number)


def function_of(number: int) -> Any:
    """The function that computes a contract now, or with `PYTHON` Python's, as ctypes calls it."""
    return _FUNCTION(int(_functions[number]))


def address() -> int:
    """Address of the table of functions ``int64 compute(int64 machine)``, valid for the life of the process."""
    return int(_functions.ctypes.data)
