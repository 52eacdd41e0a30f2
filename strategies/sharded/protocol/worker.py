"""Worker: one step of a shard: take one message, or go on with one transaction, or start one."""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import count_leading_zeros
from contend.strategies.accounting import end_step
from contend.strategies.clocks.base import ACT_MESSAGE, ACT_SCHEDULE, FAILED, FINISHED, IDLE, WORKED
from contend.strategies.sharded.protocol.commit_order import take_token
from contend.strategies.sharded.protocol.coordinator import begin, proceed, take_answer
from contend.strategies.sharded.protocol.epilogue import report, take_epilogue_message
from contend.strategies.sharded.protocol.layout import (
    CLUSTER,
    COMMIT_TOKEN,
    KIND_MASK,
    MODE_EPILOGUE,
    MODE_STOPPED,
    NO_POSITION,
    QUIET,
    SHARD,
    VALUE,
)
from contend.strategies.sharded.protocol.messages import has_fault, inbox_of, receive
from contend.strategies.sharded.protocol.participant import serve_request
from contend.strategies.sharded.protocol.run_queue import next_transaction
from contend.strategies.sharded.protocol.slots import all_slots_free


@kernel(inline=True)
def _lowest_bit(mask):
    return 63 - I(count_leading_zeros(mask & (~mask + U1)))


@kernel()
def _take_message(cluster, shard):
    shard.activity = ACT_MESSAGE
    kind = I(inbox_of(shard).head & KIND_MASK)
    if kind < VALUE:
        serve_request(cluster, shard, kind)
        return WORKED
    if kind < QUIET:
        return take_answer(cluster, shard, kind)
    if kind == COMMIT_TOKEN:
        take_token(shard)
    else:
        take_epilogue_message(cluster, shard, kind)
    return WORKED


@kernel()
def _go_on(cluster, shard):
    """Go on with the next runnable slot, each in turn."""
    runnable = shard.runnable_slots
    later = runnable & ~((U1 << U(shard.next_slot)) - U1)
    slot_number = _lowest_bit(later if later != U0 else runnable)
    shard.next_slot = (slot_number + 1) & 63
    shard.runnable_slots = runnable & ~(U1 << U(slot_number))
    return proceed(cluster, shard, slot_number)


@kernel()
def _work(cluster, shard):
    """One step of a shard: `WORKED`, or a step's other results."""
    if has_fault(cluster):
        return FAILED
    if shard.mode == MODE_STOPPED:
        return FINISHED
    if receive(cluster, shard):
        return _take_message(cluster, shard)
    if shard.runnable_slots != U0:
        result = _go_on(cluster, shard)
        if result != IDLE or shard.runnable_slots != U0:
            return WORKED if result == IDLE else result
    shard.activity = ACT_SCHEDULE
    free_slots = shard.free_slots
    if free_slots != U0 and (shard.mode != MODE_EPILOGUE or all_slots_free(shard)):
        position = next_transaction(shard)
        if position != NO_POSITION:
            return begin(cluster, shard, _lowest_bit(free_slots), position)
        if report(cluster, shard):
            return WORKED
    return IDLE


@native("int64(int64, int64)")
def step(cluster_address, shard_address):
    """One interaction with shared state and the private work behind it; its cost, or that there is none to do."""
    shard = SHARD.at(shard_address)
    return end_step(shard, _work(CLUSTER.at(cluster_address), shard))
