"""From recorded access sets to the bound, and to list schedules."""

from __future__ import annotations

import numpy as np

from contend.evm.drivers.recorder import Recording
from contend.evm.layout import KIND_NAMES
from contend.harness.analysis.dependencies import DependencyGraph, build_graph
from contend.harness.analysis.list_schedule import ListSchedule, longest_chain
from contend.harness.record.bound import KINDS, Bound, Bounds


def bounds_of(recording: Recording) -> Bounds:
    """Compute the bound of a recorded block: with balances as they are, with credits commutative, and with values."""
    return Bounds(_bound(recording, False), _bound(recording, True), _independent(recording))


def _bound(recording: Recording, commutative: bool) -> Bound:
    graph = build_graph(recording, commutative)
    each = np.ones(len(recording), np.int64)
    kinds = recording.kinds
    depth = {
        kind: longest_chain(build_graph(recording, commutative, kinds == KIND_NAMES.index(kind)), each).length
        for kind in KINDS
    }
    return Bound(
        transactions=len(recording),
        work=int(recording.work.sum()),
        gas=int(recording.costs.sum()),
        dependent=int(graph.dependent.sum()),
        longest_chain=longest_chain(graph, each).length,
        critical_path=longest_chain(graph, recording.work, graph.lags).length,
        critical_gas=longest_chain(graph, recording.costs).length,
        depth=depth,
    )


def _independent(recording: Recording) -> Bound:
    each = min(len(recording), 1)
    return Bound(
        transactions=len(recording),
        work=int(recording.work.sum()),
        gas=int(recording.costs.sum()),
        dependent=0,
        longest_chain=each,
        critical_path=int(recording.work.max(initial=0)),
        critical_gas=int(recording.costs.max(initial=0)),
        depth=dict.fromkeys(KINDS, each),
    )


class Schedules:
    """List schedules of recorded blocks in a row, computed when they are asked for.

    Where time is real they are in picoseconds of the cost table all the same: what is compared is a ratio.
    """

    def __init__(self) -> None:
        self._of_blocks: dict[bool, list[ListSchedule]] = {False: [], True: []}
        self._lengths: dict[tuple[int, bool], int] = {}

    def add(self, recording: Recording) -> None:
        """Take note of the next block."""
        plain = build_graph(recording)
        for values, graph in ((False, plain), (True, _without_edges(len(recording)))):
            self._of_blocks[values].append(ListSchedule(graph, recording.work, graph.lags))

    def length(self, workers: int, values: bool) -> int:
        """Time of all blocks with so many workers.

        Parameters
        ----------
        workers : int
        values : bool
            Whether transactions have the values that they read and wait for none; else they wait as they must.

        Returns
        -------
        int
            Picoseconds.
        """
        key = workers, values
        if key not in self._lengths:
            self._lengths[key] = sum(one.length(workers) for one in self._of_blocks[values])
        return self._lengths[key]


def _without_edges(count: int) -> DependencyGraph:
    nothing = np.zeros(0, np.int64)
    return DependencyGraph(np.arange(count), np.zeros(count + 1, np.int64), nothing, nothing, nothing)
