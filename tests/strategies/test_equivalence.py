"""Every strategy gives the serial result on blocks that are made to go wrong."""

from __future__ import annotations

import pytest
from adversarial import CONTRACTS, ENVIRONMENT, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from assembler import assemble
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, Environment, State
from contend.strategies.base import Strategy

WORLD = adversarial_state()
NINE_THOUSAND_STORES = "0 CALLDATALOAD 9000 loop: DUP2 DUP2 ADD 1 SWAP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI"


@pytest.mark.bounds
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks, workers=st.integers(1, 4))
def test_any_small_block(equivalence: Equivalence, strategy: Strategy, block: Block, workers: int) -> None:
    equivalence.check(strategy, block, WORLD, workers)


@pytest.mark.bounds
@pytest.mark.parametrize("name", sorted(CONTRACTS))
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_everyone_calls_one_contract(equivalence: Equivalence, strategy: Strategy, name: str, workers: int) -> None:
    equivalence.check(strategy, hot(name, 200), WORLD, workers, repeat=3)


@pytest.mark.stress
@pytest.mark.parametrize("name", ["counter", "chaser", "reverter", "miner_watcher"])
def test_hot_contract_under_more_workers_than_cores(equivalence: Equivalence, strategy: Strategy, name: str) -> None:
    for workers in (2, 4, 8):
        equivalence.check(strategy, hot(name, 1500), WORLD, workers, repeat=4)


def test_one_sender_is_one_chain(equivalence: Equivalence, strategy: Strategy) -> None:
    acts = [Act(SENDERS[0], bytes([1, i]) + bytes(18), value=1, gas=21_000) for i in range(200)]
    outcome = equivalence.check(strategy, block_of(acts), WORLD, 2, repeat=3)
    assert outcome.receipts.status.sum() == 200


def test_beneficiary_is_sender_and_recipient_and_read(equivalence: Equivalence, strategy: Strategy) -> None:
    coinbase = ENVIRONMENT.coinbase
    acts = []
    for i in range(40):
        acts.append(Act(SENDERS[i % 4], coinbase, value=3))
        acts.append(Act(SENDERS[(i + 1) % 4], CONTRACTS["miner_watcher"]))
        acts.append(Act(coinbase, SENDERS[i % 4], value=1))
        acts.append(Act(SENDERS[i % 4], CONTRACTS["forwarder"], word(coinbase), value=10))
    for workers in (1, 2, 3):
        equivalence.check(strategy, block_of(acts), WORLD, workers, repeat=5)


def test_invalid_transactions_do_nothing(equivalence: Equivalence, strategy: Strategy) -> None:
    acts = [Act(SENDERS[i % 4], CONTRACTS["counter"], nonce_skew=i % 3) for i in range(60)]
    outcome = equivalence.check(strategy, block_of(acts), WORLD, 2)
    statuses = set(outcome.receipts.status.tolist())
    assert statuses == {1, 2}
    assert outcome.receipts.error(1) == "nonce mismatch"


def test_empty_block(equivalence: Equivalence, strategy: Strategy) -> None:
    outcome = equivalence.check(strategy, Block(Environment(), ()), WORLD, 2)
    assert len(outcome.receipts) == 0
    assert outcome.changes is not None
    assert len(outcome.changes) == 0


def test_a_block_that_needs_more_room_is_run_again_with_more(equivalence: Equivalence, strategy: Strategy) -> None:
    # Each transaction writes 9,000 slots: far more locations and versions than a strategy makes room for at first.
    state = State()
    writer, sender = bytes([0xCC]) * 20, SENDERS[0]
    state.set_code(writer, assemble(NINE_THOUSAND_STORES))
    state.set_balance(sender, 10**24)
    acts = [Act(sender, writer, word(i * 10_000), gas=400_000_000) for i in range(4)]
    outcome = equivalence.check(strategy, block_of(acts), state, 2)
    assert outcome.receipts.status.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_must_be_positive(strategy: Strategy, workers: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        strategy.execute(hot("counter", 1), WORLD.copy(), workers)
