"""Shards in one process under the virtual clock: serial in the order they name, the same every time, slower over slow
networks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from adversarial import CONTRACTS, ENVIRONMENT, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from assembler import assemble
from equivalence import Equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.state import location_of
from contend.strategies.base import Outcome
from contend.strategies.clocks import ACT_EXECUTE, ACT_MESSAGE
from contend.strategies.clocks.network_model import NETWORKS, NetworkError, NetworkModel
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.sharded import Sharded, ShardedOrdered
from contend.strategies.sharded.partitioning import owners

WORLD = adversarial_state()
SHARDS = [1, 2, 3, 7, 64, 1024]
MANY = [bytes([0xB0, i % 256, i // 256]) + bytes(17) for i in range(300)]


HOARDER = bytes([0xCF]) * 20
FORTY_STORES = "0 CALLDATALOAD 40 loop: DUP2 DUP2 ADD 1 SWAP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI"


def crowd() -> State:
    state = WORLD.copy()
    state.set_code(HOARDER, assemble(FORTY_STORES))
    for sender in MANY:
        state.set_balance(sender, 10**18)
    return state


CROWD = crowd()


def simulate(block: Block, shards: int, network: str = "same_machine", clock: VirtualClock | None = None) -> Outcome:
    with Sharded(network=NETWORKS[network]) as strategy:
        strategy.clock = clock or VirtualClock()
        return Equivalence(CONTRACTS).check(strategy, block, CROWD, shards)


@settings(max_examples=60, deadline=None)
@given(block=blocks, shards=st.sampled_from([1, 2, 3, 5, 64]), network=st.sampled_from(sorted(NETWORKS)))
def test_any_small_block(block: Block, shards: int, network: str) -> None:
    simulate(block, shards, network)


@pytest.mark.parametrize("shards", SHARDS)
@pytest.mark.parametrize("name", ["counter", "chaser", "reverter", "caller"])
def test_everyone_calls_one_contract(shards: int, name: str) -> None:
    block = block_of([Act(sender, CONTRACTS[name], word(11)) for sender in MANY])
    outcome = simulate(block, shards)
    assert outcome.counters["executions"] == 300 + outcome.counters["aborts"]


@pytest.mark.parametrize("shards", SHARDS)
def test_the_beneficiary_is_read_and_paid(shards: int) -> None:
    acts = [Act(MANY[i], CONTRACTS["miner_watcher"]) for i in range(20)]
    acts += [Act(MANY[20 + i], ENVIRONMENT.coinbase, value=1) for i in range(20)]
    assert simulate(block_of(acts), shards).counters["deferred"] == 40


def test_the_same_figures_every_time() -> None:
    block = block_of([Act(sender, CONTRACTS["keyed"], word(i % 40 + 11)) for i, sender in enumerate(MANY)])
    first, second = simulate(block, 7), simulate(block, 7)
    assert first.phases == second.phases
    assert first.counters == second.counters
    assert first.order is not None
    assert second.order is not None
    assert first.order.tolist() == second.order.tolist()


@pytest.mark.parametrize("shards", [7, 1024])
def test_figures_do_not_tell_that_room_had_to_be_made_first(shards: int) -> None:
    # All that is new belongs to the shard of one contract, far more than its share.
    block = block_of([Act(sender, HOARDER, word(i << 32), gas=2_000_000) for i, sender in enumerate(MANY)])
    figures = []
    with Sharded() as strategy:
        for _ in range(2):
            clock = strategy.clock = VirtualClock(traced=True)
            outcome = Equivalence(CONTRACTS).check(strategy, block, CROWD, shards)
            rows = clock.timeline.rows.tolist()
            figures.append((outcome.phases, outcome.counters, clock.busy, clock.steps, clock.picoseconds, rows))
    assert figures[0] == figures[1]


def payments() -> Block:
    return block_of([Act(MANY[i], MANY[(i * 7 + 1) % 300], value=1, gas=21_000) for i in range(300)])


def test_a_slower_network_takes_longer() -> None:
    times = [simulate(payments(), 4, name).phases["execute"] for name in NETWORKS]
    assert times == sorted(times)
    # A transaction that crosses shards waits for a word, a vote and an acknowledgement at least.
    assert times[-1] > 3 * NETWORKS["wide_area"].latency_ns * 1e-9
    assert simulate(payments(), 1, "wide_area").phases == simulate(payments(), 1).phases


def test_the_clock_may_bring_a_network_along() -> None:
    near = simulate(payments(), 4)
    far = simulate(payments(), 4, clock=VirtualClock(network=NetworkModel(1e6, 0)))
    assert far.seconds > 3e-3 > near.seconds


@settings(max_examples=40, deadline=None)
@given(block=blocks, shards=st.sampled_from([1, 2, 3, 5, 64]), network=st.sampled_from(sorted(NETWORKS)))
def test_the_order_of_the_block_over_any_network(block: Block, shards: int, network: str) -> None:
    with ShardedOrdered(network=NETWORKS[network]) as strategy:
        strategy.clock = VirtualClock()
        outcome = Equivalence(CONTRACTS).check(strategy, block, CROWD, shards)
    assert outcome.order is None
    assert outcome.counters["deferred"] == 0


@pytest.mark.parametrize("shards", [2, 7, 1024])
def test_a_binding_order_is_kept_for_a_message_wherever_coordinators_change(shards: int) -> None:
    # Nothing conflicts, so that nothing but the commit token is different.
    block = block_of([Act(MANY[i], MANY[i + 150], value=1, gas=21_000) for i in range(150)])
    own, kept = simulate(block, shards), simulate(replace(block, binding_order=True), shards)
    assert own.order is not None
    assert kept.order is None
    coordinators = []
    for transaction in block:
        senders = State()
        senders.set_balance(transaction.sender, 1)
        coordinators.append(int(owners(senders.keys, shards)[0]))
    changes = sum(here != there for here, there in pairwise(coordinators))
    assert kept.counters["messages"] - own.counters["messages"] == changes > 0
    assert kept.seconds > own.seconds


def test_overhead_keeps_both_ends_busy() -> None:
    free, dear = VirtualClock(network=NetworkModel(100, 0)), VirtualClock(network=NetworkModel(100, 1_000))
    counted = simulate(payments(), 4, clock=free).counters["messages"]
    simulate(payments(), 4, clock=dear)
    assert dear.busy - free.busy == pytest.approx(2 * counted * 1e-6, rel=0.1)


def test_aborts_name_the_locations_that_caused_them() -> None:
    block = block_of([Act(sender, CONTRACTS["caller"], word(CONTRACTS["counter"])) for sender in MANY])
    outcome = simulate(block, 7)
    assert outcome.abort_locations is not None
    keys, counts = outcome.abort_locations
    assert int(counts.sum()) == outcome.counters["aborts"] > 0
    named = {location_of(np.ascontiguousarray(key)).address for key in keys}
    assert named <= set(CONTRACTS.values())


def test_a_timeline_shows_shards_at_work() -> None:
    clock = VirtualClock(traced=True)
    simulate(hot("counter", 60), 3, clock=clock)
    rows = clock.timeline.rows
    assert {ACT_EXECUTE, ACT_MESSAGE} <= set(rows[:, 1].tolist())
    assert (rows[:, 3] > rows[:, 2]).all()


def test_one_sender_is_one_chain() -> None:
    outcome = simulate(block_of([Act(SENDERS[0], MANY[i], value=1, gas=21_000) for i in range(40)]), 7)
    assert outcome.order is None or outcome.order.tolist() == list(range(40))


@pytest.mark.parametrize("text", ["moon", "1", "1:", ":2", "-1:0", "1:-1", "nan:0", "1e30:0"])
def test_an_unknown_network_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(NetworkError, match=r"same_machine.*latency:overhead"):
        NetworkModel.parse(text)


def test_networks_by_name_and_by_numbers() -> None:
    assert NetworkModel.parse("rack") is NETWORKS["rack"]
    assert NetworkModel.parse("500:20") == NetworkModel(500.0, 20.0)
