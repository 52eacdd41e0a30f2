"""Slots: the transactions that a shard has under way as their coordinator, and the phases that they go through.

A slot goes from phase to phase like this:

=============  =================================================
phase          follows
=============  =================================================
FREE           COMMITTING; ABORTING, where the transaction is deferred
RUNNING        FREE, RESTART, WAITING, GRANTED, TOKEN
WAITING        RUNNING, ASKING
GRANTED        WAITING
ASKING         RUNNING, ASKING
TOKEN          RUNNING
PREPARING      RUNNING
VOTING         PREPARING
COMMITTING     VOTING; RUNNING, where the transaction is lock-free
ABORTING       any of those between FREE and COMMITTING
RESTART        ABORTING
=============  =================================================

A transaction is undecided up to VOTING: until then it can be wounded, and is aborted at once. From COMMITTING on
nothing can undo it.
"""

from __future__ import annotations

from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, U
from contend.evm.runtime.jit import kernel
from contend.strategies.sharded.protocol.layout import (
    LAST_UNDECIDED,
    PHASE_ABORTING,
    PHASE_ASKING,
    PHASE_COMMITTING,
    PHASE_FREE,
    PHASE_GRANTED,
    PHASE_PREPARING,
    PHASE_RESTART,
    PHASE_RUNNING,
    PHASE_TOKEN,
    PHASE_VOTING,
    PHASE_WAITING,
)
from contend.strategies.sharded.protocol.messages import set_runnable, slot_of


@kernel()
def _may_follow(before, after):
    """Whether a slot may go from one phase to another; see the table above."""
    if after == PHASE_RUNNING:
        return (
            before == PHASE_FREE
            or before == PHASE_RESTART
            or before == PHASE_WAITING
            or before == PHASE_GRANTED
            or before == PHASE_TOKEN
        )
    if after == PHASE_WAITING:
        return before == PHASE_RUNNING or before == PHASE_ASKING
    if after == PHASE_GRANTED:
        return before == PHASE_WAITING
    if after == PHASE_ASKING:
        return before == PHASE_RUNNING or before == PHASE_ASKING
    if after == PHASE_TOKEN or after == PHASE_PREPARING:
        return before == PHASE_RUNNING
    if after == PHASE_VOTING:
        return before == PHASE_PREPARING
    if after == PHASE_COMMITTING:
        return before == PHASE_RUNNING or before == PHASE_VOTING
    if after == PHASE_ABORTING:
        return before > PHASE_FREE and before <= LAST_UNDECIDED
    if after == PHASE_RESTART:
        return before == PHASE_ABORTING
    return before == PHASE_COMMITTING or before == PHASE_ABORTING


@kernel(inline=True)
def set_phase(slot, phase):
    """Take a slot to its next phase."""
    check(_may_follow(slot.phase, phase))
    slot.phase = phase


@kernel()
def note_grant(shard, slot_number):
    """A lock of this shard that a slot waits for was granted."""
    set_phase(slot_of(shard, slot_number), PHASE_GRANTED)
    set_runnable(shard, slot_number)


@kernel()
def note_wound(shard, slot_number, cause):
    """The transaction of a slot holds what an older one wants: it is to be aborted, whatever it is doing."""
    slot = slot_of(shard, slot_number)
    check(slot.phase > PHASE_FREE and slot.phase <= LAST_UNDECIDED)
    slot.wounded = cause + 1
    set_runnable(shard, slot_number)


@kernel()
def note_upgrade(shard, slot_number):
    """A lock of this shard that a slot waits for was made exclusive."""
    slot = slot_of(shard, slot_number)
    check(slot.pending > 0)
    slot.pending -= 1
    set_runnable(shard, slot_number)


@kernel(inline=True)
def occupy_slot(shard, slot_number):
    """A slot begins with a transaction, or begins with its own again."""
    shard.free_slots &= ~(U1 << U(slot_number))


@kernel()
def leave_slot(shard, slot_number):
    """All participants have acknowledged the decision: the slot is free, or its transaction starts again."""
    slot = slot_of(shard, slot_number)
    if slot.phase == PHASE_ABORTING and slot.is_deferred == 0:
        set_phase(slot, PHASE_RESTART)
        set_runnable(shard, slot_number)
        return
    set_phase(slot, PHASE_FREE)
    shard.free_slots |= U1 << U(slot_number)


@kernel(inline=True)
def all_slots_free(shard):
    """Whether no transaction is in a slot, nor a decision about one unacknowledged."""
    return shard.free_slots == ~U0 >> (U(64) - U(shard.slot_count))
