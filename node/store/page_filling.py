"""Filling of a file's pages: the records of a state laid into the buckets that their hashes name."""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import STATE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.state import find_location, location_row
from contend.evm.u256 import ZERO, is_zero
from contend.evm.vm.access_table import account_key
from contend.node.store.layout import PAGE, PAGE_BYTES, RECORDS_OF_PAGE
from contend.node.store.page_reads import bucket_of, check_of_page, record_of_page
from contend.node.store.record_hash import KIND_MASK, KIND_SHIFT, account_record, slot_record

_STORAGE, _GENERATION = U(layout.KIND_STORAGE), U(layout.KIND_GENERATION)
_NONCE, _BALANCE, _CODE = U(layout.KIND_NONCE), U(layout.KIND_BALANCE), U(layout.KIND_CODE)
_GENERATION_SHIFT = U(layout.GENERATION_SHIFT)


@kernel()
def _word_of(state_address, key, kind):
    """Whether a location of an account is interned, and its word."""
    own = account_key((key[0], key[1], key[2] & U(0xFFFFFFFF)), kind)
    found = I(find_location(state_address, own))
    if found < 0:
        return False, ZERO
    return True, location_row(STATE.at(state_address), found).value


@kernel()
def _account_at(state_address, key):
    """Nonce, balance and hash of the code of a location's account, and whether the location stands for it.

    Of the locations that an account has in the state the first one does, by nonce, balance, code.
    """
    kind = (key[2] >> KIND_SHIFT) & KIND_MASK
    has_nonce, nonce = _word_of(state_address, key, layout.KIND_NONCE)
    has_balance, balance = _word_of(state_address, key, layout.KIND_BALANCE)
    _, code = _word_of(state_address, key, layout.KIND_CODE)
    first = _NONCE if has_nonce else _BALANCE if has_balance else _CODE
    empty = is_zero(nonce) and is_zero(balance) and is_zero(code)
    return kind == first and not empty, nonce, balance, code


@kernel()
def count_records(state_address, count):
    """How many accounts and how many slots a state of so many locations has records of."""
    accounts, slots = 0, 0
    state = STATE.at(state_address)
    for i in range(count):
        row = location_row(state, i)
        kind = (row.key[2] >> KIND_SHIFT) & KIND_MASK
        if kind == _STORAGE:
            slots += I(row.key[2] >> _GENERATION_SHIFT == U0 and not is_zero(row.value))
        elif kind != _GENERATION:
            is_first, _, _, _ = _account_at(state_address, row.key)
            accounts += I(is_first)
    return accounts, slots


@kernel()
def _put(pages, buckets, salt, key, nonce, balance, word):
    """Put a record into its bucket, or the next one that has room."""
    bucket = bucket_of(salt, buckets, key)
    while True:
        at = pages + bucket * PAGE_BYTES
        page = PAGE.at(at)
        if page.count < U(RECORDS_OF_PAGE):
            record = record_of_page(at, I(page.count))
            record.key, record.nonce, record.balance, record.word = key, nonce, balance, word
            page.count += U1
            return
        page.overflows = U1
        bucket = (bucket + 1) % buckets


@kernel()
def fill_pages(state_address, count, pages, buckets, salt):
    """Put all records of a state into `buckets` pages of zeros from the address `pages` on, and seal these."""
    state = STATE.at(state_address)
    for i in range(count):
        row = location_row(state, i)
        key = row.key
        kind = (key[2] >> KIND_SHIFT) & KIND_MASK
        if kind == _STORAGE:
            if key[2] >> _GENERATION_SHIFT == U0 and not is_zero(row.value):
                _put(pages, buckets, salt, slot_record(key), U0, ZERO, row.value)
        elif kind != _GENERATION:
            is_first, nonce, balance, code = _account_at(state_address, key)
            if is_first:
                _put(pages, buckets, salt, account_record(key), nonce[0], balance, code)
    for bucket in range(buckets):
        at = pages + bucket * PAGE_BYTES
        PAGE.at(at).check = check_of_page(at)
