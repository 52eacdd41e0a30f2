"""Partition in kernels: its components, lanes and graph are those of a naive computation, under any clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from adversarial import adversarial_state, hot
from equivalence import Equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.layout import KIND_STORAGE
from contend.evm.state import location_key
from contend.harness.testing import build_scenario
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import Knowledge, RecordedSets
from contend.strategies.planned.layout import EDGE_SHIFT, END_OF_LANE, LOW_WORD
from contend.strategies.planned.static_partition import StaticPartition
from contend.strategies.registry import get
from tests.strategies.planned.component_kernels import find_all, unite_all

WORLD = adversarial_state()
MOST = 24
BLOCKS = {size: hot("counter", size) for size in range(1, MOST + 1)}
Accesses = list[dict[int, bool]]

accesses_of_blocks = st.lists(st.dictionaries(st.integers(0, 7), st.booleans(), max_size=4), min_size=1, max_size=MOST)


class Inspected(StaticPartition):
    """Static partition that keeps a copy of its plan, before the workers follow it."""

    name = "inspected"
    given = "truth"

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        super().prepare(space, image, state)
        self.kept: dict[str, npt.NDArray[Any]] = {
            name: array.copy() for name, array in (self._arrays | self._accesses).items()
        }
        self.lanes = self.kept["lanes"][: int(space.own_shared["lane_count"])].tolist()
        self.ready_count = int(space.own_shared["ready_tail"])
        self.most_gas = int(self._partition[0]["most_gas"])

    def members(self, lane: int) -> list[int]:
        """Transactions of a lane."""
        found, following = [lane], self.kept["next_in_lane"].view(np.int64)
        while following[found[-1]] != END_OF_LANE:
            found.append(int(following[found[-1]]))
        return found

    def edges(self, size: int) -> list[tuple[int, int]]:
        """Edges of the graph."""
        found = []
        for txn_idx in range(size):
            edge = int(self.kept["successors"][txn_idx])
            while edge:
                word = int(self.kept["edges"][edge - 1])
                found.append((txn_idx, word & LOW_WORD))
                edge = word >> EDGE_SHIFT
        return found


@pytest.fixture(scope="module")
def inspected() -> Iterator[Inspected]:
    strategy = Inspected()
    yield strategy
    strategy.close()


def knowledge_of(accesses: Accesses, gas: list[int]) -> Knowledge:
    """Recorded sets that say this, true or not: slots of an account that nobody has."""
    keys = np.array([location_key(bytes(20), KIND_STORAGE, slot) for slot in range(8)], np.uint64)
    offsets = np.cumsum([0, *(len(one) for one in accesses)]).astype(np.int64)
    entries = np.array([slot for one in accesses for slot in one], np.int64)
    writes = np.array([write for one in accesses for write in one.values()], np.bool_)
    costs = np.array(gas, np.int64)
    return Knowledge(recorded=RecordedSets(offsets, entries, writes, keys, costs, costs))


def dependencies(accesses: Accesses) -> set[tuple[int, int]]:
    """Who reads, or writes over, what whom was the last to write."""
    last: dict[int, int] = {}
    found = set()
    for txn_idx, one in enumerate(accesses):
        found |= {(last[slot], txn_idx) for slot in one if slot in last}
        last |= {slot: txn_idx for slot, write in one.items() if write}
    return found


def components(edges: set[tuple[int, int]], size: int) -> list[int]:
    """The first transaction of each one's component."""
    label = list(range(size))
    for _ in range(size):
        for one, other in edges:
            label[one] = label[other] = min(label[one], label[other])
    return label


