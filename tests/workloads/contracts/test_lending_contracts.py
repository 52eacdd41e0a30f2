"""What `oracle`, `lending` and `arbitrage` promise, asked of the compiled contracts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contend.workloads.building.tokens import UNLIMITED
from tests.workloads.world import ALICE, BOB, CAROL, Contract, World, reverts

WAD = 10**18
YEAR_BLOCKS = 365 * 24 * 3600 // 12


@dataclass
class Bank:
    """ALICE supplied 1,000 gold; BOB has pledged 100 silver, each worth two gold."""

    world: World
    gold: Contract
    silver: Contract
    oracle: Contract
    lending: Contract

    def shares_worth(self, account: bytes, kind: str) -> int:
        shares = self.lending.ask(f"{kind}Shares", 0, account)[0]
        market = self.lending.ask("markets", 0)
        assets, total = (market[2], market[3]) if kind == "supply" else (market[4], market[5])
        return shares * assets // total if total else 0


@pytest.fixture
def bank() -> Bank:
    world = World()
    gold, silver = (world.deploy("token", name, name[:3], 18, 10_000 * WAD) for name in ("Gold", "Silver"))
    oracle = world.deploy("oracle", ALICE)
    oracle.send(ALICE, "post", silver.address, 2 * WAD)
    lending = world.deploy("lending", oracle.address)
    lending.send(ALICE, "createMarket", gold.address, silver.address)
    silver.send(ALICE, "transfer", BOB, 1_000 * WAD)
    gold.send(ALICE, "transfer", CAROL, 1_000 * WAD)
    for token in (gold, silver):
        for account in (ALICE, BOB, CAROL):
            token.send(account, "approve", lending.address, UNLIMITED)
    lending.send(ALICE, "supply", 0, 1_000 * WAD)
    lending.send(BOB, "supplyCollateral", 0, 100 * WAD)
    return Bank(world, gold, silver, oracle, lending)


def test_prices_are_posted_by_the_feeder_in_small_steps() -> None:
    world = World()
    oracle = world.deploy("oracle", BOB)
    with reverts("oracle: no answer"):
        oracle.ask("latest", ALICE)
    with reverts("oracle: not the feeder"):
        oracle.send(ALICE, "post", ALICE, 5)
    oracle.send(BOB, "post", ALICE, 100)
    assert oracle.ask("latest", ALICE) == (100, world.environment.timestamp)
    for price in (201, 49, 0):
        with reverts("oracle: price"):
            oracle.send(BOB, "post", ALICE, price)
    world.pass_blocks(1)
    oracle.send(BOB, "post", ALICE, 200)
    assert oracle.ask("latest", ALICE) == (200, world.environment.timestamp)


def test_loans_are_limited_by_collateral_and_liquidity(bank: Bank) -> None:
    lending = bank.lending
    with reverts("lending: insufficient collateral"):
        lending.send(BOB, "borrow", 0, 161 * WAD)
    lending.send(BOB, "borrow", 0, 160 * WAD - 10)
    assert bank.gold.ask("balanceOf", BOB) == (160 * WAD - 10,)
    with reverts("lending: insufficient collateral"):
        lending.send(BOB, "withdrawCollateral", 0, WAD)
    with reverts("lending: insufficient liquidity"):
        lending.send(ALICE, "withdraw", 0, 900 * WAD)
    lending.send(ALICE, "withdraw", 0, 800 * WAD)
    with reverts("lending: more than supplied"):
        lending.send(CAROL, "withdraw", 0, 1)
    with reverts("lending: insufficient liquidity"):
        lending.send(BOB, "supplyCollateral", 0, 500 * WAD)
        lending.send(BOB, "borrow", 0, 41 * WAD)


def test_interest_grows_loans_and_deposits_alike(bank: Bank) -> None:
    lending, world = bank.lending, bank.world
    lending.send(BOB, "borrow", 0, 100 * WAD)
    world.pass_blocks(YEAR_BLOCKS)
    # A tenth is lent: 2 % and a tenth of 20 %.
    lending.send(CAROL, "supply", 0, WAD)
    assert bank.shares_worth(BOB, "borrow") == pytest.approx(104 * WAD, rel=1e-6)
    assert bank.shares_worth(ALICE, "supply") == pytest.approx(1_004 * WAD, rel=1e-6)
    bank.gold.send(ALICE, "transfer", BOB, 100 * WAD)
    lending.send(BOB, "repay", 0, 1_000 * WAD)
    assert lending.ask("borrowShares", 0, BOB) == (0,)
    with reverts("lending: nothing owed"):
        lending.send(BOB, "repay", 0, 1)
    lending.send(BOB, "withdrawCollateral", 0, 100 * WAD)
    # Roundings left something, and nobody can be owed more than there is.
    held = bank.gold.ask("balanceOf", lending.address)[0]
    market = lending.ask("markets", 0)
    assert 0 <= held - (market[2] - market[4]) <= 2


def test_only_bad_loans_are_liquidated_with_a_bonus(bank: Bank) -> None:
    lending = bank.lending
    lending.send(BOB, "borrow", 0, 150 * WAD)
    with reverts("lending: position is healthy"):
        lending.send(CAROL, "liquidate", 0, BOB, 50 * WAD)
    bank.oracle.send(ALICE, "post", bank.silver.address, 18 * WAD // 10)
    assert lending.ask("isHealthy", 0, BOB) == (0,)
    lending.send(CAROL, "liquidate", 0, BOB, 63 * WAD)
    seized = bank.silver.ask("balanceOf", CAROL)[0]
    assert seized == pytest.approx(63 * WAD * 105 // 180, rel=1e-9)
    assert lending.ask("collateral", 0, BOB) == (100 * WAD - seized,)
    assert lending.ask("isHealthy", 0, BOB) == (1,)
    with reverts("lending: position is healthy"):
        lending.send(CAROL, "liquidate", 0, BOB, WAD)


def test_a_hopeless_loan_gives_no_more_than_its_collateral(bank: Bank) -> None:
    lending = bank.lending
    lending.send(BOB, "borrow", 0, 150 * WAD)
    for price in (WAD, WAD // 2):
        bank.oracle.send(ALICE, "post", bank.silver.address, price)
    lending.send(CAROL, "liquidate", 0, BOB, 150 * WAD)
    assert lending.ask("collateral", 0, BOB)[0] < 10
    assert bank.shares_worth(BOB, "borrow") > 100 * WAD


def test_a_flash_loan_is_repaid_or_never_happened(bank: Bank) -> None:
    world, lending, gold, silver = bank.world, bank.lending, bank.gold, bank.silver
    arbitrage = world.deploy("arbitrage", lending.address)
    pair = sorted((gold.address, silver.address))
    cheap, dear = (world.deploy("pool", *pair) for _ in range(2))
    for pool, amount in ((cheap, 600), (dear, 500)):
        gold.send(ALICE, "transfer", pool.address, 1_000 * WAD)
        silver.send(ALICE, "transfer", pool.address, amount * WAD)
        pool.send(ALICE, "mint", ALICE)
    before = gold.ask("balanceOf", lending.address)
    with reverts("arbitrage: loss"):
        arbitrage.send(CAROL, "run", gold.address, 10 * WAD, dear.address, cheap.address, 0)
    held = gold.ask("balanceOf", CAROL)[0]
    arbitrage.send(CAROL, "run", gold.address, 10 * WAD, cheap.address, dear.address, 0)
    assert gold.ask("balanceOf", CAROL)[0] > held + WAD
    assert gold.ask("balanceOf", lending.address) == before
    assert gold.ask("balanceOf", arbitrage.address) == (0,)
    with reverts("arbitrage: no profit"):
        arbitrage.send(CAROL, "run", gold.address, WAD, cheap.address, dear.address, 10 * WAD)
    with reverts("arbitrage: not the lender"):
        arbitrage.send(CAROL, "onFlashLoan", gold.address, 1, b"\0" * 64)
