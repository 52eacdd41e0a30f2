"""Rows of transactions: records of what each changes, found before anything else and asked for before it is executed.

A list says who changes what, and nearly all that a transaction alone touches it changes, or is an account whose
balance it changes. So when records have been decoded, each is noted in the rows of the transactions that change it, by
an entry as the index has it (`strategies.block_list.record_index`), in the place that the key's hash gives it or the
one beside. Rows lie in memory in the order of the block, two cache lines each, so they can be asked for in time, as can
the records to which they lead: a transaction that looks for a key there first finds most without a miss. A record that
another one displaces is found by the index, as is one that many change, which is in everybody's cache. Therefore no
worker waits for another, and nothing is counted or cleared; entries of former lists have another epoch.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import hash_key
from contend.strategies.block_list.layout import EPOCH_SHIFT, RECORD, VALUED
from contend.strategies.block_list.listed_changes import (
    change_at,
    count_of_record,
    head_of,
    what_of_record,
)
from contend.strategies.block_list.record_index import (
    NO_RECORD,
    entry_of,
    find_hashed,
    record_behind,
    record_if_of,
)
from contend.strategies.block_stm.mv_memory import arena_offset

ROW_WORDS = 16
MANY = 64
_OTHER_BITS = U(40)


@macro
def _row_words(shared, block_list):
    """View of all rows."""
    return view_u64(block_list.rows, shared.block_size * ROW_WORDS)


@kernel(inline=True)
def _place_of(hashed):
    """Place in a row: hashes of an account's kinds differ in their lowest bits only (`evm.state.hash_key`)."""
    return I((hashed ^ (hashed >> _OTHER_BITS)) & U(ROW_WORDS - 1))


@kernel()
def prefetch_row(shared, block_list, txn_idx):
    """Ask for the row of a transaction."""
    row = block_list.rows + txn_idx * ROW_WORDS * WORD_BYTES
    prefetch(row)
    prefetch(row + LINE_BYTES)


@kernel()
def prefetch_rows(shared, block_list, record):
    """Ask for the rows of those who change what a record is of, unless they are many."""
    head = head_of(record)
    if what_of_record(head) == VALUED and count_of_record(head) < MANY:
        for i in range(count_of_record(head)):
            prefetch_row(shared, block_list, change_at(record, i).index - 1)


@kernel()
def note_record(shared, block_list, changes, record):
    """Note a record in the rows of those who change what the record `changes` is of, unless they are many."""
    head = head_of(changes)
    if what_of_record(head) != VALUED or count_of_record(head) >= MANY:
        return
    hashed, words = hash_key(RECORD.at(record).key), _row_words(shared, block_list)
    entry, place = entry_of(block_list, hashed, arena_offset(shared, record)), _place_of(hashed)
    for i in range(count_of_record(head)):
        txn_idx = change_at(changes, i).index - 1
        if 0 <= txn_idx < shared.block_size:
            at = txn_idx * ROW_WORDS + place
            if atomics.load(words, at) >> EPOCH_SHIFT == block_list.epoch:
                at ^= 1
            atomics.store(words, at, entry)


@kernel(inline=True)
def _record_in(shared, block_list, words, txn_idx, place):
    """Address of the record that a row has in a place, or `NO_RECORD`."""
    entry = atomics.load(words, txn_idx * ROW_WORDS + place)
    return record_behind(shared, entry) if entry >> EPOCH_SHIFT == block_list.epoch else I(NO_RECORD)


@kernel()
def find_for(shared, block_list, txn_idx, key):
    """Address of the record of a key that a transaction asks for, or `NO_RECORD`."""
    hashed = hash_key(key)
    words, at = _row_words(shared, block_list), txn_idx * ROW_WORDS + _place_of(hashed)
    wanted = entry_of(block_list, hashed, U0)
    record = record_if_of(shared, atomics.load(words, at), wanted, key)
    if record == NO_RECORD:
        record = record_if_of(shared, atomics.load(words, at ^ 1), wanted, key)
    return record if record != NO_RECORD else find_hashed(shared, block_list, key, hashed)


@kernel()
def record_in_row(shared, block_list, txn_idx, place):
    """Address of a record that a transaction changes, by its place in the row; `NO_RECORD` where none is."""
    return _record_in(shared, block_list, _row_words(shared, block_list), txn_idx, place)


@kernel()
def prefetch_records(shared, block_list, txn_idx):
    """Ask for the records in a row, and what stands first behind each: a change, and often the next record."""
    words = _row_words(shared, block_list)
    for place in range(ROW_WORDS):
        record = _record_in(shared, block_list, words, txn_idx, place)
        if record != NO_RECORD:
            for line in range(3):
                prefetch(record + line * LINE_BYTES)
