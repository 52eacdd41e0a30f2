"""The graph of hinted accesses is the naive one, whoever grows it in whatever order; and what executes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import cast

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies import registry
from contend.strategies.base import Strategy
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import WALL
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.dependency import linking
from contend.strategies.dependency.graph_engine import GraphStrategy
from contend.strategies.dependency.locks import Locks
from contend.strategies.given import TRUTH
from tests.strategies.dependency.growing import GrownGraph, Sets, naive_edges

WORLD = adversarial_state()
CONTENDERS = ("groups+truth", "groups+dry_run", "locks+truth", "locks+dry_run")
access = st.tuples(st.integers(0, 5), st.booleans())
access_sets = st.lists(st.lists(access, max_size=4, unique_by=lambda one: one[0]), min_size=1, max_size=40)


@cache
def idle_block(size: int) -> Block:
    return block_of([Act(SENDERS[0], SENDERS[1]) for _ in range(size)])


@pytest.mark.bounds
@settings(max_examples=100)
@given(sets=access_sets, exclusive=st.booleans(), workers=st.integers(1, 5), seed=st.none() | st.integers(0, 2**32))
def test_the_graph_is_the_naive_one(sets: Sets, exclusive: bool, workers: int, seed: int | None) -> None:
    clock = WALL if seed is None else Schedule(seed)
    grown = GrownGraph(idle_block(len(sets)), WORLD.copy(), sets, exclusive, workers, clock)
    expected = naive_edges(sets, exclusive)
    assert grown.edges == expected
    waits = [sum(count for (_, later), count in expected.items() if later == i) for i in range(len(sets))]
    assert grown.waits == waits
    assert grown.ready == {i for i, count in enumerate(waits) if count == 0}


def test_a_location_that_is_hinted_twice_holds_up_nobody_for_ever() -> None:
    twice = [(3, False), (3, True), (3, False), (3, True)]
    grown = GrownGraph(idle_block(3), WORLD.copy(), [twice] * 3, True, 2, Schedule(1))
    assert all(earlier < later for earlier, later in grown.edges)
    assert grown.ready == {0}


@pytest.fixture(scope="module", params=CONTENDERS)
def made(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with registry.get(request.param)() as strategy:
        yield strategy


@pytest.mark.bounds
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_any_schedule_gives_the_serial_result(
    equivalence: Equivalence, made: Strategy, block: Block, workers: int, seed: int
) -> None:
    made.clock = Schedule(seed)
    outcome = equivalence.check(made, block, WORLD, workers)
    counters = outcome.counters
    again = counters["aborts"] + counters["wait_restarts"] + counters["repairs"]
    assert counters["executions"] == len(block) + again


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_everyone_calls_one_contract(equivalence: Equivalence, made: Strategy, name: str) -> None:
    for clock, workers in ((WALL, 2), (WALL, 3), (VirtualClock(), 8)):
        made.clock = clock
        equivalence.check(made, hot(name, 200), WORLD, workers)


@pytest.mark.parametrize("name", ["groups+truth", "locks+truth"])
@pytest.mark.parametrize("workers", [1, 3, 16])
def test_the_truth_needs_no_repair_and_one_validation_each(equivalence: Equivalence, name: str, workers: int) -> None:
    acts = [Act(SENDERS[i % 4], CONTRACTS["counter" if i % 3 else "chaser"]) for i in range(200)]
    with registry.get(name)() as strategy:
        strategy.clock = VirtualClock()
        counters = equivalence.check(strategy, block_of(acts), WORLD, workers).counters
    assert counters["executions"] == counters["validations"] == len(acts)
    if workers == 1:
        # It is given no graph, and takes one after the other.
        assert counters["chained"] == counters["waits"] == 0
        assert counters["sure"] == len(acts)
    else:
        # One goes on along the chain, or others have begun and wait for their read.
        assert counters["chained"] + counters["waits"] > len(acts) // 2


def test_wrong_hints_are_repaired(equivalence: Equivalence) -> None:
    """Or else the sums above would hold for want of anything to repair."""
    acts = [Act(SENDERS[i % 4], CONTRACTS["miner_watcher" if i % 3 == 0 else "chaser"]) for i in range(60)]
    for name in ("groups+dry_run", "locks+dry_run"):
        found = dict.fromkeys(("repairs", "waits"), 0)
        with registry.get(name)() as strategy:
            for seed in range(6):
                strategy.clock = Schedule(seed)
                counters = equivalence.check(strategy, block_of(acts), WORLD, 4).counters
                for counter in found:
                    found[counter] += counters[counter]
        assert all(found.values()), (name, found)


@pytest.mark.parametrize("name", ["groups+truth", "locks+truth"])
def test_one_instance_takes_blocks_of_any_size(equivalence: Equivalence, name: str) -> None:
    with registry.get(name)() as strategy:
        strategy.clock = VirtualClock()
        for size in (0, 1, 63, 64, 65, 200):
            equivalence.check(strategy, hot("counter", size), WORLD, 3)


def trusting(kind: type[GraphStrategy]) -> type[GraphStrategy]:
    """The same strategy without validation."""

    def prepare(self: GraphStrategy, space: Workspace, image: BlockImage, state: State) -> None:
        kind.prepare(self, space, image, state)
        space.shared["validation_idx"] = len(image)

    return type(kind.__name__, (kind,), {"prepare": prepare})


def check_unvalidated(equivalence: Equivalence, kind: type[GraphStrategy]) -> None:
    acts = [Act(SENDERS[i % 4], CONTRACTS["counter" if i % 2 else "chaser"]) for i in range(60)]
    with trusting(kind)() as strategy:
        for seed in range(8):
            strategy.clock = Schedule(seed)
            assert equivalence.check(strategy, block_of(acts), WORLD, 4).counters["validations"] == 0


@pytest.mark.parametrize("name", ["groups+truth", "locks+truth"])
def test_with_the_truth_the_graph_alone_gives_the_serial_result(equivalence: Equivalence, name: str) -> None:
    check_unvalidated(equivalence, cast("type[GraphStrategy]", registry.get(name)))


def wait_for_nobody(shared, graph, predecessor, place):  # type: ignore[no-untyped-def]  # a kernel
    """A predecessor is not counted: a lock is granted at once."""
    return False


def test_a_lock_that_is_granted_at_once_is_noticed(equivalence: Equivalence) -> None:
    """Or else the test above would prove nothing. In `groups` readers would wait at their reads all the same."""
    copies = Variant([sys.modules[Locks.__module__]], [Replacement(linking, wait_for_nobody, "wait_behind")])
    copy = copies.module(sys.modules[Locks.__module__]).Locks
    with pytest.raises(AssertionError):
        check_unvalidated(equivalence, type("Locks", (copy,), {"given": TRUTH}))
