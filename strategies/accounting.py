"""Accounting of a worker's work: what its step cost, and what caused its aborts.

A worker is any struct that has the fields named here, so that every strategy counts in the same way.
"""

from __future__ import annotations

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
def note_abort(worker, kind):
    """Count an aborted execution, and the kind of location that caused it.

    Parameters
    ----------
    worker : struct with the fields `aborts` and `aborts_by_kind`
    kind : int
        As `evm.layout.KIND_STORAGE` and its like.
    """
    worker.aborts += U1
    worker.aborts_by_kind[U(kind)] += U1
