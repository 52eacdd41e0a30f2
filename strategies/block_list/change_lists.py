"""Lists of changes, and of readers, in an encoded list: laid out behind the record of their location.

A list has more changes than anything else, and most take some five bytes. So a loop over changes is one piece of code:
what it calls for each is put into it, and an argument fewer is passed for each that it can see for itself.
"""

from __future__ import annotations

from contend.evm.code import cost_model as evm_costs
from contend.evm.code.directory import intern_code
from contend.evm.crypto.keccak import keccak_word
from contend.evm.forks import FORK_COUNT
from contend.evm.layout import BLOCK, CODE_DIRECTORY, RULES
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.u256 import ZERO
from contend.evm.vm.access_table import scratch_address, scratch_left
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
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
from contend.strategies.block_list.record_room import take_words
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, TEXT, integer_at, is_integer, near_item_at, word_at
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.clocks import cost_table

COST_LIST_CHANGE = cost_table.LIST_CHANGE

INDEX_BYTES = 4
ANY_SIZE = -1  # of the text that a code is


@kernel(inline=True)
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


@kernel(inline=True)
def _read_change(shared, block_list, data, at, end, most_bytes, previous):
    """Look at a change. Its index, or `MALFORMED`; where its value begins and ends, and so the change."""
    form, first, last = near_item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE), first, last
    form, index_first, index_last = near_item_at(data, first, last)
    index = _index_of(shared, block_list, data, at, form, index_first, index_last, previous)
    if index < 0:
        return index, first, last
    form, value_first, value_last = near_item_at(data, index_last, last)
    if form == NO_ITEM or value_last != last:
        return refuse(block_list, index_last, NOT_ITS_SHAPE), first, last
    if not (form == TEXT if most_bytes == ANY_SIZE else is_integer(data, form, value_first, value_last, most_bytes)):
        return refuse(block_list, index_last, NOT_AN_INTEGER), first, last
    return index, value_first, last


@kernel()
def index_of_change(shared, block_list, data, at, end):
    """Index of the change that an item is, or `MALFORMED`."""
    form, first, last = near_item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    form, first, last = near_item_at(data, first, last)
    return _index_of(shared, block_list, data, at, form, first, last, I(-1))


@kernel(inline=True)
def index_of_item(shared, block_list, data, at, end, previous):
    """Index that an item is, which is above the one before, or `MALFORMED`; and the item's end."""
    form, first, last = near_item_at(data, at, end)
    return _index_of(shared, block_list, data, at, form, first, last, previous), last


@kernel()
def _enter_code(shared, worker, block_list, first, last):
    """Enter a code in the directory. Whether there was room, and its hash as a word: zero for no code."""
    data, size = view_u8(block_list.bytes, block_list.size), last - first
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


@kernel(inline=True)
def _append_index(piece, index):
    """Add an index without a word; it, or `UNFIT`."""
    address = take_words(piece, 1)
    if address < 0:
        return address
    LIST_INDEX.at(address).index = index
    return index


@kernel(inline=True)
def _append_word(piece, index, word):
    """Add an index and the word after the change; the index, or `UNFIT`."""
    address = take_words(piece, CHANGE.words)
    if address < 0:
        return address
    change = CHANGE.at(address)
    change.index = index
    change.word = word
    return index


@kernel()
def append_changes(shared, worker, block_list, piece, first, last, most_bytes, index):
    """Add changes of a list, first to last, to the record in hand. How many, or a negative result.

    Parameters
    ----------
    most_bytes : int
        Of a value.
    index : int
        Of the change before them, or -1.
    """
    data = view_u8(block_list.bytes, block_list.size)
    at, count = first, 0
    while at < last:
        index, value, at = _read_change(shared, block_list, data, at, last, most_bytes, index)
        if index < 0:
            return index
        if block_list.seeds == U0:
            appended = _append_index(piece, index)
        else:
            appended = _append_word(piece, index, word_at(data, value, at))
        if appended < 0:
            return appended
        count += 1
    piece.changes += count
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)


@kernel()
def append_codes(shared, worker, block_list, piece, first, last):
    """As `append_changes`, for changes of a code, whose word is its hash."""
    data = view_u8(block_list.bytes, block_list.size)
    at, index, count = first, I(-1), 0
    while at < last:
        index, value, at = _read_change(shared, block_list, data, at, last, ANY_SIZE, index)
        if index < 0:
            return index
        if block_list.seeds == U0:
            appended = _append_index(piece, index)
        else:
            fitted, word = _enter_code(shared, worker, block_list, value, at)
            if not fitted:
                note_fault(shared)
                return I(FAULTED)
            appended = _append_word(piece, index, word)
        if appended < 0:
            return appended
        count += 1
    piece.changes += count
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)


@kernel()
def append_indices(shared, worker, block_list, piece, first, last, index):
    """Add indices of a list that has no values to the record in hand. How many, or a negative result.

    Parameters
    ----------
    index : int
        The one before them, or -1.
    """
    data = view_u8(block_list.bytes, block_list.size)
    at, count = first, 0
    while at < last:
        index, at = index_of_item(shared, block_list, data, at, last, index)
        if index >= 0:
            index = _append_index(piece, index)
        if index < 0:
            return index
        count += 1
    spend(shared, worker, COST_LIST_CHANGE, count)
    return I(count)
