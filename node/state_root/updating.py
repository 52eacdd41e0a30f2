"""Updating of tries: a block's changed accounts and slots, each group of those whose keys begin alike by one worker.

What is no account is in no trie (`evm.accounts`): one that has neither balance nor nonce nor code. Storage of an
account without nonce and code is void. An account whose storage generation changes has been destroyed, and what it has
of storage goes as a whole; what a block has written is void but for slots of the new generation. Where the generation
does not change, nobody can write a slot of another one.

Keys are hashes, so every node on the way to one lies somewhere else. Keys are looked for several at a time: before any
of them is changed, all go down together, a level at a time, and ask for what the next level needs (group prefetching,
Chen et al., ICDE 2004).
"""

from __future__ import annotations

from contend.evm.layout import WORD
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8, view_u32
from contend.evm.runtime.structs import address_of
from contend.node.state_root.changed_accounts import change_key, changed_at, generation_in, key_address, new_word
from contend.node.state_root.editing import ask_ahead, delete_leaf, find_leaf, insert_leaf, touch_leaf
from contend.node.state_root.hash_queue import hash_all
from contend.node.state_root.layout import ACCOUNTS, DIRTY, GROUPS, SLOTS, TOGETHER
from contend.node.state_root.nodes import (
    account_at,
    branch_at,
    free_all,
    nibble_of,
    slot_at,
    take_branch,
)
from contend.node.state_root.rehashing import hand_over_top, rehash

TOPS = 16  # changed accounts whose storage roots are one task


@kernel(inline=True)
def _group_of(tries, nibble):
    return I(nibble) * tries.groups // GROUPS


@kernel(inline=True)
def _dirty_of(tries, kind, group):
    """Lists of nodes to rehash, of slots or of accounts of a group."""
    return DIRTY.item(tries.dirty, I(2 * GROUPS), kind * GROUPS + group)


@kernel(inline=True)
def _is_zero(word):
    return (word[0] | word[1] | word[2] | word[3]) == U0


@kernel(inline=True)
def _look_for(worker, place, top, key):
    """Have a key, at an address, looked for below the top of a trie."""
    worker.cursors[place] = top
    worker.cursor_keys[place] = U(key)


@kernel()
def _drop_storage(tries, worker, account):
    if account.storage != U0:
        free_all(tries, worker, account.storage)
        account.storage = U0


@kernel()
def _update_account(tries, worker, dirty, changed):
    """Bring an account's leaf up to date, but for the root of its storage; the leaf's number, 0 for none."""
    key = changed.key
    leaf = find_leaf(tries, worker, I(ACCOUNTS), tries.top, key)
    balance, code = (U0, U0, U0, U0), (U0, U0, U0, U0)
    nonce = U0
    if leaf != U0:
        account = account_at(tries, leaf)
        balance, code = account.balance, account.code
        nonce = account.nonce
        if changed.has_generation != U0:
            _drop_storage(tries, worker, account)
    if changed.has_balance != U0:
        balance = changed.balance
    if changed.has_nonce != U0:
        nonce = changed.nonce
    if changed.has_code != U0:
        code = changed.code
    is_plain = nonce == U0 and _is_zero(code)
    if leaf != U0 and is_plain:
        _drop_storage(tries, worker, account_at(tries, leaf))
    if is_plain and _is_zero(balance):
        if leaf != U0:
            delete_leaf(tries, worker, dirty, I(ACCOUNTS), leaf)
        return U0
    if leaf == U0:
        leaf = insert_leaf(tries, worker, dirty, I(ACCOUNTS), key)
        account_at(tries, leaf).storage = U0
    else:
        touch_leaf(tries, worker, dirty, I(ACCOUNTS), leaf)
    account = account_at(tries, leaf)
    account.balance = balance
    account.nonce = nonce
    account.code = code
    if changed.has_slots != U0 and not is_plain and account.storage == U0:
        top = take_branch(tries, worker)
        branch_at(tries, top).span = U0
        account.storage = top
    return leaf


