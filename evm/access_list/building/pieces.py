"""Pieces: what one bucket of sorted records says of each account, encoded.

EIP-7928's order is that of the records but in one thing: the slots that are only read follow those that are written.
So a piece has its items in parts, slots that are written, slots that are read, balances and nonces, which are put
together when all pieces of the account are known (`evm.access_list.building.joining`).

The beneficiary's balance is left out here, since it needs the fees of all transactions in order: what transactions
wrote to it is only noted.
"""

from __future__ import annotations

from contend.evm.access_list.building.access_log import INDEX_SHIFT, IS_TOUCH, IS_WRITE, LOGGED
from contend.evm.access_list.building.layout import CHANGE_BYTES, FIELD_BYTES, PAID, PIECE, READ_BYTES
from contend.evm.access_list.building.record_order import order_of, same_account
from contend.evm.access_list.building.rlp_writer import (
    put_list_header,
    put_word,
    size_of_bytes,
    size_of_list,
    size_of_word,
)
from contend.evm.code.directory import code_at
from contend.evm.layout import KIND_BALANCE, KIND_CODE, KIND_NONCE, KIND_SHIFT, KIND_STORAGE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.evm.runtime.structs import address_of
from contend.evm.u256 import LOW_32

_KIND_SHIFT = U(KIND_SHIFT)


@kernel(inline=True)
def index_word(record):
    """Block access index of a record, as a word."""
    return record.marks >> INDEX_SHIFT, U0, U0, U0


@kernel(inline=True)
def is_written(record):
    """Whether a record's location was written."""
    return record.marks & IS_WRITE != U0


@kernel(inline=True)
def slot_of(record):
    """Storage slot of a record, as a word."""
    key = record.key
    return key[3], key[4], key[5], key[6]


@kernel()
def _end_of_location(order, at, last):
    """End of the run of records with the key of the one at a place."""
    key = LOGGED.at(order[U(at)]).key
    at += 1
    while at < last:
        other = LOGGED.at(order[U(at)]).key
        same = key[3] == other[3] and key[4] == other[4] and key[5] == other[5] and key[6] == other[6]
        if not (same and key[2] == other[2] and key[1] == other[1] and key[0] == other[0]):
            break
        at += 1
    return at


@kernel()
def _changes_size(order, first, last):
    """Bytes of the changes in a run of records, and how many they are."""
    size, count = I(0), I(0)
    for i in range(first, last):
        record = LOGGED.at(order[U(i)])
        if is_written(record):
            size += size_of_list(size_of_word(index_word(record)) + size_of_word(record.word))
            count += 1
    return size, count


@kernel()
def _put_change(at, index, word):
    at = put_list_header(at, size_of_word(index) + size_of_word(word))
    return put_word(put_word(at, index), word)


@kernel()
def put_changes(at, order, first, last):
    """Write the changes in a run of records; where they end."""
    for i in range(first, last):
        record = LOGGED.at(order[U(i)])
        if is_written(record):
            at = _put_change(at, index_word(record), record.word)
    return at


@kernel()
def _add_slot(piece, order, first, last):
    """Add a slot to those that are written or to those that are read."""
    slot = slot_of(LOGGED.at(order[U(first)]))
    size, count = _changes_size(order, first, last)
    if count == 0:
        piece.reads_size += put_word(piece.reads + piece.reads_size, slot) - (piece.reads + piece.reads_size)
        return
    begin = piece.changes + piece.changes_size
    at = put_word(put_list_header(begin, size_of_word(slot) + size_of_list(size)), slot)
    at = put_changes(put_list_header(at, size), order, first, last)
    piece.changes_size += at - begin


@kernel()
def _note_paid(build, piece, order, first, last):
    for i in range(first, last):
        record = LOGGED.at(order[U(i)])
        if is_written(record):
            paid = PAID.item(build.paid, build.size, I(record.marks >> INDEX_SHIFT))
            paid.is_written = U1
            paid.word = record.word
            piece.is_named = U1


@kernel()
def code_of(build, record):
    """Descriptor of the code that a record's transaction left; of no bytes where there is none."""
    return code_at(build.codes, record.code)


@kernel()
def _add_code(build, piece, order, first, last):
    piece.code = first
    piece.code_count = last - first
    for i in range(first, last):
        record = LOGGED.at(order[U(i)])
        piece.is_named |= record.marks & IS_TOUCH
        if is_written(record):
            code = code_of(build, record)
            size = size_of_word(index_word(record)) + size_of_bytes(code.bytes, code.size)
            piece.codes_size += size_of_list(size)


@kernel()
def _add_location(build, piece, order, first, last):
    """Add the records of one location to the account's piece."""
    key = LOGGED.at(order[U(first)]).key
    kind = key[2] >> _KIND_SHIFT
    if kind == U(KIND_STORAGE):
        _add_slot(piece, order, first, last)
    elif kind == U(KIND_BALANCE):
        if same_account(key, build.coinbase):
            _note_paid(build, piece, order, first, last)
        else:
            piece.balances_size = put_changes(piece.balances, order, first, last) - piece.balances
    elif kind == U(KIND_NONCE):
        piece.nonces = piece.balances + piece.balances_size
        piece.nonces_size = put_changes(piece.nonces, order, first, last) - piece.nonces
    elif kind == U(KIND_CODE):
        _add_code(build, piece, order, first, last)


@kernel(inline=True)
def piece_at(build, number):
    """A piece, by its place."""
    return PIECE.item(build.pieces, build.total, number)


@kernel()
def encode_bucket(build, bucket):
    """Make the pieces of a bucket that is sorted; the bytes written."""
    order, starts = order_of(build), view_i64(build.bucket_starts, build.bucket_count + 1)
    first, last = starts[U(bucket)], starts[U(bucket + 1)]
    changes, reads = build.changes + first * CHANGE_BYTES, build.reads + first * READ_BYTES
    fields, at, count, written = build.fields + first * FIELD_BYTES, first, I(0), I(0)
    while at < last:
        key = LOGGED.at(order[U(at)]).key
        piece = piece_at(build, first + count)
        piece.address = (key[0], key[1], key[2] & LOW_32)
        piece.is_named = U0
        piece.changes, piece.changes_size = changes, I(0)
        piece.reads, piece.reads_size = reads, I(0)
        piece.balances, piece.balances_size = fields, I(0)
        piece.nonces, piece.nonces_size = fields, I(0)
        piece.code, piece.code_count, piece.codes_size = I(0), I(0), I(0)
        piece.next = I(0)
        while at < last and same_account(key, LOGGED.at(order[U(at)]).key):
            end = _end_of_location(order, at, last)
            _add_location(build, piece, order, at, end)
            at = end
        changes += piece.changes_size
        reads += piece.reads_size
        fields += piece.balances_size + piece.nonces_size
        size = piece.changes_size + piece.reads_size + piece.balances_size + piece.nonces_size
        piece.is_named |= U(size + piece.codes_size)
        written += size
        count += 1
    view_i64(build.piece_counts, build.bucket_count)[U(bucket)] = count
    return written


@kernel()
def piece_address(piece):
    """Address of a piece."""
    return address_of(piece)
