"""Accounting of a worker's steps: what they cost, what was wasted, and that something was full."""

from __future__ import annotations

from evm import atomics, layout
from evm.integers import U0, U1, I, U
from evm.jit import kernel
from evm.pointers import view_u64
from strategies import costs
from strategies.block_stm.layout import ABORT
from strategies.block_stm.mv_memory import allocate
from strategies.clocks import WORKED

_COST_CLASSES = costs.COUNT
_KIND_SHIFT = U(layout.KIND_SHIFT)
_ABORT_WORDS = ABORT.words


@kernel()
def note_fault(shared):
    """Something is full: every worker stops at its next step."""
    atomics.store(shared, "fault", U1)


@kernel(inline=True)
def has_fault(shared):
    """Whether some worker found something full."""
    return atomics.load(shared, "fault") != U0


@kernel(inline=True)
def spend(shared, worker, cost_class, amount):
    """Add so much work of one class of `strategies.costs` to the cost of the worker's step."""
    worker.cost_ps += view_u64(shared.costs, _COST_CLASSES)[U(cost_class)] * U(amount)


@kernel(inline=True)
def end_step(worker, result):
    """What a step returns: its cost if it `WORKED`, at least 1, since 0 means that it was idle."""
    cost = I(worker.cost_ps)
    worker.cost_ps = U0
    return max(cost, 1) if result == WORKED else result


@kernel()
def count_abort(shared, worker, stale, gas):
    """Count an aborted incarnation: the location that was stale and its kind, and the gas that it used for nothing.

    The note costs two words of the arena, on this path only; without room the run is repeated with more.
    """
    header = view_u64(shared.state, layout.STATE_WORDS)
    keys = view_u64(I(header[U(layout.STATE_KEYS)]), I(header[U(layout.STATE_CAPACITY)]) * layout.KEY_WORDS)
    kind = keys[U(stale * layout.KEY_WORDS + 2)] >> _KIND_SHIFT
    worker.aborts_by_kind[kind] += U1
    worker.aborts += U1
    worker.wasted_gas += U(gas)
    note = allocate(shared, worker, _ABORT_WORDS)
    if note != 0:
        ABORT.at(note).location = stale
        ABORT.at(note).previous = worker.aborts_noted
        worker.aborts_noted = note
