"""`redo`'s worker: that of the window, with a log kept of each execution ahead of the commit point.

ParallelEVM (arXiv 2211.07911) executes optimistically, validates in the block's order, and where a read is stale does
those operations again that depend on it, by a log in static single assignment form; Altius does so over revm. Here the
host is the window (`strategies.optimistic.occ_window.worker` has the turn, its memory order, and how the window's size
follows what is found): a transaction that is stale at its turn is redone by whoever has the turn, and executed
again only where its log does not hold. So in a chain of n transactions each costs a redo at its turn, and their
executions overlap as if there were no chain.

What is executed at its turn, for the second time or because it asked for the beneficiary's balance, reads what is final
and needs no log: it runs on the interpreter without one.
"""

from __future__ import annotations

from contend.evm.redo_log.around_frames import begin_log, forgo_log
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import count_abort, has_fault
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    RAN_INTO_FAULT,
    RAN_TO_END,
    begin,
    count_writes,
    receipt_of,
    run_machine_by,
)
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.scheduler import transaction_of, txn_status
from contend.strategies.block_stm.worker import PHASE_FINISH, PHASE_READ, PHASE_TASK
from contend.strategies.clocks import (
    ACT_COMMIT,
    ACT_EXECUTE,
    ACT_SCHEDULE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WORKED,
    cost_table,
)
from contend.strategies.optimistic.occ_window.layout import DEFERRED, PENDING, SIZE_BITS, WINDOW
from contend.strategies.optimistic.occ_window.pending_results import answer_from_committed, give_up, keep_result
from contend.strategies.optimistic.occ_window.worker import (
    PHASE_COMMITTED,
    adapt,
    give_turn_back,
    may_commit,
    publish_result,
    try_to_take_turn,
)
from contend.strategies.optimistic.redo.kept_logs import (
    answer_and_log,
    count_code_writes,
    count_possible_writes,
    keep_result_and_log,
)
from contend.strategies.optimistic.redo.layout import REDO_WORKER
from contend.strategies.optimistic.redo.redoing import RIGHT, make_right

# The loop that keeps numbers takes longer than the other by one part in 1 << LOGGING_SHIFT of the interpreter's work,
# measured on swaps and dao (docs/redo.md). What it enters in the log is charged by the entry (`kept_logs`).
LOGGING_SHIFT = U(2)
# A log costs a third of an execution, of one worker; what has to be executed again at its turn costs an execution's
# time of all workers. So there is none after so many fresh transactions in a row, times the workers.
FRESH_A_WORKER = 4
COST_TASK, COST_WAIT, COST_KEEP = cost_table.TASK, cost_table.WAIT, cost_table.PUBLISH_READ


@kernel()
def _run(shared, worker):
    """The private work behind an answered read; sets the phase that follows. `WORKED` or `FAILED`."""
    own = REDO_WORKER.at(worker.own)
    has_turn, logs = own.has_turn != U0, own.logs != U0
    before = worker.cost_ps
    stopped = run_machine_by(shared, worker, own.logged if logs else own.plain)
    if logs:
        worker.cost_ps += (worker.cost_ps - before) >> LOGGING_SHIFT
    if stopped == RAN_INTO_FAULT:
        return FAILED
    if stopped != RAN_TO_END:
        worker.phase = PHASE_READ
        return WORKED
    worker.phase = PHASE_FINISH
    if has_turn:
        worker.write_count, _ = count_writes(shared, worker)
    else:
        worker.write_count = count_possible_writes(worker)
    spend(shared, worker, COST_KEEP, worker.write_count)
    return WORKED


@kernel(inline=True)
def is_worth_logging(shared):
    """Whether a transaction was stale at its turn lately."""
    return I(atomics.load(WINDOW.at(shared.own), "fresh")) < FRESH_A_WORKER * shared.workers


@kernel()
def _note_turn(shared, worker, stale, redone_before):
    """Count fresh transactions in a row, as of whether the last one was redone or has to be executed again."""
    window = WINDOW.at(shared.own)
    is_fresh = stale == RIGHT and REDO_WORKER.at(worker.own).redone == redone_before
    atomics.store(window, "fresh", atomics.load(window, "fresh") + U1 if is_fresh else U0)


@kernel()
def _begin_execution(shared, worker):
    worker.executions += U1
    worker.activity = U(ACT_EXECUTE)
    begin(shared, worker)
    own = REDO_WORKER.at(worker.own)
    own.codes = 0
    own.logs = U(own.has_turn == U0 and is_worth_logging(shared))
    if own.has_turn == U0:
        begin_log(open_machine(worker.machine))
        if own.logs == U0:
            forgo_log(open_machine(worker.machine))
    return _run(shared, worker)


