"""Plans: laid out as asked, and harmless however wrong."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from contend.evm import Block
from contend.strategies.hints.predicted_sets import Hints
from contend.strategies.planned.engine import PlannedStrategy
from contend.strategies.planned.plan import Plan, PlanArrays, pack_longest_first

WORLD = adversarial_state()


class Following(PlannedStrategy):
    """Follows whatever plan it was given, and keeps the hints that it saw."""

    name: ClassVar[str] = "given"

    def __init__(self) -> None:
        super().__init__()
        self.chosen = Plan(lanes=[])
        self.hints: Hints | None = None

    def plan(self, hints: Hints, workers: int) -> Plan:
        self.hints = hints
        return self.chosen


class Graph(PlannedStrategy):
    """The dependency graph of the hints."""

    name: ClassVar[str] = "graph"

    def plan(self, hints: Hints, workers: int) -> Plan:
        return Plan(edges=hints.conflict_edges())


@pytest.fixture(scope="module")
def followed() -> Following:
    return Following()


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, data=st.data(), workers=st.integers(1, 4))
def test_any_lanes_end_in_the_serial_result(
    equivalence: Equivalence, followed: Following, block: Block, data: st.DataObject, workers: int
) -> None:
    places = st.lists(st.integers(0, len(block) - 1), max_size=10).map(lambda found: np.array(found, np.int64))
    followed.chosen = Plan(lanes=data.draw(st.lists(places, max_size=5)))
    equivalence.check(followed, block, WORLD, workers)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, data=st.data(), workers=st.integers(1, 4))
def test_any_graph_ends_in_the_serial_result(
    equivalence: Equivalence, followed: Following, block: Block, data: st.DataObject, workers: int
) -> None:
    edges = npst.arrays(np.int64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.integers(0, len(block) - 1))
    followed.chosen = Plan(edges=data.draw(edges))
    equivalence.check(followed, block, WORLD, workers)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_true_dependency_graph_needs_no_repair(equivalence: Equivalence, graph: Graph, workers: int) -> None:
    acts = [Act(SENDERS[i % 4], CONTRACTS["keyed"], word(11 + i % 3)) for i in range(300)]
    outcome = equivalence.check(graph, block_of(acts), WORLD, workers, repeat=3)
    assert outcome.counters["aborts"] == 0
    assert outcome.counters["repairs"] == outcome.counters["wait_restarts"] == 0


def test_wrong_hints_are_repaired(equivalence: Equivalence, graph: Graph) -> None:
    # What the chaser writes depends on how many came before, so every hint but the first is wrong.
    outcome = equivalence.check(graph, hot("chaser", 200), WORLD, 2, repeat=3)
    assert outcome.receipts.status.sum() == 200


def test_hints_name_what_is_touched(equivalence: Equivalence, followed: Following) -> None:
    followed.chosen = Plan(lanes=[])
    acts = [Act(SENDERS[0], CONTRACTS["keyed"], word(11)), Act(SENDERS[1], CONTRACTS["keyed"], word(12))]
    equivalence.check(followed, block_of([*acts, acts[0]]), WORLD, 1)
    hints = followed.hints
    assert hints is not None
    assert hints.components().tolist() == [0, 1, 0]
    assert {tuple(edge) for edge in hints.conflict_edges().tolist()} == {(0, 2)}
    # Nonce, balance and code of the sender, code of the contract, and the slot; three of the five are written.
    assert np.diff(hints.offsets).tolist() == [5, 5, 5]
    assert [int(hints.writes[a:b].sum()) for a, b in zip(hints.offsets, hints.offsets[1:], strict=False)] == [3, 3, 3]
    assert hints.costs.min() > 21_000


def _edges_by_hand(accesses: list[dict[int, bool]]) -> set[tuple[int, int]]:
    found = set()
    for later, mine in enumerate(accesses):
        for earlier in range(later):
            for location, writes in mine.items():
                if location in accesses[earlier] and (writes or accesses[earlier][location]):
                    found.add((earlier, later))
    return found


def _closure(edges: set[tuple[int, int]], size: int) -> npt.NDArray[np.bool_]:
    reach = np.zeros((size, size), np.bool_)
    for later in range(size):
        for earlier in range(later):
            if (earlier, later) in edges:
                reach[:, later] |= reach[:, earlier]
                reach[earlier, later] = True
    return reach


@settings(max_examples=200)
@given(st.lists(st.dictionaries(st.integers(0, 5), st.booleans(), max_size=4), min_size=1, max_size=12))
def test_edges_and_components_agree_with_brute_force(accesses: list[dict[int, bool]]) -> None:
    offsets = np.cumsum([0, *(len(a) for a in accesses)]).astype(np.int64)
    locations = np.array([location for a in accesses for location in a], np.int64)
    writes = np.array([write for a in accesses for write in a.values()], np.bool_)
    hints = Hints(offsets, locations, writes, np.ones(len(accesses), np.int64), 6)
    expected = _edges_by_hand(accesses)
    found = {(int(a), int(b)) for a, b in hints.conflict_edges()}
    assert found <= expected
    size = len(accesses)
    assert np.array_equal(_closure(found, size), _closure(expected, size))
    label = list(range(size))
    written = {location for a in accesses for location, write in a.items() if write}
    for _ in range(size):
        for i, mine in enumerate(accesses):
            for j, other in enumerate(accesses):
                if written & mine.keys() & other.keys():
                    label[i] = label[j] = min(label[i], label[j])
    assert hints.components().tolist() == label


def test_repeated_transactions_count_once_and_missing_ones_are_known() -> None:
    arrays = PlanArrays.of(Plan(lanes=[np.array([4, 0, 4]), np.array([0, 2])]), 6)
    assert arrays.lanes.tolist() == [4, 2]
    assert arrays.next_in_lane.tolist() == [-1, -1, -1, -1, 0, -1]
    assert (arrays.planned, arrays.missing) == (3, 1)


@pytest.mark.parametrize("plan", [Plan(lanes=[np.array([0, 9])]), Plan(edges=np.array([[0, 9]]))])
def test_a_plan_for_transactions_that_are_not_there_is_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match="names transaction 9, but the block has 5"):
        PlanArrays.of(plan, 5)


@given(npst.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 1000)), st.integers(1, 6))
def test_longest_first_packing_keeps_grahams_bound(costs: npt.NDArray[np.int64], bins: int) -> None:
    found = pack_longest_first(costs, bins)
    loads = np.bincount(found, weights=costs, minlength=bins)
    lower = max(costs.sum() / bins, costs.max())
    # Against the better of the two lower bounds, greedy is never worse than twice.
    assert loads.max() <= 2 * lower
    assert loads.sum() == costs.sum()
