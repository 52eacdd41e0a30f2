"""Locations of records: looked up in the state, a batch at a time, so that cache misses are waited for together.

A location is found by a word of the state's table, then by a key, and then its word is read: three misses, each of
which needs what the one before found. For one location they take as long as a hash; but locations do not need each
other. So of a batch first all words of the table are asked for, then all keys and words, and when the third pass comes
to them they are there (as in the batched probes of hash joins: Chen, Ailamaki, Gibbons and Mowry, "Improving hash join
performance through prefetching", ICDE 2004).
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import STATE
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import intern_location, key_in_state, location_row, prefetch_location, prefetch_slot
from contend.strategies.accounting import spend
from contend.strategies.block_list.change_rows import note_record, prefetch_rows
from contend.strategies.block_list.layout import LOCATION_SHIFT, RECORD
from contend.strategies.block_list.listed_changes import bytes_of_record
from contend.strategies.block_list.long_records import is_long, note_long_record
from contend.strategies.block_list.malformed import FAULTED, NAMED_TWICE, refuse
from contend.strategies.block_list.record_index import ENTERED, IS_THERE, NO_RECORD, enter_record, prefetch_index
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.clocks import cost_table

COST_LIST_LOCATION = cost_table.LIST_LOCATION

_KIND_SHIFT, _KIND_MASK = U(layout.KIND_SHIFT), U(layout.KIND_MASK)
_KIND_BALANCE, _KIND_CODE = U(layout.KIND_BALANCE), U(layout.KIND_CODE)
_ACCOUNT_BITS = U(0xFFFFFFFF)  # of a key's third word: the rest of the address

BATCH = 16  # more than a core can wait for at once, and less than its first cache holds


@kernel()
def _ask_for_slots(shared, block_list, record, end):
    """Ask for where the search for each record of a batch begins. The end of the batch."""
    count = 0
    while record < end and count < BATCH:
        opened = RECORD.at(record)
        prefetch_slot(shared.state, opened.key)
        if block_list.seeds != U0:
            prefetch_index(block_list, opened.key)
            prefetch_rows(shared, block_list, record)
        record += bytes_of_record(opened.head)
        count += 1
    return record


@kernel()
def _ask_for_locations(shared, record, end):
    while record < end:
        opened = RECORD.at(record)
        prefetch_location(shared.state, opened.key)
        record += bytes_of_record(opened.head)


@kernel()
def _locate(shared, block_list, piece, record):
    """Look up the location of a record and enter it in the index. A negative result if that cannot be done."""
    opened = RECORD.at(record)
    if STATE.at(shared.state).has_generations != U0:
        opened.key = key_in_state(shared.state, opened.key)
    location = I(intern_location(shared.state, opened.key))
    if location < 0:
        note_fault(shared)
        return I(FAULTED)
    opened.head |= U(location) << LOCATION_SHIFT
    if block_list.seeds == U0:
        if is_long(opened.head):
            note_long_record(block_list, record, opened.head)
    else:
        opened.before = location_row(STATE.at(shared.state), location).value
        entered = enter_record(shared, block_list, record)
        if entered == IS_THERE:
            return refuse(block_list, piece.first, NAMED_TWICE)
        if entered != ENTERED:
            note_fault(shared)
            return I(FAULTED)
    return I(0)


@kernel(inline=True)
def _note_in_rows(shared, block_list, record, balance):
    """Note a record in the rows of who changes it; and of an account's code, of who changes its balance.

    Address of the record of the balance that was met last, `balance` before.
    """
    note_record(shared, block_list, record, record)
    key = RECORD.at(record).key
    kind = (key[2] >> _KIND_SHIFT) & _KIND_MASK
    if kind == _KIND_BALANCE:
        return record
    if kind == _KIND_CODE and balance != NO_RECORD:
        other = RECORD.at(balance).key
        if other[0] == key[0] and other[1] == key[1] and (other[2] ^ key[2]) & _ACCOUNT_BITS == U0:
            note_record(shared, block_list, balance, record)
    return balance


@kernel()
def locate_records(shared, worker, block_list, piece):
    """Look up the locations of all records of a piece. A negative result if that cannot be done."""
    record, end = piece.records, piece.records + piece.record_words * WORD_BYTES
    located, balance = 0, I(NO_RECORD)
    while record < end:
        last = _ask_for_slots(shared, block_list, record, end)
        _ask_for_locations(shared, record, last)
        while record < last:
            found = _locate(shared, block_list, piece, record)
            if found < 0:
                return found
            if block_list.seeds != U0:
                balance = _note_in_rows(shared, block_list, record, balance)
            record += bytes_of_record(RECORD.at(record).head)
            located += 1
    spend(shared, worker, COST_LIST_LOCATION, located)
    return I(located)
