"""Which transaction a shard starts next, and what becomes of those of a sender when one has ended.

A shard starts the transactions whose home it is in the block's order, but none before the one of the same sender
before it has ended: nonces are met in order. One that comes too early is passed by, and is ready when its predecessor
has ended.

Where the block's order is kept, none is passed by. Transactions leave their slots in that order, so that one which was
passed by could find every slot taken by later ones that wait for it. The nonce's lock lets the sender's next wait.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm.jit import kernel, macro
from evm.pointers import view_u64
from strategies import shard_layout as s
from strategies.shard_messages import I

W_RECORDS, W_COUNT, W_NEXT, W_READY, W_READY_HEAD, W_READY_TAIL = (
    s.W_RECORDS,
    s.W_COUNT,
    s.W_NEXT,
    s.W_READY,
    s.W_READY_HEAD,
    s.W_READY_TAIL,
)
W_ENDED, W_DEFERRED, W_DEFERRALS, W_TAIL_NEXT, W_MODE = (
    s.W_ENDED,
    s.W_DEFERRED,
    s.W_DEFERRALS,
    s.W_TAIL_NEXT,
    s.W_MODE,
)
W_ORDERED = s.W_ORDERED
T_WORDS, T_PREDECESSOR, T_SUCCESSOR, T_STATE = s.T_WORDS, s.T_PREDECESSOR, s.T_SUCCESSOR, s.T_STATE
NEW, PASSED_BY, STARTED, DEFERRED, ENDED = U(s.NEW), U(s.PASSED_BY), U(s.STARTED), U(s.DEFERRED), U(s.ENDED)
MODE_BLOCK, MODE_TAIL = U(s.MODE_BLOCK), U(s.MODE_TAIL)

NO_RECORD = -1


@macro
def records_of(shard):
    """View of the transactions whose home a shard is."""
    return view_u64(I(shard[U(W_RECORDS)]), I(shard[U(W_COUNT)]) * T_WORDS)


@kernel()
def _next_deferred(shard):
    records = records_of(shard)
    for record in range(I(shard[U(W_TAIL_NEXT)]), I(shard[U(W_COUNT)])):
        if records[U(record * T_WORDS + T_STATE)] == DEFERRED:
            shard[U(W_TAIL_NEXT)] = U(record + 1)
            return record
    return NO_RECORD


@kernel()
def next_record(shard):
    """The transaction to start now, or `NO_RECORD`."""
    if shard[U(W_MODE)] == MODE_TAIL:
        return _next_deferred(shard)
    if shard[U(W_MODE)] != MODE_BLOCK:
        return NO_RECORD
    records, count = records_of(shard), I(shard[U(W_COUNT)])
    if shard[U(W_READY_HEAD)] != shard[U(W_READY_TAIL)]:
        ready = view_u64(I(shard[U(W_READY)]), count)
        record = I(ready[shard[U(W_READY_HEAD)]])
        shard[U(W_READY_HEAD)] += U(1)
        records[U(record * T_WORDS + T_STATE)] = STARTED
        return record
    if shard[U(W_ORDERED)] != U(0):
        record = I(shard[U(W_NEXT)])
        if record == count:
            return NO_RECORD
        records[U(record * T_WORDS + T_STATE)] = STARTED
        shard[U(W_NEXT)] = U(record + 1)
        return record
    for record in range(I(shard[U(W_NEXT)]), count):
        at = record * T_WORDS
        if records[U(at + T_STATE)] != NEW:
            continue
        predecessor = I(records[U(at + T_PREDECESSOR)]) - 1
        if predecessor == NO_RECORD or records[U(predecessor * T_WORDS + T_STATE)] == ENDED:
            records[U(at + T_STATE)] = STARTED
            shard[U(W_NEXT)] = U(record + 1)
            return record
        records[U(at + T_STATE)] = PASSED_BY
    shard[U(W_NEXT)] = U(count)
    return NO_RECORD


@kernel()
def end(shard, record):
    """A transaction has committed."""
    records = records_of(shard)
    records[U(record * T_WORDS + T_STATE)] = ENDED
    if shard[U(W_MODE)] == MODE_TAIL:
        shard[U(W_DEFERRED)] -= U(1)
        return
    shard[U(W_ENDED)] += U(1)
    successor = I(records[U(record * T_WORDS + T_SUCCESSOR)]) - 1
    if successor != NO_RECORD and records[U(successor * T_WORDS + T_STATE)] == PASSED_BY:
        ready = view_u64(I(shard[U(W_READY)]), I(shard[U(W_COUNT)]))
        ready[shard[U(W_READY_TAIL)]] = U(successor)
        shard[U(W_READY_TAIL)] += U(1)


@kernel()
def defer(shard, record):
    """Leave a transaction for the tail, and with it all later ones of its sender, which have not begun."""
    records = records_of(shard)
    while record != NO_RECORD:
        records[U(record * T_WORDS + T_STATE)] = DEFERRED
        shard[U(W_ENDED)] += U(1)
        shard[U(W_DEFERRED)] += U(1)
        shard[U(W_DEFERRALS)] += U(1)
        record = I(records[U(record * T_WORDS + T_SUCCESSOR)]) - 1
