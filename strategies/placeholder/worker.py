"""A worker over placeholders as a step: execute every transaction once, and put those aside that have to wait.

Bohm's execution phase (Faleiro and Abadi, VLDB 2015, section 3.3), with a scheduler of contexts in the place of its
recursion: a reader that meets a version that is not filled keeps its machine and is put aside; its worker goes on with
another transaction. When the writer has run to its end it fills its versions, before it writes its receipt or anything
else, that first which is waited for, and makes ready all that wait; any worker takes them up, where they were, at that
very read.

What a worker does next, in this order:

1. what it has in hand: the read that it stands at, the filling, the bookkeeping;
2. the validation of a transaction that may have read something wrong, and its repair;
3. the lowest transaction that was put aside and can go on;
4. the next transaction of the block, if there is a free machine.

There is no deadlock. Transactions get machines in the order of the block, and keep them until they have executed. So
the lowest one that has not is either the next one, and then all machines are free; or it has a machine. What it waits
for is lower, and has filled its placeholders: it is ready, or in a worker's hands, or about to be made ready by the
worker that fills. None of these waits for a machine.

From the first transaction on that may have read past a write that nobody expected (`strategies.placeholder.filling`),
what has been executed is validated and repaired while the rest executes (`strategies.placeholder.doubted`); what is
left of that when every transaction has executed, Block-STM's scheduler does. A transaction that reads the beneficiary's
balance does not wait for the fees of all others, but is validated.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_2, view_i64
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    RAN_INTO_FAULT,
    RAN_TO_END,
    begin,
    count_writes,
    fees_seen_of,
    record_outcome,
    run_machine,
    use_hints,
)
from contend.strategies.block_stm.layout import SHARED, TASK_NONE, WORKER
from contend.strategies.block_stm.scheduler import NOTHING, end_task, set_executed_status, transaction_of, try_incarnate
from contend.strategies.block_stm.waiters.at_read import answer_where_it_waited
from contend.strategies.block_stm.waiters.ready_set import NOTHING_READY, take_lowest
from contend.strategies.block_stm.waiters.repairing import answer_standing, is_in_repair, read_again, wait_in_place
from contend.strategies.block_stm.worker import (
    OWN_PHASE,
    PHASE_ANNOUNCE,
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
)
from contend.strategies.clocks import ACT_EXECUTE, ACT_SCHEDULE, ACT_WAIT, FAILED, IDLE, WORKED, cost_table
from contend.strategies.placeholder.contexts import borrow, context_at, context_number, put_down, take_up
from contend.strategies.placeholder.doubted import next_doubted
from contend.strategies.placeholder.filling import (
    doubt,
    fill_placeholders,
    fill_waited_for,
    first_unfilled,
    has_doubts,
    has_told,
    is_waited_for,
    wait_for,
    wake_waiters,
)
from contend.strategies.placeholder.layout import PLACEHOLDER_WORKER, PLACEHOLDERS

COST_TASK, COST_WAIT, COST_SWITCH = cost_table.TASK, cost_table.WAIT, cost_table.SWITCH
COST_FILL = cost_table.FILL
# What an execution has written is visible, and the rest is to be recorded; or first the word that others wait for.
PHASE_RECORD, PHASE_FILL_FIRST = OWN_PHASE, OWN_PHASE + 1


@kernel(inline=True)
def _run(shared, worker, own):
    """Run the worker's machine on; sets the phase that follows. `WORKED` or `FAILED`.

    Where the transaction has come to its end, the words are paid for that the next step fills: all, or the first that
    somebody waits for.
    """
    stopped = run_machine(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return FAILED
    if stopped != RAN_TO_END:
        worker.phase = PHASE_READ
        return WORKED
    worker.write_count, _ = count_writes(shared, worker)
    if worker.write_count > 1 and is_waited_for(shared, worker.txn_idx):
        worker.phase = I(PHASE_FILL_FIRST)
        own.to_wake, own.filled = U0, I(0)
        spend(shared, worker, COST_FILL, 1)
    else:
        worker.phase = PHASE_FINISH
        spend(shared, worker, COST_FILL, worker.write_count)
    return WORKED


@kernel()
def _begin(shared, worker, own):
    """Start the worker's transaction, and run it to its first need."""
    worker.executions += U1
    worker.activity = U(ACT_EXECUTE)
    begin(shared, worker)
    return _run(shared, worker, own)


@kernel()
def _put_aside(shared, space, worker, own, blocking):
    """Put the worker's transaction aside until another one has filled, unless it has by now; the worker has nothing."""
    number = own.context - 1
    put_down(worker, context_at(space, number))
    view_i64(space.context_of, shared.block_size)[U(worker.txn_idx)] = number
    if wait_for(shared, space, number, blocking):
        spend(shared, worker, COST_WAIT, 1)
        worker.activity = U(ACT_WAIT)
        worker.waits += U1
        worker.phase = PHASE_TASK
        worker.task = TASK_NONE
        own.context = I(0)
        own.waits_for = I(0)
        return WORKED
    # It has filled. It is executed again, if it is not that it has filled this moment.
    return wait_in_place(worker, own, blocking)


@kernel()
def _after_read(shared, space, worker, own, answered, blocking):
    """Run on behind the read that the machine stands at, or put it aside."""
    if answered == ANSWERED:
        own.waits_for = I(0)
        return _run(shared, worker, own)
    return _put_aside(shared, space, worker, own, blocking) if answered == BLOCKED else FAILED


