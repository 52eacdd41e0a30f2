"""Records of a piece while it is decoded: begun one behind the other, in the room that the piece has."""

from __future__ import annotations

from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import WORD_BYTES
from contend.strategies.block_list.layout import COUNT_SHIFT, RECORD
from contend.strategies.block_list.malformed import UNFIT


@kernel(inline=True)
def take_words(piece, words):
    """Address of the next words of a piece's records, or `UNFIT`."""
    at = piece.record_words
    if at + words > piece.room:
        return I(UNFIT)
    piece.record_words = at + words
    return piece.records + at * WORD_BYTES


@kernel(inline=True)
def begin_record(address, key, what):
    """Begin the record of a key at an address. Its location is looked up when the piece is decoded."""
    record = RECORD.at(address)
    record.key = key
    record.head = U(what)


@kernel(inline=True)
def open_record(piece, key, what):
    """Begin the record of a key, the next of a piece: its address, or `UNFIT`."""
    address = take_words(piece, RECORD.words)
    if address >= 0:
        begin_record(address, key, what)
    return address


@kernel(inline=True)
def close_record(record, count):
    """Note how many changes or readers stand behind a record."""
    RECORD.at(record).head |= U(count) << COUNT_SHIFT
