from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from contend.evm import Block, Changes, Snapshot, State
from contend.harness.verify.oracle.oracle import Oracle, refusal
from contend.strategies.base import Outcome, Strategy
from contend.strategies.registry import get

SIZE = 50


class Court:
    """An oracle, and what it takes to bring outcomes before it."""

    def __init__(self, fakes: Any, block: Block | None = None) -> None:
        scenario = fakes.Ledger().build({"accounts": 20}, 1, SIZE)
        self.block: Block = scenario.blocks[0] if block is None else block
        self.state: State = scenario.genesis
        self.snapshot: Snapshot = self.state.snapshot()
        names = {"the till": self.block.environment.coinbase}
        self.oracle = Oracle(self.block, self.state, self.snapshot, get("serial")(), names)

    def run(self, strategy: Strategy) -> Outcome:
        self.state.restore(self.snapshot)
        return strategy.execute(self.block, self.state, 2)

    def check(self, outcome: Outcome) -> list[str]:
        return self.oracle.check(outcome, self.state.changes_since(self.snapshot))


def shuffled(block: Block, random: np.random.Generator) -> Any:
    """A random order that keeps the transactions of each sender in theirs."""
    places: dict[bytes, list[int]] = {}
    for place, transaction in enumerate(block):
        places.setdefault(transaction.sender, []).append(place)
    turns = random.permutation(len(block))
    return np.array([places[block.transactions[turn].sender].pop(0) for turn in turns])


@pytest.fixture
def court(fakes: Any) -> Court:
    return Court(fakes)


def test_the_serial_result_is_accepted(court: Court, fakes: Any) -> None:
    assert court.check(court.run(fakes.Honest())) == []


def test_a_wrong_receipt_is_found_with_transaction_field_and_values(court: Court, fakes: Any) -> None:
    assert court.check(court.run(fakes.WrongReceipt())) == ["transaction 3, status: serial 1, here 0"]


