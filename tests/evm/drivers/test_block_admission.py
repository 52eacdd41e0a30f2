"""Admission by limit: serial execution decides as it goes, side by side it is added up afterwards, with one result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import Block, Environment, State, Transaction, errors
from contend.evm.block_image import BlockImage
from contend.evm.drivers.block_admission import Admission
from contend.evm.forks import FORKS
from contend.evm.vm.transaction_flaw import flaws_of
from contend.strategies.registry import get
from contend.strategies.serial import Serial

SENDER, TO, BURNER = b"\xa1" * 20, b"\xb2" * 20, b"\xc3" * 20
BLOB = (b"\1" + bytes(31),)


def state_with_money() -> State:
    state = State()
    state.set_balance(SENDER, 10**24)
    state.set_code(BURNER, b"\xfe")
    return state


def refused(block: Block) -> list[int]:
    """Which transactions serial execution finds not to fit."""
    receipts = Serial().execute(block, state_with_money(), 1).receipts
    codes = receipts.error_codes.tolist()
    return [i for i, code in enumerate(codes) if code in (errors.GAS_ALLOWANCE, errors.BLOB_ALLOWANCE)]


def payments(*limits: int) -> tuple[Transaction, ...]:
    """Payments with these limits, each with a nonce as if those before it were executed."""
    return tuple(Transaction(SENDER, TO, nonce, gas_limit=limit) for nonce, limit in enumerate(limits))


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("block_limit", "limits", "right"),
    [
        (63_000, (21_000, 21_000, 21_000), []),
        (62_999, (21_000, 21_000, 21_000), [2]),
        (63_000, (42_000, 21_000, 21_001), [2]),  # by its limit, though it would use what is left
        (63_000, (42_000, 42_001, 42_000), [1]),  # and takes no room: its nonce is free, too, but for the next one
    ],
)
def test_a_limit_has_to_fit_into_what_is_left(block_limit: int, limits: tuple[int, ...], right: list[int]) -> None:
    assert refused(Block(Environment(gas_limit=block_limit), payments(*limits))) == right


def test_what_is_refused_has_no_effect_and_a_reason() -> None:
    state = state_with_money()
    block = Block(Environment(gas_limit=50_000), payments(21_000, 30_000))
    receipts = Serial().execute(block, state, 1).receipts
    assert receipts.status.tolist() == [1, errors.STATUS_INVALID]
    assert receipts.gas_used.tolist() == [21_000, 0]
    assert receipts.error(1) == "gas limit above what the block has left"
    assert state.nonce(SENDER) == 1


def test_blobs_are_counted_over_the_block() -> None:
    three = tuple(Transaction(SENDER, TO, nonce, blob_hashes=BLOB * 3, max_blob_fee=10) for nonce in range(4))
    assert refused(Block(Environment(), three[:2])) == []
    assert refused(Block(Environment(), three)) == [2, 3]
    # One that was refused takes no room from a smaller one.
    four = Transaction(SENDER, TO, 1, blob_hashes=BLOB * 4, max_blob_fee=10)
    assert refused(Block(Environment(), (three[0], four, three[1]))) == [1]


LIMITS = st.lists(st.tuples(st.booleans(), st.integers(21_000, 120_000)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(LIMITS, st.integers(120_000, 500_000))
def test_rounds_end_at_what_serial_execution_decides(drawn: list[tuple[bool, int]], block_limit: int) -> None:
    """Who burns uses its limit, who pays 21,000; nonces are the places, so that a refusal changes what is behind it."""
    made = tuple(
        Transaction(SENDER, BURNER if burns else TO, nonce, gas_limit=limit)
        for nonce, (burns, limit) in enumerate(drawn)
    )
    block = Block(Environment(gas_limit=block_limit), made)
    image = BlockImage(block)
    admission = Admission(image)
    right = Serial().execute(block, state_with_money(), 1).receipts
    roomy = Block(Environment(), made)
    wrong = Serial().execute(roomy, state_with_money(), 1).receipts
    # The first round decides on receipts of transactions that should not have been executed; the last one is right.
    admission.settle(wrong)
    admission.settle(right)
    assert admission.settle(right)
    allowance = (errors.GAS_ALLOWANCE, errors.BLOB_ALLOWANCE)
    assert [int(flaw) for flaw in image.rows["flaw"]] == [
        code if code in allowance else 0 for code in right.error_codes
    ]
    admission.forget()
    assert not image.rows["flaw"].any()


def flawed(gas_limit: int = 21_000, **fields: Any) -> Transaction:
    return Transaction(SENDER, TO, fields.pop("nonce", 9), gas_limit, **{"max_fee": 7, "max_priority_fee": 0, **fields})


NO_ROOM = 40_000
FIRST_FLAWS = [
    ({"gas_limit": 20_999, "nonce": (1 << 64) - 1}, "gas limit below intrinsic gas"),
    ({"gas_limit": NO_ROOM, "data": bytes(5_000)}, "gas limit below intrinsic gas"),
    ({"gas_limit": NO_ROOM, "nonce": (1 << 64) - 1}, "nonce overflow"),
    ({"gas_limit": 1 << 25, "max_priority_fee": 9}, "gas limit above a transaction's"),
    ({"gas_limit": NO_ROOM, "max_priority_fee": 9}, "gas limit above what the block has left"),
    ({"gas_limit": NO_ROOM, "blob_hashes": BLOB * 10}, "gas limit above what the block has left"),
    ({"gas_limit": NO_ROOM, "blob_hashes": ()}, "gas limit above what the block has left"),
    ({"gas_limit": NO_ROOM, "value": 10**30}, "gas limit above what the block has left"),
    ({"blob_hashes": BLOB * 5, "max_priority_fee": 9}, "more blobs than the block has left"),
    ({"blob_hashes": BLOB * 10, "max_priority_fee": 9}, "number of blobs"),
    ({"max_fee": 1, "max_priority_fee": 9}, "max priority fee above max fee"),
    ({"max_fee": 1, "authorizations": ()}, "max fee below base fee"),
    ({"blob_hashes": (), "max_fee": 1}, "max fee below base fee"),
    ({"value": 10**30}, "nonce mismatch"),
    ({"value": 10**30, "nonce": 1}, "insufficient funds"),
]


@pytest.mark.parametrize(("fields", "told"), FIRST_FLAWS)
def test_of_two_flaws_the_one_is_told_that_the_specification_finds_first(fields: dict[str, Any], told: str) -> None:
    """By serial execution, which admits as it goes, and by the rounds of those that add up afterwards."""
    first = Transaction(SENDER, TO, 0, blob_hashes=BLOB * 5, max_blob_fee=10, gas_limit=21_000, max_fee=7)
    environment = Environment(gas_limit=60_000, base_fee=7, blob_base_fee=1, fork="Osaka")
    block = Block(environment, (replace(first, max_priority_fee=0), flawed(**fields)))
    for name in ("serial", "block_stm"):
        with get(name)() as strategy:
            assert strategy.execute(block, state_with_money(), 1).receipts.error(1) == told


def test_a_sender_with_code_is_told_of_at_last() -> None:
    state = state_with_money()
    state.set_code(SENDER, b"\xfe")
    made = (flawed(value=10**30), flawed(nonce=0, value=10**30), flawed(nonce=0))
    receipts = Serial().execute(Block(Environment(base_fee=7), made), state, 1).receipts
    assert [receipts.error(place) for place in range(3)] == ["nonce mismatch", "insufficient funds", "sender has code"]


def test_all_flaws_of_fields_are_found_in_the_order_in_which_they_are_told() -> None:
    environment = Environment(gas_limit=10_000, base_fee=7, blob_base_fee=2, fork="Osaka")
    hashes = (bytes(32),) * 10
    made = flawed(gas_limit=20_000, nonce=(1 << 64) - 1, max_fee=1, max_priority_fee=9, blob_hashes=hashes)
    assert list(flaws_of(made, environment, FORKS["Osaka"])) == [
        errors.INTRINSIC_GAS,
        errors.NONCE_OVERFLOW,
        errors.GAS_ABOVE_BLOCK,
        errors.BLOB_COUNT,
        errors.TIP_ABOVE_FEE,
        errors.FEE_BELOW_BASE,
        errors.BLOB_COUNT,
        errors.BLOB_VERSION,
        errors.BLOB_FEE,
    ]
    creating = replace(made, to=None, blob_hashes=None, authorizations=())
    assert list(flaws_of(creating, environment, FORKS["Cancun"]))[:2] == [
        errors.TYPE_BEFORE_FORK,
        errors.AUTHORIZATION_CREATION,
    ]
