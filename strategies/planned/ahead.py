"""Execution ahead: a transaction of the graph is begun before its predecessors have finished, and waits where it reads.

What depends on another transaction is often a small part of a transaction, late in it. So a worker that finds nothing
ready begins the next transaction of the graph in the block's order, and runs it to the first read of a location of
which the hints say that an unfinished transaction writes it. There it waits, its machine kept, and goes on from that
read (Faleiro and Abadi, "Rethinking serializable multiversion concurrency control", VLDB 2015, wait so for versions
that are not there yet). A few workers do so even where others are ready, so that long paths go on while they last.

Nobody waits for ever. Who is begun ahead is the lowest that nobody has begun, and who is begun because it was ready
waits for nobody. So of all that have begun and not finished the lowest has no unfinished transaction below it that it
could wait for, and finishes.

A worker that waits looks at one status word until it says EXECUTED (`strategies.block_stm.waiters` says why that is
enough). It counts itself among those who wait only for others to see; nothing but the choice of the next transaction
depends on it.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64, view_u64
from contend.evm.state import intern_location
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in
from contend.strategies.block_stm.layout import READY_TO_EXECUTE, STATUS_MASK
from contend.strategies.block_stm.scheduler import is_executed, txn_status
from contend.strategies.clocks import ACT_EXECUTE, ACT_WAIT, IDLE, WORKED, cost_table
from contend.strategies.planned.layout import PARTITION

COST_TASK, COST_WAIT = cost_table.TASK, cost_table.WAIT
GO_ON, NOBODY = 2, -1


@kernel(inline=True)
def is_ready_to_execute(shared, txn_idx):
    """Whether nobody has begun a transaction."""
    return txn_status(shared, txn_idx) & STATUS_MASK == U(READY_TO_EXECUTE)


@kernel()
def prefers_ahead(plan):
    """Whether a worker is to begin something ahead though others are ready."""
    if plan.partition == 0:
        return False
    partition = PARTITION.at(plan.partition)
    if partition.cut == U0:
        return False
    return I(atomics.load(plan, "waiting")) < partition.most_waiting


@kernel()
def next_ahead(shared, plan):
    """Take the first transaction of the graph that nobody has begun, and others wait for; `NOBODY` if there is none."""
    size = shared.block_size
    successors = view_u64(plan.successors, size)
    while True:
        begun = atomics.load(plan, "ahead")
        txn_idx = I(begun)
        while txn_idx < size:
            # Only what is cut has successors.
            if successors[U(txn_idx)] != U0 and is_ready_to_execute(shared, txn_idx):
                break
            txn_idx += 1
        if begun == U(size):
            return I(NOBODY)
        if atomics.compare_and_swap(plan, "ahead", begun, U(min(txn_idx + 1, size))) == begun:
            return txn_idx if txn_idx < size else I(NOBODY)


@kernel()
def _unfinished_writer(shared, partition, txn_idx, location):
    """The transaction that is expected to write what another is about to read, and has not; or `NOBODY`."""
    hint = hint_of(shared, txn_idx)
    entries, place = entries_of(hint), view_i64(partition.places, shared.block_size)[U(txn_idx)]
    for i in range(hint.count):
        if location_in(entries[U(i)]) == location:
            writer = I(view_u64(partition.writers, partition.access_room)[U(place + i)]) - 1
            if writer >= 0 and writer != txn_idx and not is_executed(txn_status(shared, writer)):
                return writer
    return I(NOBODY)


@kernel()
def wait_ahead(shared, worker, plan, own):
    """Before a read: `GO_ON`; or `WORKED` or `IDLE`, and the worker waits for the one that writes there."""
    if own.waits_ahead != 0:
        if not is_executed(txn_status(shared, own.waits_ahead - 1)):
            return IDLE
        own.waits_ahead = I(0)
        atomics.subtract(plan, "waiting", U1)
        worker.activity = U(ACT_EXECUTE)
        return I(GO_ON)
    if own.is_ahead == U0:
        return I(GO_ON)
    if atomics.load(view_u64(plan.waits, shared.block_size), worker.txn_idx) == U0:
        own.is_ahead = U0
        return I(GO_ON)
    spend(shared, worker, COST_TASK, 1)
    location = I(intern_location(shared.state, open_machine(worker.machine).pending_location))
    writer = _unfinished_writer(shared, PARTITION.at(plan.partition), worker.txn_idx, location)
    if writer == NOBODY:
        return I(GO_ON)
    atomics.add(plan, "waiting", U1)
    spend(shared, worker, COST_WAIT, 1)
    own.waits_ahead = I(writer + 1)
    worker.waits += U1
    worker.activity = U(ACT_WAIT)
    return I(WORKED)
