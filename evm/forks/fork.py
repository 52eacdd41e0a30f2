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

BLOB_GAS = 1 << 17  # of one blob (EIP-4844)


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
        By which a block names it to kernels, and its place in the order of forks.
    opcodes : mapping of int to Instruction
        What it has; any other byte decodes to INVALID.
    precompiles : frozenset of int
        Addresses of precompiled contracts, below `PRECOMPILE_SPAN`.
    transaction_types : frozenset of int
        Types of transactions (EIP-2718).
    has_base_fee : bool
        Whether a block burns a price a gas (EIP-1559).
    proof_of_work : bool
        Whether blocks are mined: 0x44 is DIFFICULTY (PREVRANDAO since EIP-4399), there may be uncles.
    block_reward : int
        Wei that the beneficiary gets for a block, before what uncles add.
    refund_quotient : int
        At most this share of the gas used is refunded (EIP-3529).
    clear_refund, destroy_refund : int
        Gas refunded for a slot that is cleared, and for SELFDESTRUCT (EIP-3529).
    forbids_ef : bool
        Whether code that begins with 0xef is not kept (EIP-3541).
    init_code_limit : int or None
        Bytes of init code; None where memory alone limits it (EIP-3860).
    init_code_word_gas : int
        Gas for each word of init code (EIP-3860).
    warm_beneficiary : bool
        Whether the block's beneficiary counts as accessed from the start (EIP-3651).
    destroys_all : bool
        Whether SELFDESTRUCT deletes any account, not only one that the same transaction created (EIP-6780).
    modexp : int
        Number of the EIP that prices and bounds modular exponentiation: 2565, or 7883 with 7823.
    floor_token_gas : int
        Least gas for each token of call data (EIP-7623); zero where there is no floor.
    delegates : bool
        Whether the code of an account may name another account whose code runs instead (EIP-7702).
    gas_cap : int or None
        Highest gas limit of a transaction (EIP-7825).
    block_bytes : int or None
        Longest block in RLP (EIP-7934).
    target_blobs, max_blobs : int
        Blobs that a block should carry, and that it may; zero before there were any.
    blobs_per_transaction : int
        Blobs that one transaction may carry (EIP-7594).
    blob_fee_fraction : int
        How slowly the blob base fee follows the excess (EIP-4844).
    blob_base_cost : int
        Gas that a blob is worth at least, by which its price has a floor (EIP-7918); zero where it has none.
    system_calls_before, system_calls_after : tuple of str
        System contracts that a block calls before its first transaction, and after its last, in order.
    withdrawals : bool
        Whether a block credits validators (EIP-4895).
    requests : tuple of str
        What a block asks of the consensus layer, in the order of its types (EIP-7685).
    """

    name: str
    number: int
    opcodes: OpcodeTable
    precompiles: frozenset[int]
    transaction_types: frozenset[int]
    has_base_fee: bool = False
    proof_of_work: bool = False
    block_reward: int = 0
    refund_quotient: int = 5
    clear_refund: int = 4800
    destroy_refund: int = 0
    forbids_ef: bool = True
    init_code_limit: int | None = None
    init_code_word_gas: int = 0
    warm_beneficiary: bool = False
    destroys_all: bool = False
    modexp: int = 2565
    floor_token_gas: int = 0
    delegates: bool = False
    gas_cap: int | None = None
    block_bytes: int | None = None
    target_blobs: int = 0
    max_blobs: int = 0
    blobs_per_transaction: int = 0
    blob_fee_fraction: int = 1
    blob_base_cost: int = 0
    system_calls_before: tuple[str, ...] = ()
    system_calls_after: tuple[str, ...] = ()
    withdrawals: bool = False
    requests: tuple[str, ...] = ()

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

    def excess_blob_gas(self, parent_excess: int, parent_used: int, parent_base_fee: int) -> int:
        """Excess of blob gas of a block under this fork, by its parent's header (EIP-4844, EIP-7918)."""
        target = self.target_blobs * BLOB_GAS
        if parent_excess + parent_used < target:
            return 0
        if self.blob_base_cost * parent_base_fee > BLOB_GAS * self.blob_base_fee(parent_excess):
            return parent_excess + parent_used * (self.max_blobs - self.target_blobs) // self.max_blobs
        return parent_excess + parent_used - target


def opcode_rows(table: OpcodeTable) -> npt.NDArray[np.void]:
    """An opcode table as kernels read it: 256 rows of `evm.layout.INSTRUCTION`."""
    rows: npt.NDArray[np.void] = INSTRUCTION.zeros(256)
    for number, row in table.items():
        rows[number] = (1, *row)
    return rows
