"""Planted bugs of the sharded strategies: what each replaced function does wrongly.

Each takes the place of a function of the strategies in a copy of them, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U1
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.sharded.protocol.layout import NO_NODE
from contend.strategies.sharded.protocol.lock_manager import GRANTED, NO_ROOM, _link_first, _make_lock
from contend.strategies.sharded.protocol.messages import context_of


def grant_every_lock(cluster, shard, context_number, location, mode):
    """A lock is granted although another transaction holds it."""
    node = _make_lock(shard, context_number, location, mode, mode)
    if node == NO_NODE:
        return NO_ROOM
    _link_first(shard, node, location)
    return GRANTED


def upgrade_among_others(cluster, shard, context_number, location):
    """A shared lock becomes exclusive although others share it."""
    original(cluster, shard, context_number, location)
    return GRANTED


def read_past_locks(shard, location):
    """A lock-free transaction reads what another has locked exclusively."""
    original(shard, location)
    return True


def commit_past_locks(shard, machine):
    """A lock-free transaction writes what another has locked."""
    original(shard, machine)
    return True


def send_no_vote(cluster, shard, context_number):
    """A participant never votes: the vote is lost."""


def drop_staged_writes(shard, context_number):
    """A participant forgets what it has promised to write."""


def wound_nobody(cluster, shard, context_number, cause):
    """An older transaction waits for a younger one that may wait for it."""


def note_no_wound(shard, cause):
    """An execution that was wounded is not counted among the aborted."""
    shard.aborts -= U1
    return original(shard, cause)


def commit_without_the_token(shard, slot_number):
    """A transaction commits as soon as it can, although it has not got the commit token."""
    original(shard, slot_number)
    return True


def take_the_token_without_fees(shard):
    """The fees of other shards' transactions are missing in the beneficiary's balance."""
    fees = shard.fees
    original(shard)
    shard.fees = fees


def receive_without_the_clock(cluster, shard):
    """A shard's clock does not move on to that of a message, so that commits are ordered wrongly."""
    clock = shard.clock
    received = original(cluster, shard)
    shard.clock = clock
    return received


def release_a_context_that_stays_wounded(cluster, shard, context_number):
    """Whoever uses the context of a wounded transaction next cannot be wounded any more."""
    context = context_of(shard, context_number)
    is_wounded = context.is_wounded
    original(cluster, shard, context_number)
    context.is_wounded = is_wounded