@kernel()
def update_accounts(tries, worker, group):
    """Bring the leaves of a group's accounts up to date."""
    dirty = _dirty_of(tries, I(ACCOUNTS), group)
    number, end = I(0), I(atomics.load(tries, "changed_count"))
    while number < end:
        together = 0
        while number < end and together < TOGETHER:
            changed = changed_at(tries, number)
            if changed.is_used != U0 and _group_of(tries, nibble_of(changed.key, I(0))) == group:
                worker.together[together] = U(number)
                _look_for(worker, together, tries.top, key_address(changed))
                together += 1
            number += 1
        ask_ahead(tries, worker, I(ACCOUNTS), together)
        for i in range(together):
            changed = changed_at(tries, worker.together[i])
            changed.account = _update_account(tries, worker, dirty, changed)


@kernel()
def _storage_of(tries, row):
    """Number of the top of the storage that a changed slot is of; 0 where it is void."""
    changed = changed_at(tries, view_u32(tries.row_accounts, tries.rows)[row])
    if changed.account == U0:
        return U0
    if changed.has_generation != U0 and generation_in(change_key(tries, row)) != changed.generation:
        return U0
    return account_at(tries, changed.account).storage


@kernel()
def _put_slot(tries, worker, dirty, top, key, value):
    """Set, insert or delete the word of a key in a storage."""
    leaf = find_leaf(tries, worker, I(SLOTS), top, key)
    if _is_zero(value):
        if leaf != U0:
            delete_leaf(tries, worker, dirty, I(SLOTS), leaf)
        return
    if leaf == U0:
        leaf = insert_leaf(tries, worker, dirty, I(SLOTS), key)
    else:
        touch_leaf(tries, worker, dirty, I(SLOTS), leaf)
    slot_at(tries, leaf).value = value


@kernel()
def update_slots(tries, worker, group):
    """Bring the slots of a group up to date, of whatever accounts, and rehash what is below the storages' tops."""
    dirty = _dirty_of(tries, I(SLOTS), group)
    nibbles = view_u8(tries.row_nibbles, tries.rows)
    row = 0
    while row < tries.rows:
        together = 0
        while row < tries.rows and together < TOGETHER:
            nibble = I(nibbles[row])
            if nibble < GROUPS and _group_of(tries, nibble) == group:
                storage = _storage_of(tries, row)
                if storage != U0:
                    worker.together[together] = U(row)
                    _look_for(worker, together, storage, address_of(WORD.item(tries.row_keys, tries.rows, row)))
                    together += 1
            row += 1
        ask_ahead(tries, worker, I(SLOTS), together)
        for i in range(together):
            found = I(worker.together[i])
            key = WORD.item(tries.row_keys, tries.rows, found).value
            _put_slot(tries, worker, dirty, _storage_of(tries, found), key, new_word(tries, found))
    rehash(tries, worker, dirty, I(SLOTS))


@kernel()
def root_storages(tries, worker, piece):
    """Give the changed storages of a piece of the changed accounts their roots."""
    end = min((piece + 1) * TOPS, I(atomics.load(tries, "changed_count")))
    for number in range(piece * TOPS, end):
        changed = changed_at(tries, number)
        if changed.is_used != U0 and changed.account != U0 and changed.has_slots != U0:
            account = account_at(tries, changed.account)
            if account.storage != U0:
                hand_over_top(tries, worker, I(SLOTS), account.storage)
    hash_all(worker)


@kernel()
def rehash_accounts(tries, worker, group):
    """Rehash what is below the top of the accounts' trie in a group."""
    rehash(tries, worker, _dirty_of(tries, I(ACCOUNTS), group), I(ACCOUNTS))


@kernel()
def root_accounts(tries, worker):
    """Compute the state root."""
    hand_over_top(tries, worker, I(ACCOUNTS), tries.top)
    hash_all(worker)
    tries.root = branch_at(tries, tries.top).reference