def test_counters_that_do_not_add_up_are_a_fault_of_the_strategy(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    outcome.counters["executions"] += 1
    (found,) = court.check(outcome)
    assert found == (
        "the counters do not add up, though the result is right: 56 executions, but 50 transactions + 5 aborted"
    )
    assert refusal([found]).startswith("a fault of the strategy: the counters do not add up")
    # What is wrong with the result comes first.
    outcome.receipts = court.run(fakes.WrongReceipt()).receipts
    found = refusal(court.check(outcome))
    assert found == "differs from the serial result: transaction 3, status: serial 1, here 0"


def test_locations_of_aborts_are_as_many_as_are_counted(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    outcome.abort_locations = np.zeros((1, 7), np.uint64), np.array([4])
    (found,) = court.check(outcome)
    assert found.endswith("4 causes of 5 aborted and repaired executions")


@pytest.mark.parametrize("index", [0, 17, SIZE - 1])
def test_wrong_gas_is_found_wherever_it_is(court: Court, fakes: Any, index: int) -> None:
    outcome = court.run(fakes.Honest())
    gas = outcome.receipts.gas_used.copy()
    gas[index] += np.uint64(1)
    outcome.receipts = dataclasses.replace(outcome.receipts, gas_used=gas)
    assert court.check(outcome) == [f"transaction {index}, gas_used: serial 21000, here 21001"]


def test_a_wrong_word_is_found_with_location_and_both_words(court: Court, fakes: Any) -> None:
    truth = court.oracle.reference.changes
    coinbase = court.block.environment.coinbase
    right = next(word for location, word in truth if location.address == coinbase)
    found = court.check(court.run(fakes.WrongWord()))
    assert found[-1] == (f"state, balance of 0x{coinbase.hex()} (the till): serial {hex(right)}, here {hex(right + 1)}")


def test_a_strategy_that_reports_the_right_changes_and_leaves_others_is_found(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    court.state.set_storage(b"\x01" * 20, 7, 9)
    assert court.check(outcome) == [f"state, storage of 0x{'01' * 20} slot 0x7: serial unchanged, here 0x9"]


def test_a_strategy_that_reports_wrong_changes_and_leaves_the_right_ones_is_found(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    assert outcome.changes is not None
    outcome.changes = dataclasses.replace(
        outcome.changes, keys=outcome.changes.keys[1:], words=outcome.changes.words[1:]
    )
    (found,) = court.check(outcome)
    assert found.startswith("changes, ")
    assert found.endswith("here unchanged")


def test_changes_that_repeat_a_row_are_found(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    assert outcome.changes is not None
    rows = [0, *range(len(outcome.changes))]
    outcome.changes = Changes(outcome.changes.keys[rows], outcome.changes.words[rows])
    assert court.check(outcome) == ["changes: rows are out of order or repeated"]


def test_a_state_that_did_not_change_is_found_even_if_nothing_is_reported(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    outcome.changes = None
    court.state.restore(court.snapshot)
    assert court.check(outcome)


def test_differences_are_few_however_many_there_are(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    outcome.receipts = dataclasses.replace(outcome.receipts, status=np.zeros(SIZE, np.uint8))
    found = court.check(outcome)
    assert 1 < len(found) <= 10
    assert found[0].startswith("transaction 0, status")


def test_too_few_receipts_are_found(court: Court, fakes: Any) -> None:
    outcome = court.run(fakes.Honest())
    outcome.receipts = outcome.receipts.reordered(np.arange(SIZE - 1))
    assert court.check(outcome) == [f"{SIZE - 1} receipts for {SIZE} transactions"]


def test_another_order_is_compared_with_a_serial_run_in_it(court: Court, fakes: Any) -> None:
    # Contention for the sender's whole balance makes the order matter.
    assert court.check(court.run(fakes.Reordering())) == []


def test_an_order_that_swaps_transactions_of_a_sender_is_refused(court: Court, fakes: Any) -> None:
    # Backwards, nonces do not match: most transactions fail, and the block is done in no time.
    backwards = court.block.reordered(np.arange(SIZE)[::-1].copy())
    outcome = Court(fakes, backwards).run(fakes.Honest())
    assert (outcome.receipts.status != 1).sum() > SIZE // 2
    outcome.order = np.arange(SIZE)[::-1].copy()
    (found,) = court.check(outcome)
    places = [int(place) for place in re.findall(r"\d+", found)]
    assert found == f"the order puts transaction {places[0]} before {places[1]}, which is of the same sender"
    assert places[0] > places[1]
    assert court.block.transactions[places[0]].sender == court.block.transactions[places[1]].sender


def test_a_binding_order_binds(court: Court, fakes: Any) -> None:
    bound = Court(fakes, dataclasses.replace(court.block, binding_order=True))
    assert bound.check(bound.run(fakes.Honest())) == []
    outcome = bound.run(fakes.Honest())
    outcome.order = np.arange(SIZE)
    assert bound.check(outcome) == []
    outcome.order = shuffled(court.block, np.random.default_rng(1))
    assert bound.check(outcome) == ["the block's order is binding (it was replayed), and the outcome names another"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (np.arange(SIZE - 1), f"it has {SIZE - 1} entries"),
        (np.zeros(SIZE, np.int64), f"0 comes {SIZE} times"),
        (np.arange(1, SIZE + 1), f"{SIZE} is no place in it"),
    ],
)
def test_an_order_that_is_no_permutation_is_found(court: Court, fakes: Any, order: Any, words: str) -> None:
    outcome = court.run(fakes.Honest())
    outcome.order = order
    (found,) = court.check(outcome)
    assert "no permutation" in found
    assert words in found


def test_an_oracle_keeps_few_orders(court: Court, fakes: Any) -> None:
    random = np.random.default_rng(1)
    outcome = court.run(fakes.Honest())
    for _ in range(7):
        outcome.order = shuffled(court.block, random)
        court.check(outcome)
    assert len(court.oracle._references) == 4
