"""Sure reads: asked for in a row before anything else, and no other than those that the transaction begins with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm import Block, Transaction
from contend.evm.block_image import BlockImage
from contend.evm.layout import TRANSACTION
from contend.evm.vm.sure_reads import count_sure_reads
from contend.harness.verify.evm_fuzzer.random_programs import PLAIN, ProgramCase
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, free_call, make_state
from tests.evm.vm.test_suspension import Driver

pytestmark = pytest.mark.bounds
RICH = {SENDER: Account(balance=10**20)}


def wanted(transaction: Transaction, balance: int = 10**20, nonce: int = 0) -> list[tuple[bytes, str]]:
    """What a transaction asks for, from its beginning to its end."""
    world = {SENDER: Account(balance=balance, nonce=nonce)}
    driver = Driver(ProgramCase(world, transaction, FREE), make_state(world))
    driver.run()
    return [(location.address, location.kind) for location in driver.wanted]


OF_SENDER = [(SENDER, "nonce"), (SENDER, "code"), (SENDER, "balance")]


def test_a_transfer_reads_five_locations_and_each_once() -> None:
    assert wanted(free_call(PLAIN, value=3)) == [*OF_SENDER, (PLAIN, "code"), (PLAIN, "balance")]


def test_the_balance_of_who_is_paid_nothing_is_not_read() -> None:
    assert wanted(free_call(PLAIN)) == [*OF_SENDER, (PLAIN, "code")]


def test_who_sends_to_itself_has_three() -> None:
    assert wanted(free_call(SENDER, value=3)) == OF_SENDER


def test_the_target_of_a_creation_is_found_by_its_nonce() -> None:
    asked = wanted(replace(free_call(), to=None, gas_limit=100_000))
    assert asked[:3] == OF_SENDER
    assert asked[3][1] == "nonce"
    assert asked[3][0] not in (SENDER, bytes(20))


@given(nonce=st.integers(0, 2), balance=st.sampled_from([0, 5, 10**20]), value=st.integers(0, 9))
def test_an_invalid_one_asks_for_the_same(nonce: int, balance: int, value: int) -> None:
    transaction = free_call(PLAIN, value=value)
    asked = wanted(transaction, balance, nonce)
    image = BlockImage(Block(FREE, (transaction,)))
    rows = TRANSACTION.array_at(int(image._rows.ctypes.data), 1)
    assert len(asked) == count_sure_reads(TRANSACTION.ref(rows.ctypes.data))
    assert asked == wanted(transaction)


def test_what_fields_show_is_told_without_any_read() -> None:
    assert wanted(free_call(CONTRACT, gas_limit=1 << 60)) in ([], wanted(free_call(CONTRACT)))
