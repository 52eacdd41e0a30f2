"""Repair beside first executions: what a worker does that validates a transaction, or executes one again.

For strategies whose workers wait for each other while a block executes for the first time, and validate behind the
executed prefix meanwhile (`strategies.block_stm.executed_prefix`). Validations and executions again are Block-STM's own
steps but for one thing: who meets an ESTIMATE is not given up. It stands where it reads, with its machine, and so does
a first execution that meets a version which is written again. A worker holds the writer of that, which at most waits
for a lower one that another holds; so the lowest goes on.

When all have executed once, workers change to Block-STM's own step one by one, which gives up instead of waiting; what
was given up is executed by one of those, none of which stands. So in neither way all workers stand. Whoever ends an
execution again, in whichever way, raises a wake counter of the strategy's afterwards.

Kernels take any struct `own` of a worker that has the field `waits_for`: the transaction, plus one, for which it stands
at a read, or zero.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import has_fault
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, answer_read
from contend.strategies.block_stm.layout import TASK_EXECUTE, TASK_VALIDATE
from contend.strategies.block_stm.waiters.at_read import answer_where_it_waited, stand
from contend.strategies.block_stm.worker import run_to_need
from contend.strategies.clocks import FAILED, IDLE, WORKED, cost_table

COST_SWITCH = cost_table.SWITCH


@kernel(inline=True)
def is_in_repair(worker):
    """Whether the worker validates a transaction, or executes one again."""
    return worker.task == TASK_VALIDATE or (worker.task == TASK_EXECUTE and worker.incarnation != U0)


@kernel()
def wait_in_place(worker, own, writer):
    """Let the worker stand at its read: `WORKED` if it did not before, else `IDLE`."""
    if own.waits_for != 0:
        return IDLE
    stand(worker, own, writer)
    return WORKED


@kernel()
def answer_standing(shared, worker, own, never_wait):
    """Answer the read that the worker's machine stands at, from there if it has looked before.

    Results as of `incarnation.answer_read`.
    """
    if own.waits_for == 0 or worker.met_location == shared.coinbase:
        return answer_read(shared, worker, never_wait)
    spend(shared, worker, COST_SWITCH, 1)
    return answer_where_it_waited(shared, worker)


@kernel()
def read_again(shared, worker, own):
    """Answer a read of a transaction that is executed again, or stand there."""
    if has_fault(shared):
        return FAILED
    answered, writer = answer_standing(shared, worker, own, False)
    if answered == ANSWERED:
        own.waits_for = I(0)
        return run_to_need(shared, worker)
    return wait_in_place(worker, own, writer) if answered == BLOCKED else FAILED
