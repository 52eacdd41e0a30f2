"""The window: serial results on every clock, two executions a transaction at most, and a window that is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from adversarial import CONTRACTS, ETHER, Act, adversarial_state, block_of, hot
from assembler import assemble
from equivalence import Equivalence

from contend.evm import Block, State
from contend.harness.testing import build_scenario
from contend.strategies.base import Outcome
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.optimistic.occ_window.strategy import OccWindow
from contend.workloads.files.replay import Replay
from contend.workloads.registry import BUILT_IN

WORLD = adversarial_state()
BLOCKS = ("15537394.cancun", "19923400")


@pytest.fixture(scope="module")
def window() -> Iterator[OccWindow]:
    made = OccWindow()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def usual(window: OccWindow) -> None:
    window.clock = WALL
    for name in ("transactions_per_worker", "adapts", "compares_values"):
        setattr(window, name, getattr(OccWindow, name))


def each_by_its_own_sender(contract: bytes, state: State | None = None) -> tuple[Block, State]:
    """Forty calls of a contract that have nothing else in common."""
    state = state or adversarial_state()
    block = block_of([Act(bytes([0xA0, i]) + bytes(18), contract) for i in range(40)])
    for act in block:
        state.set_balance(act.sender, ETHER)
    return block, state


def run(equivalence: Equivalence, window: OccWindow, block: Block, state: State = WORLD, workers: int = 4) -> Outcome:
    outcome = equivalence.check(window, block, state, workers)
    assert outcome.counters["executions"] <= 2 * len(block)
    return outcome


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_no_transaction_is_executed_more_than_twice(
    equivalence: Equivalence, window: OccWindow, workload: str, clock: Clock
) -> None:
    scenario = build_scenario(workload, block_size=150)
    window.clock = clock
    run(equivalence, window, scenario.blocks[0], scenario.genesis, workers=8)


@pytest.mark.parametrize("name", BLOCKS)
def test_real_blocks_are_executed_twice_at_most(
    equivalence: Equivalence, window: OccWindow, mainnet_blocks: Path, name: str
) -> None:
    scenario = Replay().build({"file": str(mainnet_blocks / f"{name}.json.gz")}, 1, 1)
    for clock, workers in ((WALL, 2), (VirtualClock(), 16)):
        window.clock = clock
        run(equivalence, window, scenario.blocks[0], scenario.genesis, workers)


def test_a_window_of_one_is_serial(equivalence: Equivalence, window: OccWindow) -> None:
    window.clock, window.transactions_per_worker = VirtualClock(), 0
    outcome = run(equivalence, window, hot("counter", 60))
    # Nothing is executed ahead of the commit point, so nothing is stale.
    assert outcome.counters["executions"] == 60
    assert outcome.counters["validations"] == 60


def test_on_one_hot_location_everyone_else_is_executed_again(equivalence: Equivalence, window: OccWindow) -> None:
    window.clock, window.adapts = VirtualClock(), False
    fixed = run(equivalence, window, hot("counter", 60)).counters["aborts"]
    assert fixed > 50
    window.adapts = True
    # A window that has become small executes less in vain.
    assert 0 < run(equivalence, window, hot("counter", 60)).counters["aborts"] < fixed - 10


def test_who_needs_the_beneficiarys_balance_is_executed_at_its_turn(
    equivalence: Equivalence, window: OccWindow
) -> None:
    window.clock, window.adapts = VirtualClock(), False
    outcome = run(equivalence, window, *each_by_its_own_sender(CONTRACTS["miner_watcher"]))
    assert outcome.counters["wait_restarts"] > 10
    assert outcome.counters["executions"] == 40 + outcome.counters["wait_restarts"] + outcome.counters["aborts"]


def test_versions_find_stale_what_values_do_not(equivalence: Equivalence, window: OccWindow) -> None:
    # A switch that is turned an even number of times is as it was.
    state, switch = adversarial_state(), bytes([0xC9]) * 20
    state.set_code(switch, assemble("0 SLOAD ISZERO 0 SSTORE"))
    block, _ = each_by_its_own_sender(switch, state)
    window.clock, window.adapts = VirtualClock(), False
    by_value = run(equivalence, window, block, state).counters["aborts"]
    window.compares_values = False
    by_version = run(equivalence, window, block, state).counters["aborts"]
    assert 0 < by_value < by_version
