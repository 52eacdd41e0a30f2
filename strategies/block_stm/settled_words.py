"""Settled words: what a transaction writes whose reads are final goes to the state at once, and not to a version.

When all transactions below one are final as it begins (`scheduler.has_final_prefix`), it reads what it would read for
ever, and so what it writes is final, too: nobody will execute it again, and nobody below it will look at the location
any more. Its words then need no versions beside the old ones. They take the old ones' place in the state, unless the
location has versions already, above which they could not be found. So the state holds the words of the final prefix of
the block, and versions are what was written above it. This is the committed prefix of later Block-STM implementations,
whose words leave multi-version memory as it grows ("rolling commit"), for the case in which they need not enter it.

Who executes ahead may read the word before or after it is settled, or just then. A row therefore says whose word it has
(`ROW.settled_by`): that stands in the read set like a version's number, and validation finds it changed. It is marked
before the word is written and set behind it, so that a reader who finds the same before and after has a whole word (the
sequence lock of `mv_memory`). Who finds it marked waits for the transaction as for one that will write there.

Validation follows as ever: the transaction's status comes behind its words, and sends the sweep back to those above
that may have read before (`scheduler.finish_execution`).

Not for strategies that look at the state before the block while it executes, or behind: they leave `SHARED.settles`
unset.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.layout import (
    ESTIMATE,
    HEAD_MASK,
    HEAD_SHIFT,
    SETTLING,
    TAG_SHIFT,
    WRITTEN,
)
from contend.strategies.block_stm.mv_memory import append_location, is_full, make_written, row_of


@kernel(inline=True)
def tag_of(shared, settled_by):
    """Tag of a word in the state: the transaction, plus one, that settled it; an ESTIMATE while it does."""
    if settled_by >> HEAD_SHIFT != shared.epoch:
        return U0
    return ((settled_by & HEAD_MASK) << TAG_SHIFT) | (ESTIMATE if settled_by & SETTLING != U0 else U0)


@kernel(inline=True)
def settled_tag(shared, location):
    """Tag of the word that a location has in the state."""
    return tag_of(shared, atomics.load(row_of(shared, location), "settled_by"))


@kernel(inline=True)
def settler_of(tag):
    """The transaction that is settling, or has settled, the word with this tag."""
    return I(tag >> TAG_SHIFT) - 1


@kernel(inline=True)
def settled_word(shared, location):
    """Tag and word that a location has in the state; the word is of no use where the tag is an ESTIMATE's."""
    row = row_of(shared, location)
    while True:
        settled_by = atomics.load(row, "settled_by")
        word = row.value
        atomics.acquire_fence()
        if atomics.load(row, "settled_by") == settled_by:
            return tag_of(shared, settled_by), word


@kernel()
def _note_settled(shared, worker, location):
    """Add a location to those that the worker has settled, for who asks what a block has changed."""
    if is_full(worker.settled):
        chunk = make_written(shared, worker)
        if chunk == 0:
            return False
        WRITTEN.at(chunk).previous = U(worker.settled)
        worker.settled = chunk
    append_location(worker.settled, location)
    return True


@kernel()
def settle(shared, worker, location, word):
    """Write a word of the worker's transaction to the state. False when the arena is full."""
    row, mark = row_of(shared, location), shared.epoch << HEAD_SHIFT
    was = row.settled_by
    check(was >> HEAD_SHIFT != shared.epoch or I(was & HEAD_MASK) <= worker.txn_idx)
    if was >> HEAD_SHIFT != shared.epoch and not _note_settled(shared, worker, location):
        return False
    mark |= U(worker.txn_idx) + U1
    atomics.store(row, "settled_by", mark | SETTLING)
    atomics.release_fence()
    row.value = word
    atomics.store(row, "settled_by", mark)
    return True
