"""Long lists of changes, or of readers, of one location: cut into slices that several workers decode.

A counter, or the balance of who is paid the fees, may be changed by every transaction of a block. One worker that
decodes all these changes would be what the others wait for, so the scanner hops over them, counts, and publishes them
in slices of some hundred bytes. When it has counted, it knows how large the record is: it takes the room, and each
slice is decoded to where its first change belongs. Who decodes the first slice looks up the record's location, and the
record is then one of that slice's piece. That a slice's indices lie above those before it is checked as everywhere: the
item before it is looked at again.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u8
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_list.change_lists import append_changes, append_indices, index_of_change, index_of_item
from contend.strategies.block_list.layout import (
    CHANGE,
    KIND_LOCATIONS,
    NO_VALUES,
    PIECE,
    READERS,
    RECORD,
    SLICE,
    VALUED,
)
from contend.strategies.block_list.malformed import FAULTED, NOT_RLP, refuse
from contend.strategies.block_list.record_room import begin_record, close_record
from contend.strategies.block_list.rlp_items import NO_ITEM, near_item_at
from contend.strategies.block_stm.mv_memory import allocate

LONG_LIST = 1024  # bytes; more than those of a large account, so that no account holds one that is not cut
SLICE_BYTES = 512  # a slice ends with the item that makes it so long


@kernel(inline=True)
def is_long_list(first, last):
    """Whether a list is decoded in slices, by where its payload begins and ends."""
    return last - first >= LONG_LIST


@kernel()
def _lay_out_slice(block_list, number, first, last, previous, most_bytes):
    """Write down a piece that nobody sees yet. It."""
    check(number < block_list.pieces_room)
    piece = PIECE.item(block_list.pieces, block_list.pieces_room, number)
    piece.what = SLICE
    piece.account = 0
    piece.first = first
    piece.last = last
    piece.previous = previous
    piece.record_words = 0
    piece.changes = 0
    piece.most_bytes = most_bytes
    piece.long_record = 0
    piece.long_words = 0
    return piece


@kernel()
def _cut(block_list, first, last, most_bytes):
    """Lay out the slices of a list. How many they are, and their items; or (a negative result, 0)."""
    data = view_u8(block_list.bytes, block_list.size)
    slices, items, at, previous = 0, 0, first, 0
    while at < last:
        slice_first, slice_items, before = at, 0, previous
        while at < last and at - slice_first < SLICE_BYTES:
            form, _, end = near_item_at(data, at, last)
            if form == NO_ITEM:
                return refuse(block_list, at, NOT_RLP), 0
            previous, at = at, end
            slice_items += 1
        number = I(block_list.published) + slices
        piece = _lay_out_slice(block_list, number, slice_first, at, before, most_bytes)
        piece.room = slice_items
        slices += 1
        items += slice_items
    return I(slices), items


@kernel()
def publish_slices(shared, worker, block_list, key, what, first, last, most_bytes):
    """Publish a list of one location in slices. Hops, or a negative result.

    Parameters
    ----------
    key : key
        Of the location.
    what : int
        What its record is.
    first, last : int
        Where the payload of the list begins and ends.
    most_bytes : int
        Of a value.
    """
    if what == READERS or block_list.kind == KIND_LOCATIONS:
        most_bytes = I(NO_VALUES)
    slices, items = _cut(block_list, first, last, most_bytes)
    if slices < 0:
        return slices
    item_words = CHANGE.words if what == VALUED else 1
    words = RECORD.words + items * item_words
    record = allocate(shared, worker, words)
    if record == 0:
        return I(FAULTED)
    begin_record(record, key, what)
    close_record(record, items)
    begun = I(block_list.published)
    at = record + RECORD.words * WORD_BYTES
    for number in range(begun, begun + slices):
        piece = PIECE.item(block_list.pieces, block_list.pieces_room, number)
        piece.room *= item_words
        piece.records = at
        at += piece.room * WORD_BYTES
    opened = PIECE.item(block_list.pieces, block_list.pieces_room, begun)
    opened.long_record = record
    opened.long_words = words
    atomics.store(block_list, "published", U(begun + slices))
    return items


@kernel()
def _index_before(shared, block_list, data, piece):
    """Index of the change, or reader, before a slice; -1 before the first, or `MALFORMED`."""
    at = piece.previous
    if at == 0:
        return I(-1)
    if piece.most_bytes == NO_VALUES:
        index, _ = index_of_item(shared, block_list, data, at, piece.first, I(-1))
    else:
        index = index_of_change(shared, block_list, data, at, piece.first)
    return index


@kernel()
def decode_slice(shared, worker, block_list, piece):
    """Decode a slice to where it belongs. A negative result if that cannot be done."""
    data = view_u8(block_list.bytes, block_list.size)
    index = _index_before(shared, block_list, data, piece)
    if piece.previous != 0 and index < 0:
        return index
    if piece.most_bytes == NO_VALUES:
        count = append_indices(shared, worker, block_list, piece, piece.first, piece.last, index)
    else:
        count = append_changes(shared, worker, block_list, piece, piece.first, piece.last, piece.most_bytes, index)
    if count < 0:
        return count
    # What has been laid out is one record, of the first slice.
    piece.records = piece.long_record
    piece.record_words = piece.long_words
    return count
