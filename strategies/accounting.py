"""Accounting of a worker's work: what its step cost, what became of its executions, and what caused its aborts.

A worker is any struct that has the fields named here, so that every strategy counts in the same way.

An *execution* is a transaction's code begun at its first instruction, for the block's result. Each transaction has one
that stands. Every other one is wasted, for one reason, and counts under that alone:

    executions = transactions + aborts + wait_restarts + repairs

`aborts`
    It ran on something stale: validation failed (Kung and Robinson, "On optimistic methods for concurrency control",
    ACM TODS 1981; Block-STM's abort), or an older transaction took its locks (a wound).
`wait_restarts`
    It met something for which it had to wait, was given up, and is begun again after the wait: at an ESTIMATE in
    Block-STM, for the fees of all others in sharded execution.
`repairs`
    A plan had it executed, and validation found it stale. A transaction has at most one such execution, so that
    repairs / transactions is the share of the block in which the plan was wrong. What is aborted afterwards is an
    abort.

Two more count what is no execution of its own:

`waits`
    An execution waited for another transaction (for a lock, a version that was just being written, the fees of those
    before it), kept its machine, and went on where it was.
`dry_runs`
    A transaction was executed on the state before the block, to predict what it touches.

The harness holds every outcome against that sum (`Oracle.check`). An increment of a worker's own word is all that
counting costs.
"""

from __future__ import annotations

from contend.evm.layout import KIND_GENERATION, KIND_STORAGE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.clocks.base import WORKED
from contend.strategies.clocks.cost_table import COUNT


@kernel(inline=True)
def spend(shared, worker, cost_class, amount):
    """Add so much work of one class to the cost of the worker's step.

    Parameters
    ----------
    shared : struct with the field `costs`
        Address of the cost table, picoseconds by class (`strategies.clocks.cost_table`).
    worker : struct with the field `cost_ps`
    cost_class, amount : int
    """
    worker.cost_ps += view_u64(shared.costs, COUNT)[U(cost_class)] * U(amount)


@kernel(inline=True)
def end_step(worker, result):
    """Result of a step: its cost if it `WORKED`, at least 1, since 0 means that it was idle.

    Parameters
    ----------
    worker : struct with the field `cost_ps`
    result : int
    """
    cost_ps = I(worker.cost_ps)
    worker.cost_ps = U0
    return max(cost_ps, 1) if result == WORKED else result


@kernel(inline=True)
def note_abort_kind(worker, kind):
    """Count the kind of location that caused an abort or a repair; a storage generation counts as storage."""
    worker.aborts_by_kind[U(KIND_STORAGE if kind == KIND_GENERATION else kind)] += U1


@kernel(inline=True)
def note_abort(worker, kind):
    """Count an aborted execution, and the kind of location that caused it.

    Parameters
    ----------
    worker : struct with the fields `aborts` and `aborts_by_kind`
    kind : int
        As `evm.layout.KIND_STORAGE` and its like.
    """
    worker.aborts += U1
    note_abort_kind(worker, kind)
