"""Memory of a dependency graph, made in Python, outside the time."""

from __future__ import annotations

from typing import Any

import numpy as np

from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.strategies.block_stm.waiters.ready_set import ReadyMemory
from contend.strategies.block_stm.workspace import HINTS_PER_TRANSACTION, SPARE_HINTS, clear
from contend.strategies.dependency.layout import EDGE, MOST_EPOCHS, NODE, TAIL

LARGEST_CHUNK, SMALLEST_CHUNK = 64, 4


class GraphMemory:
    """The memory of one block's graph, kept for the next block of as many transactions.

    Parameters
    ----------
    size : int
        Transactions in the block.
    workers : int
    scale : int
        Multiplies the usual room.

    Attributes
    ----------
    fits : tuple of int
        For which of these it was made.
    accesses : ndarray of int64
    edges : ndarray of `layout.EDGE`
    nodes : ndarray of `layout.NODE`
    ready : ReadyMemory
    """

    def __init__(self, size: int, workers: int, scale: int) -> None:
        self.fits = (size, workers, scale)
        # Large enough that a chunk has some accesses in each partition, and small enough that all workers have some.
        self._chunk_size = max(SMALLEST_CHUNK, min(2 * workers, LARGEST_CHUNK))
        self._chunks = -(-size // self._chunk_size)
        self._partitions = workers
        self._room = scale * (size * HINTS_PER_TRANSACTION + SPARE_HINTS)
        self.accesses = sparse_zeros(self._room, np.int64)
        self.edges = sparse_zeros(self._room * EDGE.words).view(EDGE.dtype)
        self.nodes = NODE.lines(max(size, 1))
        self._sorted = np.zeros(max(self._chunks, 1), np.uint64)
        self._ranges = np.zeros(max(self._chunks, 1) * (self._partitions + 2), np.int64)
        self.ready = ReadyMemory(size)
        self._tails = TAIL.zeros(0)
        self._epoch = 0

    def fit_tails(self, capacity: int) -> None:
        """Have a tail for each location of the state: grows with the state, and is not cleared between blocks."""
        if len(self._tails) != capacity or self._epoch + 1 >= MOST_EPOCHS:
            self._tails = TAIL.zeros(capacity)
            self._epoch = 0

    def open_for_one(self, graph: Any) -> None:
        """Make ready for a block that one worker executes, without a graph: everything is ready. Timed."""
        self.open(graph)
        graph["chunk_count"] = graph["partition_count"] = 0
        graph["alone"] = 1
        clear(self.nodes)
        self.ready.fill(self.fits[0])

    def open(self, graph: Any) -> None:
        """Make ready for a block: fill the shared header. Timed."""
        self._epoch += 1
        self._sorted.fill(0)
        self.ready.open(graph)
        for field, value in (
            ("chunk_size", self._chunk_size),
            ("chunk_count", self._chunks),
            ("partition_count", self._partitions if self._chunks else 0),
            ("sorted", self._sorted.ctypes.data),
            ("ranges", self._ranges.ctypes.data),
            ("accesses", self.accesses.ctypes.data),
            ("edges", self.edges.ctypes.data),
            ("access_room", self._room),
            ("tails", self._tails.ctypes.data),
            ("tail_count", len(self._tails)),
            ("epoch", self._epoch),
            ("nodes", self.nodes.ctypes.data),
        ):
            graph[field] = value
