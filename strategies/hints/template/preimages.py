"""Preimages of the block's hashes: which two words a mapping's slot is the hash of.

While a block is executed, and where a transaction is dry-run, machines note what pairs of words they hash
(`evm.layout.PREIMAGES`), each machine in a log of its own. All workers then enter the logs in one index, by hash. So a
slot is explained by one look-up a mapping, where guessing keys and base slots would take thousands of hashes, and
nothing is found but what a contract really computed. (Clients that keep preimages of their state's keys do likewise.)
"""

from __future__ import annotations

from contend.evm.layout import PREIMAGE, PREIMAGES
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.u256 import equal
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table
from contend.strategies.hints.template.layout import INDEX_MASK, INDEX_SHIFT

COST_PREIMAGE = cost_table.NOTE_PREIMAGE
PIECE = 64  # preimages that one step enters
NOT_FOUND = -1


@kernel(inline=True)
def _log_of(learner, number):
    return PREIMAGES.item(learner.logs, learner.log_count, number)


@kernel(inline=True)
def preimage_at(learner, place):
    """A preimage by its place: those of all logs in a row, each log as long as its room."""
    room = _log_of(learner, I(0)).room
    log = _log_of(learner, place // room)
    return PREIMAGE.item(log.rows, room, place % room)


@kernel()
def _enter(learner, place):
    index = view_u64(learner.preimages, learner.preimage_mask + 1)
    word = preimage_at(learner, place).hash
    mask = U(learner.preimage_mask)
    slot = word[0] & mask
    while True:
        found = atomics.load(index, I(slot))
        if found >> INDEX_SHIFT != learner.preimage_generation:
            entered = (learner.preimage_generation << INDEX_SHIFT) | U(place + 1)
            before = atomics.compare_and_swap(index, I(slot), found, entered)
            if before == found:
                return
            found = before
        if equal(preimage_at(learner, I(found & INDEX_MASK) - 1).hash, word):
            return
        slot = (slot + U1) & mask


@kernel()
def enter_piece(shared, worker, learner, number):
    """Enter one piece of one machine's log."""
    log, first = number // learner.log_chunks, PIECE * (number % learner.log_chunks)
    count, room = _log_of(learner, log).count, _log_of(learner, log).room
    last = min(first + PIECE, count)
    for i in range(first, last):
        _enter(learner, log * room + i)
    if last > first:
        spend(shared, worker, COST_PREIMAGE, last - first)


@kernel()
def find_preimage(learner, word):
    """Place of the preimage of a hash, or `NOT_FOUND`."""
    index = view_u64(learner.preimages, learner.preimage_mask + 1)
    mask = U(learner.preimage_mask)
    slot = word[0] & mask
    while True:
        found = index[slot]
        if found >> INDEX_SHIFT != learner.preimage_generation:
            return I(NOT_FOUND)
        place = I(found & INDEX_MASK) - 1
        if equal(preimage_at(learner, place).hash, word):
            return place
        slot = (slot + U1) & mask
