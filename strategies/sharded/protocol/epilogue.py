"""Epilogue: how shards come to the end of a block together, and execute those that see the beneficiary's balance.

Fees are credited to the beneficiary lazily, so its balance is known only when it is known which transactions come
before. One that asks for it is deferred, with the later ones of its sender. Each shard tells the leader, shard 0, when
all its other transactions have ended and all their messages are answered (QUIET), with the fees they paid. Then nothing
is under way anywhere, the sum of fees is known, and the leader lets one shard after the other execute what it deferred,
one transaction at a time (EPILOGUE). At last it tells everyone to stop, and the owner of the balance adds the fees.

The messages carry the clock, so that every transaction of the epilogue commits at a later time than all that are not.
"""

from __future__ import annotations

from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.evm.state import intern_location
from contend.evm.u256 import add
from contend.strategies.sharded.protocol.layout import (
    EPILOGUE,
    EPILOGUE_DONE,
    LEADER,
    MODE_BLOCK,
    MODE_EPILOGUE,
    MODE_QUIET,
    MODE_STOPPED,
    QUIET,
    STOP,
)
from contend.strategies.sharded.protocol.lock_manager import word_of, write
from contend.strategies.sharded.protocol.messages import inbox_of, note_fault, outbox_of, owner_of, reply, sender_of
from contend.strategies.sharded.protocol.slots import all_slots_free


@kernel()
def _stop(cluster, shard, fees):
    """The block is done. The owner of the beneficiary's balance adds all fees."""
    shard.mode = MODE_STOPPED
    key = shard.beneficiary
    if owner_of(key, shard.shard_count) == shard.number:
        location = intern_location(shard.state, key)
        if location < 0 or location >= shard.lock_count:
            note_fault(cluster)
            return
        write(shard, location, add(word_of(shard, location), fees))


@kernel()
def _begin_epilogue(shard, fees):
    check(shard.mode == MODE_QUIET)
    shard.mode = MODE_EPILOGUE
    shard.epilogue_position = 0
    shard.fees = fees


@kernel()
def _go_on(cluster, shard):
    """At the leader: let the next shard that has deferred something execute it, or stop."""
    shards, following = shard.shard_count, shard.epilogue_shard
    deferred_by_shard, fees = view_i64(shard.deferred_by_shard, shards), shard.total_fees
    while following < shards and deferred_by_shard[U(following)] == 0:
        following += 1
    shard.epilogue_shard = following + 1
    if following == LEADER:
        _begin_epilogue(shard, fees)
        return
    outbox_of(shard).word = fees
    if following < shards:
        reply(cluster, shard, EPILOGUE, following, I(0), I(0))
        return
    for other in range(1, shards):
        reply(cluster, shard, STOP, other, I(0), I(0))
    _stop(cluster, shard, fees)


@kernel()
def _note_quiet(cluster, shard, source, deferred, fees):
    """At the leader: a shard has nothing under way any more."""
    view_i64(shard.deferred_by_shard, shard.shard_count)[U(source)] = deferred
    shard.total_fees = add(shard.total_fees, fees)
    shard.quiet_shards += 1
    check(shard.quiet_shards <= shard.shard_count)
    if shard.quiet_shards == shard.shard_count:
        _go_on(cluster, shard)


@kernel()
def _note_epilogue_done(cluster, shard, fees):
    shard.total_fees = fees
    _go_on(cluster, shard)


@kernel()
def take_epilogue_message(cluster, shard, kind):
    """Handle the message in the inbox: QUIET, EPILOGUE, EPILOGUE_DONE or STOP."""
    message = inbox_of(shard)
    if kind == QUIET:
        _note_quiet(cluster, shard, sender_of(message), message.detail, message.word)
    elif kind == EPILOGUE:
        _begin_epilogue(shard, message.word)
    elif kind == EPILOGUE_DONE:
        _note_epilogue_done(cluster, shard, message.word)
    else:
        _stop(cluster, shard, message.word)


@kernel()
def report(cluster, shard):
    """Tell the leader if this shard has become quiet, or has come to the end of its epilogue. Whether it has."""
    mode = shard.mode
    if mode == MODE_BLOCK:
        if shard.ended != shard.queue_size:
            return False
    elif mode != MODE_EPILOGUE or shard.deferred != 0:
        return False
    if not all_slots_free(shard):
        return False
    shard.mode = MODE_QUIET
    if shard.number != LEADER:
        outbox_of(shard).word = shard.fees
        reply(cluster, shard, QUIET if mode == MODE_BLOCK else EPILOGUE_DONE, LEADER, I(0), shard.deferred)
    elif mode == MODE_BLOCK:
        _note_quiet(cluster, shard, LEADER, shard.deferred, shard.fees)
    else:
        _note_epilogue_done(cluster, shard, shard.fees)
    return True
