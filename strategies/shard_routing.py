"""Routing: which shard owns what, and the part of a block that goes to each home.

An address belongs to one shard, by a hash of it; so do its balance, nonce, code and storage. A transaction's home is
the shard of its sender, so that a sender's nonces stay in one place.

A shard's part of a block is a block image of its own: the header with its block hashes, one record and one row a
transaction, and call data. It lies in one piece, without an address in it until its reader has put them there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import layout
from evm.atomics import CACHE_LINE
from evm.image import BlockImage
from evm.jit import kernel
from evm.pointers import move_bytes, view_u8, view_u64
from strategies import shard_layout as s
from strategies.segments import words_at
from strategies.shard_messages import owner_of

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
HASH_WORDS = 256 * 4


@dataclass(frozen=True)
class PartLayout:
    """Where things lie in a shard's part of a block, in words; large enough for all of the block.

    Parameters
    ----------
    transactions : int
        In the whole block.
    data_bytes : int
        Call data of the whole block, with access lists and blob hashes.
    """

    transactions: int
    data_bytes: int

    @property
    def records(self) -> int:
        """Where the records begin."""
        return layout.BLOCK_WORDS + HASH_WORDS

    @property
    def rows(self) -> int:
        """Where the transactions' rows begin."""
        return self.records + self.transactions * s.T_WORDS

    @property
    def data(self) -> int:
        """Where the call data begins."""
        return self.rows + self.transactions * layout.TX_WORDS

    @property
    def words(self) -> int:
        """Size of the part."""
        return -(-(self.data + self.data_bytes // 8 + 1) // CACHE_LINE) * CACHE_LINE


@kernel()
def _deliver(image, shards, counts, filled, latest, positions, parts, part_words, rows_at, data_at):
    block = view_u64(image, layout.BLOCK_WORDS)
    size, data_size = I(block[U(layout.BLOCK_SIZE)]), I(block[U(layout.BLOCK_DATA_SIZE)])
    rows = view_u64(I(block[U(layout.BLOCK_TRANSACTIONS)]), size * layout.TX_WORDS)
    data = view_u8(I(block[U(layout.BLOCK_DATA)]), data_size)
    hashes = view_u64(I(block[U(layout.BLOCK_HASHES)]), HASH_WORDS)
    mask = latest.size - 1
    before = I(0)
    for home in range(shards):
        part = view_u64(parts + home * part_words * 8, part_words)
        for i in range(layout.BLOCK_WORDS):
            part[U(i)] = block[U(i)]
        for i in range(HASH_WORDS):
            part[U(layout.BLOCK_WORDS + i)] = hashes[U(i)]
    for place in range(size):
        row = place * layout.TX_WORDS
        sender = row + layout.TX_SENDER
        a0, a1, a2 = rows[U(sender)], rows[U(sender + 1)], rows[U(sender + 2)]
        home = owner_of(a0, a1, a2, shards)
        position = counts[home]
        counts[home] = position + 1
        positions[place] = position
        part = view_u64(parts + home * part_words * 8, part_words)
        record = layout.BLOCK_WORDS + HASH_WORDS + position * s.T_WORDS
        for i in range(s.T_WORDS):
            part[U(record + i)] = U(0)
        part[U(record + s.T_PLACE)] = U(place)
        part[U(record + s.T_NEXT_HOME)] = U(home)
        if place > 0:
            view_u64(before, s.T_WORDS)[U(s.T_NEXT_HOME)] = U(home)
        before = parts + (home * part_words + record) * 8
        slot = owner_of(a0, a1, a2, mask + 1)
        while latest[slot] != 0:
            other = latest[slot] - 1
            at = other * layout.TX_WORDS + layout.TX_SENDER
            if rows[U(at)] == a0 and rows[U(at + 1)] == a1 and rows[U(at + 2)] == a2:
                earlier = layout.BLOCK_WORDS + HASH_WORDS + positions[other] * s.T_WORDS
                part[U(record + s.T_PREDECESSOR)] = U(positions[other] + 1)
                part[U(earlier + s.T_SUCCESSOR)] = U(position + 1)
                break
            slot = (slot + 1) & mask
        latest[slot] = place + 1
        to = rows_at + position * layout.TX_WORDS
        for i in range(layout.TX_WORDS):
            part[U(to + i)] = rows[U(row + i)]
        part[U(to + layout.TX_DATA_AT)] = U(filled[home])
        count = I(rows[U(row + layout.TX_DATA_ROOM)])
        target = view_u8(parts + (home * part_words + data_at) * 8, data_size)
        move_bytes(target, filled[home], data, I(rows[U(row + layout.TX_DATA_AT)]), count)
        filled[home] += count


def deliver(image: BlockImage, shards: int, layout_: PartLayout, parts: int) -> Places:
    """Write each shard's part of a block.

    Parameters
    ----------
    parts : int
        Address of ``shards * layout_.words`` words.

    Returns
    -------
    ndarray of int64, shape (shards,)
        Transactions of each home.
    """
    counts, filled = np.zeros(shards, np.int64), np.zeros(shards, np.int64)
    latest = np.zeros(1 << (2 * len(image)).bit_length(), np.int64)
    positions = np.zeros(len(image), np.int64)
    _deliver(
        image.address,
        shards,
        counts,
        filled,
        latest,
        positions,
        parts,
        layout_.words,
        layout_.rows,
        layout_.data,
    )
    return counts


def open_part(part: int, layout_: PartLayout, count: int) -> tuple[Words, int]:
    """Put the addresses into a part of a block that lies at this address in this process.

    Returns
    -------
    tuple
        Records, shape (count, T_WORDS), in place; and the address of the block image.
    """
    words = words_at(part, layout_.words)
    words[layout.BLOCK_HASHES] = part + layout.BLOCK_WORDS * 8
    words[layout.BLOCK_TRANSACTIONS] = part + layout_.rows * 8
    words[layout.BLOCK_SIZE] = count
    words[layout.BLOCK_DATA] = part + layout_.data * 8
    records = words[layout_.records : layout_.records + count * s.T_WORDS].reshape(count, s.T_WORDS)
    return records, part


@kernel()
def _owners(keys, shards, owners):
    for i in range(owners.size):
        owners[i] = owner_of(keys[i, 0], keys[i, 1], keys[i, 2], shards)


def owners(keys: Words, shards: int) -> Places:
    """Which shard owns each location.

    Parameters
    ----------
    keys : ndarray of uint64, shape (m, 7)
    """
    found = np.zeros(len(keys), np.int64)
    _owners(np.ascontiguousarray(keys), shards, found)
    return found
