"""Accounts of an encoded list: what stands behind the lists of slots, and small accounts as a whole."""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.u256 import less
from contend.evm.vm.access_table import account_key
from contend.strategies.accounting import spend
from contend.strategies.block_list.change_lists import ANY_SIZE, append_changes, append_codes, append_indices
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
from contend.strategies.block_list.long_lists import is_long_list
from contend.strategies.block_list.malformed import NOT_ITS_SHAPE, NOT_RLP, WRONG_ORDER, refuse
from contend.strategies.block_list.record_room import close_record, open_record
from contend.strategies.block_list.rlp_items import LIST, NO_ITEM, TEXT, address_at, item_at, near_item_at
from contend.strategies.block_list.slot_lists import WORD_SIZE, decode_slots
from contend.strategies.clocks import cost_table

COST_LIST_ITEM = cost_table.LIST_ITEM

ADDRESS_BYTES, NONCE_BYTES = 20, 8
CODE_FIELD, MOST_FIELDS = 2, 6  # lists behind those of slots: changes of balance, nonce, code; and readers of them
NO_CHANGES_BYTES = 2  # of the lists of balances and nonces where both are empty


@kernel(inline=True)
def is_cut_field(most_bytes, first, last):
    """Whether an account's list is decoded in slices: one of codes never is."""
    return most_bytes != ANY_SIZE and is_long_list(first, last)


@kernel()
def _decode_changes(shared, worker, block_list, piece, account, kind, first, last, what, most_bytes):
    """Decode the changes or the readers of an account's balance, nonce or code, of which there are some."""
    record = open_record(piece, account_key(account, kind), what)
    if record < 0:
        return record
    if what == READERS or block_list.kind == KIND_LOCATIONS:
        count = append_indices(shared, worker, block_list, piece, first, last, I(-1))
    elif most_bytes == ANY_SIZE:
        count = append_codes(shared, worker, block_list, piece, first, last)
    else:
        count = append_changes(shared, worker, block_list, piece, first, last, most_bytes, I(-1))
    if count >= 0:
        close_record(record, count)
    return count


@kernel(inline=True)
def _decode_field(shared, worker, block_list, data, piece, account, kind, at, end, what, most_bytes):
    """Decode the list of an account's balance, nonce or code. The end of the list, or a negative result.

    One that is long is left to who decodes its slices.
    """
    form, first, last = near_item_at(data, at, end)
    if form != LIST:
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE)
    if first == last or is_cut_field(most_bytes, first, last):
        return last
    count = _decode_changes(shared, worker, block_list, piece, account, kind, first, last, what, most_bytes)
    return count if count < 0 else last


@kernel()
def _decode_readers(shared, worker, block_list, piece, account, at, end):
    """Decode the readers of an account's balance, nonce and code. The end of their lists, or a negative result."""
    data = view_u8(block_list.bytes, block_list.size)
    for kind in (layout.KIND_BALANCE, layout.KIND_NONCE, layout.KIND_CODE):
        if at >= 0:
            at = _decode_field(shared, worker, block_list, data, piece, account, kind, at, end, READERS, WORD_SIZE)
    return at


@kernel()
def _name_account(piece, code, is_only_named):
    """Open a record of the code of an account whose code does not change. A negative result if there is no room.

    Whoever touches the account looks for it there, and whoever calls it reads its code.
    """
    return open_record(piece, code, NAMED if is_only_named else IMPLIED)


@kernel()
def decode_fields(shared, worker, block_list, piece, account, at, end, has_slots):
    """Decode what stands behind an account's lists of slots; `end`, or a negative result."""
    data = view_u8(block_list.bytes, block_list.size)
    balance, nonce, code = layout.KIND_BALANCE, layout.KIND_NONCE, layout.KIND_CODE
    what = VALUED if block_list.seeds != U0 else CHANGED
    begin = at
    at = _decode_field(shared, worker, block_list, data, piece, account, balance, at, end, what, WORD_SIZE)
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, account, nonce, at, end, what, NONCE_BYTES)
    is_only_named, before_code = not has_slots and at - begin == NO_CHANGES_BYTES, piece.record_words
    if at >= 0:
        at = _decode_field(shared, worker, block_list, data, piece, account, code, at, end, what, ANY_SIZE)
    has_code = piece.record_words != before_code
    if block_list.kind == KIND_INDEXED and at >= 0:
        at = _decode_readers(shared, worker, block_list, piece, account, at, end)
    if at < 0:
        return at
    if at != end:
        return refuse(block_list, at, NOT_ITS_SHAPE)
    if block_list.seeds != U0 and not has_code:
        named = _name_account(piece, account_key(account, code), is_only_named)
        if named < 0:
            return named
    return at


@kernel(inline=True)
def _address_in(data, at, end):
    """Address of the account in an item: its offset, and its end; (0, 0) where the item is no account."""
    form, first, last = item_at(data, at, end)
    if form != LIST:
        return I(0), I(0), last
    form, address, address_last = item_at(data, first, last)
    if form != TEXT or address_last - address != ADDRESS_BYTES:
        return I(0), I(0), last
    return address, address_last, last


@kernel()
def enter_account(block_list, data, at, end, previous):
    """Look at the account in an item, which comes behind the one at `previous` (0 for none).

    Offset of its address, the end of the address and of the account; or a negative result first.
    """
    address, address_last, last = _address_in(data, at, end)
    if address == 0:
        form, _, _ = item_at(data, at, end)
        return refuse(block_list, at, NOT_RLP if form == NO_ITEM else NOT_ITS_SHAPE), address_last, last
    if previous != 0:
        before, _, _ = _address_in(data, previous, end)
        one, other = address_at(data, before), address_at(data, address)
        if before == 0 or not less((one[0], one[1], one[2], U0), (other[0], other[1], other[2], U0)):
            return refuse(block_list, at, WRONG_ORDER), address_last, last
    return address, address_last, last


@kernel()
def decode_account(shared, worker, block_list, piece, at, end, previous):
    """Decode a whole account, which comes behind the one at `previous`; its end, or a negative result."""
    data = view_u8(block_list.bytes, block_list.size)
    address, address_last, last = enter_account(block_list, data, at, end, previous)
    if address < 0:
        return address
    account = address_at(data, address)
    spend(shared, worker, COST_LIST_ITEM, 2)
    reads_at, has_slots = address_last, False
    if block_list.kind != KIND_READS:
        form, slots_first, slots_last = item_at(data, address_last, last)
        if form != LIST:
            return refuse(block_list, address_last, NOT_ITS_SHAPE)
        found = decode_slots(shared, worker, block_list, piece, account, slots_first, slots_last, I(0), True)
        if found < 0:
            return found
        reads_at, has_slots = slots_last, slots_last > slots_first
    form, slots_first, slots_last = item_at(data, reads_at, last)
    if form != LIST:
        return refuse(block_list, reads_at, NOT_ITS_SHAPE)
    found = decode_slots(shared, worker, block_list, piece, account, slots_first, slots_last, I(0), False)
    if found < 0:
        return found
    if block_list.kind == KIND_READS:
        return last if slots_last == last else refuse(block_list, slots_last, NOT_ITS_SHAPE)
    has_slots |= slots_last > slots_first
    return decode_fields(shared, worker, block_list, piece, account, slots_last, last, has_slots)
