"""The hint table: for each transaction of the block the locations that it is expected to touch.

A row a transaction (`HINT`) points to its entries, int64 words: a location's number, and `WRITE_BIT` where it is
expected to be written. Entries lie in lists of the workers that found them. A source fills the table
(`strategies.given.HintSource`); whoever plans, marks or locks by it reads it here. A transaction of which nothing is
known has no entries.
"""

from __future__ import annotations

from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_i64
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.layout import HINT


@kernel(inline=True)
def hint_of(shared, txn_idx):
    """Row of a transaction."""
    return HINT.item(shared.hints, shared.block_size, txn_idx)


@macro
def entries_of(hint):
    """View of a row's entries."""
    return view_i64(hint.entries, hint.count)


@kernel(inline=True)
def location_in(entry):
    """Location of an entry."""
    return entry & LOCATION_MASK


@kernel(inline=True)
def writes_in(entry):
    """Whether an entry says that its location is written."""
    return entry & WRITE_BIT != 0


@kernel(inline=True)
def next_hinted(shared):
    """Take the next transaction of a pass over the table; the block's size or more when all are taken."""
    return I(atomics.add(shared, "next_hint", U1))


@kernel()
def open_hint(shared, worker, txn_idx):
    """Begin the entries of a transaction in the worker's list; `add_entry` adds to them."""
    hint = hint_of(shared, txn_idx)
    hint.entries = worker.hint_list + worker.hint_count * WORD_BYTES
    hint.count = I(0)
    return hint


@kernel()
def add_entry(shared, worker, hint, location, is_written):
    """Add an entry to the row that the worker has opened last. False when its list is full (the fault is noted)."""
    count = worker.hint_count
    if count >= worker.hint_room:
        note_fault(shared)
        return False
    view_i64(worker.hint_list, worker.hint_room)[U(count)] = location | (WRITE_BIT if is_written else 0)
    worker.hint_count = count + 1
    hint.count += 1
    return True


@kernel()
def copy_entries(rows, offsets, raw):
    """Copy the entries of so many rows that lie at an address to `raw`, each row's from its offset."""
    size = offsets.size - 1
    for i in range(size):
        hint = HINT.item(rows, size, i)
        entries = entries_of(hint)
        for j in range(hint.count):
            raw[offsets[i] + j] = entries[U(j)]
