"""Aria's worker as a step: execute a member of the batch, judge one, commit one, or take the next.

Aria (Lu, Yu, Cao and Madden, "Aria: a fast and practical deterministic OLTP database", PVLDB 13(11), 2020): a batch of
transactions is executed, all against the state that the batch before has left, by all workers and without looking at
each other. Then reservations say who conflicts with a lower one (`aria.reservations`), and all others are
committed. No access has to be known before, nobody waits for anybody within a stage, and the result depends on the
batches alone. It has an order of its own (`aria.snapshot_batch`), which only who builds a block may choose;
where a block's order is binding, a batch commits up to its first conflict.

Two departures. The paper falls back to ordered locks for batches with many conflicts; here those that conflicted are
executed again in the next batch. And what the paper does not have: a transaction is invalid until its sender's earlier
ones are committed, and one that reads the beneficiary's balance has to be the first of its batch, since only then it is
known which fees are in it; what is above one that is not waits for the next batch with it.

Between stages all wait for the last. Who ends a stage as the last sets it to the next, and a ticket names the stage
with the next member to be taken, so that nobody takes a member of one stage for another.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.state import intern_location
from contend.evm.u256 import add
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import count_abort, has_fault, note_fault
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, FAULTED, fees_seen_of, receipt_of
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.mv_memory import head_of
from contend.strategies.block_stm.scheduler import transaction_of, txn_status
from contend.strategies.block_stm.worker import PHASE_FINISH, PHASE_READ, PHASE_TASK, begin_paying, run_paying
from contend.strategies.clocks import (
    ACT_COMMIT,
    ACT_SCHEDULE,
    ACT_VALIDATE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WORKED,
    cost_table,
)
from contend.strategies.optimistic.aria.layout import ARIA, ARIA_WORKER, DECIDE, DEFERRED, EXECUTE, PLACE_MASK
from contend.strategies.optimistic.aria.reservations import fate_of, reserve
from contend.strategies.optimistic.aria.snapshot_batch import end_stage, fates_of, is_committed, members_of, stage_of
from contend.strategies.optimistic.occ_window.committed import publish, word_behind
from contend.strategies.optimistic.occ_window.layout import SEEN
from contend.strategies.optimistic.occ_window.pending_results import give_up, keep_result

COST_TASK, COST_WAIT, COST_VALIDATE, COST_READ = cost_table.TASK, cost_table.WAIT, cost_table.VALIDATE, cost_table.READ
COST_KEEP = cost_table.PUBLISH_READ


@kernel()
def _end_task(shared, worker, stage):
    """The worker's member is through with the stage."""
    worker.phase = PHASE_TASK
    aria = ARIA.at(shared.own)
    if I(atomics.add(aria, "done", U1)) + 1 == aria.count:
        end_stage(shared, worker, stage)
    return WORKED


@kernel()
def answer_from_snapshot(shared, worker):
    """Give the machine the word that it needs, as the batch before has left it: `ANSWERED`, `BLOCKED` or `FAULTED`."""
    spend(shared, worker, COST_READ, 1)
    machine, aria = open_machine(worker.machine), ARIA.at(shared.own)
    location = intern_location(shared.state, machine.pending_location)
    if location < 0:
        note_fault(shared)
        return FAULTED
    head = head_of(shared, location)
    word = word_behind(shared, location, head)
    if location == shared.coinbase:
        if ARIA_WORKER.at(worker.own).place != 0:
            return BLOCKED
        aria.is_alone = U1
        word = add(word, aria.fees)
        fees_seen_of(shared, worker.txn_idx).fees = aria.fees
    count = worker.read_count
    if count >= worker.reads_room or not supply_word(machine, location, word):
        note_fault(shared)
        return FAULTED
    seen = SEEN.item(worker.reads, worker.reads_room, count)
    seen.location = location
    seen.head = head
    worker.read_count = count + 1
    return ANSWERED


@kernel()
def _read(shared, worker):
    answered = answer_from_snapshot(shared, worker)
    if answered == ANSWERED:
        return run_paying(shared, worker, COST_KEEP)
    if answered != BLOCKED:
        return FAILED
    worker.activity = U(ACT_WAIT)
    spend(shared, worker, COST_WAIT, 1)
    give_up(shared, worker)
    transaction_of(shared, worker.txn_idx).txn_status = U(DEFERRED)
    atomics.minimum(ARIA.at(shared.own), "first_deferred", U(ARIA_WORKER.at(worker.own).place))
    return _end_task(shared, worker, EXECUTE)


@kernel()
def _finish(shared, worker):
    """Keep what an execution came to, and reserve."""
    if not keep_result(shared, worker, True):
        return FAILED
    if not reserve(shared, worker, ARIA_WORKER.at(worker.own).place):
        return FAILED
    return _end_task(shared, worker, EXECUTE)


@kernel()
def _decide(shared, worker, aria, place):
    worker.activity = U(ACT_VALIDATE)
    worker.validations += U1
    spend(shared, worker, COST_VALIDATE, 1)
    fate = fate_of(shared, worker, place)
    fates_of(aria)[U(place)] = fate
    if fate >= 0:
        atomics.minimum(aria, "first_conflict", U(place))
    return _end_task(shared, worker, DECIDE)


@kernel()
def _take_back(shared, worker, aria, place):
    """Count a member's execution as one for nothing, unless it was given up before."""
    line = transaction_of(shared, worker.txn_idx)
    if txn_status(shared, worker.txn_idx) == U(DEFERRED):
        return
    # Where the order is bound it may be no conflict of its own.
    conflict = fates_of(aria)[U(place)]
    if conflict < 0:
        conflict = fates_of(aria)[atomics.load(aria, "first_conflict")]
    line.write_set = U0
    count_abort(shared, worker, conflict, U(receipt_of(shared, worker.txn_idx).gas_used))


@kernel()
def _apply(shared, worker, aria, place, stage):
    worker.activity = U(ACT_COMMIT)
    if is_committed(aria, place):
        publish(shared, worker, transaction_of(shared, worker.txn_idx).write_set)
    else:
        _take_back(shared, worker, aria, place)
    return _end_task(shared, worker, stage)


@kernel()
def _take_member(shared, worker):
    """Take the next member of the stage that is under way."""
    aria = ARIA.at(shared.own)
    ticket = atomics.load(aria, "ticket")
    if aria.ordered >= shared.block_size:
        return FINISHED
    place = I(ticket & PLACE_MASK)
    if place >= aria.count:
        return IDLE
    if atomics.compare_and_swap(aria, "ticket", ticket, ticket + U1) != ticket:
        return WORKED
    worker.txn_idx = members_of(aria)[U(place)]
    ARIA_WORKER.at(worker.own).place = place
    stage = stage_of(ticket)
    if stage == EXECUTE:
        spend(shared, worker, COST_TASK, 1)
        return begin_paying(shared, worker, COST_KEEP)
    return _decide(shared, worker, aria, place) if stage == DECIDE else _apply(shared, worker, aria, place, stage)


@kernel()
def _work(shared, worker):
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if has_fault(shared):
        return FAILED
    worker.activity = U(ACT_SCHEDULE)
    return _take_member(shared, worker)


@native("int64(int64, int64)")
def aria_step(shared_address, worker_address):
    """Answer one read, keep one result, judge or commit one member of the batch, or take the next; its cost."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    return end_step(worker, _work(shared, worker))
