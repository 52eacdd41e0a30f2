"""Partitioning: which shard owns what, and the part of a block that goes to each coordinator.

An address belongs to one shard, by a hash of it; so do its balance, nonce, code and storage. The coordinator of a
transaction is the shard of its sender, so that a sender's nonces stay in one place.

A shard's part of a block is a block image of its own: the header with its block hashes, its run queue, a row a
transaction, and call data. It lies in one piece, without an address in it until its reader has put them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.block_image import BlockImage
from contend.evm.layout import BLOCK, HASHES_KEPT, TRANSACTION, WORD
from contend.evm.runtime.atomics import CACHE_LINE
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import copy_words, move_bytes, view_i64, view_u8
from contend.evm.runtime.structs import I64, Struct, address_of
from contend.strategies.sharded.protocol.layout import QUEUED
from contend.strategies.sharded.protocol.messages import owner_of

Words = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
HASHES_AT = BLOCK.words
HASHES_WORDS = HASHES_KEPT * WORD.words
QUEUE_AT = HASHES_AT + HASHES_WORDS

PARTITION = Struct(
    "Partition",
    image=I64,
    shard_count=I64,
    parts=I64,  # where the parts go
    part_words=I64,
    rows_at=I64,  # in a part, in words
    data_at=I64,
    # Arrays of int64, by address.
    counts=I64,  # transactions of each shard so far
    filled=I64,  # bytes of call data of each shard so far
    positions=I64,  # of each transaction in its shard's run queue
    latest=I64,  # hash table of senders: index of the latest transaction of each, plus one
    latest_mask=I64,
)


@dataclass(frozen=True)
class PartLayout:
    """Layout of a shard's part of a block, in words; large enough for all of the block.

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
    def queue(self) -> int:
        """Offset of the run queue."""
        return QUEUE_AT

    @property
    def rows(self) -> int:
        """Offset of the transactions' rows."""
        return self.queue + self.transactions * QUEUED.words

    @property
    def data(self) -> int:
        """Offset of the call data."""
        return self.rows + self.transactions * TRANSACTION.words

    @property
    def words(self) -> int:
        """Size of the part."""
        return -(-(self.data + self.data_bytes // 8 + 1) // CACHE_LINE) * CACHE_LINE


@kernel(inline=True)
def _part_at(partition, shard):
    return partition.parts + shard * partition.part_words * 8


@kernel(inline=True)
def _queued_at(partition, shard, position):
    return QUEUED.at(_part_at(partition, shard) + (QUEUE_AT + position * QUEUED.words) * 8)


@kernel(inline=True)
def _transaction_at(block, index):
    return TRANSACTION.item(block.transactions, block.size, index)


@kernel()
def _copy_header(partition, shard):
    """Write a part's block header and block hashes."""
    part = _part_at(partition, shard)
    copy_words(part, partition.image, BLOCK.words)
    copy_words(part + HASHES_AT * 8, BLOCK.at(partition.image).hashes, HASHES_WORDS)


@kernel()
def _link_to_predecessor(partition, block, shard, index, position):
    """Link a transaction of a run queue to the one of the same sender before it, and note it as the latest."""
    latest = view_i64(partition.latest, partition.latest_mask + 1)
    positions = view_i64(partition.positions, block.size)
    sender = _transaction_at(block, index).sender
    entry = owner_of(sender, latest.size)
    while latest[U(entry)] != 0:
        other = latest[U(entry)] - 1
        if _transaction_at(block, other).sender == sender:
            predecessor = positions[U(other)]
            _queued_at(partition, shard, position).predecessor = predecessor + 1
            _queued_at(partition, shard, predecessor).successor = position + 1
            break
        entry = (entry + 1) & partition.latest_mask
    latest[U(entry)] = index + 1


@kernel()
def _copy_transaction(partition, block, shard, index, position):
    """Write a transaction's row and call data to its part."""
    part, filled = _part_at(partition, shard), view_i64(partition.filled, partition.shard_count)
    transaction = _transaction_at(block, index)
    copy = TRANSACTION.item(part + partition.rows_at * 8, block.size, position)
    copy_words(address_of(copy), address_of(transaction), TRANSACTION.words)
    copy.data_at = filled[U(shard)]
    source, target = view_u8(block.data, block.data_size), view_u8(part + partition.data_at * 8, block.data_size)
    move_bytes(target, filled[U(shard)], source, transaction.data_at, transaction.data_room)
    filled[U(shard)] += transaction.data_room


@kernel()
def _deliver(partition_address):
    partition = PARTITION.at(partition_address)
    block = BLOCK.at(partition.image)
    counts, positions = view_i64(partition.counts, partition.shard_count), view_i64(partition.positions, block.size)
    for shard in range(partition.shard_count):
        _copy_header(partition, shard)
    before, before_position = I(0), I(0)
    for index in range(block.size):
        shard = owner_of(_transaction_at(block, index).sender, partition.shard_count)
        position = counts[U(shard)]
        counts[U(shard)] = position + 1
        positions[U(index)] = position
        transaction = _queued_at(partition, shard, position)
        transaction.index = index
        transaction.predecessor = 0
        transaction.successor = 0
        transaction.status = 0
        transaction.commit_time = 0
        transaction.next_coordinator = shard
        if index > 0:
            _queued_at(partition, before, before_position).next_coordinator = shard
        before, before_position = shard, position
        _link_to_predecessor(partition, block, shard, index, position)
        _copy_transaction(partition, block, shard, index, position)


def deliver(image: BlockImage, shards: int, layout: PartLayout, parts: int) -> Indices:
    """Write each shard's part of a block.

    Parameters
    ----------
    parts : int
        Address of ``shards * layout.words`` words.

    Returns
    -------
    ndarray of int64, shape (shards,)
        Transactions of each coordinator.
    """
    counts, filled = np.zeros(shards, np.int64), np.zeros(shards, np.int64)
    latest = np.zeros(1 << (2 * len(image)).bit_length(), np.int64)
    positions = np.zeros(len(image), np.int64)
    memory = PARTITION.zeros()
    row: Any = memory[0]
    row["image"], row["shard_count"], row["parts"] = image.address, shards, parts
    row["part_words"], row["rows_at"], row["data_at"] = layout.words, layout.rows, layout.data
    row["latest_mask"] = len(latest) - 1
    for name, array in {"counts": counts, "filled": filled, "positions": positions, "latest": latest}.items():
        row[name] = array.ctypes.data
    _deliver(int(memory.ctypes.data))
    return counts


def open_part(part: int, layout: PartLayout, count: int) -> tuple[npt.NDArray[np.void], int]:
    """Put the addresses into a part of a block that lies at this address in this process.

    Returns
    -------
    tuple
        The run queue, structured as `QUEUED`, shape (count,), in place; and the address of the block image.
    """
    block: Any = BLOCK.array_at(part)[0]
    block["hashes"] = part + HASHES_AT * 8
    block["transactions"], block["size"] = part + layout.rows * 8, count
    block["data"] = part + layout.data * 8
    return QUEUED.array_at(part + layout.queue * 8, count), part


@kernel()
def _owners(keys, shards, owners):
    for i in range(owners.size):
        owners[i] = owner_of((keys[i, 0], keys[i, 1], keys[i, 2]), shards)


def owners(keys: Words, shards: int) -> Indices:
    """Owner, a shard's number, of each location.

    Parameters
    ----------
    keys : ndarray of uint64, shape (m, 7)
    """
    found = np.zeros(len(keys), np.int64)
    _owners(np.ascontiguousarray(keys), shards, found)
    return found