@kernel()
def _read(shared, space, worker, own):
    """Answer the read that the machine stands at, or put it aside. For the fees of those below nobody waits."""
    worker.activity = U(ACT_EXECUTE)
    answered, blocking = answer_standing(shared, worker, own, True)
    return _after_read(shared, space, worker, own, answered, blocking)


@kernel()
def _go_on(shared, space, worker, own):
    """Run the transaction that was taken up from the read on that it waited at."""
    worker.phase = PHASE_READ
    if worker.met_location == shared.coinbase:
        return _read(shared, space, worker, own)
    worker.activity = U(ACT_EXECUTE)
    answered, blocking = answer_where_it_waited(shared, worker)
    return _after_read(shared, space, worker, own, answered, blocking)


@kernel()
def _fill(shared, space, worker):
    """Make the writes of the worker's transaction visible, and wake who waits for them."""
    if not fill_placeholders(shared, space, worker):
        note_fault(shared)
        return FAILED
    if has_told(shared, worker.txn_idx):
        # Who stands at another word looks once more.
        atomics.add(space, "news", U1)
    else:
        wake_waiters(shared, space, worker.txn_idx)
    worker.phase = I(PHASE_RECORD)
    return WORKED


@kernel()
def _fill_first(shared, space, worker, own):
    """Fill a word that is waited for, wake who waits for it, and pay for the next one; in the end for all others."""
    if fill_waited_for(shared, space, worker, own):
        spend(shared, worker, COST_FILL, 1)
        return WORKED
    spend(shared, worker, COST_FILL, worker.write_count - own.filled)
    worker.phase = PHASE_FINISH
    return WORKED


@kernel()
def _open_validation(shared):
    """Every transaction has executed: the scheduler validates the rest of those that may have read something wrong."""
    atomics.add(shared, "decrease_cnt", U1)
    end_task(shared)


@kernel()
def _record(shared, space, worker):
    """Record the rest of what the worker's transaction did: receipt, accesses, read set, status."""
    txn_idx = worker.txn_idx
    if not record_outcome(shared, worker):
        return FAILED
    if fees_seen_of(shared, txn_idx).seen != U0:
        doubt(shared, space, txn_idx)
    transaction_of(shared, txn_idx).is_planned = U1
    set_executed_status(shared, worker)
    worker.phase = PHASE_TASK
    worker.task = TASK_NONE
    left = atomics.subtract(space, "left", U1)
    check(left != U0)
    if has_doubts(shared, space):
        # The executed prefix may have grown.
        atomics.add(space, "news", U1)
    if left == U1:
        _open_validation(shared)
    return WORKED


@kernel()
def _find_work(shared, space, worker, own):
    """Take up what can go on, or begin the next transaction."""
    worker.activity = U(ACT_SCHEDULE)
    if has_doubts(shared, space) and (own.context != 0 or borrow(space, worker, own)):
        if next_doubted(shared, worker, space) != NOTHING:
            spend(shared, worker, COST_TASK, 1)
            return WORKED
    ready = take_lowest(space, first_unfilled(shared, space))
    if ready != NOTHING_READY:
        spend(shared, worker, COST_SWITCH, 1)
        take_up(space, worker, own, ready, context_number(shared, space, ready))
        use_hints(shared, worker)
        return _go_on(shared, space, worker, own)
    if atomics.load(space, "next_transaction") < U(shared.block_size):
        if own.context == 0 and not borrow(space, worker, own):
            return IDLE
        txn_idx = I(atomics.add(space, "next_transaction", U1))
        spend(shared, worker, COST_TASK, 1)
        if txn_idx < shared.block_size and try_incarnate(shared, worker, txn_idx):
            return _begin(shared, worker, own)
        return WORKED
    if atomics.load(space, "left") != U0:
        return IDLE
    # All contexts but those in workers' hands are free by now, and there are more than workers.
    if own.context == 0 and not borrow(space, worker, own):
        return IDLE
    own.filling = U0
    return WORKED


@kernel()
def _execute(shared, worker, own):
    """One step of a worker while transactions execute for the first time."""
    space = PLACEHOLDERS.at(shared.own)
    if has_fault(shared):
        return FAILED
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, space, worker, own)
    if phase == PHASE_FILL_FIRST:
        return _fill_first(shared, space, worker, own)
    if phase == PHASE_FINISH:
        return _fill(shared, space, worker)
    if phase == PHASE_RECORD:
        return _record(shared, space, worker)
    return _find_work(shared, space, worker, own)


@native("int64(int64, int64)")
def placeholder_step(shared_address, worker_address):
    """Execute while a transaction has not; then validate and repair."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    own, space = PLACEHOLDER_WORKER.at(worker.own), PLACEHOLDERS.at(shared.own)
    if own.filling != U0:
        if not is_in_repair(worker):
            return end_step(worker, _execute(shared, worker, own))
        if worker.phase == PHASE_READ:
            return end_step(worker, read_again(shared, worker, own))
    finishing = worker.phase == PHASE_FINISH or worker.phase == PHASE_ANNOUNCE
    result = call_2(space.speculative_step, shared_address, worker_address)
    # Who stands at a read looks once more.
    if finishing:
        atomics.add(space, "news", U1)
    return result
