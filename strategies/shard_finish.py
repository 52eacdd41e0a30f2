"""How shards come to the end of a block together, and the tail of transactions that see the beneficiary's balance.

Fees are credited to the beneficiary lazily, so its balance is known only when it is known which transactions come
before. One that asks for it is deferred, with the later ones of its sender. Each shard tells shard 0 when all its
other transactions have ended and all their messages are answered (QUIET), with the fees they paid. Then nothing is
under way anywhere, the sum of fees is known, and shard 0 lets one shard after the other execute what it deferred, one
transaction at a time (TAIL). At last it tells everyone to stop, and the owner of the balance adds the fees.

The messages carry the clock, so that every transaction of the tail commits at a later time than all that are not.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm.jit import kernel
from evm.pointers import view_u64
from evm.state import intern_location
from evm.words import add, get, get_at, put_at
from strategies import shard_layout as s
from strategies.shard_locks import words_of, write
from strategies.shard_messages import (
    FROM_SHIFT,
    SHARD_MASK,
    I,
    inbox_of,
    note_fault,
    outbox_of,
    owner_of,
    reply,
)

MODE_BLOCK, MODE_QUIET, MODE_TAIL, MODE_STOPPED = (
    U(s.MODE_BLOCK),
    U(s.MODE_QUIET),
    U(s.MODE_TAIL),
    U(s.MODE_STOPPED),
)
LEADER = I(0)


@kernel(inline=True)
def all_slots_free(shard):
    """Whether no transaction is in a slot, nor a decision about one unacknowledged."""
    return shard[U(s.W_FREE)] == ~U(0) >> (U(64) - shard[U(s.W_SLOT_COUNT)])


@kernel()
def _stop(coupling, shard, fees):
    """The block is done. The owner of the beneficiary's balance adds all fees."""
    shard[U(s.W_MODE)] = MODE_STOPPED
    owner = owner_of(
        shard[U(s.W_BENEFICIARY)], shard[U(s.W_BENEFICIARY + 1)], shard[U(s.W_BENEFICIARY + 2)], I(shard[U(s.W_SHARDS)])
    )
    if owner == I(shard[U(s.W_SHARD)]):
        number = intern_location(I(shard[U(s.W_STATE)]), shard, s.W_BENEFICIARY)
        if number < 0 or number >= I(shard[U(s.W_LOCKS_SIZE)]):
            note_fault(coupling)
            return
        write(shard, number, add(get(words_of(shard), number), fees))


@kernel()
def _begin_tail(shard, fees):
    shard[U(s.W_MODE)] = MODE_TAIL
    shard[U(s.W_TAIL_NEXT)] = U(0)
    put_at(shard, s.W_FEES, fees)


@kernel()
def _go_on(coupling, shard):
    """At the leader: let the next shard that has deferred something execute it, or stop."""
    shards = I(shard[U(s.W_SHARDS)])
    tails = view_u64(I(shard[U(s.W_TAILS)]), shards)
    fees = get_at(shard, s.W_TOTAL_FEES)
    turn = I(shard[U(s.W_TAIL_SHARD)])
    while turn < shards and tails[U(turn)] == U(0):
        turn += 1
    shard[U(s.W_TAIL_SHARD)] = U(turn + 1)
    if turn == LEADER:
        _begin_tail(shard, fees)
        return
    put_at(outbox_of(shard), s.MSG_WORD, fees)
    if turn < shards:
        reply(coupling, shard, s.TAIL, turn, I(0), I(0))
        return
    for other in range(1, shards):
        reply(coupling, shard, s.STOP, other, I(0), I(0))
    _stop(coupling, shard, fees)


@kernel()
def _note_quiet(coupling, shard, source, deferred, fees):
    """At the leader: a shard has nothing under way any more."""
    tails = view_u64(I(shard[U(s.W_TAILS)]), I(shard[U(s.W_SHARDS)]))
    tails[U(source)] = U(deferred)
    put_at(shard, s.W_TOTAL_FEES, add(get_at(shard, s.W_TOTAL_FEES), fees))
    shard[U(s.W_QUIET)] += U(1)
    if shard[U(s.W_QUIET)] == shard[U(s.W_SHARDS)]:
        _go_on(coupling, shard)


@kernel()
def _note_tail_done(coupling, shard, fees):
    put_at(shard, s.W_TOTAL_FEES, fees)
    _go_on(coupling, shard)


@kernel()
def coordinate(coupling, shard, kind):
    """Handle the message in the inbox: QUIET, TAIL, TAIL_DONE or STOP."""
    message = inbox_of(shard)
    fees = get_at(message, s.MSG_WORD)
    if kind == s.QUIET:
        source = I((message[U(s.MSG_HEAD)] >> FROM_SHIFT) & SHARD_MASK)
        _note_quiet(coupling, shard, source, I(message[U(s.MSG_DETAIL)]), fees)
    elif kind == s.TAIL:
        _begin_tail(shard, fees)
    elif kind == s.TAIL_DONE:
        _note_tail_done(coupling, shard, fees)
    else:
        _stop(coupling, shard, fees)


@kernel()
def report(coupling, shard):
    """Tell the leader if this shard has become quiet, or has come to the end of its tail. Whether it has."""
    mode = shard[U(s.W_MODE)]
    if mode == MODE_BLOCK:
        if shard[U(s.W_ENDED)] != shard[U(s.W_COUNT)]:
            return False
    elif mode != MODE_TAIL or shard[U(s.W_DEFERRED)] != U(0):
        return False
    if not all_slots_free(shard):
        return False
    shard[U(s.W_MODE)] = MODE_QUIET
    fees, deferred = get_at(shard, s.W_FEES), I(shard[U(s.W_DEFERRED)])
    if I(shard[U(s.W_SHARD)]) == LEADER:
        if mode == MODE_BLOCK:
            _note_quiet(coupling, shard, LEADER, deferred, fees)
        else:
            _note_tail_done(coupling, shard, fees)
    else:
        put_at(outbox_of(shard), s.MSG_WORD, fees)
        reply(coupling, shard, s.QUIET if mode == MODE_BLOCK else s.TAIL_DONE, LEADER, I(0), deferred)
    return True
