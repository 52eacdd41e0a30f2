"""The turn: how transactions of many shards commit in the block's order, where a block's order is binding.

There is one turn in the block. It is at the home of the first transaction that has not committed, which alone may
commit; who commits hands it to the home of the next transaction, here or by a message (TURN), with the fees paid so
far. A transaction that is ready earlier keeps its locks and waits.

Why the result is that of the block's order. Locks are held until commit (strict two-phase locking), so that conflicting
transactions are serialised in the order in which they commit (Bernstein, Hadzilacos and Goodman, "Concurrency control
and recovery in database systems", 1987, chapter 3), and they commit in the order of the block. To impose the order of
commits from outside is commitment ordering (Raz, "The principle of commitment ordering", VLDB 1992); to execute against
a fixed order is what deterministic databases do (Thomson et al., "Calvin", SIGMOD 2012), there with known access sets.

Why somebody can always go on. Priority in wound-wait (`strategies.shard_locks`) is the place in the block, so whoever
has the turn is older than all that are under way. Where it meets a lock, that is one of a transaction that has
committed, and on its way to be released, or one of a younger transaction, which it wounds and which cannot have
committed. It is in a slot, or will get one: a home starts its transactions in the block's order and passes none by, so
that all that it started before have committed and leave their slots.

A transaction may be wounded while it waits for its turn. Even one that has the turn may be: by one that met it earlier,
was itself wounded, did without that location at its next try, and has committed since. Then the turn waits until the
wounded one has executed once more.

Whoever has the turn knows the fees of all before it. So a transaction that asks for the beneficiary's balance waits for
its turn there, and nothing is deferred to the end of the block.
"""

from __future__ import annotations

from numpy import uint64 as U

from evm.jit import kernel
from evm.words import get_at, put_at
from strategies import shard_layout as s
from strategies.shard_messages import I, inbox_of, outbox_of, reply, sessions_of, set_runnable, slots_of
from strategies.shard_records import records_of

PHASE_TURN, PHASE_VOTING = U(s.PHASE_TURN), U(s.PHASE_VOTING)
MODE_TAIL, NO_PLACE = U(s.MODE_TAIL), U(s.NO_PLACE)


@kernel(inline=True)
def _place_of(shard, slot):
    """Place in the block of a slot's transaction."""
    session = I(shard[U(s.W_SHARD)]) * I(shard[U(s.W_SLOT_COUNT)]) + slot
    return sessions_of(shard)[U(session * s.E_WORDS + s.E_PLACE)]


@kernel(inline=True)
def is_turn(shard, slot):
    """Whether a slot's transaction may commit now, as far as the order is concerned."""
    return shard[U(s.W_ORDERED)] == U(0) or shard[U(s.W_MAY_COMMIT)] == _place_of(shard, slot)


@kernel(inline=True)
def knows_fees(shard, slot):
    """Whether the fees of all before a slot's transaction are known here: the beneficiary's balance has them."""
    if shard[U(s.W_ORDERED)] == U(0):
        return shard[U(s.W_MODE)] == MODE_TAIL
    return shard[U(s.W_MAY_COMMIT)] == _place_of(shard, slot)


@kernel()
def _wake(shard):
    """Let the transaction go on whose turn it is, if it waits for it."""
    slots = slots_of(shard)
    for slot in range(I(shard[U(s.W_SLOT_COUNT)])):
        phase = slots[U(slot * s.S_WORDS + s.S_PHASE)]
        if (phase == PHASE_TURN or phase == PHASE_VOTING) and _place_of(shard, slot) == shard[U(s.W_MAY_COMMIT)]:
            set_runnable(shard, slot)


@kernel()
def pass_turn(coupling, shard, record):
    """A transaction has committed: give the turn to the next one of the block. The last one keeps it, with the fees."""
    at = record * s.T_WORDS
    records = records_of(shard)
    following, home = records[U(at + s.T_PLACE)] + U(1), records[U(at + s.T_NEXT_HOME)]
    if home == shard[U(s.W_SHARD)]:
        shard[U(s.W_MAY_COMMIT)] = following
        _wake(shard)
        return
    shard[U(s.W_MAY_COMMIT)] = NO_PLACE
    put_at(outbox_of(shard), s.MSG_WORD, get_at(shard, s.W_FEES))
    for i in range(4):
        shard[U(s.W_FEES + i)] = U(0)
    reply(coupling, shard, s.TURN, I(home), I(0), I(following))


@kernel()
def take_turn(shard):
    """Handle the message in the inbox: TURN."""
    message = inbox_of(shard)
    put_at(shard, s.W_FEES, get_at(message, s.MSG_WORD))
    shard[U(s.W_MAY_COMMIT)] = message[U(s.MSG_DETAIL)]
    _wake(shard)
