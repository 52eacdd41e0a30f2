"""Versions of a location whose writers are all known beforehand: laid out at once, as a skip list that is born whole.

Who knows only a transaction's writes inserts its versions one by one (`strategies.block_stm.mv_memory.expect`): each
looks for its place, and takes it by compare-and-swap. A block's access list says of a location who writes it, all of
them, in order. So the place of each is known, and a skip list needs no chance to be balanced: the n-th version, from
the lowest transaction up, has a level more for each time that n can be divided by four, as in the perfectly balanced
list that Pugh's random heights approximate ("Skip lists: a probabilistic alternative to balanced trees", Communications
of the ACM 33, 1990). Where each version lies, and where all its links lead, follows from n alone. Workers therefore lay
out different parts of one location's versions at the same time, write no word that another writes, and read nothing.

Nobody looks at a location's versions before all that are expected stand: the pass over the block's list ends before
the first transaction begins. Writes that nobody expected are inserted later as any others.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_stm.layout import ESTIMATE, LEVELS, LINK, TOWER, VERSION
from contend.strategies.block_stm.mv_memory import (
    NO_VERSION,
    allocate,
    head_to_tower,
    head_to_version,
    note_written,
    row_of,
)

_NEXT = WORD_BYTES * VERSION.offsets["next"]
_LEVEL_BITS = 2  # a level has a quarter of the versions of the one below


@kernel(inline=True)
def _version_words(count):
    """Words of the first so many versions of a location, with their links."""
    words, rest = VERSION.words * count, count >> _LEVEL_BITS
    for _ in range(LEVELS - 1):
        if rest == 0:
            break
        words += rest
        rest >>= _LEVEL_BITS
    return words


@kernel(inline=True)
def _version_at(versions, number):
    """Address of a location's version by its number, from 1 up; of number 0, `NO_VERSION`."""
    return I(NO_VERSION) if number == 0 else versions + _version_words(number - 1) * WORD_BYTES


@kernel(inline=True)
def _last_on(level, number):
    """The highest version on a level whose number is at most this one, or 0."""
    return (number >> (_LEVEL_BITS * level)) << (_LEVEL_BITS * level)


@kernel()
def _make_room_for_one(shared, worker, location):
    """As `make_room_for_versions`, for one: the location's only version, without a skip list."""
    version = allocate(shared, worker, VERSION.words)
    if version == 0:
        return I(0)
    atomics.store(row_of(shared, location), "head", head_to_version(shared, version))
    return version if note_written(shared, worker, location) else I(0)


@kernel()
def make_room_for_versions(shared, worker, location, count):
    """Make the versions of a location that so many transactions are expected to write: a skip list, if several.

    The location has none, and no other worker makes it one. `stand` has to be called for each version.

    Returns
    -------
    int
        Address of the versions, or 0 when the arena is full.
    """
    if count == 1:
        return _make_room_for_one(shared, worker, location)
    tower = allocate(shared, worker, TOWER.words + _version_words(count))
    if tower == 0:
        return I(0)
    versions, first, top = tower + TOWER.words * WORD_BYTES, TOWER.at(tower).first, 0
    for level in range(LEVELS):
        last = _last_on(level, count)
        first[U(level)] = U(_version_at(versions, last))
        if last != 0:
            top = level
    TOWER.at(tower).top = U(top)
    atomics.store(row_of(shared, location), "head", head_to_tower(shared, tower))
    return versions if note_written(shared, worker, location) else I(0)


@kernel()
def stand(versions, number, txn_idx):
    """Have a location's version by its number, from 1 up, stand as an ESTIMATE of a transaction: its address."""
    address = _version_at(versions, number)
    version = VERSION.at(address)
    version.txn_idx = txn_idx
    version.tag = ESTIMATE
    # The word stays what it is: of an ESTIMATE nobody looks at it.
    version.written = U0
    level, link = 0, address + _NEXT
    while True:
        LINK.at(link).version = U(_version_at(versions, _last_on(level, number - 1)))
        level += 1
        link += WORD_BYTES
        if level == LEVELS or _last_on(level, number) != number:
            return address
