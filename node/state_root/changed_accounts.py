"""Changed accounts: a block's changed words brought together by account, and the keys of tries hashed.

Changes are by location. A worker takes a piece of them; the accounts that it meets are entered in a table that all
share, without locks: who meets one first takes a row for it, and where two do, one wins the table's slot and the
other's row serves for the next account it meets.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import WORD
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import (
    multiply_wide,
    store_8,
    swap_bytes,
    view_u8,
    view_u32,
    view_u64,
)
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.node.state_root.accounting import COST_TRIE_CHANGE, spend
from contend.node.state_root.hash_queue import hand_over, hash_all, message_place
from contend.node.state_root.layout import CHANGE_KEY, CHANGED, NO_SLOT

CHANGES_AT_ONCE = 128  # changes that are one task
_KEY_AT = CHANGED.offsets["key"] * WORD_BYTES
_ADDRESS_BYTES, _SLOT_BYTES = 20, 32
_KIND_SHIFT, _KIND_MASK = U(layout.KIND_SHIFT), U(layout.KIND_MASK)
_GENERATION_SHIFT = U(layout.GENERATION_SHIFT)
_HIGHEST = U(0xFFFFFFFF)
_SALT = (U(0xA0761D6478BD642F), U(0xE7037ED1A0B428DB), U(0x8EBC6AF09C88C6E3))


@kernel(inline=True)
def changed_at(tries, number):
    """A changed account."""
    return CHANGED.item(tries.changed, tries.changed_room, I(number))


@kernel(inline=True)
def key_address(changed):
    """Address of a changed account's key."""
    return address_of(changed) + _KEY_AT


@kernel(inline=True)
def change_key(tries, row):
    """Key of a changed location."""
    return CHANGE_KEY.item(tries.keys, tries.rows, row).key


@kernel(inline=True)
def new_word(tries, row):
    """New word of a changed location."""
    return WORD.item(tries.words, tries.rows, row).value


@kernel(inline=True)
def generation_in(key):
    """Storage generation that a slot's key names."""
    return key[2] >> _GENERATION_SHIFT


@kernel(inline=True)
def _hash_address(first, second, third):
    a, b = multiply_wide(first ^ _SALT[0], second ^ _SALT[1])
    c, d = multiply_wide(third ^ a ^ _SALT[2], b ^ _SALT[0])
    return c ^ d


@kernel()
def _queue_address(tries, worker, row):
    """Have a changed account's key hashed, of the twenty bytes of its address."""
    address = row.address
    place = message_place(worker, I(1))
    data = view_u8(place, 64)
    store_8(data, 0, swap_bytes(address[2] << U(32)))
    store_8(data, 4, swap_bytes(address[1]))
    store_8(data, 12, swap_bytes(address[0]))
    hand_over(tries, worker, I(1), I(_ADDRESS_BYTES), key_address(row))


@kernel()
def _queue_slot(tries, worker, key, target):
    """Have a slot's key hashed, of its 32 bytes."""
    place = message_place(worker, I(1))
    data = view_u8(place, 64)
    store_8(data, 0, swap_bytes(key[6]))
    store_8(data, 8, swap_bytes(key[5]))
    store_8(data, 16, swap_bytes(key[4]))
    store_8(data, 24, swap_bytes(key[3]))
    hand_over(tries, worker, I(1), I(_SLOT_BYTES), target)


@kernel()
def _fresh_account(tries):
    """Number of a row for a changed account, empty."""
    number = atomics.add(tries, "changed_count", U1)
    row = changed_at(tries, number)
    row.account = row.is_used = U0
    row.has_balance = row.has_nonce = row.has_code = row.has_generation = row.has_slots = U0
    return number


@kernel()
def _enter_account(tries, worker, fresh, key):
    """Number of a changed account, and the row left over for the next new one, or -1.

    Parameters
    ----------
    fresh : int64
        A row left over; -1 for none.
    """
    table = view_u64(tries.index, tries.index_mask + 1)
    first, second, third = key[0], key[1], key[2] & _HIGHEST
    slot = I(_hash_address(first, second, third)) & tries.index_mask
    while True:
        found = atomics.load(table, slot)
        if found == U0:
            if fresh < 0:
                fresh = I(_fresh_account(tries))
            changed_at(tries, fresh).address = (first, second, third)
            found = atomics.compare_and_swap(table, slot, U0, U(fresh + 1))
            if found == U0:
                changed_at(tries, fresh).is_used = U1
                _queue_address(tries, worker, changed_at(tries, fresh))
                return fresh, I(-1)
        number = I(found) - 1
        address = changed_at(tries, number).address
        if address[0] == first and address[1] == second and address[2] == third:
            return number, fresh
        slot = (slot + 1) & tries.index_mask


@kernel()
def gather_piece(tries, worker, piece):
    """Bring a piece of the changes to their accounts, and hash the keys that they need."""
    row_accounts = view_u32(tries.row_accounts, tries.rows)
    begin, end = piece * CHANGES_AT_ONCE, min((piece + 1) * CHANGES_AT_ONCE, tries.rows)
    fresh, last = I(-1), I(-1)
    before = (U0, U0, U0)
    for row in range(begin, end):
        key = change_key(tries, row)
        kind = I((key[2] >> _KIND_SHIFT) & _KIND_MASK)
        address = (key[0], key[1], key[2] & _HIGHEST)
        if last < 0 or address[0] != before[0] or address[1] != before[1] or address[2] != before[2]:
            last, fresh = _enter_account(tries, worker, fresh, key)
            before = address
        row_accounts[row] = U(last)
        account = changed_at(tries, last)
        word = new_word(tries, row)
        if kind == layout.KIND_STORAGE:
            atomics.store(account, "has_slots", U1)
            _queue_slot(tries, worker, key, tries.row_keys + row * 4 * WORD_BYTES)
        elif kind == layout.KIND_BALANCE:
            account.has_balance = U1
            account.balance = word
        elif kind == layout.KIND_NONCE:
            account.has_nonce = U1
            account.nonce = word[0]
        elif kind == layout.KIND_CODE:
            account.has_code = U1
            account.code = word
        elif kind == layout.KIND_GENERATION:
            account.has_generation = U1
            account.generation = word[0]
    hash_all(worker)
    nibbles = view_u8(tries.row_nibbles, tries.rows)
    for row in range(begin, end):
        kind = I((change_key(tries, row)[2] >> _KIND_SHIFT) & _KIND_MASK)
        nibbles[row] = U(NO_SLOT)
        if kind == layout.KIND_STORAGE:
            nibbles[row] = U(view_u8(tries.row_keys + row * 4 * WORD_BYTES, 32)[0]) >> U(4)
    spend(tries, worker, COST_TRIE_CHANGE, end - begin)
