"""Recorded access sets: against the state itself, and which credits are blind."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from adversarial import CONTRACTS, ETHER, SENDERS, Act, adversarial_state, block_of, blocks, word
from assembler import assemble
from hypothesis import HealthCheck, given, settings

from contend.evm import Block, Environment, Location, State, Transaction, layout
from contend.evm.drivers.recorder import Recording, record
from contend.evm.state import location_key, location_of
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial
from tests.evm.runner import Runner

WORLD = adversarial_state()
PRICES = default_costs().table
ALICE, BOB, CAROL, DAVE = SENDERS
NOBODY = bytes([0xEE]) * 20
FORWARDER = CONTRACTS["forwarder"]

# Location, whether it is written, whether it is blind.
Entry = tuple[Location, bool, bool]


def entries(recording: Recording, transaction: int) -> list[Entry]:
    rows = range(recording.offsets[transaction], recording.offsets[transaction + 1])
    return [
        (location_of(recording.keys[recording.locations[i]]), bool(recording.writes[i]), bool(recording.blind[i]))
        for i in rows
    ]


def balance(recording: Recording, transaction: int, address: bytes) -> tuple[bool, bool] | None:
    """Whether a transaction's entry for a balance is written and blind; None if there is none."""
    wanted = Location(address, "balance", 0)
    return next((found[1:] for found in entries(recording, transaction) if found[0] == wanted), None)


def recorded(acts: Iterable[Act], state: State = WORLD) -> Recording:
    return record(block_of(list(acts)), state, PRICES)


@pytest.mark.bounds
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks)
def test_the_sets_are_what_each_transaction_alone_changes(runner: Runner, block: Block) -> None:
    state = WORLD.copy()
    before = state.digest()
    recording = record(block, state, PRICES)
    assert state.digest() == before
    assert state.count == WORLD.count
    coinbase = Location(block.environment.coinbase, "balance", 0)
    for index, transaction in enumerate(block):
        single = Block(block.environment, (transaction,))
        result = runner.run_block(state, single)
        assert recording.costs[index] == result.gas_used
        found = {location for location, written, _ in entries(recording, index) if written}
        # Fees are no part of the sets.
        assert found - {coinbase} == set(result.changes) - {coinbase}
        state = result.state


@settings(max_examples=40)
@given(block=blocks)
def test_credits_that_are_blind_stay_the_same_whatever_the_balance_was(block: Block) -> None:
    # The definition, tried out: give a blindly credited account a little more, and nothing else may change.
    recording = record(block, WORLD.copy(), PRICES)
    owners = np.repeat(np.arange(len(block)), np.diff(recording.offsets))
    is_balance = recording.kinds[recording.locations] == layout.KIND_NAMES.index("balance")
    assert not recording.blind[~is_balance].any()
    seen = {int(location) for location in recording.locations[is_balance & ~recording.blind]}
    seen |= {int(location) for location in recording.locations[recording.tested]}
    blind = {int(location) for location in recording.locations[recording.blind]} - seen
    for number in blind:
        location = location_of(recording.keys[number])
        richer = WORLD.copy()
        richer.set_balance(location.address, richer.balance(location.address) + 7)
        again = record(block, richer, PRICES)
        assert np.array_equal(again.costs, recording.costs)
        assert np.array_equal(again.writes, recording.writes)
        assert [location_of(again.keys[i]) for i in again.locations] == [
            location_of(recording.keys[i]) for i in recording.locations
        ]
        assert len(owners) == len(again.locations)


def test_a_plain_payment_credits_blindly_and_debits_openly() -> None:
    recording = recorded([Act(ALICE, BOB, value=5)])
    assert balance(recording, 0, BOB) == (True, True)
    assert balance(recording, 0, ALICE) == (True, False)


def test_a_payment_to_oneself_reads() -> None:
    assert balance(recorded([Act(ALICE, ALICE, value=5)]), 0, ALICE) == (True, False)


def test_no_value_touches_no_balance() -> None:
    assert balance(recorded([Act(ALICE, BOB)]), 0, BOB) is None


def test_a_call_with_value_to_an_account_with_a_balance_is_blind() -> None:
    recording = recorded([Act(ALICE, FORWARDER, word(BOB), 10)])
    assert balance(recording, 0, BOB) == (True, True)
    # It pays out of what it got, so it checks its balance.
    assert balance(recording, 0, FORWARDER) == (True, False)


def marks(recording: Recording, transaction: int, address: bytes) -> tuple[bool, bool]:
    """Whether a transaction tested a balance for zero, and whether it crossed zero."""
    key = location_key(address, layout.KIND_BALANCE)
    rows = range(recording.offsets[transaction], recording.offsets[transaction + 1])
    i = next(i for i in rows if np.array_equal(recording.keys[recording.locations[i]], key))
    return bool(recording.tested[i]), bool(recording.crossed[i])


