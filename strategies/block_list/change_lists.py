"""Lists of changes, and of readers, in an encoded list: laid out behind the record of their location."""

from __future__ import annotations

from contend.evm.code import cost_model as evm_costs
from contend.evm.code.directory import intern_code
from contend.evm.crypto.keccak import keccak_word
from contend.evm.forks import FORK_COUNT
from contend.evm.layout import BLOCK, CODE_DIRECTORY, RULES
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import ZERO
from contend.evm.vm.access_table import scratch_address, scratch_left
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_list.change_rows import note_change
from contend.strategies.block_list.layout import CHANGE, LIST_INDEX
from contend.strategies.block_list.malformed import (
    FAULTED,
    INDEX_OUT_OF_RANGE,
    NOT_AN_INTEGER,
    NOT_ITS_SHAPE,
    NOT_RLP,
    WRONG_ORDER,
    refuse,
)
from contend.strategies.block_list.record_room import close_record, take_words
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, TEXT, integer_at, is_integer, item_at, word_at
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.clocks import cost_table

COST_LIST_CHANGE = cost_table.LIST_CHANGE

INDEX_BYTES = 4
ANY_SIZE = -1  # of the text that a code is


@kernel()
def _index_of(shared, block_list, data, at, form, first, last, previous):
    """Block access index in an item, which is above the one before; or `MALFORMED`."""
    if not is_integer(data, form, first, last, INDEX_BYTES):
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_AN_INTEGER)
    index = I(integer_at(data, first, last))
    if index > shared.block_size + 1:
        return refuse(block_list, at, INDEX_OUT_OF_RANGE)
    if index <= previous:
        return refuse(block_list, at, WRONG_ORDER)
    return index


@kernel()
def _enter_code(shared, worker, block_list, data, first, last):
    """Enter a code in the directory. Whether there was room, and its hash as a word: zero for no code."""
    size = last - first
    if size == 0:
        return True, ZERO
    machine = open_machine(worker.machine)
    rules = RULES.item(CODE_DIRECTORY.at(machine.codes).rules, FORK_COUNT, I(BLOCK.at(machine.block).fork))
    code_hash = keccak_word(data, first, size)
    scratch, room = scratch_address(machine), scratch_left(machine)
    spend(shared, worker, evm_costs.HASH_BLOCK, size // evm_costs.HASH_BLOCK_BYTES + 1)
    spend(shared, worker, evm_costs.CODE_BYTE, size)
    entered = intern_code(machine.codes, rules, block_list.bytes + first, size, code_hash, scratch, room)
    return entered >= 0, code_hash


@kernel()
def _append_index(block_list, piece, index):
    """Add an index without a word; it, or `UNFIT`."""
    address = take_words(piece, 1)
    if address < 0:
        return address
    LIST_INDEX.at(address).index = index
    return index


@kernel()
def _append_word(shared, worker, block_list, data, piece, record, index, first, last, is_code):
    """Add an index and the word after the change; the index, or a negative result."""
    address = take_words(piece, CHANGE.words)
    if address < 0:
        return address
    change = CHANGE.at(address)
    change.index = index
    note_change(shared, block_list, record, index)
    if not is_code:
        change.word = word_at(data, first, last)
        return index
    fitted, word = _enter_code(shared, worker, block_list, data, first, last)
    if not fitted:
        note_fault(shared)
        return I(FAULTED)
    change.word = word
    return index


@kernel()
def _append_change(shared, worker, block_list, data, piece, record, at, end, most_bytes, previous):
    """Add a change to the record in hand. Its index and end; or a negative result and anything."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE), last
    form, index_first, index_last = item_at(data, first, last)
    index = _index_of(shared, block_list, data, at, form, index_first, index_last, previous)
    if index < 0:
        return index, last
    form, value_first, value_last = item_at(data, index_last, last)
    if form == NO_ITEM or value_last != last:
        return refuse(block_list, index_last, NOT_ITS_SHAPE), last
    is_code = most_bytes == ANY_SIZE
    if not (form == TEXT if is_code else is_integer(data, form, value_first, value_last, most_bytes)):
        return refuse(block_list, index_last, NOT_AN_INTEGER), last
    if block_list.seeds == U0:
        return _append_index(block_list, piece, index), last
    appended = _append_word(shared, worker, block_list, data, piece, record, index, value_first, value_last, is_code)
    return appended, last


@kernel()
def append_changes(shared, worker, block_list, data, piece, record, first, last, most_bytes):
    """Add all changes of a list, first to last, to the record in hand. How many, or a negative result.

    Parameters
    ----------
    most_bytes : int
        Of a value; `ANY_SIZE` of codes.
    """
    at, index, count = first, I(-1), 0
    while at < last:
        index, at = _append_change(shared, worker, block_list, data, piece, record, at, last, most_bytes, index)
        if index < 0:
            return index
        count += 1
    close_record(record, count)
    piece.changes += count
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)


@kernel()
def append_indices(shared, worker, block_list, data, piece, record, first, last):
    """Add all indices of a list that has no values to the record in hand. How many, or a negative result."""
    at, index, count = first, I(-1), 0
    while at < last:
        begin = at
        form, index_first, at = item_at(data, begin, last)
        index = _index_of(shared, block_list, data, begin, form, index_first, at, index)
        if index >= 0:
            index = _append_index(block_list, piece, index)
        if index < 0:
            return index
        count += 1
    close_record(record, count)
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)
