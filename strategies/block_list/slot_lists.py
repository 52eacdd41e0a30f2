"""Lists of slots of an account in an encoded list: slots that change, that are read, or that have readers."""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.u256 import less
from contend.evm.vm.access_table import storage_key
from contend.strategies.block_list.change_lists import append_changes, append_indices
from contend.strategies.block_list.layout import CHANGED, KIND_INDEXED, KIND_LOCATIONS, READ_ONLY, READERS, VALUED
from contend.strategies.block_list.malformed import (
    NO_CHANGE,
    NOT_AN_INTEGER,
    NOT_ITS_SHAPE,
    NOT_RLP,
    WRONG_ORDER,
    refuse,
)
from contend.strategies.block_list.record_room import close_record, open_record
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, is_integer, item_at, near_item_at, word_at

WORD_SIZE = 32


@kernel(inline=True)
def is_slot_above(block_list, data, at, form, first, last, previous):
    """Whether an item is a slot above the one in the item at `previous` (0 for none); otherwise the list is refused."""
    if not is_integer(data, form, first, last, WORD_SIZE):
        refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_AN_INTEGER)
        return False
    if previous != 0:
        form, one, other = item_at(data, previous, block_list.size)
        if form == LIST:
            form, one, other = item_at(data, one, other)
        if not less(word_at(data, one, other), word_at(data, first, last)):
            refuse(block_list, at, WRONG_ORDER)
            return False
    return True


@kernel(inline=True)
def _decode_slot(shared, worker, block_list, data, piece, account, at, end, previous, what):
    """Decode a slot with its changes or its readers; its end, or a negative result."""
    form, first, last = near_item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    form, slot_first, slot_last = near_item_at(data, first, last)
    if not is_slot_above(block_list, data, at, form, slot_first, slot_last, previous):
        return I(-1)
    form, changes_first, changes_last = near_item_at(data, slot_last, last)
    if form != LIST or changes_last != last:
        return refuse(block_list, slot_last, NOT_ITS_SHAPE)
    if changes_first == changes_last:
        return refuse(block_list, slot_last, NO_CHANGE)
    record = open_record(piece, storage_key(account, word_at(data, slot_first, slot_last)), what)
    if record < 0:
        return record
    if what == READERS or block_list.kind == KIND_LOCATIONS:
        count = append_indices(shared, worker, block_list, piece, changes_first, changes_last, I(-1))
    else:
        count = append_changes(shared, worker, block_list, piece, changes_first, changes_last, WORD_SIZE, I(-1))
    if count < 0:
        return count
    close_record(record, count)
    return last


@kernel(inline=True)
def _decode_read(block_list, data, piece, account, at, end, previous):
    """Decode a slot that is read and never written; its end, or a negative result."""
    form, first, last = near_item_at(data, at, end)
    if not is_slot_above(block_list, data, at, form, first, last, previous):
        return I(-1)
    record = open_record(piece, storage_key(account, word_at(data, first, last)), READ_ONLY)
    return record if record < 0 else last


@kernel()
def decode_slots(shared, worker, block_list, piece, account, first, last, previous, are_changes):
    """Decode a part of an account's lists of slots; `last`, or a negative result."""
    data, at = view_u8(block_list.bytes, block_list.size), first
    what = (VALUED if block_list.seeds != U0 else CHANGED) if are_changes else READERS
    while at < last:
        begin = at
        if are_changes or block_list.kind == KIND_INDEXED:
            at = _decode_slot(shared, worker, block_list, data, piece, account, at, last, previous, what)
        else:
            at = _decode_read(block_list, data, piece, account, at, last, previous)
        if at < 0:
            return at
        previous = begin
    return at
