"""Coordinator: what a shard does for the transactions of its run queue, from admission to a slot until they leave it.

The parts are in files of their own: `strategies.sharded.protocol.execution` runs a transaction,
`strategies.sharded.protocol.commit` brings it to its end, `strategies.sharded.protocol.slots` has the phases. Here is
what drives them: a free slot, an answer from a participant, or a slot that can go on.
"""

from __future__ import annotations

from contend.evm.layout import MACHINE
from contend.evm.runtime.integers import U0, U1
from contend.evm.runtime.jit import kernel
from contend.evm.vm.transaction import start_transaction
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import ACT_COMMIT, FAILED, IDLE, WORKED
from contend.strategies.sharded.protocol.commit import (
    abort,
    commit,
    may_commit,
    send_decision,
    send_prepares,
    take_acknowledgement,
    take_vote,
)
from contend.strategies.sharded.protocol.execution import ask, run, run_with, run_with_fees
from contend.strategies.sharded.protocol.layout import (
    ACK,
    LAST_UNDECIDED,
    PHASE_ABORTING,
    PHASE_ASKING,
    PHASE_COMMITTING,
    PHASE_GRANTED,
    PHASE_PREPARING,
    PHASE_RESTART,
    PHASE_RUNNING,
    PHASE_TOKEN,
    PHASE_VOTING,
    VOTE,
    WOUND,
)
from contend.strategies.sharded.protocol.lock_manager import word_of
from contend.strategies.sharded.protocol.messages import (
    context_of,
    inbox_of,
    local_context,
    sender_of,
    slot_number_of,
    slot_of,
)
from contend.strategies.sharded.protocol.run_queue import queued
from contend.strategies.sharded.protocol.slots import occupy_slot, set_phase

COST_BEGIN = cost_table.BEGIN


@kernel()
def begin(cluster, shard, slot_number, position):
    """Start a transaction in a free slot, or again in its own, and run it."""
    slot = slot_of(shard, slot_number)
    occupy_slot(shard, slot_number)
    set_phase(slot, PHASE_RUNNING)
    slot.position = position
    slot.is_lock_free = 1
    slot.wounded = 0
    slot.participant_count = 0
    slot.gas_spent = U0
    slot.is_deferred = 0
    context = context_of(shard, local_context(shard, slot_number))
    context.index = queued(shard, position).index
    context.is_wounded = 0
    shard.executions += U1
    slot.execution = shard.executions
    start_transaction(MACHINE.at(slot.machine), position)
    spend(cluster, shard, COST_BEGIN, 1)
    return run(cluster, shard, slot_number)


@kernel()
def take_answer(cluster, shard, kind):
    """Handle what a participant sent about a transaction of this coordinator: VALUE, VOTE, ACK or WOUND.

    An answer that crossed an ABORT is dropped; the ACK of that ABORT comes behind it.
    """
    message = inbox_of(shard)
    slot_number = slot_number_of(message)
    slot = slot_of(shard, slot_number)
    if kind == ACK:
        take_acknowledgement(shard, slot_number)
        return WORKED
    if slot.phase > LAST_UNDECIDED:
        return WORKED
    if kind == WOUND:
        slot.wounded = message.detail + 1
    if slot.wounded != 0:
        return abort(cluster, shard, slot_number)
    if kind == VOTE:
        return take_vote(cluster, shard, slot_number)
    return run_with(cluster, shard, slot_number, sender_of(message), message.detail, message.word)


@kernel()
def _send_on(cluster, shard, slot_number, phase):
    """Go on with sending, where there was no room for a message. `IDLE` when there is still none."""
    sent = shard.messages
    if phase == PHASE_PREPARING:
        result = send_prepares(cluster, shard, slot_number)
    else:
        result = send_decision(cluster, shard, slot_number)
    return result if result == FAILED or shard.messages != sent else IDLE


@kernel()
def proceed(cluster, shard, slot_number):
    """Go on with a runnable slot. `WORKED`, `IDLE` when it still cannot, or `FAILED`."""
    shard.activity = ACT_COMMIT
    slot = slot_of(shard, slot_number)
    phase = slot.phase
    if slot.wounded != 0 and phase <= LAST_UNDECIDED:
        return abort(cluster, shard, slot_number)
    if phase == PHASE_GRANTED:
        word = word_of(shard, slot.location)
        return run_with(cluster, shard, slot_number, shard.number, slot.location, word)
    if phase == PHASE_TOKEN:
        return run_with_fees(cluster, shard, slot_number)
    if phase == PHASE_ASKING:
        return WORKED if ask(cluster, shard, slot_number) else IDLE
    if phase == PHASE_RESTART:
        return begin(cluster, shard, slot_number, slot.position)
    if phase == PHASE_VOTING:
        return commit(cluster, shard, slot_number) if may_commit(shard, slot_number) else IDLE
    if phase == PHASE_PREPARING or phase == PHASE_COMMITTING or phase == PHASE_ABORTING:
        return _send_on(cluster, shard, slot_number, phase)
    return IDLE
