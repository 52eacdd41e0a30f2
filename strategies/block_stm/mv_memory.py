"""Multi-version memory: for every location, the words that the block's transactions wrote, by transaction.

Block-STM's MVMemory (arXiv 2203.06871, section 3.1 and algorithms 2 and 3). A transaction reads the version of the
highest transaction below it. The paper leaves the map open and most implementations lock a tree; here every location
that several transactions write has a skip list (Pugh, 1990) ordered from the highest transaction down, into which
versions are inserted by compare-and-swap and from which none is ever removed. So a reader walks O(log n) versions of a
hot location, takes no lock, and finds its own near the front, since transactions are executed roughly in order.

Most locations that a block writes are written by one transaction. The head of such a location leads to its version
itself: nothing has to be made beside it, and a reader waits for one look into memory less. Who comes with a second
version makes the skip list's beginning over the first one (a TOWER) and swaps the head, by compare-and-swap; so a head
goes from another block's to a version's to a tower's, and never back. Who has loaded it before the swap reads as it
would have then: the version stays where it is.

A version's tag says which incarnation gave it its word, and whether it is an ESTIMATE (its writer was aborted and will
write again) or ABSENT (the last incarnation did not write here). Not all that an abort takes back is marked
(`strategies.block_stm.validation`): where a version still stands in sight and gets the same word once more, it keeps
its number, so that who has read it stays valid. One number never stands for two words.

The word in a version changes only while it is an ESTIMATE or ABSENT, so that a reader who finds the same tag before and
after reading the word has read it whole (a sequence lock, whose number is the incarnation). Who finds the version
neither makes it an ESTIMATE for that moment; the fence behind keeps the new words after the tag on every architecture.
Of a version that was marked by an abort, two read-modify-writes of the transaction's status lie between the tag and the
next incarnation's first store, and do the same. The reader's fence keeps its loads of the word before its second load
of the tag.

A location's head lies in the row of the state beside its word, in one cache line: who looks for a version has the word
as well, if there is none. Nothing here grows with the state, and heads are never cleared: a head carries the epoch of
the block in which it was set, and means nothing in another. The worker that makes a location's first version notes
the location, in chunks that form one list for all workers. So commit looks at what was written and at nothing else
(`strategies.block_stm.commit`).
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.u256 import ZERO, equal
from contend.strategies.block_stm.layout import (
    ABSENT,
    ESTIMATE,
    HEAD_MASK,
    HEAD_SHIFT,
    LEADS_TO_TOWER,
    LEVELS,
    LINK,
    ROW,
    TAG_SHIFT,
    TOWER,
    VERSION,
    WRITTEN,
    WRITTEN_LOCATIONS,
)

CHUNK_WORDS = 4096
NO_VERSION = 0  # the address of none
FOUND_STATE, FOUND_WORD, FOUND_ESTIMATE = range(3)  # what `read` found
_LINK_BYTES = WORD_BYTES
_NEXT = WORD_BYTES * VERSION.offsets["next"]
_LOWEST_WORDS = VERSION.words - 1  # of a version, without the links of its levels
_TOWER_WORDS, _WRITTEN_WORDS = TOWER.words, WRITTEN.words
_ROW_WORDS, _HEAD = ROW.words, ROW.offsets["head"]


@kernel(inline=True)
def row_of(shared, location):
    """Row of a location, in memory: its key, its word in the state, and the head of its versions."""
    return ROW.item(shared.rows, shared.rows_count, location)


@kernel(inline=True)
def head_of(shared, location):
    """A location's head as it is now."""
    return atomics.load(row_of(shared, location), "head")


@kernel(inline=True)
def led_to(shared, head):
    """Address that a head leads to, or 0 if the head is of another block."""
    if head >> HEAD_SHIFT != shared.epoch:
        return I(0)
    return shared.arena + I(head & HEAD_MASK) * WORD_BYTES


@kernel(inline=True)
def _is_tower(head):
    return head & LEADS_TO_TOWER != U0


@kernel(inline=True)
def has_versions(shared, location):
    """Whether a location has versions of this block."""
    return head_of(shared, location) >> HEAD_SHIFT == shared.epoch


@kernel(inline=True)
def head_to_version(shared, version):
    """Head of a location whose only version is at an address."""
    return (shared.epoch << HEAD_SHIFT) | arena_offset(shared, version)


@kernel(inline=True)
def head_to_tower(shared, tower):
    """Head of a location whose tower is at an address."""
    return (shared.epoch << HEAD_SHIFT) | LEADS_TO_TOWER | arena_offset(shared, tower)


@kernel(inline=True)
def arena_offset(shared, address):
    """Offset of an address in the arena, in words."""
    return U(address - shared.arena) // U(WORD_BYTES)


