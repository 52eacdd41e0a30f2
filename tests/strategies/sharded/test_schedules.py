"""The sharded strategy under any schedule: shards in one thread, stepped in random order, give a serial result.

Every block is executed in the shards' own order and in the block's.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from adversarial import CONTRACTS, ENVIRONMENT, ETHER, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from assembler import assemble
from equivalence import Equivalence
from hypothesis import given, settings
from hypothesis import strategies as st
from shard_group import ShardGroup, owner

from contend.evm import Block, State
from contend.strategies.base import Outcome

WORLD = adversarial_state()
SHARDS = [1, 2, 3, 5]
GROUPS: dict[int, ShardGroup] = {slots: ShardGroup(slots) for slots in (1, 2, 8)}
ORDERED: dict[int, ShardGroup] = {slots: ShardGroup(slots, ordered=True) for slots in GROUPS}
MANY = [bytes([0xB0, i]) + bytes(18) for i in range(40)]
STRAIGHT_LOG = "0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 RETURN"
WRITES_MANY = "0 CALLDATALOAD 300 loop: DUP2 DUP2 ADD 1 SWAP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI"


@pytest.fixture(scope="module")
def equivalence() -> Equivalence:
    return Equivalence(CONTRACTS)


def crowd() -> State:
    """The world with many senders."""
    state = WORLD.copy()
    for sender in MANY:
        state.set_balance(sender, ETHER)
    return state


CROWD = crowd()


def check(
    equivalence: Equivalence, block: Block, genesis: State, shards: int, slots: int, seeds: range
) -> list[Outcome]:
    """Check both orders; the outcomes in the shards' own."""
    for seed in seeds[::2]:
        outcome = check_one(equivalence, ORDERED[slots], block, genesis, shards, seed)
        assert outcome.order is None
        assert outcome.counters["deferred"] == 0
    return [check_one(equivalence, GROUPS[slots], block, genesis, shards, seed) for seed in seeds]


def check_one(
    equivalence: Equivalence, group: ShardGroup, block: Block, genesis: State, shards: int, seed: int
) -> Outcome:
    group.seed = seed
    outcome = equivalence.check(group, block, genesis, shards)
    group.assert_nothing_is_left()
    return outcome


@pytest.mark.bounds
@settings(max_examples=200)
@given(block=blocks, shards=st.sampled_from(SHARDS), slots=st.sampled_from([1, 2, 8]), seed=st.integers(0, 2**32))
def test_any_small_block(block: Block, shards: int, slots: int, seed: int) -> None:
    check(Equivalence(CONTRACTS), block, WORLD, shards, slots, range(seed, seed + 1))


@pytest.mark.bounds
@pytest.mark.parametrize("name", sorted(CONTRACTS))
@pytest.mark.parametrize("shards", SHARDS)
def test_everyone_calls_one_contract(equivalence: Equivalence, name: str, shards: int) -> None:
    acts = [Act(MANY[i % 40], CONTRACTS[name], word(11)) for i in range(60)]
    for slots in GROUPS:
        check(equivalence, block_of(acts), CROWD, shards, slots, range(6))


def test_one_sender_is_one_chain(equivalence: Equivalence) -> None:
    block = block_of([Act(SENDERS[0], MANY[i % 40], value=1, gas=21_000) for i in range(60)])
    for outcome in check(equivalence, block, CROWD, 3, 8, range(5)):
        assert outcome.order is not None
        assert outcome.order.tolist() == list(range(60))
        assert outcome.counters["aborts"] == 0


def test_everyone_pays_one_account(equivalence: Equivalence) -> None:
    block = block_of([Act(sender, bytes([0xEE]) * 20, value=7, gas=30_000) for sender in MANY])
    for shards in SHARDS:
        for outcome in check(equivalence, block, CROWD, shards, 8, range(10)):
            assert outcome.receipts.status.all()


