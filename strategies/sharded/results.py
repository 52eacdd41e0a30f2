"""Results of a block, put together of what the shards leave behind: receipts and serialisation order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm import Receipts
from contend.evm.receipts import RECEIPT, ReceiptTable
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import copy_words
from contend.evm.runtime.structs import address_of
from contend.strategies.sharded.protocol.layout import QUEUED

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ShardResult:
    """Addresses of one shard's results in this process.

    Attributes
    ----------
    queue : int
        Address of its run queue.
    receipts : int
        Address of their receipts.
    count : int
        How many there are.
    moved : int
        What has to be added to the addresses in the receipts: the shard may see the same memory elsewhere.
    """

    queue: int
    receipts: int
    count: int
    moved: int


@kernel()
def _collect(queue, receipts, count, moved, coordinator, table, times, coordinators):
    for i in range(count):
        transaction = QUEUED.item(queue, count, i)
        index = transaction.index
        times[index] = transaction.commit_time
        coordinators[index] = coordinator
        receipt = RECEIPT.item(table, times.size, index)
        copy_words(address_of(receipt), address_of(RECEIPT.item(receipts, count, i)), RECEIPT.words)
        if receipt.payload != 0:
            receipt.payload += moved


def collect(results: list[ShardResult]) -> tuple[Receipts, Indices]:
    """Put all receipts into the block's order, and tell in which order the transactions were serialised.

    Returns
    -------
    tuple
        Receipts; and indices in the block by commit time, then by coordinator.
    """
    size = sum(result.count for result in results)
    times, coordinators = np.zeros(size, np.int64), np.zeros(size, np.int64)
    table = ReceiptTable(1, 0)
    table.reset(size)
    for shard, result in enumerate(results):
        _collect(result.queue, result.receipts, result.count, result.moved, shard, table.address, times, coordinators)
    return table.collect(size), np.lexsort((coordinators, times))


def is_block_order(order: Indices) -> bool:
    """Whether transactions were serialised as they stand in the block."""
    return bool(np.array_equal(order, np.arange(len(order))))
