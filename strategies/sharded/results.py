"""Results of a block, put together of what the shards leave behind: receipts, serialisation order, state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm import CapacityError, Changes, Receipts, State, layout
from contend.evm.receipts import R_PAYLOAD, R_WORDS, ReceiptTable
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import intern_location
from contend.evm.u256 import get, put
from contend.strategies.sharded.protocol.layout import QUEUED

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ShardResult:
    """Where one shard's results lie in this process.

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
def _collect(queue, receipts_address, count, moved, coordinator, table, times, coordinators):
    receipts = view_u64(receipts_address, count * R_WORDS)
    for i in range(count):
        transaction = QUEUED.item(queue, count, i)
        index = transaction.index
        times[index] = transaction.commit_time
        coordinators[index] = coordinator
        for j in range(R_WORDS):
            table[index, j] = receipts[U(i * R_WORDS + j)]
        if table[index, R_PAYLOAD] != U0:
            table[index, R_PAYLOAD] = U(I(table[index, R_PAYLOAD]) + moved)


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
        _collect(result.queue, result.receipts, result.count, result.moved, shard, table.rows, times, coordinators)
    return table.collect(size), np.lexsort((coordinators, times))


def is_block_order(order: Indices) -> bool:
    """Whether transactions were serialised as they stand in the block."""
    return bool(np.array_equal(order, np.arange(len(order))))


@kernel()
def _apply(state, keys, words, count):
    header = view_u64(state, layout.STATE_WORDS)
    values = view_u64(I(header[U(layout.STATE_VALUES)]), I(header[U(layout.STATE_CAPACITY)]) * 4)
    for i in range(count):
        number = intern_location(state, keys, i * layout.KEY_WORDS)
        if number < 0:
            return False
        put(values, number, get(words, i))
    return True


def apply(state: State, changes: Changes) -> None:
    """Write changes to a state that has room for them.

    Raises
    ------
    CapacityError
        If it has not.
    """
    keys, words = np.ascontiguousarray(changes.keys).reshape(-1), np.ascontiguousarray(changes.words).reshape(-1)
    if not _apply(state.address, keys, words, len(changes)):
        raise CapacityError("the state is too small for the block")
