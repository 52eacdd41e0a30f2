"""What shards leave behind after a block, put together: receipts, the serialisation order, the state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import CapacityError, Changes, Receipts, State, layout
from evm.jit import kernel
from evm.pointers import view_u64
from evm.receipts import R_PAYLOAD, R_WORDS, ReceiptTable
from evm.state import intern_location
from evm.words import get, put
from strategies import shard_layout as s

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ShardResult:
    """Where one shard's results lie in this process.

    Attributes
    ----------
    records : int
        Address of the transactions' records.
    receipts : int
        Address of their receipts.
    count : int
        How many there are.
    moved : int
        What has to be added to the addresses in the receipts: the shard may see the same memory elsewhere.
    """

    records: int
    receipts: int
    count: int
    moved: int


@kernel()
def _collect(records_address, receipts_address, count, moved, home, table, times, homes):
    records = view_u64(records_address, count * s.T_WORDS)
    receipts = view_u64(receipts_address, count * R_WORDS)
    for i in range(count):
        place = I(records[U(i * s.T_WORDS + s.T_PLACE)])
        times[place] = I(records[U(i * s.T_WORDS + s.T_TIME)])
        homes[place] = home
        for j in range(R_WORDS):
            table[place, j] = receipts[U(i * R_WORDS + j)]
        if table[place, R_PAYLOAD] != U(0):
            table[place, R_PAYLOAD] = U(I(table[place, R_PAYLOAD]) + moved)


def collect(results: list[ShardResult]) -> tuple[Receipts, Places]:
    """Put all receipts into the block's order, and tell in which order the transactions were serialised.

    Returns
    -------
    tuple
        Receipts; and places in the block by commit time, then by home.
    """
    size = sum(result.count for result in results)
    times, homes = np.zeros(size, np.int64), np.zeros(size, np.int64)
    table = ReceiptTable(1, 0)
    table.reset(size)
    for home, result in enumerate(results):
        _collect(result.records, result.receipts, result.count, result.moved, home, table.rows, times, homes)
    return table.collect(size), np.lexsort((homes, times))


def is_block_order(order: Places) -> bool:
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
