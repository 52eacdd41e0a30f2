"""Run queue: which transaction a shard starts next, and what becomes of those of a sender when one has ended.

A shard starts the transactions that it coordinates in the block's order, but none before the one of the same sender
before it has ended: nonces are met in order. One that comes too early is passed by, and is ready when its predecessor
has ended.

Where the block's order is kept, none is passed by. Transactions leave their slots in that order, so that one which was
passed by could find every slot taken by later ones that wait for it. The nonce's lock lets the sender's next wait.
"""

from __future__ import annotations

from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_i64
from contend.strategies.sharded.protocol.layout import (
    DEFERRED,
    ENDED,
    MODE_BLOCK,
    MODE_EPILOGUE,
    NEW,
    NO_POSITION,
    PASSED_BY,
    QUEUED,
    STARTED,
)


@kernel(inline=True)
def queued(shard, position):
    """Transaction at a position of the run queue."""
    return QUEUED.item(shard.queue, shard.queue_size, position)


@macro
def _ready_of(shard):
    return view_i64(shard.ready, shard.queue_size)


@kernel(inline=True)
def _start(shard, position):
    transaction = queued(shard, position)
    check(transaction.status == NEW or transaction.status == PASSED_BY)
    transaction.status = STARTED
    return I(position)


@kernel()
def _next_deferred(shard):
    for position in range(shard.epilogue_position, shard.queue_size):
        if queued(shard, position).status == DEFERRED:
            shard.epilogue_position = position + 1
            return I(position)
    return NO_POSITION


@kernel()
def _next_in_order(shard):
    position = shard.next_position
    if position == shard.queue_size:
        return NO_POSITION
    shard.next_position = position + 1
    return _start(shard, position)


@kernel()
def next_transaction(shard):
    """Position of the transaction to start now, or `NO_POSITION`."""
    if shard.mode == MODE_EPILOGUE:
        return _next_deferred(shard)
    if shard.mode != MODE_BLOCK:
        return NO_POSITION
    if shard.ready_head != shard.ready_tail:
        position = _ready_of(shard)[U(shard.ready_head)]
        shard.ready_head += 1
        return _start(shard, position)
    if shard.keeps_order != 0:
        return _next_in_order(shard)
    for position in range(shard.next_position, shard.queue_size):
        transaction = queued(shard, position)
        if transaction.status != NEW:
            continue
        predecessor = transaction.predecessor - 1
        if predecessor == NO_POSITION or queued(shard, predecessor).status == ENDED:
            shard.next_position = position + 1
            return _start(shard, position)
        transaction.status = PASSED_BY
    shard.next_position = shard.queue_size
    return NO_POSITION


@kernel()
def end_transaction(shard, position):
    """A transaction has committed."""
    transaction = queued(shard, position)
    check(transaction.status == (DEFERRED if shard.mode == MODE_EPILOGUE else STARTED))
    transaction.status = ENDED
    if shard.mode == MODE_EPILOGUE:
        shard.deferred -= 1
        return
    shard.ended += 1
    successor = transaction.successor - 1
    if successor != NO_POSITION and queued(shard, successor).status == PASSED_BY:
        _ready_of(shard)[U(shard.ready_tail)] = successor
        shard.ready_tail += 1


@kernel()
def defer_transaction(shard, position):
    """Leave a transaction for the epilogue, and with it all later ones of its sender, which have not begun."""
    while position != NO_POSITION:
        transaction = queued(shard, position)
        transaction.status = DEFERRED
        shard.ended += 1
        shard.deferred += 1
        shard.deferrals += U1
        position = transaction.successor - 1
