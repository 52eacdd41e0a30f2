"""Accounting of aborts, and of what is full; costs of steps are in `strategies.accounting`."""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, U
from contend.evm.runtime.jit import kernel
from contend.evm.state import kind_of
from contend.strategies.accounting import note_abort, note_abort_kind
from contend.strategies.block_stm.layout import ABORT
from contend.strategies.block_stm.mv_memory import allocate
from contend.strategies.block_stm.scheduler import transaction_of

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

    It counts as a repair if a plan had it executed, else as an abort (`strategies.accounting`). The note costs two
    words of the arena, on this path only; without room the run is repeated with more.
    """
    line, kind = transaction_of(shared, worker.txn_idx), kind_of(STATE.at(shared.state), stale)
    if line.is_planned != U0:
        line.is_planned = U0
        worker.repairs += U1
        note_abort_kind(worker, kind)
    else:
        note_abort(worker, kind)
    worker.wasted_gas += U(gas)
    note = allocate(shared, worker, _ABORT_WORDS)
    if note != 0:
        ABORT.at(note).location = stale
        ABORT.at(note).previous = worker.aborts_noted
        worker.aborts_noted = note
