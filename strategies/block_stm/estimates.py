"""Estimates from hints: what a transaction is expected to write stands in multi-version memory before it executes.

Block-STM's own remark (arXiv 2203.06871, section 3.2.2): writes that are known beforehand can be marked as ESTIMATEs
from the start, so that the first incarnation of a reader waits instead of reading what is about to change. The marked
versions form the write set of a transaction that has not executed; its first incarnation treats them as those of one
before it: what it writes is filled in, and what it does not write becomes ABSENT.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.u256 import ZERO
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in, next_hinted, writes_in
from contend.strategies.block_stm.layout import LIST_SHIFT, SHARED, WORKER, WRITE
from contend.strategies.block_stm.mv_memory import NO_VERSION, allocate, arena_offset, expect, write
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, cost_table

COST_PUBLISH_WRITE = cost_table.PUBLISH_WRITE


@kernel()
def expect_writes(shared, worker, txn_idx):
    """Mark the hinted writes of a transaction that has not executed. False when the arena is full."""
    hint = hint_of(shared, txn_idx)
    entries = entries_of(hint)
    count = 0
    for i in range(hint.count):
        count += I(writes_in(entries[U(i)]))
    if count == 0:
        return True
    address = allocate(shared, worker, count * WRITE.words)
    if address == 0:
        return False
    marked = 0
    for i in range(hint.count):
        if not writes_in(entries[U(i)]):
            continue
        location = location_in(entries[U(i)])
        version, repeated = write(shared, worker, location, txn_idx, U0, ZERO)
        if version == NO_VERSION:
            return False
        expect(version)
        # A location that the hint names twice has one version.
        if not repeated:
            made = WRITE.item(address, count, marked)
            made.location = location
            made.version = version
            marked += 1
    line = transaction_of(shared, txn_idx)
    atomics.store(line, "write_set", (arena_offset(shared, address) << LIST_SHIFT) | U(marked))
    spend(shared, worker, COST_PUBLISH_WRITE, marked)
    return True


@kernel()
def _expect_next(shared, worker):
    if has_fault(shared):
        return FAILED
    txn_idx = next_hinted(shared)
    if txn_idx >= shared.block_size:
        return FINISHED
    if not expect_writes(shared, worker, txn_idx):
        note_fault(shared)
        return FAILED
    return WORKED


@native("int64(int64, int64)")
def estimate_step(shared_address, worker_address):
    """Mark the hinted writes of one transaction."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _expect_next(shared, worker))
