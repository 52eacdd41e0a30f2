"""Rows of transactions: records of what each changes, so that they can be asked for before it is executed.

A list says who changes what, and nearly all that a transaction alone touches it changes. So whoever decodes a change
notes its record in the row of the transaction: in the place that a hash gives it, by a plain store. A record that
another one displaces is not missed: rows are for prefetching, and nothing else may follow from them. Therefore no
worker waits for another, and nothing is counted or cleared; entries of former lists have another epoch.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.vm.access_table import KIND_CODE, KIND_SHIFT
from contend.strategies.block_list.layout import EPOCH_SHIFT, OFFSET_MASK, RECORD
from contend.strategies.block_list.record_index import prefetch_index
from contend.strategies.block_stm.mv_memory import arena_offset

ROW_WORDS = 16
KIND_NONCE = U(layout.KIND_NONCE)
_MIX, _MIX_SHIFT = U(0x9E3779B97F4A7C15), U(60)


@macro
def _row_words(shared, block_list):
    """View of all rows."""
    return view_u64(block_list.rows, shared.block_size * ROW_WORDS)


@kernel(inline=True)
def entry_for(shared, block_list, record):
    """What rows have of a record, and the place that it gets in each."""
    offset = arena_offset(shared, record)
    return (block_list.epoch << EPOCH_SHIFT) | offset, I((offset * _MIX) >> _MIX_SHIFT)


@kernel(inline=True)
def note_change(shared, block_list, entry, place, index):
    """Note in the row of the transaction with an index that it changes a record, by what `entry_for` found of that."""
    if 1 <= index <= shared.block_size:
        atomics.store(_row_words(shared, block_list), (index - 1) * ROW_WORDS + place, entry)


@kernel()
def prefetch_row(shared, block_list, txn_idx):
    """Ask for the row of a transaction."""
    row = block_list.rows + txn_idx * ROW_WORDS * WORD_BYTES
    prefetch(row)
    prefetch(row + LINE_BYTES)


@kernel(inline=True)
def _record_in(shared, block_list, words, txn_idx, place):
    """Address of the record that a row has in a place, or 0."""
    entry = atomics.load(words, txn_idx * ROW_WORDS + place)
    if entry >> EPOCH_SHIFT != block_list.epoch:
        return I(0)
    return shared.arena + I(entry & OFFSET_MASK) * WORD_BYTES


@kernel()
def record_in_row(shared, block_list, txn_idx, place):
    """Address of a record that a transaction changes, by its place in the row; 0 where none is, or none any more."""
    return _record_in(shared, block_list, _row_words(shared, block_list), txn_idx, place)


@kernel()
def prefetch_records(shared, block_list, txn_idx):
    """Ask for the records in a row, and what stands first behind each: a change, and often the next record."""
    words = _row_words(shared, block_list)
    for place in range(ROW_WORDS):
        record = _record_in(shared, block_list, words, txn_idx, place)
        if record != 0:
            for line in range(3):
                prefetch(record + line * LINE_BYTES)


@kernel()
def prefetch_slots(shared, block_list, txn_idx):
    """Ask for where the index leads to the records in a row; with an account's nonce also to its code's."""
    words = _row_words(shared, block_list)
    for place in range(ROW_WORDS):
        record = _record_in(shared, block_list, words, txn_idx, place)
        if record != 0:
            key = RECORD.at(record).key
            prefetch_index(block_list, key)
            if key[2] >> KIND_SHIFT == KIND_NONCE:
                code = (key[2] & ((U(1) << KIND_SHIFT) - U(1))) | (KIND_CODE << KIND_SHIFT)
                prefetch_index(block_list, (key[0], key[1], code, U0, U0, U0, U0))
