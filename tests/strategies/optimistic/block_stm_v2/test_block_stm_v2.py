"""Block-STM's second version: serial results on every clock, and only those told that have read what is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from adversarial import ETHER, Act, adversarial_state, block_of, blocks, hot
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block
from contend.harness.testing import build_scenario
from contend.strategies.block_stm.layout import VERSION
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.optimistic.block_stm_v2.layout import READ_VERSION
from contend.strategies.optimistic.block_stm_v2.strategy import BlockSTMv2
from contend.workloads.files.replay import Replay
from contend.workloads.registry import BUILT_IN

WORLD = adversarial_state()


@pytest.fixture(scope="module")
def second() -> Iterator[BlockSTMv2]:
    made = BlockSTMv2()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def usual(second: BlockSTMv2) -> None:
    second.clock, second.compares_values, second.expects_writers = VirtualClock(), False, True


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_every_workload_is_serial(equivalence: Equivalence, second: BlockSTMv2, workload: str, clock: Clock) -> None:
    scenario = build_scenario(workload, block_size=150)
    second.clock = clock
    equivalence.check(second, scenario.blocks[0], scenario.genesis, 6)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 5), values=st.booleans(), expects=st.booleans())
def test_any_small_block(
    equivalence: Equivalence, second: BlockSTMv2, block: Block, workers: int, values: bool, expects: bool
) -> None:
    second.compares_values, second.expects_writers = values, expects
    equivalence.check(second, block, WORLD, workers)


@pytest.mark.parametrize("name", ["15537394.cancun", "19923400"])
def test_real_blocks(equivalence: Equivalence, second: BlockSTMv2, mainnet_blocks: Path, name: str) -> None:
    scenario = Replay().build({"file": str(mainnet_blocks / f"{name}.json.gz")}, 1, 1)
    for clock, workers in ((WALL, 2), (VirtualClock(), 16)):
        second.clock = clock
        equivalence.check(second, scenario.blocks[0], scenario.genesis, workers)


def test_a_version_is_that_of_multi_version_memory() -> None:
    moved = {"readers": "written"}
    assert VERSION.offsets == {moved.get(name, name): offset for name, offset in READ_VERSION.offsets.items()}


def test_a_single_worker_tells_nobody_and_executes_nothing_twice(equivalence: Equivalence, second: BlockSTMv2) -> None:
    outcome = equivalence.check(second, hot("counter", 20), WORLD, 1)
    assert outcome.counters["executions"] == 20
    assert outcome.counters["validations"] == 0


def test_on_a_hot_location_readers_stand_where_they_are_expected_to_write(
    equivalence: Equivalence, second: BlockSTMv2
) -> None:
    block, executions = hot("counter", 200), []
    for second.expects_writers in (False, True):
        outcome = equivalence.check(second, block, WORLD, 16)
        executions.append(outcome.counters["executions"])
    assert executions[1] < executions[0] / 2
    assert outcome.counters["waits"] > 100


def test_readers_of_the_beneficiary_s_balance_stand_for_it(equivalence: Equivalence, second: BlockSTMv2) -> None:
    coinbase = block_of([]).environment.coinbase
    acts = [Act(bytes([0xA0, i]) + bytes(18), coinbase if i % 3 else bytes([0xEE]) * 20, value=i) for i in range(18)]
    state = adversarial_state()
    for act in acts:
        state.set_balance(act.sender, ETHER)
    outcome = equivalence.check(second, block_of(acts), state, 4)
    assert outcome.counters["waits"] + outcome.counters["wait_restarts"] > 0


def test_a_sender_of_hundreds_is_not_given_up_as_contended() -> None:
    """Executed too early, a transaction is invalid by its nonce; that it has not written then says nothing."""
    scenario = build_scenario("supply", block_size=5_000, blocks=2)
    with BlockSTMv2() as strategy:
        strategy.clock = VirtualClock()
        for block in scenario.blocks:
            outcome = strategy.execute(block, scenario.genesis, 32)
    # On this block's longest nonce alone there were 13,941 aborts.
    assert outcome.counters["aborts"] < 1_000
