"""Block-STM's worker (arXiv 2203.06871, algorithm 1) as a step: one interaction with what is shared, then private work.

Every transaction is executed as soon as a worker is free, reading whatever the transactions below it have written so
far. Later its read set is validated; if something has changed, its writes become estimates and it is executed again.
A transaction that meets an estimate waits for the one that is expected to write there.

One thing is added to the paper: where aborts are frequent, an incarnation validates itself before it records
anything. What is stale by then would be aborted anyway, but only after others had read what it wrote: on a hot
location each wrong write makes the next transaction wrong too. It is begun again at once, since the next try may be
right; but not far above a transaction that has not executed: on a hot location it would be wrong as often as there are
transactions between, and a thousand workers would do little else. Where a strategy executes by another step first, the
sweep of executions comes to nobody who waits, and so nobody does.

A worker is a state machine of four phases: take a task; answer one read and run the interpreter to the next; record
what an incarnation did; announce that it is recorded.

Under the virtual clock a step's effects are seen when it begins, and it costs its time afterwards. What others wait for
must have been paid for before they see it, or simulated workers would hand words on faster than any real ones: so the
step in which an incarnation ends pays for its writes, which the next one shows; and that one pays for receipt and read
set, behind which the last step announces that it has executed.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, U
from contend.evm.runtime.jit import kernel, native
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import count_abort, has_fault
from contend.strategies.block_stm.incarnation import (
    ANSWERED,
    BLOCKED,
    RAN_INTO_FAULT,
    RAN_TO_END,
    answer_read,
    begin,
    count_filled,
    count_writes,
    record,
    run_machine,
)
from contend.strategies.block_stm.layout import SHARED, TASK_EXECUTE, TASK_NONE, WORKER
from contend.strategies.block_stm.scheduler import (
    NOTHING,
    PASSED,
    add_dependency,
    finish_execution,
    finish_validation,
    has_final_prefix,
    is_done,
    is_executed,
    next_task,
    try_validation_abort,
    txn_status,
)
from contend.strategies.block_stm.validation import (
    VALID,
    abort,
    validate_unless_certain,
    validate_unrecorded,
)
from contend.strategies.clocks import (
    ACT_EXECUTE,
    ACT_SCHEDULE,
    ACT_VALIDATE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WORKED,
    cost_table,
)

COST_TASK, COST_WAIT = cost_table.TASK, cost_table.WAIT
COST_PUBLISH_WRITE, COST_FILL = cost_table.PUBLISH_WRITE, cost_table.FILL
PHASE_TASK, PHASE_READ, PHASE_FINISH, PHASE_ANNOUNCE, OWN_PHASE = range(5)

ABORTS_ARE_FREQUENT = U(32)  # one in so many executions


@kernel(inline=True)
def run_paying(shared, worker, publish):
    """The private work behind an answered read; sets the phase that follows. `WORKED` or `FAILED`.

    `publish` is the class of what it costs to make a write visible, which the next step does. A write whose version is
    laid out already is only filled in.
    """
    stopped = run_machine(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return FAILED
    if stopped != RAN_TO_END:
        worker.phase = PHASE_READ
        return WORKED
    worker.phase = PHASE_FINISH
    worker.write_count, settling = count_writes(shared, worker)
    # Found without a search, marked and written, as a version that is laid out.
    spend(shared, worker, COST_FILL, settling)
    filled = settling
    if publish == COST_PUBLISH_WRITE and shared.expects != U0:
        laid_out = count_filled(worker)
        spend(shared, worker, COST_FILL, laid_out)
        filled += laid_out
    spend(shared, worker, publish, worker.write_count - filled)
    return WORKED


@kernel(inline=True)
def run_to_need(shared, worker):
    """As `run_paying`, for writes that become versions."""
    return run_paying(shared, worker, COST_PUBLISH_WRITE)


@kernel()
def begin_paying(shared, worker, publish):
    """Start the incarnation that is the worker's task and run it to its first need; see `run_paying`."""
    worker.executions += U1
    worker.activity = U(ACT_EXECUTE)
    begin(shared, worker)
    return run_paying(shared, worker, publish)


@kernel()
def begin_execution(shared, worker):
    """As `begin_paying`, for writes that become versions."""
    return begin_paying(shared, worker, COST_PUBLISH_WRITE)


