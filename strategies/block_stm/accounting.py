"""Accounting of aborts, and of what is full; costs of steps are in `strategies.accounting`."""

from __future__ import annotations

from evm import atomics
from evm.integers import U0, U1, U
from evm.jit import kernel
from evm.layout import STATE
from evm.state import kind_of
from strategies.accounting import note_abort
from strategies.block_stm.layout import ABORT
from strategies.block_stm.mv_memory import allocate

_ABORT_WORDS = ABORT.words


@kernel()
def note_fault(shared):
    """Something is full: every worker stops at its next step."""
    atomics.store(shared, "fault", U1)


@kernel(inline=True)
def has_fault(shared):
    """Whether some worker found something full."""
    return atomics.load(shared, "fault") != U0


@kernel()
def count_abort(shared, worker, stale, gas):
    """Count an aborted incarnation: the location that was stale and its kind, and the gas that it used for nothing.

    The note costs two words of the arena, on this path only; without room the run is repeated with more.
    """
    note_abort(worker, kind_of(STATE.at(shared.state), stale))
    worker.wasted_gas += U(gas)
    note = allocate(shared, worker, _ABORT_WORDS)
    if note != 0:
        ABORT.at(note).location = stale
        ABORT.at(note).previous = worker.aborts_noted
        worker.aborts_noted = note