@kernel()
def _publish(shared, worker):
    """Make the result of the worker's transaction, which is right, that of the block."""
    WINDOW.at(shared.own).code_writes += REDO_WORKER.at(worker.own).code_writes
    return publish_result(shared, worker)


@kernel()
def _commit_next(shared, worker, txn_idx):
    """Commit the transaction at the commit point, or begin to execute it again. The worker has the turn."""
    worker.txn_idx = txn_idx
    worker.activity = U(ACT_COMMIT)
    if txn_status(shared, txn_idx) == U(DEFERRED):
        return _begin_execution(shared, worker)
    worker.validations += U1
    redone = REDO_WORKER.at(worker.own).redone
    stale = make_right(shared, worker)
    _note_turn(shared, worker, stale, redone)
    adapt(shared, stale != RIGHT)
    if stale == RIGHT:
        return _publish(shared, worker)
    count_abort(shared, worker, stale, receipt_of(shared, txn_idx).gas_used)
    return _begin_execution(shared, worker)


@kernel()
def _move_commit_point(shared, worker):
    """Count a commit, and go on with the next one or give the turn back."""
    following = worker.txn_idx + 1
    atomics.store(WINDOW.at(shared.own), "committed", U(following))
    worker.phase = PHASE_TASK
    if may_commit(shared, following):
        return _commit_next(shared, worker, following)
    worker.activity = U(ACT_SCHEDULE)
    spend(shared, worker, COST_TASK, 1)
    give_turn_back(shared, worker)
    return WORKED


@kernel()
def _begin_turn(shared, worker):
    """Commit what is at the commit point now: another worker may have had the turn since the look at it."""
    spend(shared, worker, COST_TASK, 1)
    first = I(atomics.load(WINDOW.at(shared.own), "committed"))
    if may_commit(shared, first):
        return _commit_next(shared, worker, first)
    give_turn_back(shared, worker)
    return WORKED


@kernel()
def _execute_ahead(shared, worker):
    """Take the next transaction of the window."""
    window = WINDOW.at(shared.own)
    committed = I(atomics.load(window, "committed"))
    if committed >= shared.block_size:
        return FINISHED
    txn_idx = I(atomics.load(window, "next_txn"))
    size = I(atomics.load(window, "size") >> SIZE_BITS)
    if txn_idx >= min(committed + size, shared.block_size):
        return IDLE
    spend(shared, worker, COST_TASK, 1)
    own = REDO_WORKER.at(worker.own)
    # At the commit point already, it is its turn, and it needs no log.
    takes_turn = txn_idx == committed and atomics.compare_and_swap(window, "turn", U0, U1) == U0
    if atomics.compare_and_swap(window, "next_txn", U(txn_idx), U(txn_idx + 1)) != U(txn_idx):
        if takes_turn:
            atomics.store(window, "turn", U0)
        return WORKED
    worker.txn_idx = txn_idx
    own.has_turn = U(takes_turn)
    if takes_turn:
        # It will be found fresh: without saying so a window of one would be one for ever.
        adapt(shared, False)
    return _begin_execution(shared, worker)


@kernel()
def _read(shared, worker):
    has_turn = REDO_WORKER.at(worker.own).has_turn != U0
    answered = answer_from_committed(shared, worker) if has_turn else answer_and_log(shared, worker)
    if answered == ANSWERED:
        return _run(shared, worker)
    if answered != BLOCKED:
        return FAILED
    worker.phase = PHASE_TASK
    worker.activity = U(ACT_WAIT)
    spend(shared, worker, COST_WAIT, 1)
    give_up(shared, worker)
    atomics.store(transaction_of(shared, worker.txn_idx), "txn_status", U(DEFERRED))
    return WORKED


@kernel()
def _finish(shared, worker):
    """Keep what an execution came to; at its turn that is its result."""
    if REDO_WORKER.at(worker.own).has_turn != U0:
        REDO_WORKER.at(worker.own).code_writes = count_code_writes(open_machine(worker.machine))
        return _publish(shared, worker) if keep_result(shared, worker, False) else FAILED
    if not keep_result_and_log(shared, worker):
        return FAILED
    worker.phase = PHASE_TASK
    atomics.store(transaction_of(shared, worker.txn_idx), "txn_status", U(PENDING))
    return WORKED


@kernel()
def _work(shared, worker):
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if has_fault(shared):
        return FAILED
    if phase == PHASE_COMMITTED:
        return _move_commit_point(shared, worker)
    worker.activity = U(ACT_SCHEDULE)
    if try_to_take_turn(shared, worker):
        return _begin_turn(shared, worker)
    return _execute_ahead(shared, worker)


@native("int64(int64, int64)")
def redo_step(shared_address, worker_address):
    """Answer one read, keep one result, commit one transaction, or take the next; its cost."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    return end_step(worker, _work(shared, worker))
