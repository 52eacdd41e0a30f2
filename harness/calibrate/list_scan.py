"""Scan of an access list: an observation of its own, of the one part of decoding that a single worker has to do.

While one worker does all, scanning is a small part of decoding, and as large as the list; how much of their time it is
cannot be told. Many workers wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.harness.calibrate.subject import Floats, Subject
from contend.strategies.block_list.encoded_list import EncodedList
from contend.strategies.block_list.list_scanner import scan_step
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.mv_memory import CHUNK_WORDS
from contend.strategies.clocks import Workers, cost_table

TIMES = 32  # that a list is scanned: a thread takes as long to begin as one scan


@dataclass
class ListScan(Subject):
    """Finds the pieces of the list that the subject's strategy is given, many times, and decodes none.

    It has no worker that waits, so that the strategy has no part in it but its clock.
    """

    def run(self) -> Floats:
        """Scan the list so many times; seconds of the strategy's clock, as of a run without preparation."""
        data, kind = self.knowledge.access_list, self.knowledge.list_kind
        assert data is not None
        encoded = EncodedList()
        encoded.lay_out(data, kind)
        clock = self.strategy.clock
        costs = np.zeros(cost_table.COUNT, np.uint64) if clock.costs is None else clock.costs.table
        shared, workers = SHARED.lines(1), WORKER.lines(1)
        shared[0]["costs"], shared[0]["source"] = costs.ctypes.data, encoded.memory.ctypes.data
        shared[0]["block_size"] = TIMES
        # For the records of long lists: an index is a byte at least there, and a word here.
        arena = sparse_zeros(len(data) + 2 * CHUNK_WORDS)
        shared[0]["arena"], shared[0]["arena_words"] = arena.ctypes.data, len(arena)
        _ = scan_step.address
        began = clock.now()
        clock.run(Workers(scan_step, int(shared.ctypes.data), [int(workers.ctypes.data)]))
        return np.array([0.0, clock.now() - began])
