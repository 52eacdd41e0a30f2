"""Block-STM (Gelashvili et al., arXiv 2203.06871): optimistic execution that respects the block's order.

Every transaction is executed as soon as a worker is free, reading whatever the transactions below it have written so
far. Later its read set is validated; if something has changed, its writes become estimates and it is executed again.
A transaction that meets an estimate waits for the one that is expected to write there.

One thing is added to the paper: where aborts are frequent, an incarnation validates itself before it publishes
anything. What is stale by then would be aborted anyway, but only after others had read what it wrote: on a hot place
each wrong write makes the next transaction wrong too.

A worker is a state machine of three phases, so that each `step` is one interaction with what is shared, followed by
private work: take a task; answer one read and run the interpreter to the next; publish what an incarnation did.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy import uint64 as U

from evm.jit import kernel, native
from evm.words import U1
from strategies import costs
from strategies import shared as s
from strategies.clocks import ACT_EXECUTE, ACT_SCHEDULE, ACT_VALIDATE, ACT_WAIT
from strategies.incarnation import (
    ANSWERED,
    BLOCKED,
    RAN_INTO_FAULT,
    RAN_TO_END,
    VALID,
    abort,
    advance,
    answer,
    begin,
    count_waste,
    end_step,
    finish,
    first_stale_read,
    first_stale_read_in_hand,
    has_fault,
    open_shared,
    open_worker,
    spend,
)
from strategies.optimistic import OptimisticStrategy
from strategies.scheduler import (
    EXECUTED,
    NOTHING,
    PASSED,
    STATUS_MASK,
    TASK_EXECUTE,
    TASK_NONE,
    finish_execution,
    finish_validation,
    is_done,
    next_task,
    status_word,
    try_abort,
    wait_for,
)

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
COST_TASK, COST_WAIT = costs.TASK, costs.WAIT
PHASE_TASK, PHASE_READ, PHASE_FINISH = range(3)

ABORTS_ARE_FREQUENT = U(32)  # one in so many executions


@kernel()
def run_to_need(shared, worker):
    """The private work behind an answered read; sets the phase that follows. `WORKED` or `FAILED`."""
    stopped = advance(shared, worker)
    if stopped == RAN_INTO_FAULT:
        return s.FAILED
    worker[U(s.W_PHASE)] = U(PHASE_FINISH if stopped == RAN_TO_END else PHASE_READ)
    return s.WORKED


@kernel()
def begin_execution(shared, worker):
    """Start the incarnation that is the worker's task and run it to its first need."""
    worker[U(s.W_EXECUTIONS)] += U1
    worker[U(s.W_ACTIVITY)] = U(ACT_EXECUTE)
    begin(shared, worker)
    return run_to_need(shared, worker)


@kernel()
def _read(shared, worker):
    answered, blocking = answer(shared, worker, False)
    if answered == ANSWERED:
        return run_to_need(shared, worker)
    if answered != BLOCKED:
        return s.FAILED
    if status_word(shared, blocking) & STATUS_MASK != U(EXECUTED):
        worker[U(s.W_DEPENDENCIES)] += U1
        worker[U(s.W_WASTED_GAS)] += worker[U(s.W_GAS_SPENT)]
        worker[U(s.W_PHASE)] = U(PHASE_TASK)
        worker[U(s.W_ACTIVITY)] = U(ACT_WAIT)
        spend(shared, worker, COST_WAIT, 1)
        wait_for(shared, worker, blocking)
    return s.WORKED


@kernel()
def _is_stale_already(shared, worker):
    """Whether the worker's incarnation is known to be wrong; asked only where aborts are frequent, since it costs."""
    if worker[U(s.W_ABORTS)] * ABORTS_ARE_FREQUENT < worker[U(s.W_EXECUTIONS)]:
        return False
    stale = first_stale_read_in_hand(shared, worker)
    if stale == VALID:
        return False
    count_waste(shared, worker, stale, worker[U(s.W_GAS_SPENT)])
    return True


@kernel()
def _finish(shared, worker):
    if _is_stale_already(shared, worker):
        return begin_execution(shared, worker)
    fitted, wrote_new_location = finish(shared, worker)
    if not fitted:
        return s.FAILED
    worker[U(s.W_PHASE)] = U(PHASE_TASK)
    finish_execution(shared, worker, wrote_new_location)
    return s.WORKED


@kernel()
def _validate(shared, worker):
    worker[U(s.W_VALIDATIONS)] += U1
    worker[U(s.W_ACTIVITY)] = U(ACT_VALIDATE)
    stale = first_stale_read(shared, worker)
    aborted = stale != VALID and try_abort(shared, worker)
    if aborted:
        abort(shared, worker, stale)
    finish_validation(shared, worker, aborted)
    return s.WORKED


@kernel()
def speculate(shared, worker):
    """One step of a Block-STM worker: `WORKED`, or a step's other results."""
    phase = I(worker[U(s.W_PHASE)])
    if phase == PHASE_READ:
        return _read(shared, worker)
    if phase == PHASE_FINISH:
        return _finish(shared, worker)
    if has_fault(shared):
        return s.FAILED
    if worker[U(s.W_TASK)] == U(TASK_NONE):
        worker[U(s.W_ACTIVITY)] = U(ACT_SCHEDULE)
        found = next_task(shared, worker)
        if found == NOTHING:
            return s.FINISHED if is_done(shared) else s.IDLE
        spend(shared, worker, COST_TASK, 1)
        # To take a validation and to validate are two interactions: between them others may go on.
        if found == PASSED or worker[U(s.W_TASK)] != U(TASK_EXECUTE):
            return s.WORKED
    if worker[U(s.W_TASK)] == U(TASK_EXECUTE):
        return begin_execution(shared, worker)
    return _validate(shared, worker)


@native("int64(int64, int64)")
def step(shared_address, worker_address):
    """One interaction with shared state and the private work behind it; its cost, or that there is none to do."""
    worker = open_worker(worker_address)
    return end_step(worker, speculate(open_shared(shared_address), worker))


class BlockSTM(OptimisticStrategy):
    """Optimistic concurrency in the block's order: execute, validate, and execute again what was wrong."""

    name: ClassVar[str] = "block_stm"
    summary: ClassVar[str] = "optimistic, multi-version memory and collaborative scheduler (arXiv 2203.06871)"
    step = step