def check_plan(plan: Inspected, accesses: Accesses, gas: list[int]) -> None:
    """All that is true of the plan for these hints."""
    size, edges = len(accesses), dependencies(accesses)
    label = components(edges, size)
    weight = {root: sum(gas[i] for i in range(size) if label[i] == root) for root in set(label)}
    cut = {i for i in range(size) if weight[label[i]] > plan.most_gas}
    in_lanes = [plan.members(lane) for lane in plan.lanes]
    assert sorted(i for lane in in_lanes for i in lane) == sorted(set(range(size)) - cut)
    for lane in in_lanes:
        for root in {label[i] for i in lane}:
            # All of a component, in the block's order.
            assert [i for i in lane if label[i] == root] == [i for i in range(size) if label[i] == root]
    found = plan.edges(size)
    assert set(found) == {(one, other) for one, other in edges if other in cut}
    assert len(found) == len(set(found))
    assert plan.kept["waits"].tolist() == [sum(other == i for _, other in found) for i in range(size)]
    free = cut - {other for _, other in found}
    assert sorted(plan.kept["ready"][: plan.ready_count].tolist()) == sorted(i + 1 for i in free)


@pytest.mark.bounds
@settings(max_examples=100)
@given(data=st.data(), accesses=accesses_of_blocks, workers=st.integers(1, 5), seed=st.integers(0, 1 << 32))
def test_any_hints_give_the_plan_of_a_naive_computation(
    equivalence: Equivalence, inspected: Inspected, data: st.DataObject, accesses: Accesses, workers: int, seed: int
) -> None:
    gas = data.draw(st.lists(st.integers(1, 50), min_size=len(accesses), max_size=len(accesses)))
    block = BLOCKS[len(accesses)]
    clocks: tuple[Clock, ...] = (WALL, VirtualClock(), Schedule(seed))
    for clock in clocks:
        inspected.clock = clock
        inspected.knowledge = knowledge_of(accesses, gas)
        state = WORLD.copy()
        outcome = inspected.execute(block, state, workers)
        check_plan(inspected, accesses, gas)
        # However wrong the hints are: everybody calls one counter.
        assert outcome.receipts.status.tolist() == [1] * len(block)
    assert workers > 1 or inspected.ready_count == 0


def test_a_component_that_is_too_large_is_cut(inspected: Inspected) -> None:
    # One chain of half of the gas, and as many transactions by themselves.
    accesses: Accesses = [{0: True} if i % 2 else {} for i in range(MOST)]
    inspected.clock, inspected.knowledge = VirtualClock(), knowledge_of(accesses, [10] * MOST)
    outcome = inspected.execute(BLOCKS[MOST], WORLD.copy(), 4)
    check_plan(inspected, accesses, [10] * MOST)
    assert len(inspected.edges(MOST)) == MOST // 2 - 1
    assert outcome.counters["cut"] == 1
    assert outcome.counters["lanes"] == len(inspected.lanes) > 0


@pytest.mark.parametrize("edges", [500, 2_000, 6_000])
def test_threads_that_unite_at_once_find_the_same_components(edges: int) -> None:
    size, draw = 4_000, np.random.default_rng(edges)
    for _ in range(20):
        pairs = draw.integers(0, size, (edges, 2))
        parents = np.arange(size, dtype=np.uint64)
        parts = np.array_split(pairs, 4)
        threads = [threading.Thread(target=unite_all, args=(parents, part)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        roots = np.zeros(size, np.int64)
        find_all(parents, roots)
        expected = np.arange(size)
        while True:
            lowest = np.minimum(expected[pairs[:, 0]], expected[pairs[:, 1]])
            before = expected.copy()
            np.minimum.at(expected, pairs[:, 0], lowest)
            np.minimum.at(expected, pairs[:, 1], lowest)
            if np.array_equal(before, expected):
                break
        assert np.array_equal(roots, expected)


@pytest.mark.parametrize("source", ["truth", "dry_run"])
@pytest.mark.parametrize("workload", ["payments", "dao"])
def test_true_hints_leave_nothing_to_repair(equivalence: Equivalence, workload: str, source: str) -> None:
    scenario = build_scenario(workload, {}, 2, 300)
    with get(f"static_partition+{source}")() as strategy:
        for workers in (1, 3, 16):
            strategy.clock = VirtualClock()
            counters = equivalence.check(strategy, scenario.blocks[0], scenario.genesis, workers).counters
            if source == "truth":
                assert counters["repairs"] + counters["aborts"] + counters["wait_restarts"] == 0
