"""Accounts of an encoded list: what stands behind the lists of slots, and small accounts as a whole."""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.vm.access_table import account_key
from contend.strategies.accounting import spend
from contend.strategies.block_list.change_lists import ANY_SIZE, append_changes, append_indices
from contend.strategies.block_list.layout import (
    CHANGED,
    IMPLIED,
    KIND_INDEXED,
    KIND_LOCATIONS,
    KIND_READS,
    NAMED,
    READERS,
    VALUED,
)
from contend.strategies.block_list.malformed import NOT_ITS_SHAPE, NOT_RLP, refuse
from contend.strategies.block_list.record_room import open_record
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, address_at, item_at
from contend.strategies.block_list.slot_lists import WORD_SIZE, decode_slots
from contend.strategies.clocks import cost_table

COST_LIST_ITEM = cost_table.LIST_ITEM

NONCE_BYTES = 8


@kernel()
def _decode_field(shared, worker, block_list, data, piece, key, at, end, what, most_bytes):
    """Decode the changes or the readers of an account's balance, nonce or code. The end of their list, or negative."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    if first == last:
        return last
    record = open_record(piece, key, what)
    if record < 0:
        return record
    if what == READERS or block_list.kind == KIND_LOCATIONS:
        count = append_indices(shared, worker, block_list, data, piece, record, first, last)
        if what != READERS and count > 0:
            piece.changes += count
    else:
        count = append_changes(shared, worker, block_list, data, piece, record, first, last, most_bytes)
    return count if count < 0 else last


@kernel()
def _name_account(piece, code, is_only_named):
    """Open a record of the code of an account whose code does not change. A negative result if there is no room.

    Whoever touches the account looks for it there, and whoever calls it reads its code.
    """
    return open_record(piece, code, NAMED if is_only_named else IMPLIED)


@kernel()
def decode_fields(shared, worker, block_list, data, piece, account, at, end, has_slots):
    """Decode what stands behind an account's lists of slots; `end`, or a negative result."""
    balance, nonce = account_key(account, layout.KIND_BALANCE), account_key(account, layout.KIND_NONCE)
    code = account_key(account, layout.KIND_CODE)
    what = VALUED if block_list.seeds != U0 else CHANGED
    before = piece.record_words
    at = _decode_field(shared, worker, block_list, data, piece, balance, at, end, what, WORD_SIZE)
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, nonce, at, end, what, NONCE_BYTES)
    is_only_named, before_code = not has_slots and piece.record_words == before, piece.record_words
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, code, at, end, what, ANY_SIZE)
    has_code = piece.record_words != before_code
    if block_list.kind == KIND_INDEXED:
        for key in (balance, nonce, code):
            if at >= 0:
                at = _decode_field(shared, worker, block_list, data, piece, key, at, end, READERS, WORD_SIZE)
    if at < 0:
        return at
    if at != end:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    if block_list.seeds != U0 and not has_code:
        named = _name_account(piece, code, is_only_named)
        if named < 0:
            return named
    return at


@kernel()
def decode_account(shared, worker, block_list, data, piece, at, end):
    """Decode a whole account; its end, or a negative result."""
    _, first, last = item_at(data, at, end)
    _, address, address_last = item_at(data, first, last)
    account = address_at(data, address)
    spend(shared, worker, COST_LIST_ITEM, 2)
    reads_at, has_slots = address_last, False
    if block_list.kind != KIND_READS:
        form, slots_first, slots_last = item_at(data, address_last, last)
        if form != LIST:
            return refuse(block_list, address_last, NOT_ITS_SHAPE)
        found = decode_slots(shared, worker, block_list, data, piece, account, slots_first, slots_last, I(0), True)
        if found < 0:
            return found
        reads_at, has_slots = slots_last, slots_last > slots_first
    form, slots_first, slots_last = item_at(data, reads_at, last)
    if form != LIST:
        return refuse(block_list, reads_at, NOT_ITS_SHAPE)
    found = decode_slots(shared, worker, block_list, data, piece, account, slots_first, slots_last, I(0), False)
    if found < 0:
        return found
    if block_list.kind == KIND_READS:
        return last if slots_last == last else refuse(block_list, slots_last, NOT_ITS_SHAPE)
    has_slots |= slots_last > slots_first
    return decode_fields(shared, worker, block_list, data, piece, account, slots_last, last, has_slots)