@kernel()
def _wait_for(shared, worker, blocking):
    """Leave the worker's transaction until another one has executed."""
    worker.activity = U(ACT_WAIT)
    spend(shared, worker, COST_WAIT, 1)
    add_dependency(shared, worker, blocking)


@kernel()
def _read(shared, worker):
    answered, blocking = answer_read(shared, worker, False)
    while answered == ANSWERED:
        result = run_to_need(shared, worker)
        if worker.runs_on == U0 or result != WORKED or worker.phase != PHASE_READ:
            return result
        answered, blocking = answer_read(shared, worker, False)
    if answered != BLOCKED:
        return FAILED
    if is_executed(txn_status(shared, blocking)):
        # It has just executed: the machine stands where it was, and reads again.
        worker.waits += U1
    else:
        # The execution is given up: it is begun again.
        worker.phase = PHASE_TASK
        worker.wait_restarts += U1
        worker.wasted_gas += worker.gas_spent
        _wait_for(shared, worker, blocking)
    return WORKED


@kernel()
def _is_stale_already(shared, worker):
    """Whether the worker's incarnation is known to be wrong; asked only where aborts are frequent, since it costs."""
    if worker.reads_final != U0 or (worker.aborts + worker.repairs) * ABORTS_ARE_FREQUENT < worker.executions:
        return False
    stale = validate_unrecorded(shared, worker)
    if stale == VALID:
        return False
    count_abort(shared, worker, stale, worker.gas_spent)
    return True


@kernel()
def _try_again(shared, worker):
    """Begin the worker's incarnation, which was stale, once more; or let it wait, far above what has executed."""
    below = worker.txn_idx - shared.far
    if below < 0 or shared.far == 0 or is_executed(txn_status(shared, below)):
        return begin_execution(shared, worker)
    worker.phase = PHASE_TASK
    worker.waits += U1
    _wait_for(shared, worker, below)
    return WORKED


@kernel()
def _finish(shared, worker):
    if _is_stale_already(shared, worker):
        return _try_again(shared, worker)
    fitted, surprises = record(shared, worker)
    if not fitted:
        return FAILED
    worker.surprises = U(surprises)
    worker.phase = PHASE_ANNOUNCE
    return WORKED


@kernel()
def _announce(shared, worker):
    worker.phase = PHASE_TASK
    finish_execution(shared, worker, worker.surprises != U0)
    return WORKED


@kernel()
def _validate(shared, worker):
    worker.validations += U1
    worker.activity = U(ACT_VALIDATE)
    stale = validate_unless_certain(shared, worker)
    aborted = stale != VALID and try_validation_abort(shared, worker)
    if aborted:
        abort(shared, worker, stale)
    finish_validation(shared, worker, aborted)
    return WORKED


@kernel()
def _execute(shared, worker):
    result = begin_execution(shared, worker)
    # It has not read anything yet.
    if has_final_prefix(shared, worker.txn_idx):
        worker.reads_final = U1
        worker.settles = shared.settles
    return result


@kernel()
def _rest(shared):
    """Result of a step that has found no task. Who has run into a fault keeps its own, so that none are done."""
    if is_done(shared):
        return FINISHED
    return FAILED if has_fault(shared) else IDLE


@kernel()
def speculate(shared, worker):
    """One step of a Block-STM worker: `WORKED`, or a step's other results."""
    phase = worker.phase
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if phase == PHASE_ANNOUNCE:
        return _announce(shared, worker)
    if worker.task == TASK_NONE:
        worker.activity = U(ACT_SCHEDULE)
        found = next_task(shared, worker)
        if found == NOTHING:
            return _rest(shared)
        spend(shared, worker, COST_TASK, 1)
        # To take a validation and to validate are two interactions: between them others may go on.
        if found == PASSED or worker.task != TASK_EXECUTE:
            return WORKED
    return _execute(shared, worker) if worker.task == TASK_EXECUTE else _validate(shared, worker)


@native("int64(int64, int64)")
def step(shared_address, worker_address):
    """One interaction with shared state and the private work behind it; its cost, or that there is none to do.

    Where workers do not take turns, as many as there are (`WORKER.runs_on`).
    """
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    result = speculate(shared, worker)
    while result == WORKED and worker.runs_on != U0:
        result = speculate(shared, worker)
    return end_step(worker, result)
