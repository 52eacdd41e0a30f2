"""What a block's phases take grows with the block, never with the state around it."""

from __future__ import annotations

from functools import cache

import pytest
from large_state import among_unused

from contend.evm import State
from contend.strategies.base import Outcome
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get
from contend.workloads import registry
from contend.workloads.base import Scenario
from contend.workloads.dials import resolve_dials

FEW, MANY = 10_000, 1_000_000  # accounts that take part in nothing
WORKERS = 8
STRATEGIES = ("serial", "block_stm", "static_partition")
# Workers share locations out by their numbers, which are others among other accounts, and so wait otherwise for each
# other. That is no growth: a hundredfold state would show in far more than a thousandth.
SLACK = {"static_partition": 1e-3}


@cache
def scenario(workload: str) -> Scenario:
    kind = registry.get(workload)
    return kind().build(resolve_dials(kind, {}), 1, 300)


@cache
def genesis(workload: str, accounts: int) -> State:
    return among_unused(scenario(workload).genesis, accounts)


def run(name: str, workload: str, accounts: int) -> tuple[Outcome, int]:
    """The outcome of the second of two runs, which finds all memory made, and its picoseconds."""
    state = genesis(workload, accounts)
    before = state.snapshot()
    with get(name)() as strategy:
        for _ in range(2):
            strategy.clock = clock = VirtualClock()
            outcome = strategy.execute(scenario(workload).blocks[0], state, WORKERS)
            state.restore(before)
    return outcome, clock.picoseconds


@pytest.mark.parametrize("workload", ["payments", "swaps"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_unused_accounts_take_no_simulated_time(name: str, workload: str) -> None:
    few, few_ps = run(name, workload, FEW)
    many, many_ps = run(name, workload, MANY)
    assert many_ps == pytest.approx(few_ps, rel=SLACK.get(name, 0.0))
    assert few_ps > 0
    if name not in SLACK:
        assert many.phases == few.phases
    assert many.counters == few.counters
    assert many.receipts.digest == few.receipts.digest
    assert many.changes is not None
    assert few.changes is not None
    assert many.changes.digest == few.changes.digest
    assert len(many.changes) > 300


def test_the_accounts_are_there_and_unused() -> None:
    state = genesis("payments", FEW)
    assert state.count == FEW + scenario("payments").genesis.count
    plain = scenario("payments").genesis
    assert len(state.contents()) == FEW + len(plain.contents())
