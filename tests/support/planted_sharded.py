"""Planted bugs of the sharded strategies: what each replaced function does wrongly.

Each takes the place of a function of the strategies in a copy of them, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.strategies.sharded.lock_manager import GRANTED, NO_ROOM, _link_first, _make_node
from contend.strategies.sharded.messages import sessions_of
from numpy import uint64 as U

from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.sharded import layout as s


def grant_every_lock(coupling, shard, session, number, mode):
    """A lock is granted although another transaction holds it."""
    node = _make_node(shard, session, number, mode, mode)
    if node == s.NO_NODE:
        return NO_ROOM
    _link_first(shard, node, number)
    return GRANTED


def upgrade_among_others(coupling, shard, session, number):
    """A shared lock becomes exclusive although others share it."""
    original(coupling, shard, session, number)
    return GRANTED


def read_past_locks(shard, number):
    """A transaction without locks reads what another has locked exclusively."""
    original(shard, number)
    return True


def commit_past_locks(shard, machine):
    """A transaction without locks writes what another has locked."""
    original(shard, machine)
    return True


def send_no_vote(coupling, shard, session):
    """A participant never votes: the vote is lost."""


def drop_staged_writes(shard, session):
    """A participant forgets what it has promised to write."""


def wound_nobody(coupling, shard, session, location):
    """An older transaction waits for a younger one that may wait for it."""


def have_everyones_turn(shard, slot):
    """A transaction commits as soon as it can, although its turn has not come."""
    original(shard, slot)
    return True


def pass_the_turn_without_fees(shard):
    """The fees of other shards' transactions are missing in the beneficiary's balance."""
    fees = (shard[U(s.W_FEES)], shard[U(s.W_FEES + 1)], shard[U(s.W_FEES + 2)], shard[U(s.W_FEES + 3)])
    original(shard)
    for i in range(4):
        shard[U(s.W_FEES + i)] = fees[i]


def receive_without_the_clock(coupling, shard):
    """A shard's clock does not move on to that of a message, so that commits are ordered wrongly."""
    clock = shard[U(s.W_CLOCK)]
    received = original(coupling, shard)
    shard[U(s.W_CLOCK)] = clock
    return received


def release_a_session_that_stays_wounded(coupling, shard, session):
    """Whoever uses the session of a wounded transaction next cannot be wounded any more."""
    at = U(session * s.E_WORDS + s.E_WOUNDED)
    wounded = sessions_of(shard)[at]
    original(coupling, shard, session)
    sessions_of(shard)[at] = wounded
