"""What a shard does for transactions of other homes: answer reads, prepare, commit and abort."""

from __future__ import annotations

from numpy import uint64 as U

from evm import costs as evm_costs
from evm.jit import kernel
from evm.state import intern_location
from evm.words import get_at
from strategies import shard_layout as s
from strategies.shard_locks import (
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
from strategies.shard_messages import (
    FROM_SHIFT,
    SHARD_MASK,
    SLOT_MASK,
    SLOT_SHIFT,
    I,
    charge,
    inbox_of,
    note_fault,
    reply,
    sessions_of,
)

NUMBER_MASK, COUNT_SHIFT, LAST_SHIFT = U(s.NUMBER_MASK), U(s.PREPARE_COUNT_SHIFT), U(s.PREPARE_LAST_SHIFT)


@kernel()
def _read(coupling, shard, message, session):
    sessions_of(shard)[U(session * s.E_WORDS + s.E_PLACE)] = message[U(s.MSG_DETAIL)]
    number = intern_location(I(shard[U(s.W_STATE)]), message, s.MSG_KEY)
    if number < 0 or number >= I(shard[U(s.W_LOCKS_SIZE)]):
        note_fault(coupling)
        return
    charge(coupling, shard, evm_costs.STATE_READ, 1)
    locked = lock(coupling, shard, session, number, preferred_mode(shard, number))
    if locked == GRANTED:
        send_value(coupling, shard, session, number)
    elif locked == NO_ROOM:
        note_fault(coupling)


@kernel()
def _prepare_word(coupling, shard, session, number, word):
    if not stage(shard, session, number, word):
        note_fault(coupling)
        return
    if upgrade(coupling, shard, session, number) == WAITING:
        sessions_of(shard)[U(session * s.E_WORDS + s.E_PENDING)] += U(1)


@kernel()
def _prepare(coupling, shard, message, session):
    """Stage words and see that their locks are exclusive; vote when all are.

    There is no vote against: what this shard has granted it can keep. It revokes a grant by a wound, and may do so
    until the home has decided.
    """
    detail = message[U(s.MSG_DETAIL)]
    _prepare_word(coupling, shard, session, I(detail & NUMBER_MASK), get_at(message, s.MSG_WORD))
    if (detail >> COUNT_SHIFT) & U(3) == U(2):
        _prepare_word(coupling, shard, session, I(message[U(s.MSG_NUMBER_2)]), get_at(message, s.MSG_WORD_2))
    if (detail >> LAST_SHIFT) != U(0):
        sessions = sessions_of(shard)
        sessions[U(session * s.E_WORDS + s.E_PREPARED)] = U(1)
        if sessions[U(session * s.E_WORDS + s.E_PENDING)] == U(0):
            send_vote(coupling, shard, session)


@kernel()
def serve_request(coupling, shard, kind):
    """Handle the request in the inbox: READ, PREPARE, COMMIT or ABORT."""
    message = inbox_of(shard)
    head = message[U(s.MSG_HEAD)]
    home, slot = I((head >> FROM_SHIFT) & SHARD_MASK), I((head >> SLOT_SHIFT) & SLOT_MASK)
    session = home * I(shard[U(s.W_SLOT_COUNT)]) + slot
    if kind == s.READ:
        _read(coupling, shard, message, session)
    elif kind == s.PREPARE:
        _prepare(coupling, shard, message, session)
    else:
        if kind == s.COMMIT:
            write_staged(shard, session)
        release(coupling, shard, session)
        reply(coupling, shard, s.ACK, home, slot, I(0))
