"""A block executed in its order, with everything recorded that bounds how fast it can be executed in parallel.

A driver like `evm.drivers.serial`, and by means of it: after each transaction the machine's access table is the
transaction's true read and write set, not a prediction.

A balance is special in that most writes to it are additions. A transaction credits an account *blindly* when the
balance that the account had influenced nothing but the sum: value was sent to it, and the transaction neither debited
it nor checked it as a sender's, nor asked for it (BALANCE, SELFBALANCE, EXTCODEHASH). Blind credits commute.

One influence is easily missed: a call that sends value to an account without code costs more if the account is empty.
So it is recorded, too, who only *tested* a balance for zero, and whose write *crossed* zero. A test depends on the last
write that crossed, and on no other: after it every sum of the credits that follow is above zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm import layout
from contend.evm.block import Block, Words
from contend.evm.block_image import BlockImage
from contend.evm.drivers.access_sets import (
    BLIND_BIT,
    CROSSED_BIT,
    LOCATION_MASK,
    TESTED_BIT,
    WRITE_BIT,
    AccessSets,
    list_accesses,
)
from contend.evm.drivers.roomy_run import RoomyRun, with_enough_room
from contend.evm.drivers.serial import credit_beneficiary, run_serially
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.state import State
from contend.evm.u256 import is_zero
from contend.evm.vm.access_table import KIND_SHIFT, LOADED, OBSERVED, TESTED, entry_at
from contend.evm.vm.transaction import open_machine

KIND_BALANCE = U(layout.KIND_BALANCE)

# A transaction's row: gas used, work in picoseconds, entries, and how many of these it began with.
ROW_GAS, ROW_WORK, ROW_COUNT, ROW_AHEAD = range(4)
ROW_WORDS = 4
FAULT_LIST = -4  # beside the faults of `run_serially`

ENTRIES_PER_TRANSACTION = 64
SPARE_ENTRIES = 1 << 14


@kernel()
def _mark(machine, found, before, first):
    """Note for each entry of the transaction that has ended when its word was needed, and what balances were to it.

    `found` lists its entries from `first`.
    """
    at = first
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if entry.flags & LOADED == U0:
            continue
        before[U(at)] = I(entry.work_ps)
        if entry.key[2] >> KIND_SHIFT == KIND_BALANCE:
            if entry.flags & OBSERVED == U0:
                found[U(at)] |= BLIND_BIT
                if entry.flags & TESTED != U0:
                    found[U(at)] |= TESTED_BIT
            if is_zero(entry.original) != is_zero(entry.current):
                found[U(at)] |= CROSSED_BIT
        at += 1


@kernel()
def _record(resume, machine_address, state, table, arena, fees, coinbase, rows, found, before):
    """Execute the block; how many entries `found` has, or a negative fault."""
    machine = open_machine(machine_address)
    count = I(0)
    for index in range(rows.shape[0]):
        machine.work_done_ps = U0
        ended = run_serially(resume, machine_address, state, table, arena, fees, coinbase, index, index + 1)
        if ended < 0:
            return I(ended)
        work = machine.work_done_ps
        until = list_accesses(machine, found, count)
        if until < 0:
            return I(FAULT_LIST)
        _mark(machine, found, before, count)
        rows[index, ROW_GAS] = machine.gas_used
        rows[index, ROW_WORK] = I(work)
        rows[index, ROW_COUNT] = until - count
        rows[index, ROW_AHEAD] = min(machine.sure_reads, until - count)
        count = until
    return count


@dataclass(frozen=True)
class Recording(AccessSets):
    """True access sets of a block, in its order; `costs` is the gas that each transaction used.

    Attributes
    ----------
    blind : ndarray of bool, shape (m,)
        Whether the entry is a balance whose old word influenced nothing. Written, it is a credit that commutes with
        other credits; not written, it is a credit that was taken back.
    tested : ndarray of bool, shape (m,)
        Whether a blind entry's balance was tested for zero.
    crossed : ndarray of bool, shape (m,)
        Whether the entry is a balance that was zero and is no more, or is zero now and was not.
    work : ndarray of int64, shape (n,)
        Picoseconds that each transaction takes in a serial run, by the cost table.
    before : ndarray of int64, shape (m,)
        Picoseconds of its work that the entry's transaction had done when it needed the word: so far nobody else can
        hold it up there. At most too large, since straight-line code is counted where it begins.
    ahead : ndarray of int64, shape (n,)
        How many of its first entries each transaction was sure to read, so that they were asked for ahead.
    keys : ndarray of uint64, shape (location_count, 7)
        Keys by location number (`evm.state.location_of`).
    coinbase : int
        Number of the beneficiary's balance. Fees are no part of the sets: a transaction that reads this location has
        read the fees of all transactions before it.
    """

    blind: npt.NDArray[np.bool_]
    tested: npt.NDArray[np.bool_]
    crossed: npt.NDArray[np.bool_]
    work: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    ahead: npt.NDArray[np.int64]
    keys: Words
    coinbase: int

    @property
    def kinds(self) -> npt.NDArray[np.int64]:
        """Kind of each location (`evm.layout.KIND_NAMES`), shape (location_count,)."""
        return (self.keys[:, 2] >> U(layout.KIND_SHIFT) & U(layout.KIND_MASK)).astype(np.int64)


def record(block: Block, state: State, cost_model: Words, keep: bool = False) -> Recording:
    """Execute `block` on `state` in its order and record access sets and costs; the state is put back, if not kept.

    Parameters
    ----------
    block : Block
    state : State
        Before the block.
    cost_model : ndarray of uint64
        Picoseconds by class of work, see `evm.code.directory.CodeDirectory.set_cost_model`.
    keep : bool
        Leave the state as it is after the block, for the block that follows.

    Raises
    ------
    CapacityError
        If a transaction needs more room than the largest machine has.
    """
    state.codes.set_cost_model(cost_model)
    return with_enough_room(block, state, lambda image, scale: _attempt(image, state, scale), keep)


def _attempt(image: BlockImage, state: State, scale: int) -> Recording:
    count, run = len(image), RoomyRun(image, state, scale)
    rows = np.zeros((count, ROW_WORDS), np.int64)
    found, before = (np.zeros(scale * (count * ENTRIES_PER_TRANSACTION + SPARE_ENTRIES), np.int64) for _ in range(2))
    used = int(_record(*run.arguments, rows, found, before))
    run.refuse_fault(used, "recording access sets", {FAULT_LIST: "the list of accesses is full"})
    credit_beneficiary(state.address, run.coinbase, run.fees)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(rows[:, ROW_COUNT], out=offsets[1:])
    raw = found[:used]
    return Recording(
        offsets,
        raw & LOCATION_MASK,
        raw & WRITE_BIT != 0,
        rows[:, ROW_GAS].copy(),
        state.count,
        blind=raw & BLIND_BIT != 0,
        tested=raw & TESTED_BIT != 0,
        crossed=raw & CROSSED_BIT != 0,
        work=rows[:, ROW_WORK].copy(),
        before=before[:used].copy(),
        ahead=rows[:, ROW_AHEAD].copy(),
        keys=state.keys.copy(),
        coinbase=run.coinbase,
    )
