"""Access lists made by strategies: every one makes the same as serial, to the byte, and that is the right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from adversarial import CONTRACTS, ENVIRONMENT, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.access_list import (
    access_list_content,
    access_list_of,
    decode,
    encode,
    first_difference,
    state_before,
)
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies.base import Strategy
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks import WALL
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.compiled import NoAccessListError
from contend.strategies.registry import built_in, get
from contend.workloads import registry as workloads
from contend.workloads.files.block_file import read_block

WORLD, SERIAL = adversarial_state(), get("serial")()
MAKERS = ["serial", "block_stm", "block_stm+truth", "static_partition", "occ_window"]
KEPT = [HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module", params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with get(request.param)() as made:
        made.makes_access_list = True
        yield made


def made_by(strategy: Strategy, block: Block, state: State, workers: int) -> bytes:
    before = state.snapshot()
    try:
        strategy.knowledge = BlockKnowledge([block], state, SERIAL).of(0, strategy.given)
        made = strategy.execute(block, state, workers).access_list
    finally:
        state.restore(before)
    assert made is not None
    return made


@pytest.mark.bounds
@settings(max_examples=60, suppress_health_check=KEPT)
@given(block=blocks, workers=st.integers(1, 4))
def test_any_small_block(maker: Strategy, block: Block, workers: int) -> None:
    right = access_list_content(block, WORLD)
    right.check(len(block))
    made = made_by(maker, block, WORLD, workers)
    assert first_difference(made, right, len(block), state_before(WORLD)) is None
    assert made == encode(right)


@settings(max_examples=15, suppress_health_check=KEPT)
@given(block=blocks, workers=st.integers(2, 40))
def test_simulated_workers_make_the_same(maker: Strategy, block: Block, workers: int) -> None:
    clock, maker.clock = maker.clock, VirtualClock()
    try:
        assert made_by(maker, block, WORLD, workers) == access_list_of(block, WORLD)
    finally:
        maker.clock = clock


@settings(max_examples=40, suppress_health_check=KEPT)
@given(block=blocks, workers=st.integers(2, 4), seed=st.integers(0, 2**32))
def test_any_schedule(maker: Strategy, block: Block, workers: int, seed: int) -> None:
    clock, maker.clock = maker.clock, Schedule(seed)
    try:
        assert made_by(maker, block, WORLD, workers) == access_list_of(block, WORLD)
    finally:
        maker.clock = clock


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_everyone_calls_one_contract(maker: Strategy, name: str) -> None:
    block = hot(name, 200)
    right = access_list_content(block, WORLD)
    for workers in (1, 3):
        assert made_by(maker, block, WORLD, workers) == encode(right)


def test_the_beneficiary_is_listed_with_the_fees_so_far(maker: Strategy) -> None:
    coinbase = ENVIRONMENT.coinbase
    acts = []
    for i in range(20):
        acts.append(Act(SENDERS[i % 4], coinbase, value=3))
        acts.append(Act(SENDERS[(i + 1) % 4], CONTRACTS["miner_watcher"]))
        acts.append(Act(coinbase, SENDERS[i % 4], value=1))
        acts.append(Act(SENDERS[i % 4], CONTRACTS["forwarder"], word(coinbase), value=10))
    block = block_of(acts)
    made = decode(made_by(maker, block, WORLD, 3))
    assert made == decode(access_list_of(block, WORLD))
    balances = next(account for account in made if account.address == coinbase).balance_changes
    assert [index for index, _ in balances] == list(range(1, len(block) + 1))
    before = WORLD.snapshot()
    SERIAL.execute(block, WORLD, 1)
    after = WORLD.balance(coinbase)
    WORLD.restore(before)
    assert balances[-1][1] == after


def built(name: str, size: int) -> tuple[Block, State]:
    workload = workloads.get(name)()
    scenario = workload.build({dial.name: dial.default for dial in workload.dials}, 1, size)
    return scenario.blocks[0], scenario.genesis


@pytest.mark.parametrize("name", workloads.names())
def test_every_workload(maker: Strategy, name: str) -> None:
    block, state = built(name, 60)
    assert made_by(maker, block, state, 3) == encode(access_list_content(block, state))


def test_a_large_block_is_divided(maker: Strategy) -> None:
    block, state = built("payments", 1500)
    made = made_by(maker, block, state, 4)
    right = access_list_content(block, state)
    assert first_difference(made, right, len(block), state_before(state)) is None


# `sharded` may execute in another order, and then has the list of that one.
IN_ORDER = [name for name in built_in(True) if get(name).lists_accesses and name != "sharded"]


@pytest.mark.parametrize("name", IN_ORDER)
def test_whoever_says_that_it_makes_lists_makes_the_right_one(name: str) -> None:
    block = block_of([Act(SENDERS[i % 4], list(CONTRACTS.values())[i % len(CONTRACTS)]) for i in range(60)])
    with get(name)() as strategy:
        strategy.makes_access_list, strategy.clock = True, VirtualClock()
        assert made_by(strategy, block, WORLD, 3) == access_list_of(block, WORLD)


def test_who_is_asked_for_no_list_makes_none() -> None:
    with get("block_stm")() as strategy:
        before = WORLD.snapshot()
        assert strategy.execute(hot("counter", 5), WORLD, 2).access_list is None
        WORLD.restore(before)


def test_who_cannot_make_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockSTM, "lists_accesses", False)
    with get("block_stm")() as strategy:
        strategy.makes_access_list = True
        with pytest.raises(NoAccessListError, match="strategy block_stm makes no access list"):
            strategy.execute(hot("counter", 5), WORLD, 2)


@pytest.fixture(scope="module", params=["sharded", "sharded_ordered"])
def shards(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with get(request.param)() as made:
        made.makes_access_list = True
        yield made


def check_shards(strategy: Strategy, block: Block, state: State, workers: int) -> None:
    """The list is that of the block in the order that the outcome claims."""
    before = state.snapshot()
    outcome = strategy.execute(block, state, workers)
    state.restore(before)
    serialised = block if outcome.order is None else block.reordered(outcome.order)
    right = access_list_content(serialised, state)
    assert outcome.access_list is not None
    assert first_difference(outcome.access_list, right, len(block), state_before(state)) is None
    assert outcome.access_list == encode(right)


@settings(max_examples=40, suppress_health_check=KEPT)
@given(block=blocks, workers=st.integers(1, 5))
def test_simulated_shards_list_the_order_they_claim(shards: Strategy, block: Block, workers: int) -> None:
    shards.clock = VirtualClock()
    check_shards(shards, block, WORLD, workers)


@pytest.mark.parametrize("name", ["swaps", "payments", "nft"])
def test_shards_in_processes_list_the_order_they_claim(shards: Strategy, name: str) -> None:
    shards.clock = WALL
    check_shards(shards, *built(name, 60), 2)
    for contract in ("chaser", "miner_watcher", "counter"):
        check_shards(shards, hot(contract, 30), WORLD, 2)


@pytest.mark.parametrize("number", [17666333, 19923400, 19929064, 19932703, 19933122])
def test_real_blocks(mainnet_blocks, maker: Strategy, number: int) -> None:  # type: ignore[no-untyped-def]
    from contend.evm.accounts import new_state

    file = read_block(mainnet_blocks / f"{number}.json.gz")
    state = new_state(file.prestate)
    made = made_by(maker, file.block, state, 3)
    right = access_list_content(file.block, state)
    assert first_difference(made, right, len(file.block), state_before(state)) is None
    assert made == encode(right)
