"""The collaborative scheduler of Block-STM (arXiv 2203.06871, section 3 and algorithms 4 and 5).

Workers share two counters that sweep over the block: one hands out executions, one validations. An abort, or a write
to a new location, lowers the validation counter; a transaction made ready again lowers the execution counter. So the
lowest transactions are always served first, and the block is done when both counters have passed its end, nobody
holds a task, and no counter was lowered while that was being established.

A transaction's status word holds its incarnation and one of four states:

    READY -> EXECUTING -> EXECUTED -> ABORTING -> READY (next incarnation)
    READY -> EXECUTING -> ABORTING -> READY (it had to wait for a lower transaction)

Where the paper takes a lock around status and dependency list, a compare-and-swap on the status and a lock-free list
do: who puts a transaction on the list of one that finishes at that moment takes the list back and resumes it itself.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import atomics
from evm.jit import kernel, macro
from evm.pointers import view_u64
from strategies import shared as s

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
U0, U1 = U(0), U(1)
READY, EXECUTING, EXECUTED, ABORTING = range(4)
STATUS_BITS = U(2)
STATUS_MASK = U(3)
TASK_NONE, TASK_EXECUTE, TASK_VALIDATE = range(3)
NOTHING, PASSED, FOUND = range(3)  # what `next_task` returns


@macro
def counters_of(shared):
    """View of the shared counters."""
    return view_u64(I(shared[U(s.S_COUNTERS)]), s.C_COUNT)


@macro
def transactions_of(shared):
    """View of the transactions' cache lines."""
    return view_u64(I(shared[U(s.S_TRANSACTIONS)]), I(shared[U(s.S_SIZE)]) * s.T_WORDS)


@kernel(inline=True)
def pack_status(incarnation, status):
    """A status word."""
    return (U(incarnation) << STATUS_BITS) | U(status)


@kernel(inline=True)
def status_word(shared, transaction):
    """A transaction's status word as it is now."""
    return atomics.load(transactions_of(shared), transaction * s.T_WORDS + s.T_STATUS)


@kernel(inline=True)
def _set_status(shared, transaction, incarnation, status):
    atomics.exchange(transactions_of(shared), transaction * s.T_WORDS + s.T_STATUS, pack_status(incarnation, status))


@kernel(inline=True)
def _swap_status(shared, transaction, incarnation, old, new):
    expected = pack_status(incarnation, old)
    at = transaction * s.T_WORDS + s.T_STATUS
    return atomics.compare_and_swap(transactions_of(shared), at, expected, pack_status(incarnation, new)) == expected


@kernel()
def _lower(shared, counter, target):
    counters = counters_of(shared)
    atomics.minimum(counters, counter, U(target))
    atomics.add(counters, s.C_DECREASES, U1)


@kernel()
def _check_done(shared):
    counters = counters_of(shared)
    observed = atomics.load(counters, s.C_DECREASES)
    lowest = min(atomics.load(counters, s.C_EXECUTION), atomics.load(counters, s.C_VALIDATION))
    if lowest >= shared[U(s.S_SIZE)] and atomics.load(counters, s.C_ACTIVE) == U0:
        if observed == atomics.load(counters, s.C_DECREASES):
            atomics.store(counters, s.C_DONE, U1)


@kernel()
def is_done(shared):
    """Whether the block is executed and validated."""
    return atomics.load(counters_of(shared), s.C_DONE) != U0


@kernel()
def try_execute(shared, worker, transaction):
    """Take the next incarnation of a transaction if it is ready: it becomes the worker's task."""
    word = status_word(shared, transaction)
    if word & STATUS_MASK != U(READY):
        return False
    incarnation = word >> STATUS_BITS
    if not _swap_status(shared, transaction, incarnation, READY, EXECUTING):
        return False
    worker[U(s.W_TASK)] = U(TASK_EXECUTE)
    worker[U(s.W_TRANSACTION)] = U(transaction)
    worker[U(s.W_INCARNATION)] = incarnation
    return True


@kernel()
def _next_execution(shared, worker):
    counters = counters_of(shared)
    if atomics.load(counters, s.C_EXECUTION) >= shared[U(s.S_SIZE)]:
        _check_done(shared)
        return NOTHING
    atomics.add(counters, s.C_ACTIVE, U1)
    transaction = atomics.add(counters, s.C_EXECUTION, U1)
    if transaction < shared[U(s.S_SIZE)] and try_execute(shared, worker, I(transaction)):
        return FOUND
    atomics.subtract(counters, s.C_ACTIVE, U1)
    return PASSED


