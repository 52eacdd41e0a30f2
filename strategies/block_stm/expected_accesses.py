"""Expected accesses: what the hints say of the transaction in hand, laid out for its worker when it begins.

To answer a read takes three looks into memory that is large and seldom near: at the table of locations, at the key that
it leads to, and at the location's versions. Serial execution has the first two as well, and waits for each in turn.
Where hints name the locations, all can be asked for before the transaction begins, at once, and while the one before it
still executes (software prefetching: Mowry, Lam and Gupta, ASPLOS 1992). When it begins, its worker makes a small table
of them: hash of the key, location, and the version that stands there for the transaction itself, if it is expected to
write. A machine asks in most cases for the entry behind the one that it asked for last; so a read finds by one
comparison, as a rule, what a search in the table of locations would find.

From its own version a transaction reads by one step down the list, however long that is: where all that a block is
expected to write stands in memory before anything executes, the search from the front passes half of a hot location's
versions. Its own versions are also where its words go, without another search.

All this is about where to look and not about what is found: an entry is used only if its key is the one that is asked
for, and what the hints leave out is searched for. What a transaction has more than `MOST` is searched for, too.
"""

from __future__ import annotations

from contend.evm.layout import STATE
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.evm.state import hash_key, location_row, same_key
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in, writes_in
from contend.strategies.block_stm.layout import EXPECTED, VERSION, WRITE
from contend.strategies.block_stm.mv_memory import NO_VERSION

MOST = 32  # entries of a transaction that are laid out
_VERSION_END = WORD_BYTES * (VERSION.words - 1)


@kernel(inline=True)
def _row(worker, number):
    return EXPECTED.item(worker.expected, MOST, number)


@kernel()
def ask_for_expected(shared, txn_idx, writes, write_count):
    """Ask for the memory that a transaction is expected to need. Nothing is read that another may be writing."""
    state, hint = STATE.at(shared.state), hint_of(shared, txn_idx)
    entries = entries_of(hint)
    for i in range(min(hint.count, MOST)):
        location = location_in(entries[U(i)])
        row = address_of(location_row(state, location))
        prefetch(row)
        prefetch(row + LINE_BYTES)
    for i in range(min(write_count, MOST)):
        version = WRITE.item(writes, write_count, i).version
        prefetch(version)
        prefetch(version + _VERSION_END)


@kernel()
def _own_version(writes, count, nearest, location):
    """The version that a write set has of a location, or `NO_VERSION`; and the place behind it.

    Looked for from the place behind the last one: the expected writes are listed in the order of the hint.
    """
    at = nearest
    for _ in range(count):
        if at >= count:
            at = 0
        found = WRITE.item(writes, count, at)
        at += 1
        if found.location == location:
            return found.version, at
    return I(NO_VERSION), nearest


@kernel()
def lay_out_expected(shared, worker, writes, write_count):
    """Lay out what is expected of the worker's transaction; `writes` is its write set, of the versions that it has."""
    state, hint = STATE.at(shared.state), hint_of(shared, worker.txn_idx)
    entries, count, nearest = entries_of(hint), min(hint.count, MOST), 0
    for i in range(count):
        entry = entries[U(i)]
        location, version = location_in(entry), I(NO_VERSION)
        if writes_in(entry):
            version, nearest = _own_version(writes, min(write_count, MOST), nearest, location)
        row = _row(worker, i)
        row.hashed = hash_key(location_row(state, location).key)
        row.location = location
        row.version = version
    worker.expected_count = count
    worker.expected_next = 0


@kernel()
def find_expected(shared, worker, key):
    """Location with a key and the transaction's own version there, if it is expected; else -1."""
    hashed, at = hash_key(key), worker.expected_next
    for _ in range(worker.expected_count):
        if at >= worker.expected_count:
            at = 0
        row = _row(worker, at)
        at += 1
        if row.hashed == hashed and same_key(location_row(STATE.at(shared.state), row.location).key, key):
            worker.expected_next = at
            return row.location, row.version
    return I(-1), I(NO_VERSION)


@kernel()
def expected_version(worker, location):
    """The transaction's own version at a location, or `NO_VERSION` where none is laid out."""
    at = worker.expected_next
    for _ in range(worker.expected_count):
        if at >= worker.expected_count:
            at = 0
        row = _row(worker, at)
        at += 1
        if row.location == location:
            worker.expected_next = at
            return row.version
    return I(NO_VERSION)
