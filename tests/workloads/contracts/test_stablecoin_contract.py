"""What `stablecoin` promises, asked of the compiled contract."""

from __future__ import annotations

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, ZERO, Contract, World, reverts

COLLECTOR = b"\xfe" * 20


@pytest.fixture
def coin() -> Contract:
    coin = World().deploy("stablecoin", "Dollar", "USD", ALICE, COLLECTOR, 10)
    coin.send(ALICE, "mint", BOB, 10**12)
    return coin


def test_transfers_pay_a_fee_up_to_a_most(coin: Contract) -> None:
    coin.send(BOB, "transfer", CAROL, 10_000)
    assert coin.ask("balanceOf", CAROL) == (9_990,)
    assert coin.ask("balanceOf", COLLECTOR) == (10,)
    coin.send(BOB, "transfer", CAROL, 10**11)
    assert coin.ask("balanceOf", COLLECTOR) == (10 + 50 * 10**6,)
    coin.send(ALICE, "setFee", 0, 0)
    coin.send(CAROL, "transfer", BOB, 90)
    assert coin.ask("balanceOf", COLLECTOR) == (10 + 50 * 10**6,)
    assert coin.ask("totalSupply") == (10**12,)
    assert sum(coin.ask("balanceOf", one)[0] for one in (BOB, CAROL, COLLECTOR)) == 10**12


def test_the_blocked_neither_send_nor_receive(coin: Contract) -> None:
    coin.send(BOB, "approve", CAROL, 500)
    coin.send(ALICE, "setBlocked", CAROL, True)
    for sender, method, arguments in (
        (BOB, "transfer", (CAROL, 1)),
        (CAROL, "transfer", (BOB, 0)),
        (CAROL, "transferFrom", (BOB, ALICE, 1)),
        (CAROL, "redeem", (0,)),
        (ALICE, "mint", (CAROL, 1)),
    ):
        with reverts("stablecoin: blocked"):
            coin.send(sender, method, *arguments)
    coin.send(ALICE, "setBlocked", CAROL, False)
    coin.send(CAROL, "transferFrom", BOB, CAROL, 300)
    assert coin.ask("allowance", BOB, CAROL) == (200,)
    with reverts("ERC20: insufficient allowance"):
        coin.send(CAROL, "transferFrom", BOB, CAROL, 201)


def test_only_the_issuer_mints_blocks_and_sets_fees(coin: Contract) -> None:
    for method, arguments in (("mint", (BOB, 1)), ("setBlocked", (CAROL, True)), ("setFee", (0, 0))):
        with reverts("stablecoin: not the issuer"):
            coin.send(BOB, method, *arguments)
    with reverts("stablecoin: fee too high"):
        coin.send(ALICE, "setFee", 21, 0)
    coin.send(BOB, "redeem", 10**11)
    assert coin.ask("totalSupply") == (9 * 10**11,)
    with reverts("ERC20: insufficient balance"):
        coin.send(BOB, "redeem", 10**12)
    with reverts("ERC20: transfer to zero"):
        coin.send(BOB, "transfer", ZERO, 1)
