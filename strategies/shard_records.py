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

NEW, PASSED_BY, STARTED, DEFERRED, ENDED = U(s.NEW), U(s.PASSED_BY), U(s.STARTED), U(s.DEFERRED), U(s.ENDED)
MODE_BLOCK, MODE_TAIL = U(s.MODE_BLOCK), U(s.MODE_TAIL)

NO_RECORD = -1


@macro
def records_of(shard):
    """View of the transactions whose home a shard is."""
    return view_u64(I(shard[U(s.W_RECORDS)]), I(shard[U(s.W_COUNT)]) * s.T_WORDS)


@kernel()
def _next_deferred(shard):
    records = records_of(shard)
    for record in range(I(shard[U(s.W_TAIL_NEXT)]), I(shard[U(s.W_COUNT)])):
        if records[U(record * s.T_WORDS + s.T_STATE)] == DEFERRED:
            shard[U(s.W_TAIL_NEXT)] = U(record + 1)
            return record
    return NO_RECORD


@kernel()
def next_record(shard):
    """The transaction to start now, or `NO_RECORD`."""
    if shard[U(s.W_MODE)] == MODE_TAIL:
        return _next_deferred(shard)
    if shard[U(s.W_MODE)] != MODE_BLOCK:
        return NO_RECORD
    records, count = records_of(shard), I(shard[U(s.W_COUNT)])
    if shard[U(s.W_READY_HEAD)] != shard[U(s.W_READY_TAIL)]:
        ready = view_u64(I(shard[U(s.W_READY)]), count)
        record = I(ready[shard[U(s.W_READY_HEAD)]])
        shard[U(s.W_READY_HEAD)] += U(1)
        records[U(record * s.T_WORDS + s.T_STATE)] = STARTED
        return record
    if shard[U(s.W_ORDERED)] != U(0):
        record = I(shard[U(s.W_NEXT)])
        if record == count:
            return NO_RECORD
        records[U(record * s.T_WORDS + s.T_STATE)] = STARTED
        shard[U(s.W_NEXT)] = U(record + 1)
        return record
    for record in range(I(shard[U(s.W_NEXT)]), count):
        at = record * s.T_WORDS
        if records[U(at + s.T_STATE)] != NEW:
            continue
        predecessor = I(records[U(at + s.T_PREDECESSOR)]) - 1
        if predecessor == NO_RECORD or records[U(predecessor * s.T_WORDS + s.T_STATE)] == ENDED:
            records[U(at + s.T_STATE)] = STARTED
            shard[U(s.W_NEXT)] = U(record + 1)
            return record
        records[U(at + s.T_STATE)] = PASSED_BY
    shard[U(s.W_NEXT)] = U(count)
    return NO_RECORD


@kernel()
def end(shard, record):
    """A transaction has committed."""
    records = records_of(shard)
    records[U(record * s.T_WORDS + s.T_STATE)] = ENDED
    if shard[U(s.W_MODE)] == MODE_TAIL:
        shard[U(s.W_DEFERRED)] -= U(1)
        return
    shard[U(s.W_ENDED)] += U(1)
    successor = I(records[U(record * s.T_WORDS + s.T_SUCCESSOR)]) - 1
    if successor != NO_RECORD and records[U(successor * s.T_WORDS + s.T_STATE)] == PASSED_BY:
        ready = view_u64(I(shard[U(s.W_READY)]), I(shard[U(s.W_COUNT)]))
        ready[shard[U(s.W_READY_TAIL)]] = U(successor)
        shard[U(s.W_READY_TAIL)] += U(1)


@kernel()
def defer(shard, record):
    """Leave a transaction for the tail, and with it all later ones of its sender, which have not begun."""
    records = records_of(shard)
    while record != NO_RECORD:
        records[U(record * s.T_WORDS + s.T_STATE)] = DEFERRED
        shard[U(s.W_ENDED)] += U(1)
        shard[U(s.W_DEFERRED)] += U(1)
        shard[U(s.W_DEFERRALS)] += U(1)
        record = I(records[U(record * s.T_WORDS + s.T_SUCCESSOR)]) - 1