def test_money_that_has_just_arrived_is_passed_on_across_shards(equivalence: Equivalence) -> None:
    # Each account can pay the next only with what the one before it paid; who comes too early is refused.
    accounts = [bytes([0xD0, i]) + bytes(18) for i in range(12)]
    acts = [Act(SENDERS[0], accounts[0], value=ETHER // 2)]
    for here, there in pairwise(accounts):
        acts.append(Act(here, there, value=ETHER // 4, gas=21_000))
    seen = set()
    for outcome in check(equivalence, block_of(acts), WORLD, 3, 8, range(30)):
        seen.update(outcome.receipts.status.tolist())
    assert seen == {1, 2}


def test_calls_several_contracts_deep_across_shards(equivalence: Equivalence) -> None:
    state = CROWD.copy()
    callers = [bytes([0xCA, i]) + bytes(18) for i in range(6)]
    for address in callers:
        state.set_code(address, state.code(CONTRACTS["caller"]))
    assert len({owner(address, 5) for address in callers}) > 2
    acts = []
    for i, sender in enumerate(MANY):
        chain = [callers[(i + k) % 6] for k in range(1 + i % 5)]
        end = CONTRACTS["counter" if i % 3 else "reverter"]
        acts.append(Act(sender, chain[0], b"".join(word(one) for one in [*chain[1:], end]), gas=600_000))
    for shards in SHARDS:
        for outcome in check(equivalence, block_of(acts), state, shards, 8, range(8)):
            assert outcome.receipts.status.all()


def test_beneficiary_is_sender_and_recipient_and_read(equivalence: Equivalence) -> None:
    coinbase = ENVIRONMENT.coinbase
    acts = []
    for i in range(12):
        acts.append(Act(MANY[i], coinbase, value=3))
        acts.append(Act(MANY[i + 1], CONTRACTS["miner_watcher"]))
        acts.append(Act(coinbase, SENDERS[i % 4], value=1))
        acts.append(Act(MANY[i + 2], CONTRACTS["forwarder"], word(coinbase), value=10))
        acts.append(Act(MANY[i], MANY[i + 20], value=3))
    for shards in SHARDS:
        for outcome in check(equivalence, block_of(acts), CROWD, shards, 8, range(8)):
            # All but payments of senders that none of the others has made wait.
            assert 48 <= outcome.counters["deferred"] <= 60


def test_writes_that_do_not_fit_a_ring_at_once(equivalence: Equivalence) -> None:
    state = CROWD.copy()
    writer = bytes([0xCC]) * 20
    state.set_code(writer, assemble(WRITES_MANY))
    acts = [Act(sender, writer, word(i * 1000), gas=30_000_000) for i, sender in enumerate(MANY[:6])]
    state.set_balance(MANY[0], 10**24)
    for i in range(6):
        state.set_balance(MANY[i], 10**24)
    for outcome in check(equivalence, block_of(acts), state, 3, 2, range(4)):
        assert outcome.receipts.status.all()
        assert outcome.counters["messages"] > 6 * 150


@pytest.mark.parametrize("shards", SHARDS)
def test_nothing_is_lost_doubled_or_half_applied(equivalence: Equivalence, shards: int) -> None:
    draw = np.random.default_rng(shards)
    acts = [
        Act(
            MANY[int(draw.integers(40))], MANY[int(draw.integers(40))], value=int(draw.integers(ETHER // 2)), gas=21_000
        )
        for _ in range(150)
    ]
    block = block_of(acts)
    before = sum(value for location, value in CROWD.contents() if location.kind == "balance")
    for seed in range(5):
        state = CROWD.copy()
        group = GROUPS[8]
        group.seed = seed
        outcome = group.execute(block, state, shards)
        after = sum(value for location, value in state.contents() if location.kind == "balance")
        burned = int(outcome.receipts.gas_used.sum()) * ENVIRONMENT.base_fee
        assert after == before - burned
        nonces = sum(value for location, value in state.contents() if location.kind == "nonce")
        assert nonces == int((outcome.receipts.status < 2).sum())


@pytest.mark.parametrize("shards", SHARDS)
def test_the_order_is_the_one_in_which_transactions_met(shards: int) -> None:
    state = CROWD.copy()
    counter = bytes([0xC7]) * 20
    state.set_code(counter, assemble(STRAIGHT_LOG))
    block = block_of([Act(sender, counter) for sender in MANY])
    for seed in range(10):
        group = GROUPS[8]
        group.seed = seed
        outcome = group.execute(block, state.copy(), shards)
        assert outcome.order is not None
        seen = [int.from_bytes(outcome.receipts.output(int(place)), "big") for place in outcome.order]
        assert seen == list(range(1, 41))


def test_counts_what_crosses_shards() -> None:
    acts = [Act(MANY[i], MANY[i + 20], value=1, gas=21_000) for i in range(20)]
    crossing = sum(owner(act.sender, 3) != owner(act.to, 3) for act in acts)
    assert 0 < crossing < 20
    group = GROUPS[8]
    group.seed = 1
    counters = group.execute(block_of(acts), CROWD.copy(), 3).counters
    assert counters["cross_shard"] == crossing
    # Code and balance of the recipient, then two phases; and the end of the block.
    assert counters["messages"] == crossing * (2 * 2 + 4) + 2 * 2
    assert counters["executions"] == 20
    assert counters["aborts"] == counters["deferred"] == 0


def test_one_shard_sends_nothing() -> None:
    counters = GROUPS[8].execute(hot("counter", 50), WORLD.copy(), 1).counters
    assert counters["messages"] == counters["cross_shard"] == counters["aborts"] == counters["waits"] == 0


def test_wounds_happen_and_are_counted(equivalence: Equivalence) -> None:
    # Two contracts on different shards that call one another: without wounds their callers would block each other.
    state = CROWD.copy()
    candidates = [bytes([0xCB, i]) + bytes(18) for i in range(50)]
    one, other = (next(address for address in candidates if owner(address, 2) == shard) for shard in (0, 1))
    bump = "0 SLOAD 1 ADD 0 SSTORE CALLDATASIZE ISZERO :end JUMPI 0 0 0 0 0 0 CALLDATALOAD GAS CALL end: STOP"
    for address in (one, other):
        state.set_code(address, assemble(bump))
        state.set_storage(address, 0, 1)
    acts = [Act(sender, (one, other)[i % 2], word((other, one)[i % 2])) for i, sender in enumerate(MANY)]
    aborts = wasted = 0
    for outcome in check(equivalence, block_of(acts), state, 2, 8, range(20)):
        aborts += outcome.counters["aborts"]
        wasted += outcome.counters["wasted_gas"]
        kinds = sum(outcome.counters[f"aborts_{kind}"] for kind in ("storage", "balance", "nonce", "code"))
        assert kinds == outcome.counters["aborts"]
        assert outcome.counters["executions"] == 40 + outcome.counters["aborts"]
    assert aborts > 0
    assert wasted > 0
