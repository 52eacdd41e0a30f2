"""Joining of pieces to accounts, and of accounts to the list: first where everything lies, then the bytes."""

from __future__ import annotations

from contend.evm.access_list.building.access_log import LOGGED
from contend.evm.access_list.building.layout import LISTED, PAID, PIECE
from contend.evm.access_list.building.pieces import code_of, index_word, is_written, piece_address, piece_at
from contend.evm.access_list.building.record_order import order_of, same_account
from contend.evm.access_list.building.rlp_writer import (
    ADDRESS_SIZE,
    as_word,
    put_address,
    put_bytes,
    put_copy,
    put_list_header,
    put_word,
    size_of_bytes,
    size_of_header,
    size_of_list,
    size_of_word,
)
from contend.evm.receipts import RECEIPT
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.evm.u256 import add, equal

ACCOUNTS_PER_PART = 64


@kernel()
def pay_beneficiary(build):
    """Encode the beneficiary's balance after every transaction that changed it; how many they are."""
    at, before, count = build.paid_bytes, build.balance, I(0)
    transactions = build.size - 2
    for index in range(build.size):
        paid, after = PAID.item(build.paid, build.size, index), before
        if paid.is_written != U0:
            after = paid.word
        if 1 <= index <= transactions:
            after = add(after, RECEIPT.item(build.receipts, transactions, index - 1).fee)
        if not equal(after, before):
            word = as_word(index)
            at = put_list_header(at, size_of_word(word) + size_of_word(after))
            at = put_word(put_word(at, word), after)
            before = after
            count += 1
    build.paid_size = at - build.paid_bytes
    return count


@kernel(inline=True)
def listed_at(build, number):
    """An account of the list, by its place."""
    return LISTED.item(build.accounts, build.total, number)


@kernel()
def _open_account(build, number, piece):
    account = listed_at(build, number)
    account.piece = piece_address(piece)
    account.changes_size = account.reads_size = account.balances_size = account.nonces_size = account.codes_size = I(0)
    return account


@kernel()
def _add_piece(account, piece):
    account.changes_size += piece.changes_size
    account.reads_size += piece.reads_size
    account.balances_size += piece.balances_size
    account.nonces_size += piece.nonces_size
    account.codes_size += piece.codes_size


@kernel()
def _close_account(build, account, at):
    """Say where an account lies; where it ends."""
    if same_account(PIECE.at(account.piece).address, build.coinbase):
        account.balances_size = build.paid_size
    payload = ADDRESS_SIZE + size_of_list(account.changes_size) + size_of_list(account.reads_size)
    payload += size_of_list(account.balances_size) + size_of_list(account.nonces_size)
    account.payload = payload + size_of_list(account.codes_size)
    account.at = at
    return at + size_of_list(account.payload)


@kernel()
def lay_out(build):
    """Join the pieces of all buckets to accounts, and give each its place. Returns the bytes of the list."""
    starts = view_i64(build.bucket_starts, build.bucket_count + 1)
    counts = view_i64(build.piece_counts, build.bucket_count)
    accounts, at = I(0), I(0)
    account, previous, is_named = LISTED.at(build.accounts), PIECE.at(I(0)), False
    is_open = False
    for bucket in range(build.bucket_count):
        for i in range(counts[U(bucket)]):
            piece = piece_at(build, starts[U(bucket)] + i)
            if is_open and same_account(previous.address, piece.address):
                previous.next = piece_address(piece)
            else:
                # An account of which something was read that does not name it leaves its place to the next.
                if is_open and is_named:
                    at = _close_account(build, account, at)
                    accounts += 1
                account = _open_account(build, accounts, piece)
                is_open, is_named = True, False
            _add_piece(account, piece)
            is_named |= piece.is_named != U0
            previous = piece
    if is_open and is_named:
        at = _close_account(build, account, at)
        accounts += 1
    build.account_count = accounts
    build.payload = at
    return size_of_list(at)


@kernel()
def _put_codes(build, at, piece):
    order = order_of(build)
    for i in range(piece.code, piece.code + piece.code_count):
        record = LOGGED.at(order[U(i)])
        if is_written(record):
            code = code_of(build, record)
            index = index_word(record)
            at = put_list_header(at, size_of_word(index) + size_of_bytes(code.bytes, code.size))
            at = put_bytes(put_word(at, index), code.bytes, code.size)
    return at


@kernel()
def _put_part(build, at, account, part):
    """Write one field of an account: a list of what its pieces have of it."""
    is_coinbase = same_account(PIECE.at(account.piece).address, build.coinbase)
    if part == 0:
        at = put_list_header(at, account.changes_size)
    elif part == 1:
        at = put_list_header(at, account.reads_size)
    elif part == 2:
        at = put_list_header(at, account.balances_size)
        if is_coinbase:
            return put_copy(at, build.paid_bytes, build.paid_size)
    elif part == 3:
        at = put_list_header(at, account.nonces_size)
    else:
        at = put_list_header(at, account.codes_size)
    address = account.piece
    while address != 0:
        piece = PIECE.at(address)
        if part == 0:
            at = put_copy(at, piece.changes, piece.changes_size)
        elif part == 1:
            at = put_copy(at, piece.reads, piece.reads_size)
        elif part == 2:
            at = put_copy(at, piece.balances, piece.balances_size)
        elif part == 3:
            at = put_copy(at, piece.nonces, piece.nonces_size)
        else:
            at = _put_codes(build, at, piece)
        address = piece.next
    return at


@kernel()
def write_accounts(build, first):
    """Write some accounts from a place in the list; the bytes written."""
    begin = build.out + size_of_header(build.payload)
    written = I(0)
    for number in range(first, min(first + ACCOUNTS_PER_PART, build.account_count)):
        account = listed_at(build, number)
        at = put_list_header(begin + account.at, account.payload)
        at = put_address(at, PIECE.at(account.piece).address)
        for part in range(5):
            at = _put_part(build, at, account, part)
        written += account.payload
    return written


@kernel()
def write_header(build):
    """Write the list's own header."""
    put_list_header(build.out, build.payload)
