"""A graph that is only grown, from access sets that a test makes up, and what lies in its lists afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.evm.drivers.access_sets import WRITE_BIT
from contend.evm.runtime.integers import U0
from contend.evm.runtime.jit import native
from contend.strategies import registry
from contend.strategies.accounting import end_step
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import FINISHED, IDLE, Clock
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.dependency.graph_engine import GraphStrategy, grow
from contend.strategies.dependency.graph_memory import GraphMemory
from contend.strategies.dependency.layout import GRAPH, GRAPH_WORKER, TRANSACTION_SHIFT

Sets = Sequence[Sequence[tuple[int, bool]]]


@native("int64(int64, int64)")
def grow_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Grow the graph and execute nothing."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    own = GRAPH_WORKER.at(worker.own)
    grown = grow(shared, worker, GRAPH.at(shared.own), own)
    if grown == IDLE and own.partition == U0:
        return FINISHED
    return end_step(worker, grown)


class GrownGraph:
    """A graph that all its workers have grown.

    Attributes
    ----------
    edges : Counter of (earlier, later)
        How often each waits for which.
    waits : list of int
        For how many each waits.
    ready : set of int
    """

    def __init__(self, block: Block, state: State, sets: Sets, exclusive: bool, workers: int, clock: Clock) -> None:
        size = len(sets)
        assert len(block) == size
        strategy, image = registry.get("groups+truth")(), BlockImage(block)
        assert isinstance(strategy, GraphStrategy)
        space = strategy.workspace(image, state, workers, 1)
        space.reset(image, state, default_costs())
        entries = [np.array([at | (WRITE_BIT * written) for at, written in one], np.int64) for one in sets]
        for i, one in enumerate(entries):
            space.hints[i]["entries"], space.hints[i]["count"] = one.ctypes.data, len(one)
        memory = GraphMemory(size, workers, 1)
        memory.fit_tails(state.capacity)
        memory.open(space.own_shared)
        space.own_shared["exclusive"] = exclusive
        space.run(grow_step, clock, strategy.wake_counters, False)
        nodes, edges = memory.nodes, memory.edges
        self.waits = [int(node["waits"]) for node in nodes[:size]]
        self.ready = {i for i in range(size) if int(memory.ready.words[i // 64]) >> (i % 64) & 1}
        self.edges: Counter[tuple[int, int]] = Counter()
        for i in range(size):
            place = int(nodes[i]["waiters"])
            while place:
                access, of_reader = (place - 1) >> 1, (place - 1) & 1
                edge = edges[access]
                later = int(edge["writer"]) if of_reader else int(memory.accesses[access]) >> TRANSACTION_SHIFT
                self.edges[i, later] += 1
                place = int(edge["writer_next"] if of_reader else edge["next"])


def naive_edges(sets: Sets, exclusive: bool) -> Counter[tuple[int, int]]:
    """The same edges, by looking back from each access."""
    found: Counter[tuple[int, int]] = Counter()
    for later, accesses in enumerate(sets):
        for location, written in accesses:
            before = [
                (earlier, as_writer) for earlier in range(later) for at, as_writer in sets[earlier] if at == location
            ]
            readers = []
            while before and not before[-1][1]:
                readers.append(before.pop()[0])
            if exclusive and written and readers:
                found.update((reader, later) for reader in readers)
            elif before:
                found[before[-1][0], later] += 1
    return found
