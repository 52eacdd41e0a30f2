"""Participant: what a shard does for transactions that others coordinate: answer reads, prepare, commit and abort."""

from __future__ import annotations

from contend.evm.code import cost_model as evm_costs
from contend.evm.layout import COLD, MACHINE
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_2
from contend.evm.state import intern_location
from contend.strategies.accounting import spend
from contend.strategies.sharded.protocol.layout import (
    ACK,
    COMMIT,
    LOCATION_MASK,
    PREPARE,
    PREPARE_COUNT_MASK,
    PREPARE_COUNT_SHIFT,
    PREPARE_LAST_SHIFT,
    READ,
    READ_REQUEST,
)
from contend.strategies.sharded.protocol.lock_manager import (
    GRANTED,
    NO_ROOM,
    WAITING,
    lock,
    preferred_mode,
    release,
    send_value,
    send_vote,
    stage,
    upgrade,
    write_staged,
)
from contend.strategies.sharded.protocol.messages import (
    context_of,
    inbox_of,
    note_fault,
    reply,
    sender_of,
    slot_number_of,
)


@kernel()
def _fetch(shard, key):
    """Have a location that another shard asks for in memory. With an account's code hash comes its code."""
    reader = MACHINE.at(shard.reader)
    reader.pending_location = key
    call_2(COLD.at(shard.cold).fetch, shard.cold, shard.reader)
    shard.cost_ps += reader.work_done_ps
    reader.work_done_ps = U0


@kernel()
def _read(cluster, shard, context_number):
    """Lock a location for a transaction and tell its word, now or when the lock is granted."""
    request = READ_REQUEST.at(shard.inbox)
    context_of(shard, context_number).index = request.index
    location = intern_location(shard.state, request.key)
    if location < 0 or location >= shard.lock_count:
        note_fault(cluster)
        return
    spend(cluster, shard, evm_costs.STATE_READ, 1)
    if shard.cold != 0:
        _fetch(shard, request.key)
    locked = lock(cluster, shard, context_number, location, preferred_mode(shard, location))
    if locked == GRANTED:
        send_value(cluster, shard, context_number, location)
    elif locked == NO_ROOM:
        note_fault(cluster)


@kernel()
def _prepare_word(cluster, shard, context_number, location, word):
    if not stage(shard, context_number, location, word):
        note_fault(cluster)
        return
    if upgrade(cluster, shard, context_number, location) == WAITING:
        context_of(shard, context_number).pending_upgrades += 1


@kernel()
def _prepare(cluster, shard, context_number):
    """Stage words and see that their locks are exclusive; vote when all are.

    There is no vote against: what this shard has granted it can keep. It revokes a grant by a wound, and may do so
    until the coordinator has decided.
    """
    message = inbox_of(shard)
    detail = message.detail
    _prepare_word(cluster, shard, context_number, detail & LOCATION_MASK, message.word)
    if (detail >> PREPARE_COUNT_SHIFT) & PREPARE_COUNT_MASK == 2:
        _prepare_word(cluster, shard, context_number, message.second_location, message.second_word)
    if detail >> PREPARE_LAST_SHIFT != 0:
        context = context_of(shard, context_number)
        context.is_prepared = 1
        if context.pending_upgrades == 0:
            send_vote(cluster, shard, context_number)


@kernel()
def serve_request(cluster, shard, kind):
    """Handle the request in the inbox: READ, PREPARE, COMMIT or ABORT."""
    message = inbox_of(shard)
    coordinator, slot_number = sender_of(message), slot_number_of(message)
    context_number = coordinator * shard.slot_count + slot_number
    if kind == READ:
        _read(cluster, shard, context_number)
    elif kind == PREPARE:
        _prepare(cluster, shard, context_number)
    else:
        if kind == COMMIT:
            write_staged(shard, context_number)
        release(cluster, shard, context_number)
        reply(cluster, shard, ACK, coordinator, slot_number, I(0))
