"""Placeholders: waiting costs no execution, right hints no validation, wrong ones time and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.state import location_of
from contend.harness.plan.clock_options import read_costs
from contend.harness.testing import Equivalence, build_scenario
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.strategies import registry
from contend.strategies.base import Outcome
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import TRUTH, Knowledge, RecordedSets
from contend.strategies.placeholder.strategy import Placeholder
from contend.strategies.serial import Serial

ROOT = Path(__file__).resolve().parents[3]
WORLD = adversarial_state()


@cache
def with_machines(count: int) -> Placeholder:
    """The strategy given the truth, with so many machines a worker; kept, since its kernels and rooms are the same."""
    kind = registry.get("placeholder+truth")
    made = cast("type[Placeholder]", type("Placeholder", (kind,), {"machines_per_worker": count}))
    return made()


def truth_of(block: Block, genesis: State) -> RecordedSets:
    known = BlockKnowledge([block], genesis.copy(), Serial()).of(0, TRUTH).recorded
    assert known is not None
    return known


def check(block: Block, genesis: State, workers: int, known: RecordedSets, machines: int, clock: Clock) -> Outcome:
    """Execute with these hints and compare with the serial result."""
    state = genesis.copy()
    snapshot = state.snapshot()
    oracle = Oracle(block, state, snapshot, Serial(), {})
    strategy = with_machines(machines)
    strategy.clock, strategy.knowledge = clock, Knowledge(recorded=known)
    outcome = strategy.execute(block, state, workers)
    assert oracle.check(outcome, state.changes_since(snapshot)) == []
    return outcome


def keep(sets: RecordedSets, kept: np.ndarray) -> RecordedSets:
    """The sets with some of their entries only."""
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        sets, offsets=before[sets.offsets].astype(np.int64), entries=sets.entries[kept], writes=sets.writes[kept]
    )


@pytest.mark.parametrize("machines", [1, 2, 8])
@pytest.mark.parametrize("name", ["counter", "chaser", "reverter", "miner_watcher"])
def test_everyone_calls_one_contract_whatever_the_machines(name: str, machines: int) -> None:
    block = hot(name, 120)
    for workers, clock in ((1, WALL), (3, WALL), (2, VirtualClock()), (16, VirtualClock())):
        check(block, WORLD, workers, truth_of(block, WORLD), machines, clock)


@pytest.mark.parametrize("workload", ["dao", "payments", "mixed"])
def test_right_hints_execute_everything_once_and_validate_nothing(workload: str) -> None:
    scenario = build_scenario(workload, {}, 5, 150)
    block, genesis = scenario.blocks[0], scenario.genesis
    for workers in (1, 4, 32):
        counters = check(block, genesis, workers, truth_of(block, genesis), 8, VirtualClock()).counters
        assert counters["executions"] == len(block)
        assert counters["validations"] == counters["repairs"] == 0
    assert counters["waits"] > 0


def test_more_machines_let_a_worker_go_on_beside_a_chain() -> None:
    """With one machine a worker that waits has nothing else to do; with eight it executes what waits for nobody.

    How often transactions wait says nothing about it: one may wait again at each location that it reads.
    """
    half = len(SENDERS) // 2
    chain = [Act(SENDERS[i % half], CONTRACTS["counter"], word(11)) for i in range(80)]
    beside = [Act(SENDERS[half + i % half], bytes([0xEE, i]) * 10, value=1) for i in range(80)]
    block = block_of([*chain, *beside])
    known = truth_of(block, WORLD)
    one, eight = (check(block, WORLD, 16, known, count, VirtualClock()) for count in (1, 8))
    assert sum(eight.phases.values()) < 0.9 * sum(one.phases.values())


def test_unexpected_writes_are_found_and_repaired() -> None:
    block = hot("counter", 200)
    sets = truth_of(block, WORLD)
    nothing = check(block, WORLD, 8, keep(sets, ~sets.writes), 8, VirtualClock()).counters
    assert nothing["repairs"] > 0
    # Of the transactions below the first unexpected write none can be wrong.
    late = np.arange(len(sets.entries)) < sets.offsets[-20]
    some = check(block, WORLD, 8, keep(sets, late | ~sets.writes), 8, VirtualClock()).counters
    assert 0 < some["repairs"] <= 20
    assert some["validations"] < nothing["validations"]


def test_one_unexpected_write_repairs_no_more_of_a_chain_than_has_executed_by_then() -> None:
    """Whoever reads past it is found stale while those behind still wait, and they get the right word.

    So it is by costs under which the chain grows more slowly than it is repaired (docs/decisions.md).
    """
    clock = VirtualClock(read_costs(str(ROOT / "docs" / "costs" / "2026-11-30.json")))
    block, missing = hot("counter", 400), 20
    sets = truth_of(block, WORLD)
    slots = np.array([location_of(key).kind == "storage" for key in sets.keys])
    own = np.arange(sets.offsets[missing], sets.offsets[missing + 1])
    kept = np.ones(len(sets.entries), np.bool_)
    kept[own[slots[sets.entries[own]]]] = False
    # Two may come to execute it before anybody reads past it; so many cannot.
    for workers in (8, 16):
        counters = check(block, WORLD, workers, keep(sets, kept), 4, clock).counters
        assert 0 < counters["repairs"] < 100


def test_writes_that_do_not_come_are_waited_for_and_missed_by_nobody() -> None:
    block = hot("counter", 100)
    sets = truth_of(block, WORLD)
    counters = check(block, WORLD, 8, replace(sets, writes=np.ones_like(sets.writes)), 8, VirtualClock()).counters
    assert counters["repairs"] == counters["validations"] == 0


@pytest.mark.bounds
@settings(max_examples=60)
@given(
    block=blocks,
    workers=st.integers(1, 4),
    machines=st.sampled_from([1, 2, 8]),
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
)
def test_damaged_hints_cost_time_and_nothing_else(
    block: Block, workers: int, machines: int, seed: int, share: float
) -> None:
    sets = truth_of(block, WORLD)
    random = np.random.default_rng(seed)
    damaged = random.random(len(sets.writes)) < share
    flipped = replace(sets, writes=sets.writes ^ damaged)
    kept = keep(flipped, random.random(len(sets.writes)) >= share / 2)
    check(block, WORLD, workers, kept, machines, Schedule(seed))


def test_dry_runs_serve_as_hints() -> None:
    scenario = build_scenario("swaps", {}, 5, 150)
    with registry.get("placeholder+dry_run")() as strategy:
        strategy.clock = VirtualClock()
        outcome = Equivalence(scenario.contracts).check(strategy, scenario.blocks[0], scenario.genesis, 8)
    assert outcome.counters["dry_runs"] == 150
    assert outcome.counters["executions"] == 150 + sum(
        outcome.counters[name] for name in ("aborts", "wait_restarts", "repairs")
    )


def test_adversarial_contracts_are_all_met() -> None:
    for name in sorted(CONTRACTS):
        block = hot(name, 40)
        check(block, WORLD, 4, truth_of(block, WORLD), 4, Schedule(7))
