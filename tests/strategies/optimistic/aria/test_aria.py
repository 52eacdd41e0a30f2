"""Aria: serial results in the order that it names, on every clock, and batches that are what the paper says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adversarial import ETHER, Act, adversarial_state, block_of, blocks, hot
from assembler import assemble
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.harness.testing import build_scenario
from contend.strategies.base import Outcome
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.optimistic.aria.strategy import Aria, AriaInPlace
from contend.workloads.files.replay import Replay
from contend.workloads.registry import BUILT_IN

WORLD = adversarial_state()
COPIER = b"\xc0" * 20


@pytest.fixture(scope="module", params=[Aria, AriaInPlace], ids=lambda kind: kind.name)
def aria(request: pytest.FixtureRequest) -> Iterator[Aria]:
    made = request.param()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def usual(aria: Aria) -> None:
    aria.clock, aria.transactions_per_worker = VirtualClock(), Aria.transactions_per_worker


def order_of(outcome: Outcome, block: Block) -> list[int]:
    return list(range(len(block))) if outcome.order is None else outcome.order.tolist()


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("workload", sorted(BUILT_IN))
def test_every_workload_is_serial_in_the_order_that_is_named(
    equivalence: Equivalence, aria: Aria, workload: str, clock: Clock
) -> None:
    scenario = build_scenario(workload, block_size=150)
    aria.clock = clock
    equivalence.check(aria, scenario.blocks[0], scenario.genesis, 6)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 5), size=st.integers(1, 6))
def test_any_small_block(equivalence: Equivalence, aria: Aria, block: Block, workers: int, size: int) -> None:
    aria.transactions_per_worker = size
    outcome = equivalence.check(aria, block, WORLD, workers)
    order = order_of(outcome, block)
    assert sorted(order) == list(range(len(block)))
    for sender in {act.sender for act in block}:
        mine = [i for i in order if block.transactions[i].sender == sender]
        assert mine == sorted(mine)


@pytest.mark.parametrize("name", ["15537394.cancun", "19923400"])
def test_an_order_that_is_binding_is_kept(
    equivalence: Equivalence, aria: Aria, mainnet_blocks: Path, name: str
) -> None:
    scenario = Replay().build({"file": str(mainnet_blocks / f"{name}.json.gz")}, 1, 1)
    for clock, workers in ((WALL, 2), (VirtualClock(), 16)):
        aria.clock = clock
        outcome = equivalence.check(aria, scenario.blocks[0], scenario.genesis, workers)
        assert outcome.order is None


def chain(count: int) -> tuple[Block, State]:
    """Transactions that each write a slot, and have read the slot that the one before writes."""
    state = adversarial_state()
    # storage[calldata[32:]] = storage[calldata[:32]] + 1
    state.set_code(COPIER, assemble("0 CALLDATALOAD SLOAD 1 ADD 32 CALLDATALOAD SSTORE"))
    acts = []
    for i in range(count):
        sender = bytes([0xA0, i]) + bytes(18)
        state.set_balance(sender, ETHER)
        acts.append(Act(sender, COPIER, i.to_bytes(32, "big") + (i + 1).to_bytes(32, "big")))
    return block_of(acts), state


def test_a_chain_of_readers_is_committed_at_once_from_its_end(equivalence: Equivalence) -> None:
    block, state = chain(24)
    with Aria() as aria:
        aria.clock = VirtualClock()
        outcome = equivalence.check(aria, block, state, 24)
        assert order_of(outcome, block) == [*reversed(range(1, 24)), 0]
        assert outcome.counters["batches"] == 1
        assert outcome.counters["executions"] == 24


def test_of_two_that_read_what_the_other_writes_one_waits(equivalence: Equivalence, aria: Aria) -> None:
    block, state = chain(2)
    first, second = block.transactions
    crossed = block_of(
        [Act(first.sender, COPIER, first.data), Act(second.sender, COPIER, first.data[32:] + first.data[:32])]
    )
    outcome = equivalence.check(aria, crossed, state, 2)
    assert outcome.counters["batches"] == 2
    assert outcome.order is None


def test_without_reordering_it_is_committed_one_by_one(equivalence: Equivalence) -> None:
    block, state = chain(24)
    with AriaInPlace() as aria:
        aria.clock = VirtualClock()
        outcome = equivalence.check(aria, block, state, 24)
        assert outcome.order is None
        assert outcome.counters["batches"] == 24


def test_what_everybody_writes_is_committed_once_a_batch(equivalence: Equivalence, aria: Aria) -> None:
    block = hot("counter", 20)
    outcome = equivalence.check(aria, block, WORLD, 4)
    assert outcome.counters["batches"] == 20
    assert order_of(outcome, block) == list(range(20))


def test_a_single_worker_executes_nothing_for_nothing(equivalence: Equivalence, aria: Aria) -> None:
    outcome = equivalence.check(aria, hot("counter", 20), WORLD, 1)
    assert outcome.counters["executions"] == 20
    assert outcome.order is None


def test_batches_do_not_depend_on_who_executes_what(equivalence: Equivalence, aria: Aria) -> None:
    scenario = build_scenario("swaps", block_size=120)
    found = []
    for clock in (WALL, VirtualClock(), WALL):
        aria.clock = clock
        outcome = equivalence.check(aria, scenario.blocks[0], scenario.genesis, 4)
        found.append((order_of(outcome, scenario.blocks[0]), outcome.counters["executions"]))
    assert found[0] == found[1] == found[2]


def test_readers_of_the_beneficiary_s_balance_come_first(equivalence: Equivalence, aria: Aria) -> None:
    coinbase = block_of([]).environment.coinbase
    acts = [Act(bytes([0xA0, i]) + bytes(18), coinbase if i % 3 else bytes([0xEE]) * 20, value=i) for i in range(18)]
    state = adversarial_state()
    for act in acts:
        state.set_balance(act.sender, ETHER)
    outcome = equivalence.check(aria, block_of(acts), state, 4)
    assert outcome.counters["wait_restarts"] > 0


def test_reservations_of_earlier_blocks_are_of_no_account(equivalence: Equivalence, aria: Aria) -> None:
    scenario = build_scenario("nft", block_size=80)
    first = [equivalence.check(aria, scenario.blocks[0], scenario.genesis, 4) for _ in range(3)]
    assert len({tuple(order_of(outcome, scenario.blocks[0])) for outcome in first}) == 1
    aria._stamp = 1
    again = equivalence.check(aria, scenario.blocks[0], scenario.genesis, 4)
    assert np.array_equal(order_of(again, scenario.blocks[0]), order_of(first[0], scenario.blocks[0]))