def test_a_call_with_value_tests_whether_the_account_is_empty() -> None:
    acts = [Act(ALICE, FORWARDER, word(NOBODY), 10), Act(BOB, FORWARDER, word(NOBODY), 10)]
    recording = recorded(acts)
    # The first pays for making the account; the second does not because of the first.
    assert recording.costs[0] - recording.costs[1] >= 25_000
    assert [balance(recording, i, NOBODY) for i in range(2)] == [(True, True)] * 2
    assert [marks(recording, i, NOBODY) for i in range(2)] == [(True, True), (True, False)]


def test_a_plain_payment_tests_nothing_but_may_cross_zero() -> None:
    recording = recorded([Act(ALICE, NOBODY, value=3), Act(BOB, NOBODY, value=3)])
    assert [marks(recording, i, NOBODY) for i in range(2)] == [(False, True), (False, False)]


def test_who_is_debited_tests_nothing_beyond_what_it_reads() -> None:
    assert marks(recorded([Act(ALICE, FORWARDER, word(BOB), 10)]), 0, FORWARDER) == (False, True)


def test_a_call_with_value_to_a_contract_is_blind_even_if_it_was_empty() -> None:
    assert balance(recorded([Act(ALICE, FORWARDER, word(CONTRACTS["reader"]), 10)]), 0, CONTRACTS["reader"]) == (
        True,
        True,
    )


@pytest.mark.parametrize(
    "source",
    ["SELFBALANCE 0 SSTORE STOP", "ADDRESS BALANCE 0 SSTORE STOP", "ADDRESS BALANCE POP STOP"],
)
def test_asking_for_the_balance_reads_it(source: str) -> None:
    state = WORLD.copy()
    state.set_code(NOBODY, assemble(source))
    assert balance(recorded([Act(ALICE, NOBODY, value=3)], state), 0, NOBODY) == (True, False)


def test_what_a_reverted_call_saw_was_seen() -> None:
    # The callee is paid, asks for its balance, and reverts; its caller goes on.
    state = WORLD.copy()
    state.set_code(NOBODY, assemble("SELFBALANCE POP 0 0 REVERT"))
    recording = recorded([Act(ALICE, FORWARDER, word(NOBODY), 10)], state)
    assert balance(recording, 0, NOBODY) == (False, False)


def test_a_payment_that_is_taken_back_is_blind_and_writes_nothing() -> None:
    state = WORLD.copy()
    state.set_code(NOBODY, assemble("0 0 REVERT"))
    assert balance(recorded([Act(ALICE, NOBODY, value=3)], state), 0, NOBODY) == (False, True)


def test_the_true_sets_are_not_those_of_a_dry_run() -> None:
    # Which slot this contract writes depends on the transactions before.
    block = block_of([Act(SENDERS[i % 4], CONTRACTS["chaser"]) for i in range(4)])
    recording = record(block, WORLD.copy(), PRICES)
    slots = [
        {place.slot for place, written, _ in entries(recording, i) if written and place.kind == "storage"}
        for i in range(4)
    ]
    assert slots == [{0, 100 + i} for i in range(4)]


def test_gas_and_work_are_those_of_the_serial_run() -> None:
    block = block_of([Act(SENDERS[i % 4], CONTRACTS["counter"]) for i in range(6)])
    with Serial() as serial:
        serial.clock = VirtualClock()
        outcome = serial.execute(block, WORLD.copy(), 1)
    recording = record(block, WORLD.copy(), PRICES)
    assert np.array_equal(recording.costs, outcome.receipts.gas_used.astype(np.int64))
    assert recording.work.sum() == round(outcome.phases["execute"] * 1e12)
    # All but the first do the same.
    assert len(set(recording.work[1:].tolist())) == 1


def test_the_beneficiary_is_named() -> None:
    block = block_of([Act(ALICE, CONTRACTS["miner_watcher"])])
    recording = record(block, WORLD.copy(), PRICES)
    wanted = location_key(block.environment.coinbase, layout.KIND_BALANCE)
    assert np.array_equal(recording.keys[recording.coinbase], wanted)
    assert balance(recording, 0, block.environment.coinbase) == (False, False)


def test_an_empty_block_has_empty_sets() -> None:
    recording = record(block_of([]), WORLD.copy(), PRICES)
    assert (len(recording), len(recording.locations)) == (0, 0)


def test_a_list_that_is_too_short_grows() -> None:
    # More locations in one transaction than the first attempt has room for.
    state = WORLD.copy()
    state.set_balance(ALICE, 10 * ETHER)
    state.set_code(NOBODY, assemble("0 loop: DUP1 SLOAD POP 1 ADD DUP1 17000 GT :loop JUMPI STOP"))
    recording = recorded([Act(ALICE, NOBODY, gas=60_000_000)], state)
    assert len(recording.locations) > 17_000


def test_a_contract_that_is_larger_than_the_room_left_for_codes_is_recorded() -> None:
    # Nothing was executed on this state before, so that no serial run has made the room.
    state = State()
    state.set_balance(ALICE, 10 * ETHER)
    deployment = Transaction(ALICE, None, 0, gas_limit=5_000_000, data=assemble("9000 0 RETURN"))
    recording = record(Block(Environment(), (deployment,)), state, PRICES)
    assert any(place.kind == "code" for place, written, _ in entries(recording, 0) if written)
