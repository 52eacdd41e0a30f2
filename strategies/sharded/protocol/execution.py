"""Execution at the coordinator: run a transaction's machine, and find each word that it needs.

A word of this shard is taken from its state, without a lock while the transaction is lock-free
(`strategies.sharded.protocol.lock_free`); a word of another shard is asked for by READ. Meanwhile the transaction
waits, and its shard goes on with another one.
"""

from __future__ import annotations

from contend.evm import errors
from contend.evm.code import cost_model as evm_costs
from contend.evm.layout import MACHINE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_1
from contend.evm.state import intern_location
from contend.evm.vm.access_table import supply_word
from contend.strategies.accounting import spend
from contend.strategies.clocks.base import ACT_EXECUTE, FAILED, WORKED
from contend.strategies.sharded.protocol.commit import abort, finish
from contend.strategies.sharded.protocol.commit_order import knows_fees
from contend.strategies.sharded.protocol.fees import is_beneficiary_key, word_to_give
from contend.strategies.sharded.protocol.layout import (
    OWNER_SHIFT,
    PHASE_ASKING,
    PHASE_RUNNING,
    PHASE_TOKEN,
    PHASE_WAITING,
    READ,
    READ_REQUEST,
)
from contend.strategies.sharded.protocol.lock_free import lock_what_was_read
from contend.strategies.sharded.protocol.lock_manager import (
    NO_ROOM,
    WAITING,
    is_readable,
    lock,
    preferred_mode,
    word_of,
)
from contend.strategies.sharded.protocol.messages import (
    context_of,
    local_context,
    note_fault,
    owner_of,
    participants_of,
    send,
    set_runnable,
    slot_of,
)
from contend.strategies.sharded.protocol.slots import set_phase

# What `_answer` and those that it calls return.
ANSWERED, MUST_WAIT, NO_SPACE = range(3)


@kernel()
def _give_word(shard, slot_number, owner, location, word):
    """Give the slot's machine the word that it needs. False when the machine has no room."""
    machine = MACHINE.at(slot_of(shard, slot_number).machine)
    word = word_to_give(shard, slot_number, machine.pending_location, word)
    return supply_word(machine, (I(owner) << OWNER_SHIFT) | I(location), word)


@kernel()
def _answer_here(cluster, shard, slot_number):
    """Answer a need that this shard owns, or wait for its lock."""
    slot = slot_of(shard, slot_number)
    location = intern_location(shard.state, MACHINE.at(slot.machine).pending_location)
    if location < 0 or location >= shard.lock_count:
        return NO_SPACE
    if slot.is_lock_free != 0:
        if not is_readable(shard, location):
            if not lock_what_was_read(shard, slot_number):
                return NO_SPACE
    if slot.is_lock_free == 0:
        locked = lock(cluster, shard, local_context(shard, slot_number), location, preferred_mode(shard, location))
        if locked == NO_ROOM:
            return NO_SPACE
        if locked == WAITING:
            slot.location = location
            set_phase(slot, PHASE_WAITING)
            return MUST_WAIT
    spend(cluster, shard, evm_costs.STATE_READ, 1)
    if not _give_word(shard, slot_number, shard.number, location, word_of(shard, location)):
        return NO_SPACE
    return ANSWERED


@kernel()
def _take_part(shard, slot, owner):
    """Note a shard as one that this transaction has asked for something."""
    participants = participants_of(shard, slot)
    for i in range(slot.participant_count):
        if participants[U(i)] == owner:
            return
    participants[U(slot.participant_count)] = owner
    slot.participant_count += 1


@kernel(inline=True)
def _owner_of_need(shard, slot):
    """Shard that owns what the machine of a slot needs."""
    return owner_of(MACHINE.at(slot.machine).pending_location, shard.shard_count)


@kernel()
def ask(cluster, shard, slot_number):
    """Send a READ for what the machine needs to its owner; the slot stays runnable when there is no room for it."""
    slot = slot_of(shard, slot_number)
    owner = _owner_of_need(shard, slot)
    request = READ_REQUEST.at(shard.outbox)
    request.index = context_of(shard, local_context(shard, slot_number)).index
    request.key = MACHINE.at(slot.machine).pending_location
    if not send(cluster, shard, READ, owner, slot_number):
        set_phase(slot, PHASE_ASKING)
        set_runnable(shard, slot_number)
        return False
    _take_part(shard, slot, owner)
    set_phase(slot, PHASE_WAITING)
    return True


@kernel()
def _answer(cluster, shard, slot_number):
    """Answer a need from here, or ask the shard that owns it."""
    slot = slot_of(shard, slot_number)
    if _owner_of_need(shard, slot) == shard.number:
        return _answer_here(cluster, shard, slot_number)
    if slot.is_lock_free != 0 and not lock_what_was_read(shard, slot_number):
        return NO_SPACE
    ask(cluster, shard, slot_number)
    return MUST_WAIT


@kernel()
def _await_token(shard, slot_number):
    """Wait until all before this transaction have committed: it asks for a balance that their fees are part of."""
    slot = slot_of(shard, slot_number)
    if slot.is_lock_free != 0 and not lock_what_was_read(shard, slot_number):
        return NO_SPACE
    shard.waits += U1
    set_phase(slot, PHASE_TOKEN)
    return MUST_WAIT


@kernel()
def run(cluster, shard, slot_number):
    """Run a slot's transaction until it waits or is finished. `WORKED` or `FAILED`."""
    shard.activity = ACT_EXECUTE
    slot = slot_of(shard, slot_number)
    shard.txn_idx = context_of(shard, local_context(shard, slot_number)).index
    shard.execution = slot.execution
    machine = MACHINE.at(slot.machine)
    answered = ANSWERED
    while answered == ANSWERED:
        outcome = call_1(cluster.resume, slot.machine)
        if outcome != errors.NEED:
            break
        if is_beneficiary_key(shard, machine.pending_location) and not knows_fees(shard, slot_number):
            if shard.keeps_order == 0:
                slot.is_deferred = 1
                break
            answered = _await_token(shard, slot_number)
        else:
            answered = _answer(cluster, shard, slot_number)
    slot.gas_spent += machine.gas_done
    machine.gas_done = U0
    shard.cost_ps += machine.work_done_ps
    machine.work_done_ps = U0
    if answered == NO_SPACE or (outcome != errors.NEED and outcome != errors.DONE):
        note_fault(cluster)
        return FAILED
    if slot.is_deferred != 0:
        return abort(cluster, shard, slot_number)
    if outcome == errors.DONE:
        return finish(cluster, shard, slot_number)
    return WORKED


@kernel()
def run_with(cluster, shard, slot_number, owner, location, word):
    """Give a waiting transaction the word that it needs, and run it on. `WORKED` or `FAILED`."""
    set_phase(slot_of(shard, slot_number), PHASE_RUNNING)
    if not _give_word(shard, slot_number, owner, location, word):
        note_fault(cluster)
        return FAILED
    return run(cluster, shard, slot_number)


@kernel()
def run_with_fees(cluster, shard, slot_number):
    """Run a transaction on that waited for the commit token to learn the fees. `WORKED` or `FAILED`."""
    set_phase(slot_of(shard, slot_number), PHASE_RUNNING)
    answered = _answer(cluster, shard, slot_number)
    if answered == NO_SPACE:
        note_fault(cluster)
        return FAILED
    return run(cluster, shard, slot_number) if answered == ANSWERED else WORKED