@kernel()
def allocate(shared, worker, words):
    """Words of the arena for this worker: their address, or 0 when the arena is full (the fault is noted)."""
    address = worker.chunk
    if address + words * WORD_BYTES <= worker.chunk_end:
        worker.chunk = address + words * WORD_BYTES
        return address
    size = max(words, CHUNK_WORDS)
    first = I(atomics.add(shared, "arena_used", U(size)))
    if first + size > shared.arena_words:
        atomics.store(shared, "fault", U1)
        return I(0)
    address = shared.arena + first * WORD_BYTES
    if size == CHUNK_WORDS:
        worker.chunk = address + words * WORD_BYTES
        worker.chunk_end = address + size * WORD_BYTES
    return address


@kernel(inline=True)
def _height(location, txn_idx):
    """Levels of a version: each further one with probability 1/4, from a hash, so that runs repeat."""
    mixed = (U(location) * U(0x9E3779B97F4A7C15)) ^ (U(txn_idx + 1) * U(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> U(29))) * U(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> U(32)
    levels = 1
    while levels < LEVELS and mixed & U(3) == U0:
        levels += 1
        mixed >>= U(2)
    return levels


@kernel(inline=True)
def _follow(link):
    """Address of the version that the link at an address leads to."""
    return I(atomics.load(LINK.at(link), "version"))


@kernel()
def _search(tower, txn_idx, level):
    """On one level: the link to the first version of a transaction at most `txn_idx`.

    Most towers have few versions and few levels in use, so it begins no higher than it has to. A version that has just
    been linked on a higher level is found below all the same.

    Returns the link's address, and the version's.
    """
    current = max(I(atomics.load(TOWER.at(tower), "top")), level)
    link = tower + _LINK_BYTES * current
    version = _follow(link)
    while True:
        while version != NO_VERSION and VERSION.at(version).txn_idx > txn_idx:
            link = version + _NEXT + _LINK_BYTES * current
            version = _follow(link)
        if current == level:
            return link, version
        current -= 1
        link -= _LINK_BYTES
        version = _follow(link)


@kernel()
def _version_at_most(shared, location, txn_idx):
    """Address of the version of the highest transaction at most `txn_idx`, or `NO_VERSION`."""
    head = head_of(shared, location)
    address = led_to(shared, head)
    if address == 0:
        return I(NO_VERSION)
    if _is_tower(head):
        _, address = _search(address, txn_idx, 0)
        return address
    return address if VERSION.at(address).txn_idx <= txn_idx else I(NO_VERSION)


@kernel()
def read_from(address):
    """From a version down the first one that is not ABSENT; results as of `read`."""
    while address != NO_VERSION:
        version = VERSION.at(address)
        tag = atomics.load(version, "tag")
        if tag & ESTIMATE != U0:
            return FOUND_ESTIMATE, address, tag, ZERO
        if tag & ABSENT == U0:
            word = version.word
            atomics.acquire_fence()
            if atomics.load(version, "tag") == tag:
                return FOUND_WORD, address, tag, word
        else:
            address = _follow(address + _NEXT)
    return FOUND_STATE, I(NO_VERSION), U0, ZERO


@kernel()
def read(shared, location, txn_idx):
    """MVMemory.read: what a transaction must read at a location.

    Returns
    -------
    tuple
        `FOUND_STATE` (nobody below wrote it), `FOUND_WORD`, or `FOUND_ESTIMATE`; the version's address; its tag; the
        word.
    """
    return read_from(_version_at_most(shared, location, txn_idx - 1))


@kernel()
def read_below(version):
    """As `read`, for a transaction that has a version of its own at the location, at this address."""
    return read_from(_follow(version + _NEXT))


@kernel(inline=True)
def next_below(version):
    """Address of the version below the one at an address, or `NO_VERSION`; in one order with all insertions."""
    return I(atomics.load_seq_cst(VERSION.at(version), "next"))


@kernel(inline=True)
def link_behind(version):
    """Address of the link that leads on from the version at an address."""
    return version + _NEXT


@kernel(inline=True)
def leads_to(link):
    """What the link at an address holds, in one order with all insertions."""
    return atomics.load_seq_cst(LINK.at(link), "version")


@kernel()
def link_below(shared, location, txn_idx):
    """The last link of a search for what a transaction must read at a location.

    Whoever inserts a version between what it leads to and the transaction changes what it holds.

    Returns
    -------
    tuple
        The link's address, what it held, and the address of the version that it led to, or `NO_VERSION`.
    """
    head = head_of(shared, location)
    address = led_to(shared, head)
    if address != 0 and _is_tower(head):
        link, version = _search(address, txn_idx - 1, 0)
        return link, U(version), version
    if address != 0 and VERSION.at(address).txn_idx >= txn_idx:
        address = I(NO_VERSION)
    return shared.rows + WORD_BYTES * (location * _ROW_WORDS + _HEAD), head, address


@kernel(inline=True)
def writer_of(version):
    """The transaction that the version at an address belongs to."""
    return VERSION.at(version).txn_idx


@kernel(inline=True)
def is_full(chunk):
    """Whether a WRITTEN has no room for a location more; so has none, at address zero."""
    return chunk == 0 or WRITTEN.at(chunk).count == WRITTEN_LOCATIONS


@kernel()
def make_written(shared, worker):
    """Address of a WRITTEN without locations, or 0 when the arena is full."""
    chunk = allocate(shared, worker, _WRITTEN_WORDS)
    if chunk != 0:
        WRITTEN.at(chunk).count = 0
    return chunk


@kernel(inline=True)
def append_location(chunk, location):
    """Add a location to a WRITTEN that is not full."""
    written = WRITTEN.at(chunk)
    written.locations[U(written.count)] = U(location)
    written.count += 1


@kernel()
def note_written(shared, worker, location):
    """Add a location to those that commit looks at. False when the arena is full."""
    if is_full(worker.written):
        chunk = make_written(shared, worker)
        if chunk == 0:
            return False
        previous = atomics.load(shared, "written")
        while True:
            WRITTEN.at(chunk).previous = previous
            found = atomics.compare_and_swap(shared, "written", previous, U(chunk))
            if found == previous:
                break
            previous = found
        worker.written = chunk
    append_location(worker.written, location)
    return True


@kernel(inline=True)
def _fill_version(address, txn_idx, tag, word, written):
    version = VERSION.at(address)
    version.txn_idx = txn_idx
    version.tag = tag
    version.word = word
    version.written = written


@kernel()
def _make_lone(shared, worker, location, head, txn_idx, tag, word, written):
    """Make a location's first version, in place of a head of another block unless another worker is faster.

    Returns the version's address, or `NO_VERSION` if another was faster; and whether there was room in the arena.
    """
    address = allocate(shared, worker, VERSION.words)
    if address == 0:
        return I(NO_VERSION), False
    _fill_version(address, txn_idx, tag, word, written)
    VERSION.at(address).next = U0
    fresh = head_to_version(shared, address)
    if atomics.compare_and_swap(row_of(shared, location), "head", head, fresh) != head:
        return I(NO_VERSION), True
    return address, note_written(shared, worker, location)


@kernel()
def _make_tower(shared, worker, location, head):
    """Make a tower over the version that is a location's only one, unless another worker is faster.

    Returns the address of whichever it got, or 0 when the arena is full.
    """
    tower = allocate(shared, worker, _TOWER_WORDS)
    if tower == 0:
        return I(0)
    first = TOWER.at(tower).first
    first[U0] = U(led_to(shared, head))
    for level in range(1, LEVELS):
        first[U(level)] = U0
    TOWER.at(tower).top = U0
    found = atomics.compare_and_swap(row_of(shared, location), "head", head, head_to_tower(shared, tower))
    return tower if found == head else led_to(shared, found)


@kernel()
def _insert(shared, worker, tower, link, found, location, txn_idx, tag, word, written):
    """Insert a transaction's first version at a location: its address, or `NO_VERSION` when the arena is full.

    `link` and `found` are what a search for the transaction on level 0 has led to.
    """
    levels = _height(location, txn_idx)
    address = allocate(shared, worker, _LOWEST_WORDS + levels)
    if address == 0:
        return I(NO_VERSION)
    _fill_version(address, txn_idx, tag, word, written)
    if levels > 1 and I(atomics.load(TOWER.at(tower), "top")) < levels - 1:
        # Of two workers that do this at once the lower one may be last: then searches take a few steps more.
        atomics.store(TOWER.at(tower), "top", U(levels - 1))
    # From the lowest level up, so that a search finds below whatever it has found above.
    for level in range(levels):
        own_link = address + _NEXT + _LINK_BYTES * level
        if level != 0:
            link, found = _search(tower, txn_idx, level)
        while True:
            check(found == NO_VERSION or VERSION.at(found).txn_idx < txn_idx)
            LINK.at(own_link).version = U(found)
            if I(atomics.compare_and_swap(LINK.at(link), "version", U(found), U(address))) == found:
                break
            link, found = _search(tower, txn_idx, level)
    return address


@kernel()
def place(shared, worker, location, txn_idx, tag, word, written):
    """Have a version of a transaction at a location, made as given if there is none.

    Returns the version's address, or `NO_VERSION` when the arena is full; and whether it stood there before.
    """
    head = head_of(shared, location)
    tower = led_to(shared, head)
    if tower == 0:
        address, has_room = _make_lone(shared, worker, location, head, txn_idx, tag, word, written)
        if address != NO_VERSION or not has_room:
            return address if has_room else I(NO_VERSION), False
        head = head_of(shared, location)
        tower = led_to(shared, head)
    if not _is_tower(head):
        if VERSION.at(tower).txn_idx == txn_idx:
            return tower, True
        tower = _make_tower(shared, worker, location, head)
        if tower == 0:
            return I(NO_VERSION), False
    link, found = _search(tower, txn_idx, 0)
    if found != NO_VERSION and VERSION.at(found).txn_idx == txn_idx:
        return found, True
    return _insert(shared, worker, tower, link, found, location, txn_idx, tag, word, written), False


@kernel()
def _write_again(version, incarnation, word):
    """Write where the transaction has a version; whether nobody needs to be told, as of `write`."""
    tag = atomics.load(version, "tag")
    version.written = U(incarnation) + U1
    if tag & (ESTIMATE | ABSENT) == U0:
        if equal(version.word, word):
            return True
        atomics.store(version, "tag", tag | ESTIMATE)
        atomics.release_fence()
    version.word = word
    atomics.store(version, "tag", U(incarnation) << TAG_SHIFT)
    return tag & ESTIMATE != U0


@kernel()
def write(shared, worker, location, txn_idx, incarnation, word):
    """Make an incarnation's write visible. Only the worker that executes the transaction may call this.

    Returns
    -------
    tuple
        The version's address, or `NO_VERSION` when the arena is full; and whether the last incarnation wrote here
        too, and either the same word, or it was known since (an ESTIMATE) that another may come.
    """
    own = U(incarnation) + U1
    address, stood = place(shared, worker, location, txn_idx, U(incarnation) << TAG_SHIFT, word, own)
    return address, stood and _write_again(VERSION.at(address), incarnation, word)


@kernel(inline=True)
def write_own(address, incarnation, word):
    """As `write`, where the transaction's version is known: whether nobody needs to be told."""
    return _write_again(VERSION.at(address), incarnation, word)


@kernel()
def expect(shared, worker, location, txn_idx):
    """Have a version stand for a write that is expected of a transaction that has not begun.

    It is an ESTIMATE before anybody can find it. Were it marked afterwards, who read it meanwhile would have a word
    that nobody wrote, and validation would not notice: the first incarnation's word has the same version and tag.

    Returns
    -------
    tuple
        The version's address, or `NO_VERSION` when the arena is full; and whether it stood there before.
    """
    return place(shared, worker, location, txn_idx, ESTIMATE, ZERO, U0)


@kernel()
def version_of(shared, location, txn_idx):
    """Address of the version that a transaction has at a location, or `NO_VERSION`."""
    found = _version_at_most(shared, location, txn_idx)
    return found if found != NO_VERSION and VERSION.at(found).txn_idx == txn_idx else I(NO_VERSION)


@kernel(inline=True)
def fill(address, incarnation, word):
    """Give a version that stands as an ESTIMATE its word. Only the worker that executes its transaction may."""
    version = VERSION.at(address)
    check(version.tag & ESTIMATE != U0)
    version.word = word
    version.written = U(incarnation) + U1
    atomics.store(version, "tag", U(incarnation) << TAG_SHIFT)


@kernel(inline=True)
def is_written_by(version, incarnation):
    """Whether this incarnation of its transaction has written the version at an address."""
    return VERSION.at(version).written == U(incarnation) + U1


@kernel(inline=True)
def mark_estimate(version):
    """The version's writer was aborted: readers must wait for its next incarnation."""
    check(VERSION.at(version).tag & (ESTIMATE | ABSENT) == U0)
    tag = atomics.load(VERSION.at(version), "tag")
    atomics.store(VERSION.at(version), "tag", tag | ESTIMATE)


@kernel(inline=True)
def mark_absent(version, incarnation):
    """The version's writer has executed again and did not write here. Whether readers were waiting for it."""
    tag = atomics.load(VERSION.at(version), "tag")
    check(tag & ABSENT == U0)
    atomics.store(VERSION.at(version), "tag", (U(incarnation) << TAG_SHIFT) | ABSENT)
    return tag & ESTIMATE != U0


@kernel()
def final_version(shared, location):
    """Address of the version whose word a location has after the block, or `NO_VERSION` if nobody wrote it."""
    head = head_of(shared, location)
    address = led_to(shared, head)
    if address == 0:
        return I(NO_VERSION)
    if _is_tower(head):
        address = _follow(address)
    while address != NO_VERSION and VERSION.at(address).tag & ABSENT != U0:
        address = _follow(address + _NEXT)
    return address
