"""Hints that transactions declare: what the protocol says, what lists say, and that no list is trusted."""

from __future__ import annotations

import dataclasses

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, hot, word
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, Transaction
from contend.evm.state import location_of
from contend.harness.testing import build_scenario
from contend.strategies.base import Outcome, Strategy
from contend.strategies.registry import get

WORLD = adversarial_state()
ACCOUNTS = [*SENDERS, *CONTRACTS.values()]
Touched = dict[tuple[bytes, str, int], bool]

lists = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.lists(st.integers(0, 40), max_size=6).map(tuple)), max_size=5)


@pytest.fixture(scope="module")
def strategy() -> Strategy:
    made = get("static_partition+declared")()
    made.reports_hints = True
    return made


def hinted(outcome: Outcome, txn_idx: int) -> Touched:
    """Hints of one transaction: whether each location is expected to be written."""
    sets = outcome.hinted
    assert sets is not None
    first, last = sets.offsets[txn_idx], sets.offsets[txn_idx + 1]
    found = [location_of(key) for key in sets.keys[first:last]]
    assert len(set(found)) == len(found)
    return dict(
        zip([(one.address, one.kind, one.slot) for one in found], sets.writes[first:last].tolist(), strict=True)
    )


def by_protocol(transaction: Transaction) -> Touched:
    """What is known of a transaction without a list."""
    found = {(transaction.sender, "nonce", 0): True, (transaction.sender, "code", 0): False}
    if transaction.to is not None:
        found[transaction.to, "code", 0] = False
        if transaction.value:
            found[transaction.to, "balance", 0] = True
    return found | {(transaction.sender, "balance", 0): True}


def with_lists(block: Block, found: list[list[tuple[bytes, tuple[int, ...]]]]) -> Block:
    """The same block, with access lists."""
    transactions = [
        dataclasses.replace(transaction, access_list=tuple(access_list), gas_limit=transaction.gas_limit + 200_000)
        for transaction, access_list in zip(block, found, strict=True)
    ]
    return dataclasses.replace(block, transactions=tuple(transactions))


def test_without_lists_the_protocol_is_all_that_is_known(equivalence: Equivalence, strategy: Strategy) -> None:
    acts = [
        Act(SENDERS[0], CONTRACTS["counter"]),
        Act(SENDERS[1], SENDERS[2], value=5, gas=21_000),
        Act(SENDERS[3], SENDERS[3], value=5, gas=21_000),
    ]
    block = block_of(acts)
    creation = Transaction(SENDERS[0], None, 1, 100_000)
    block = dataclasses.replace(block, transactions=(*block.transactions, creation))
    outcome = equivalence.check(strategy, block, WORLD, 2)
    assert outcome.counters["declared"] == 0
    for txn_idx, transaction in enumerate(block):
        assert hinted(outcome, txn_idx) == by_protocol(transaction)


@pytest.mark.bounds
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(lists, min_size=1, max_size=8), workers=st.integers(1, 3))
def test_listed_slots_count_as_written_and_no_list_is_trusted(
    equivalence: Equivalence, strategy: Strategy, found: list[list[tuple[bytes, tuple[int, ...]]]], workers: int
) -> None:
    block = with_lists(hot("counter", len(found)), found)
    outcome = equivalence.check(strategy, block, WORLD, workers)
    assert outcome.counters["declared"] == sum(map(bool, found))
    for txn_idx, transaction in enumerate(block):
        expected = by_protocol(transaction)
        for address, slots in transaction.access_list:
            expected.setdefault((address, "code", 0), False)
            expected.update(dict.fromkeys(((address, "storage", slot) for slot in slots), True))
        assert hinted(outcome, txn_idx) == expected


def test_exact_lists_leave_little_to_repair() -> None:
    scenario = build_scenario("swaps", {"access_lists": "exact"}, 1, 300)
    block, genesis = scenario.blocks[0], scenario.genesis
    with get("static_partition+declared")() as informed:
        counters = informed.execute(block, genesis.copy(), 4).counters
    assert counters["declared"] == 300
    assert counters["repairs"] + counters["aborts"] == 0
    without = dataclasses.replace(
        block, transactions=tuple(dataclasses.replace(transaction, access_list=()) for transaction in block)
    )
    with get("static_partition+declared")() as uninformed:
        counters = uninformed.execute(without, genesis.copy(), 4).counters
    assert counters["declared"] == 0


def test_an_unknown_contract_needs_no_list(equivalence: Equivalence, strategy: Strategy) -> None:
    acts = [Act(SENDERS[i % 4], CONTRACTS["keyed"], word(11 + i % 3)) for i in range(60)]
    equivalence.check(strategy, block_of(acts), WORLD, 3, repeat=2)
