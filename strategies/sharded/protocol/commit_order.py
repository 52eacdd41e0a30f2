"""Commit order: how transactions of many shards commit in the block's order, where a block's order is binding.

There is one commit token in the block. It is at the coordinator of the first transaction that has not committed, which
alone may commit; who commits hands it to the coordinator of the next transaction, here or by a message (COMMIT_TOKEN),
with the fees paid so far. A transaction that is ready earlier keeps its locks and waits.

Why the result is that of the block's order. Locks are held until commit (strict two-phase locking), so that conflicting
transactions are serialised in the order in which they commit (Bernstein, Hadzilacos and Goodman, "Concurrency control
and recovery in database systems", 1987, chapter 3), and they commit in the order of the block. To impose the order of
commits from outside is commitment ordering (Raz, "The principle of commitment ordering", VLDB 1992); to execute against
a fixed order is what deterministic databases do (Thomson et al., "Calvin", SIGMOD 2012), there with known access sets.

Why somebody can always go on. Priority in wound-wait (`strategies.sharded.protocol.lock_manager`) is the index in the
block, so the transaction with the token is older than all that are under way. Where it meets a lock, that is one of a
transaction that has committed, and on its way to be released, or one of a younger transaction, which it wounds and
which cannot have committed. It is in a slot, or will get one: a coordinator starts its transactions in the block's
order and passes none by, so that all that it started before have committed and leave their slots.

A transaction may be wounded while it waits for the token. Even one that has it may be: by one that met it earlier, was
itself wounded, did without that location at its next try, and has committed since. Then the token waits until the
wounded one has executed once more.

The holder of the token knows the fees of all before it. So a transaction that asks for the beneficiary's balance waits
for it there, and nothing is deferred to the end of the block.

Nothing but messages moves the token, so it needs no atomic access: it is the plain word `commit_index` of the one shard
that has it. The message that brings it is behind the committing transaction's writes, here and by transitivity
everywhere (`strategies.sharded.protocol.messages`).
"""

from __future__ import annotations

from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.strategies.sharded.protocol.layout import COMMIT_TOKEN, MODE_EPILOGUE, NO_INDEX, PHASE_TOKEN, PHASE_VOTING
from contend.strategies.sharded.protocol.messages import (
    context_of,
    inbox_of,
    local_context,
    outbox_of,
    reply,
    set_runnable,
    slot_of,
)
from contend.strategies.sharded.protocol.run_queue import queued


@kernel(inline=True)
def _index_of(shard, slot_number):
    """Index in the block of a slot's transaction."""
    return context_of(shard, local_context(shard, slot_number)).index


@kernel(inline=True)
def may_commit_next(shard, slot_number):
    """Whether a slot's transaction may commit now, as far as the order is concerned."""
    return shard.keeps_order == 0 or shard.commit_index == _index_of(shard, slot_number)


@kernel(inline=True)
def knows_fees(shard, slot_number):
    """Whether the fees of all before a slot's transaction are known here: the beneficiary's balance has them."""
    if shard.keeps_order == 0:
        return shard.mode == MODE_EPILOGUE
    return shard.commit_index == _index_of(shard, slot_number)


@kernel()
def _wake_holder(shard):
    """Let the transaction go on that may commit now, if it waits for that."""
    for slot_number in range(shard.slot_count):
        phase = slot_of(shard, slot_number).phase
        if (phase == PHASE_TOKEN or phase == PHASE_VOTING) and _index_of(shard, slot_number) == shard.commit_index:
            set_runnable(shard, slot_number)


@kernel()
def pass_token(cluster, shard, position):
    """A transaction has committed: hand on the token to the next one. The last one keeps it, with the fees."""
    transaction = queued(shard, position)
    check(shard.commit_index == transaction.index)
    following = transaction.index + 1
    if transaction.next_coordinator == shard.number:
        shard.commit_index = following
        _wake_holder(shard)
        return
    shard.commit_index = NO_INDEX
    outbox_of(shard).word = shard.fees
    shard.fees = (U0, U0, U0, U0)
    reply(cluster, shard, COMMIT_TOKEN, transaction.next_coordinator, I(0), following)


@kernel()
def take_token(shard):
    """Handle the message in the inbox: COMMIT_TOKEN."""
    message = inbox_of(shard)
    check(shard.commit_index == NO_INDEX)
    shard.fees = message.word
    shard.commit_index = message.detail
    _wake_holder(shard)
