"""Executions add up: each stands or was thrown away for one reason, under any strategy, block and schedule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot
from equivalence import Equivalence
from half_plan import HalfPlan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planted_bugs import checker_only

from contend.evm import Block, State
from contend.harness.record.content.execution_counts import contradiction, wasted
from contend.harness.testing import build_scenario
from contend.harness.verify.schedule_fuzzer.campaign import batches
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL
from contend.strategies import registry
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks import WALL
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.planned.static_partition import StaticPartition
from contend.strategies.sharded import Sharded, ShardedOrdered

WORLD = adversarial_state()
KINDS = (registry.get("serial"), BlockSTM, StaticPartition, HalfPlan, Sharded, ShardedOrdered)
PLANNED = (StaticPartition, HalfPlan)
WORKLOADS = ("payments", "swaps", "nft")


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def made(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with request.param() as strategy:
        yield strategy


@cache
def scenario(workload: str) -> tuple[State, Block]:
    built = build_scenario(workload, {}, 3, 60)
    return built.genesis, built.blocks[0]


def check(outcome: Outcome, transactions: int, kind: type[Strategy]) -> None:
    """All that is true of the counters of any outcome."""
    counters = outcome.counters
    located = None if outcome.abort_locations is None else int(outcome.abort_locations[1].sum())
    assert contradiction(counters, transactions, located) is None
    parts = [counters.get(name, 0) for name in ("aborts", "wait_restarts", "repairs")]
    assert counters["executions"] == transactions + sum(parts)
    assert wasted(counters, transactions) == sum(parts) >= 0
    assert ("repairs" in counters, "dry_runs" in counters) == (kind in PLANNED,) * 2
    if kind in PLANNED:
        assert counters["repairs"] <= transactions == counters["dry_runs"]
    assert counters.get("deferred", 0) <= transactions


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_executions_add_up_in_every_schedule(made: Strategy, block: Block, workers: int, seed: int) -> None:
    made.clock = Schedule(seed)
    check(made.execute(block, WORLD.copy(), workers), len(block), type(made))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_executions_add_up_on_workloads(made: Strategy, workload: str) -> None:
    genesis, block = scenario(workload)
    for workers in (1, 3, 16):
        made.clock = VirtualClock()
        check(made.execute(block, genesis.copy(), workers), len(block), type(made))


@pytest.mark.parametrize("name", ["counter", "chaser", "miner_watcher"])
def test_executions_add_up_in_threads_and_processes(equivalence: Equivalence, made: Strategy, name: str) -> None:
    made.clock = WALL
    block = hot(name, 150)
    check(equivalence.check(made, block, WORLD, 3), len(block), type(made))


def test_a_schedule_under_which_steps_are_cut_adds_up() -> None:
    for kind in (BlockSTM, StaticPartition):
        checker = checker_only(kind)
        try:
            for batch in batches([kind.name], [ADVERSARIAL], (2, 4), 100, seed=11):
                for case in batch.cases():
                    assert checker.differences(case) == []
        finally:
            checker.close()


def test_each_reason_to_execute_again_is_met() -> None:
    """Or else the sums above would hold for want of anything to add."""
    found = dict.fromkeys(("aborts", "wait_restarts", "repairs", "waits", "dry_runs", "deferred"), 0)
    acts = [Act(SENDERS[i % 4], CONTRACTS["miner_watcher" if i % 3 == 0 else "chaser"]) for i in range(60)]
    kinds: tuple[type[Strategy], ...] = KINDS
    for kind, seed in product(kinds, range(6)):
        with kind() as strategy:
            strategy.clock = Schedule(seed)
            counters = strategy.execute(block_of(acts), WORLD.copy(), 4).counters
        for name in found:
            found[name] += counters.get(name, 0)
    assert all(found.values()), found


def test_a_deferred_execution_counts_as_begun_again_after_a_wait() -> None:
    acts = [Act(sender, CONTRACTS["miner_watcher"]) for sender in SENDERS for _ in range(5)]
    with Sharded() as strategy:
        strategy.clock = VirtualClock()
        counters = strategy.execute(block_of(acts), WORLD.copy(), 4).counters
    # Of each sender the first transaction was begun; the others wait for it.
    assert counters["deferred"] == len(acts)
    assert counters["wait_restarts"] == len(SENDERS)
    assert counters["executions"] == len(acts) + len(SENDERS) + counters["aborts"]


def test_no_more_is_repaired_than_was_planned() -> None:
    block = hot("counter", 40)
    for kind in PLANNED:
        with kind() as strategy:
            strategy.clock = VirtualClock()
            counters = strategy.execute(block, WORLD.copy(), 4).counters
        planned = len(block) if kind is StaticPartition else len(block) // 2
        assert counters["repairs"] <= planned
        assert (counters["repairs"] > 0) == (kind is HalfPlan)
