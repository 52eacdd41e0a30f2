"""One step of a shard: take one message, or go on with one transaction, or start one."""

from __future__ import annotations

from numpy import uint64 as U

from evm.jit import kernel, native
from evm.pointers import count_leading_zeros
from evm.words import get_at
from strategies import shard_layout as s
from strategies.clocks import ACT_MESSAGE, ACT_SCHEDULE
from strategies.shard_finish import all_slots_free, coordinate, report
from strategies.shard_home import abort, begin, commit, give_word, leave, may_commit, proceed, run
from strategies.shard_messages import (
    FROM_SHIFT,
    KIND_MASK,
    SHARD_MASK,
    SLOT_MASK,
    SLOT_SHIFT,
    I,
    end_step,
    has_fault,
    inbox_of,
    note_fault,
    open_coupling,
    open_shard,
    receive,
    slots_of,
)
from strategies.shard_owner import serve_request
from strategies.shard_records import NO_RECORD, next_record
from strategies.shard_turn import take_turn
from strategies.shared import FAILED, FINISHED, IDLE, WORKED

MODE_TAIL, MODE_STOPPED = U(s.MODE_TAIL), U(s.MODE_STOPPED)


@kernel(inline=True)
def _lowest_bit(mask):
    return 63 - I(count_leading_zeros(mask & (~mask + U(1))))


@kernel()
def _take_answer(coupling, shard, kind):
    """Handle what an owner sent about a transaction of this home: VALUE, VOTE, ACK or WOUND.

    An answer that crossed an ABORT is dropped; the ACK of that ABORT comes behind it.
    """
    message = inbox_of(shard)
    head = message[U(s.MSG_HEAD)]
    slot = I((head >> SLOT_SHIFT) & SLOT_MASK)
    at = slot * s.S_WORDS
    slots = slots_of(shard)
    if kind == s.ACK:
        slots[U(at + s.S_PENDING)] -= U(1)
        if slots[U(at + s.S_PENDING)] == U(0):
            leave(shard, slot)
        return WORKED
    phase = I(slots[U(at + s.S_PHASE)])
    if phase > s.LAST_UNDECIDED:
        return WORKED
    if kind == s.WOUND:
        slots[U(at + s.S_WOUNDED)] = message[U(s.MSG_DETAIL)] + U(1)
    if slots[U(at + s.S_WOUNDED)] != U(0):
        return abort(coupling, shard, slot)
    if kind == s.VOTE:
        slots[U(at + s.S_PENDING)] -= U(1)
        if phase != s.PHASE_VOTING or not may_commit(shard, slot):
            return WORKED
        return commit(coupling, shard, slot)
    owner = I((head >> FROM_SHIFT) & SHARD_MASK)
    if not give_word(shard, slot, owner, I(message[U(s.MSG_DETAIL)]), get_at(message, s.MSG_WORD)):
        note_fault(coupling)
        return FAILED
    return run(coupling, shard, slot)


@kernel()
def _take_message(coupling, shard):
    shard[U(s.W_ACTIVITY)] = U(ACT_MESSAGE)
    kind = I(inbox_of(shard)[U(s.MSG_HEAD)] & KIND_MASK)
    if kind < s.VALUE:
        serve_request(coupling, shard, kind)
        return WORKED
    if kind < s.QUIET:
        return _take_answer(coupling, shard, kind)
    if kind == s.TURN:
        take_turn(shard)
    else:
        coordinate(coupling, shard, kind)
    return WORKED


@kernel()
def _go_on(coupling, shard):
    """Go on with the next runnable slot, each in turn."""
    runnable = shard[U(s.W_RUNNABLE)]
    later = runnable & ~((U(1) << shard[U(s.W_TURN)]) - U(1))
    slot = _lowest_bit(later if later != U(0) else runnable)
    shard[U(s.W_TURN)] = U((slot + 1) & 63)
    shard[U(s.W_RUNNABLE)] = runnable & ~(U(1) << U(slot))
    return proceed(coupling, shard, slot)


@kernel()
def work(coupling, shard):
    """One step of a shard: `WORKED`, or a step's other results."""
    if has_fault(coupling):
        return FAILED
    if shard[U(s.W_MODE)] == MODE_STOPPED:
        return FINISHED
    if receive(coupling, shard):
        return _take_message(coupling, shard)
    if shard[U(s.W_RUNNABLE)] != U(0):
        result = _go_on(coupling, shard)
        if result != IDLE or shard[U(s.W_RUNNABLE)] != U(0):
            return WORKED if result == IDLE else result
    shard[U(s.W_ACTIVITY)] = U(ACT_SCHEDULE)
    free = shard[U(s.W_FREE)]
    if free != U(0) and (shard[U(s.W_MODE)] != MODE_TAIL or all_slots_free(shard)):
        record = next_record(shard)
        if record != NO_RECORD:
            return begin(coupling, shard, _lowest_bit(free), record)
        if report(coupling, shard):
            return WORKED
    return IDLE


@native("int64(int64, int64)")
def step(shared_address, worker_address):
    """One interaction with shared state and the private work behind it; its cost, or that there is none to do."""
    shard = open_shard(worker_address)
    return end_step(shard, work(open_coupling(shared_address), shard))
