"""Readers: who has read which word, kept at the word, so that whoever changes it can tell them.

Block-STM keeps with each transaction what it has read, and walks that again and again. Its second version (Aptos,
`scheduler_v2`) turns this around: a reader enters itself at the version that it has read, or at the word of the state,
and a writer tells the readers of what it changes, and nobody else (`invalidation`). So there is nothing to validate: a
transaction that nobody has told is as it should be when all below it are.

What a reader has read is the version of the highest transaction below it. It changes when that version's word does, and
when somebody writes between the two; the latter's version is inserted in front of the former, whose readers its writer
therefore tells. A reader that comes past versions which are ABSENT enters itself at each: there may be a word later.

Memory order. The reader puts itself on the list, by a compare-and-swap, and then looks whether the version still has
the tag, and the link by which it came to the version still leads there (sequentially consistent); the writer changes
tag or link by a read-modify-write, and then looks at the list (likewise). So at least one of them sees the other: the
reader reads again, or the writer tells it. Who reads again stays on lists that it need not be on, which costs an
incarnation at worst.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.u256 import ZERO
from contend.strategies.accounting import spend
from contend.strategies.block_stm.layout import ABSENT, ESTIMATE, HEAD_MASK, HEAD_SHIFT, ROW
from contend.strategies.block_stm.mv_memory import (
    FOUND_ESTIMATE,
    FOUND_STATE,
    FOUND_WORD,
    NO_VERSION,
    allocate,
    arena_offset,
    leads_to,
    link_behind,
    link_below,
    row_of,
)
from contend.strategies.block_stm.settled_words import settled_word, tag_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.layout import READ_VERSION, READER, READERS, WHO_BITS

COST_PUBLISH_READ = cost_table.PUBLISH_READ
FULL = -1  # as what was found: the arena is full
_READER_WORDS, _ROW_WORDS = READER.words, ROW.words
_OF_ROW, _OF_VERSION = ROW.offsets["readers"], READ_VERSION.offsets["readers"]


@kernel(inline=True)
def readers_of_state(shared, location):
    """Address of the list of those that have read a location's word in the state."""
    return shared.rows + WORD_BYTES * (location * _ROW_WORDS + _OF_ROW)


@kernel(inline=True)
def readers_of(version):
    """Address of the list of those that have read the version at an address."""
    return version + WORD_BYTES * _OF_VERSION


@kernel(inline=True)
def first_reader(shared, head):
    """Address of the READER that a list's head, or a `next`, leads to; 0 for nobody."""
    if head >> HEAD_SHIFT != shared.epoch:
        return I(0)
    return shared.arena + I(head & HEAD_MASK) * WORD_BYTES


@kernel(inline=True)
def reader_now(worker):
    """The worker's incarnation, as a READER names it."""
    return (U(worker.txn_idx) << WHO_BITS) | worker.incarnation


@kernel()
def enter(shared, worker, readers, who):
    """Put somebody on the list of readers at an address. False when the arena is full."""
    head = atomics.load(READERS.at(readers), "readers")
    first = first_reader(shared, head)
    if first != 0 and READER.at(first).who == who:
        return True
    address = allocate(shared, worker, _READER_WORDS)
    if address == 0:
        return False
    entry = READER.at(address)
    entry.who = who
    own = (shared.epoch << HEAD_SHIFT) | arena_offset(shared, address)
    while True:
        entry.next = head
        found = atomics.compare_and_swap(READERS.at(readers), "readers", head, own)
        if found == head:
            return True
        head = found


@kernel()
def _read_along(shared, worker, location, link, held, version):
    """Read from a version down, entering at each; results as of `read_and_enter`, and whether they hold."""
    who = reader_now(worker)
    while version != NO_VERSION:
        found = READ_VERSION.at(version)
        tag = atomics.load(found, "tag")
        if tag & ESTIMATE != U0:
            return True, FOUND_ESTIMATE, version, tag, ZERO
        word = found.word
        atomics.acquire_fence()
        spend(shared, worker, COST_PUBLISH_READ, 1)
        if not enter(shared, worker, readers_of(version), who):
            return True, FULL, I(NO_VERSION), U0, ZERO
        if leads_to(link) != held or atomics.load_seq_cst(found, "tag") != tag:
            return False, FOUND_WORD, version, tag, word
        if tag & ABSENT == U0:
            return True, FOUND_WORD, version, tag, word
        link = link_behind(version)
        held = leads_to(link)
        version = I(held)
    tag, word = settled_word(shared, location)
    if tag & ESTIMATE != U0:
        return True, FOUND_ESTIMATE, I(NO_VERSION), tag, ZERO
    spend(shared, worker, COST_PUBLISH_READ, 1)
    if not enter(shared, worker, readers_of_state(shared, location), who):
        return True, FULL, I(NO_VERSION), U0, ZERO
    settled_by = atomics.load_seq_cst(row_of(shared, location), "settled_by")
    holds = leads_to(link) == held and tag_of(shared, settled_by) == tag
    return holds, FOUND_STATE, I(NO_VERSION), tag, word


@kernel()
def read_and_enter(shared, worker, location):
    """What the worker's transaction must read at a location, and its entry there.

    Returns
    -------
    tuple
        `FOUND_STATE`, `FOUND_WORD`, or `FOUND_ESTIMATE`, without an entry, or `FULL`; the version's address; its tag,
        or that of the word in the state; the word.
    """
    while True:
        link, held, version = link_below(shared, location, worker.txn_idx)
        check(version == NO_VERSION or READ_VERSION.at(version).txn_idx < worker.txn_idx)
        holds, found, version, tag, word = _read_along(shared, worker, location, link, held, version)
        if holds:
            return found, version, tag, word