@kernel()
def _next_validation(shared, worker):
    counters = counters_of(shared)
    if atomics.load(counters, s.C_VALIDATION) >= shared[U(s.S_SIZE)]:
        _check_done(shared)
        return NOTHING
    atomics.add(counters, s.C_ACTIVE, U1)
    transaction = atomics.add(counters, s.C_VALIDATION, U1)
    if transaction < shared[U(s.S_SIZE)]:
        word = status_word(shared, I(transaction))
        if word & STATUS_MASK == U(EXECUTED):
            worker[U(s.W_TASK)] = U(TASK_VALIDATE)
            worker[U(s.W_TRANSACTION)] = transaction
            worker[U(s.W_INCARNATION)] = word >> STATUS_BITS
            return FOUND
    atomics.subtract(counters, s.C_ACTIVE, U1)
    return PASSED


@kernel()
def next_task(shared, worker):
    """Find the worker a task, the lowest first: `FOUND`; `PASSED` if what was considered needs none; or `NOTHING`."""
    counters = counters_of(shared)
    if atomics.load(counters, s.C_VALIDATION) < atomics.load(counters, s.C_EXECUTION):
        return _next_validation(shared, worker)
    return _next_execution(shared, worker)


@kernel()
def _make_ready(shared, transaction):
    word = status_word(shared, transaction)
    _set_status(shared, transaction, (word >> STATUS_BITS) + U1, READY)


@kernel()
def _resume_waiting(shared, transaction):
    """Make ready all that wait for a transaction, and let the execution counter find them."""
    lines = transactions_of(shared)
    waiting = atomics.exchange(lines, transaction * s.T_WORDS + s.T_WAITING, U0)
    lowest = shared[U(s.S_SIZE)]
    while waiting != U0:
        resumed = I(waiting) - 1
        waiting = lines[U(resumed * s.T_WORDS + s.T_WAITING_NEXT)]
        _make_ready(shared, resumed)
        lowest = min(lowest, U(resumed))
    if lowest < shared[U(s.S_SIZE)]:
        _lower(shared, s.C_EXECUTION, lowest)


@kernel()
def wait_for(shared, worker, blocking):
    """Suspend the worker's transaction until `blocking` has executed; the task is finished.

    The transaction must not be touched by the worker afterwards: another may be executing it already.
    """
    lines = transactions_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    _set_status(shared, transaction, worker[U(s.W_INCARNATION)], ABORTING)
    at = blocking * s.T_WORDS + s.T_WAITING
    head = atomics.load(lines, at)
    while True:
        lines[U(transaction * s.T_WORDS + s.T_WAITING_NEXT)] = head
        found = atomics.compare_and_swap(lines, at, head, U(transaction + 1))
        if found == head:
            break
        head = found
    if status_word(shared, blocking) & STATUS_MASK == U(EXECUTED):
        _resume_waiting(shared, blocking)
    atomics.subtract(counters_of(shared), s.C_ACTIVE, U1)
    worker[U(s.W_TASK)] = U(TASK_NONE)


@kernel()
def mark_executed(shared, worker):
    """The worker's incarnation is executed and its writes are visible; who waits for it can go on."""
    transaction = I(worker[U(s.W_TRANSACTION)])
    _set_status(shared, transaction, worker[U(s.W_INCARNATION)], EXECUTED)
    _resume_waiting(shared, transaction)


@kernel()
def finish_execution(shared, worker, wrote_new_location):
    """The worker's incarnation is executed and its writes are visible. Its own validation may become the next task."""
    counters = counters_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    mark_executed(shared, worker)
    if atomics.load(counters, s.C_VALIDATION) > U(transaction):
        if not wrote_new_location:
            worker[U(s.W_TASK)] = U(TASK_VALIDATE)
            return
        _lower(shared, s.C_VALIDATION, transaction)
    atomics.subtract(counters, s.C_ACTIVE, U1)
    worker[U(s.W_TASK)] = U(TASK_NONE)


@kernel()
def try_abort(shared, worker):
    """After a failed validation: True for the one worker that may abort this incarnation."""
    return _swap_status(shared, I(worker[U(s.W_TRANSACTION)]), worker[U(s.W_INCARNATION)], EXECUTED, ABORTING)


@kernel()
def finish_validation(shared, worker, aborted):
    """The worker's validation is over. After an abort the next incarnation may become its task."""
    counters = counters_of(shared)
    transaction = I(worker[U(s.W_TRANSACTION)])
    worker[U(s.W_TASK)] = U(TASK_NONE)
    if aborted:
        _make_ready(shared, transaction)
        _lower(shared, s.C_VALIDATION, transaction + 1)
        if atomics.load(counters, s.C_EXECUTION) > U(transaction) and try_execute(shared, worker, transaction):
            return
    atomics.subtract(counters, s.C_ACTIVE, U1)
