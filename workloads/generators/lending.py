"""Lending: isolated markets with interest, an oracle that everything reads, liquidations, and flash loans.

A few assets are lent, the hub token first among them, each in several markets against a token of the market's own; as
wrapped ether is on Ethereum, an asset may be lent in some markets and pledged in another. Suppliers and borrowers
change a market's totals, every transfer in or out changes the lender's balance of the token, and every health check
reads the oracle's price, which a feeder posts now and then. Liquidators race for positions that are under water; the
second one comes too late. Searchers take flash loans and sell on one of two pools what they bought on the other.

A market's totals are a hot spot of every real lender, since interest must grow them at each touch. One balance through
which all markets pay is not: lenders keep each asset apart. So both have dials, and neither is one by default.

Defaults, and where they come from:

- ``market_zipf``: markets are as unequal as trading pairs on an average day of Uniswap (2022): 1.23.
- ``markets``, ``assets``: no measurement was at hand; large lenders list some dozens.
- ``accounts``, ``account_zipf``: payment senders of 2022, 0.80.
- ``liquidations``, ``flash``, ``posts``: no measurement was at hand. Few borrowers are under water on an ordinary day,
  and an oracle posts a few prices in a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

FEEDER = -1
# Borrowers under water are accounts from here downwards.
DISTRESSED = -10_000
WAD = 10**18
SHARES_PER_ASSET = 10**6
# What every market was supplied with before, in the token that it lends.
DEPTH = 1_000_000 * UNIT
POOL_DEPTH = 2_000_000 * UNIT
# Two pools of a pair differ by so much, which is more than their two fees.
GAP_BPS = 150
# Collateral in terms of what is borrowed against it; the lender asks for 125 %.
SAFETY = 3
LOAN = 100 * UNIT
# Fields of a market in storage.
SUPPLY_ASSETS, SUPPLY_SHARES, BORROW_ASSETS, BORROW_SHARES = 2, 3, 4, 5
GAS = {
    "supply": 130_000,
    "withdraw": 130_000,
    "supplyCollateral": 95_000,
    "withdrawCollateral": 130_000,
    "borrow": 160_000,
    "repay": 130_000,
    "liquidate": 170_000,
    "flash": 330_000,
    "post": 45_000,
}
ORDINARY = ("supply", "withdraw", "supplyCollateral", "withdrawCollateral", "borrow", "repay")


class Lending(Application):
    """Lending: conflicts through markets' totals, the lender's token balance, and the oracle's prices."""

    name = "lending"
    summary = "lending markets with an oracle, liquidations and flash loans"
    artifacts: ClassVar[Mapping[str, str]] = {
        "oracle": "oracle",
        "lending": "lending",
        "arbitrage": "arbitrage",
        "token": "token",
        "cheap": "pool",
        "dear": "pool",
    }
    dials = (
        Dial("markets", 32, "markets; with 1 nearly every transaction conflicts", 1, 200),
        Dial(
            "assets",
            8,
            "tokens that are lent, each in its share of the markets; all its loans are in one balance",
            1,
            200,
        ),
        Dial.zipf("market_zipf", 1.23, "markets"),
        Dial("accounts", 20_000, "accounts that supply and borrow", 1, 1_000_000),
        Dial.zipf("account_zipf", 0.80, "accounts"),
        Dial.share("liquidations", 0.04, "share of liquidations"),
        Dial("rivals", 1.2, "liquidators for each position under water; all but the first come too late", 1.0, 100.0),
        Dial.share("flash", 0.05, "share of flash loans for arbitrage"),
        Dial.share("posts", 0.01, "share of prices posted to the oracle"),
        BURST,
    )
    presets = (
        Preset("crash", "prices fall: liquidators compete, the oracle posts (no measurement at hand)",
               {"liquidations": 0.4, "rivals": 2.0, "posts": 0.05, "market_zipf": 1.6, "burst": "viral"}),
        Preset("burst", "markets as unequal as Uniswap's pairs on its burstiest days of 2022: Zipf 1.60",
               {"market_zipf": 1.6}),
    )  # fmt: skip

    ends = (
        {"markets": 200, "assets": 200, "market_zipf": 0.0, "accounts": 1_000_000, "account_zipf": 0.0,
         "liquidations": 0.0, "flash": 0.0, "posts": 0.0},
        {"markets": 32, "assets": 8, "market_zipf": 5.0, "accounts": 20_000, "account_zipf": 0.8,
         "liquidations": 0.0, "flash": 0.0, "posts": 0.0},
    )  # fmt: skip

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        special = {
            "liquidate": float(dials["liquidations"]),
            "flash": float(dials["flash"]),
            "post": float(dials["posts"]),
        }
        rest = max(0.0, 1.0 - sum(special.values())) / len(ORDINARY)
        kinds = chain.draw_kinds("kinds", {**dict.fromkeys(ORDINARY, rest), **special})
        chosen = chain.draw_ranks("markets", int(dials["markets"]), float(dials["market_zipf"]))
        actors = chain.draw_ranks("accounts", int(dials["accounts"]), float(dials["account_zipf"]))
        parts = chain.draw_below("amounts", 1_000)
        markets = range(max(chosen) + 1)
        flash_markets = {m for m, kind in zip(chosen, kinds, strict=True) if kind == "flash"}
        lending = _LendingGenesis(chain, markets, int(dials["assets"]), flash_markets)

        method = {name: load("lending").method(name) for name in (*ORDINARY, "liquidate")}
        run, post = load("arbitrage").method("run"), load("oracle").method("post")
        rivals, liquidations = float(dials["rivals"]), 0
        for kind, m, actor, part in zip(kinds, chosen, actors, parts, strict=True):
            amount, lender = (1 + part) * UNIT // 10, lending.lender
            collateral = lending.collateral_for(m, amount)
            match kind:
                case "supply":
                    chain.tokens.credit(lending.asset(m), lending.approve(m, actor), amount)
                case "withdraw":
                    lending.add_supply(m, actor, 2 * amount)
                case "supplyCollateral":
                    chain.tokens.credit(m + 1, lending.approve(m, actor), collateral)
                    lending.add_collateral(m, actor, 0)
                case "withdrawCollateral":
                    lending.add_collateral(m, actor, 2 * collateral)
                case "borrow":
                    lending.add_collateral(m, actor, SAFETY * collateral)
                case "repay":
                    chain.tokens.credit(lending.asset(m), lending.approve(m, actor), 2 * amount)
                    lending.add_debt(m, actor, 2 * amount)
                    lending.add_collateral(m, actor, 2 * SAFETY * collateral)
                case "liquidate":
                    debtor = DISTRESSED - int(liquidations / rivals)
                    m, liquidations = lending.add_distressed_loan(debtor, m), liquidations + 1
                    chain.tokens.credit(lending.asset(m), lending.approve(m, actor), LOAN)
                    chain.tokens.credit(m + 1, lending.approve(m, actor))
                    data = method[kind](m, builder.accounts[debtor], LOAN // 2)
                    builder.add(actor, lender, GAS[kind], data)
                    continue
                case "flash":
                    first, second = lending.pools[m]
                    chain.tokens.credit(lending.asset(m), builder.accounts[actor])
                    data = run(chain.token(lending.asset(m)), amount, first, second, 0)
                    builder.add(actor, chain.contracts["arbitrage"], GAS[kind], data)
                    continue
                case "post":
                    data = post(chain.token(m + 1), lending.prices[m] * (99_500 + part) // 100_000)
                    builder.add(FEEDER, chain.contracts["oracle"], GAS[kind], data)
                    continue
            of_collateral = kind.endswith("Collateral")
            lending.add_participant(m, actor)
            builder.add(actor, lender, GAS[kind], method[kind](m, collateral if of_collateral else amount))
        chain.roles["feeder"] = builder.accounts[FEEDER]
        return {"markets": lending.write_storage(), "assets": {m: lending.asset(m) for m in markets}}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that shares add up and the lender holds what it owes. See `Application.verify`.

        In each market the accounts' shares add up to the market's and no more is borrowed than supplied; the lender
        holds of each token what is supplied and not borrowed (and the units that roundings left) and the collateral.
        """
        lender, found = scenario.contracts["lending"], []
        storage = Storage(state, lender, load("lending"))
        owed: dict[int, int] = {}
        for m, participants in scenario.notes["markets"].items():
            fields = [storage.get("markets", m, offset=field) for field in range(6)]
            for variable, field in (("supplyShares", SUPPLY_SHARES), ("borrowShares", BORROW_SHARES)):
                if (held := sum(storage.get(variable, m, account) for account in participants)) != fields[field]:
                    found.append(f"market {m}: {variable} add up to {held}, not to {fields[field]}")
            if fields[BORROW_ASSETS] > fields[SUPPLY_ASSETS]:
                found.append(f"market {m}: {fields[BORROW_ASSETS]} borrowed of {fields[SUPPLY_ASSETS]}")
            asset = scenario.notes["assets"][m]
            owed[asset] = owed.get(asset, 0) + fields[SUPPLY_ASSETS] - fields[BORROW_ASSETS]
            pledged = sum(storage.get("collateral", m, account) for account in participants)
            owed[m + 1] = owed.get(m + 1, 0) + pledged
        lent = set(scenario.notes["assets"].values())
        for token, amount in owed.items():
            held = Storage(state, scenario.contracts[f"token {token}"], load("token")).get("balanceOf", lender)
            # Every repayment is rounded up by less than a unit.
            if not amount <= held <= amount + (sum(len(block) for block in scenario.blocks) if token in lent else 0):
                found.append(f"lender 0x{lender.hex()}: holds {held} of token {token} and owes {amount}")
        return found


class _LendingGenesis:
    """Lender at genesis: positions and pools that the transactions added so far need.

    Parameters
    ----------
    chain : ChainBuilder
    markets : range
        Indices of the markets.
    assets : int
        Tokens that are lent; a market's own token, its collateral, has the market's index plus one.
    flash_markets : set[int]
        Markets in which flash loans are taken: only these have pools.
    """

    def __init__(self, chain: ChainBuilder, markets: range, assets: int, flash_markets: set[int]) -> None:
        self.chain = chain
        self._assets = assets
        feeder = chain.block_builder.accounts[FEEDER]
        self.oracle = chain.deploy("oracle", "oracle", feeder)
        self.lender = chain.deploy("lending", "lending", self.oracle)
        chain.deploy("arbitrage", "arbitrage", self.lender)
        self._supplied: dict[tuple[int, bytes], int] = {}
        self._borrowed: dict[tuple[int, bytes], int] = {}
        self._collateral: dict[tuple[int, bytes], int] = {}
        self._participants: dict[int, dict[bytes, None]] = {m: {} for m in markets}
        self._distressed: dict[int, int] = {}
        # Price of the collateral of each market, in the token that it lends, with 18 decimals.
        self.prices = {m: WAD * (10 + m * 7919 % 90) // 1_000 for m in markets}
        self.pools: dict[int, tuple[bytes, bytes]] = {}
        for m in markets:
            lent, token = chain.token(self.asset(m)), chain.token(m + 1)
            chain.call_keeping_nonce(self.oracle, load("oracle").method("post")(token, self.prices[m]), feeder)
            chain.genesis.call(self.lender, load("lending").method("createMarket")(lent, token))
            self._add(self._supplied, m, named_account("whale"), DEPTH)
        for m in sorted(flash_markets):
            pair = sorted((chain.tokens[self.asset(m)], chain.tokens[m + 1]))
            self.pools[m] = (
                chain.deploy(f"cheap pool {m}", "pool", *pair),
                chain.deploy(f"dear pool {m}", "pool", *pair),
            )

    def _add(self, amounts: dict[tuple[int, bytes], int], m: int, account: bytes, amount: int) -> None:
        """Add to one of the amounts by market and account."""
        amounts[m, account] = amounts.get((m, account), 0) + amount
        self._participants[m][account] = None

    def asset(self, m: int) -> int:
        """Index of the token that a market lends."""
        return m % self._assets

    def collateral_for(self, m: int, amount: int) -> int:
        """Amount of a market's collateral that is worth this much of the token that it lends."""
        return amount * WAD // self.prices[m]

    def approve(self, m: int, actor: int) -> bytes:
        """Approve the lender for the token that a market lends; the account's address."""
        address = self.chain.block_builder.accounts[actor]
        self.chain.tokens.approve(self.asset(m), address, self.lender)
        return address

    def add_participant(self, m: int, actor: int) -> None:
        """Make an account a participant of a market, and a possible holder of its tokens."""
        address = self.chain.block_builder.accounts[actor]
        self._participants[m][address] = None
        self.chain.tokens.credit(self.asset(m), address)
        self.chain.tokens.credit(m + 1, address)
        self.chain.tokens.approve(m + 1, address, self.lender)

    def add_supply(self, m: int, actor: int, amount: int) -> None:
        """Add to what an account has supplied at genesis."""
        self._add(self._supplied, m, self.chain.block_builder.accounts[actor], amount)

    def add_debt(self, m: int, actor: int, amount: int) -> None:
        """Add to what an account owes at genesis."""
        self._add(self._borrowed, m, self.chain.block_builder.accounts[actor], amount)

    def add_collateral(self, m: int, actor: int, amount: int) -> None:
        """Add to what an account has pledged at genesis."""
        self._add(self._collateral, m, self.chain.block_builder.accounts[actor], amount)

    def add_distressed_loan(self, debtor: int, m: int) -> int:
        """Add a loan that the collateral does not cover, one for each debtor; the market of the loan."""
        if debtor not in self._distressed:
            self._distressed[debtor] = m
            self.add_debt(m, debtor, LOAN)
            # Worth 120 % of the loan, of which 80 % is the limit; after half is repaid the position is sound again.
            self.add_collateral(m, debtor, self.collateral_for(m, LOAN * 12 // 10))
        return self._distressed[debtor]

    def write_storage(self) -> dict[int, tuple[bytes, ...]]:
        """Write positions and pools into the genesis; the participants of each market."""
        chain, lender = self.chain, self.lender
        storage = chain.storage("lending", "lending")
        for amounts, variable, assets, shares in (
            (self._supplied, "supplyShares", SUPPLY_ASSETS, SUPPLY_SHARES),
            (self._borrowed, "borrowShares", BORROW_ASSETS, BORROW_SHARES),
        ):
            totals: dict[int, int] = {}
            for (m, account), amount in amounts.items():
                storage.set(amount * SHARES_PER_ASSET, variable, m, account)
                totals[m] = totals.get(m, 0) + amount
            for m, total in totals.items():
                storage.set(total, "markets", m, offset=assets)
                storage.set(total * SHARES_PER_ASSET, "markets", m, offset=shares)
        for (m, account), amount in self._collateral.items():
            storage.set(amount, "collateral", m, account)
            chain.tokens.credit(m + 1, lender, amount)
        for m in self._participants:
            chain.tokens.credit(m + 1, lender)
        for sign, amounts in ((1, self._supplied), (-1, self._borrowed)):
            for (m, _), amount in amounts.items():
                chain.tokens.credit(self.asset(m), lender, sign * amount)
        for m, pools in self.pools.items():
            for token in (self.asset(m), m + 1):
                chain.tokens.credit(token, chain.contracts["arbitrage"])
            for pool, tilt in zip(pools, (10_000 + GAP_BPS, 10_000), strict=True):
                # More of the collateral for the token lent in the first: there it is bought.
                chain.tokens.credit(self.asset(m), pool, POOL_DEPTH)
                chain.tokens.credit(m + 1, pool, self.collateral_for(m, POOL_DEPTH) * tilt // 10_000)
        chain.tokens.write_storage()
        for pools in self.pools.values():
            for pool in pools:
                chain.genesis.call(pool, load("pool").method("mint")(named_account("liquidity provider")))
        return {m: tuple(accounts) for m, accounts in self._participants.items()}
