"""A fork as data: which instructions it has and what they take, its precompiled contracts, its rules of transactions.

A fork is applied where code is decoded (`evm.code.decoder`): an instruction that it lacks becomes INVALID, the constant
part of the gas of the others is summed there. So the interpreter's loop asks for no fork. The few rules that only
show while a transaction runs reach kernels as a row of `evm.layout.RULES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm.layout import INSTRUCTION


class Instruction(NamedTuple):
    """One row of an opcode table.

    Attributes
    ----------
    stack_in, stack_out : int
        Words that it takes from the stack, and gives.
    gas : int
        The constant part; what depends on operands or state is charged where it executes.
    ends_basic_block : bool
        Whether straight-line code ends behind it, because the exact gas left is observed or handed on there.
    never_returns : bool
        Whether what stands behind it is reached by jumps only.
    """

    stack_in: int
    stack_out: int
    gas: int
    ends_basic_block: bool = False
    never_returns: bool = False


OpcodeTable = Mapping[int, Instruction]


def instructions(
    numbers: Iterable[int], stack_in: int, stack_out: int, gas: int, ends: bool = False, never_returns: bool = False
) -> dict[int, Instruction]:
    """Rows of an opcode table that are alike."""
    return {number: Instruction(stack_in, stack_out, gas, ends, never_returns) for number in numbers}


@dataclass(frozen=True)
class Fork:
    """One rule set.

    Attributes
    ----------
    number : int
        By which a block names it to kernels.
    opcodes : mapping of int to Instruction
        What it has; any other byte decodes to INVALID.
    last_precompile : int
        Precompiled contracts have the addresses 1 to this one.
    destroys_all : bool
        Whether SELFDESTRUCT deletes any account, not only one that the same transaction created (EIP-6780).
    max_blobs : int
        That a transaction may carry; zero before there were any.
    blob_fee_fraction : int
        How slowly the blob base fee follows the excess (EIP-4844).
    """

    name: str
    number: int
    opcodes: OpcodeTable
    last_precompile: int
    destroys_all: bool
    max_blobs: int
    blob_fee_fraction: int

    def blob_base_fee(self, excess_blob_gas: int) -> int:
        """Wei per blob gas: ``e ** (excess / fraction)`` by its Taylor series in integers (EIP-4844)."""
        if not self.max_blobs:
            return 0
        total, term, i = 0, self.blob_fee_fraction, 1
        while term > 0:
            total += term
            term = term * excess_blob_gas // (self.blob_fee_fraction * i)
            i += 1
        return total // self.blob_fee_fraction


def opcode_rows(fork: Fork) -> npt.NDArray[np.void]:
    """The opcode table as kernels read it: 256 rows of `evm.layout.INSTRUCTION`."""
    rows: npt.NDArray[np.void] = INSTRUCTION.zeros(256)
    for number, row in fork.opcodes.items():
        rows[number] = (1, *row)
    return rows
