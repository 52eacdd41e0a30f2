"""Swaps: traders exchange tokens over constant-product pools through a router.

Every pool pairs the hub token (what wrapped ether is on Ethereum) with a token of its own, so that a route between two
other tokens leads through two pools. A swap is four contracts deep: router, pool, token, and back.

Traders quote against the state before the block and accept a slippage, as they do on a chain; a swap whose price has
moved further by its turn reverts. Which ones do so in block order is computed here with the pools' own integer
formula, and kept in the scenario's notes as ``reverts``.

Defaults, and where they come from (public chain data of 2022 unless said otherwise):

- ``pools``, ``pool_zipf``: an average day of Uniswap has 267 pairs with Zipf exponent 1.23; its burstiest have 1.60.
- ``accounts``, ``trader_zipf``: those of payment senders, 0.80; no figure for traders was at hand.
- ``two_hops``: of 117 transactions with Uniswap swaps in nine mainnet blocks, 25 passed more than one pool.
- ``slippage_bps``: 0.5 %, what Uniswap's interface proposes.
- ``unlimited``: 35 of the 49 approvals in nine mainnet blocks were unlimited.
- Trades move 0.0001 % to 0.01 % of a pool's reserve, as retail trades do in pools of tens of millions of dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workloads.abi import load
from workloads.accounts import named_account
from workloads.base import Dial, DialValue, Scenario, Workload
from workloads.draft import Draft, genesis_environment
from workloads.ether import EtherBook
from workloads.sampling import Stream, Zipf
from workloads.storage import Storage
from workloads.tokens import UNIT, UNLIMITED, deploy_token, endow, supply_violations

if TYPE_CHECKING:
    from evm import Genesis, State

HUB = 0
RESERVE_MASK = 2**112 - 1
# Gas limits as a wallet sets them: about a quarter above the most that such a swap uses.
SWAP_GAS = (190_000, 310_000)
DEADLINE_SECONDS = 1_200


@dataclass(frozen=True)
class Trade:
    """One swap before it is encoded: pools by number in their order, and which token goes in."""

    trader: int
    pools: tuple[int, ...]
    token_in: int
    amount: int


class Market:
    """Reserves as the pools will record them, in units of the hub token and of each pool's own token."""

    def __init__(self, pools: Iterable[int]) -> None:
        # Deep pools for popular pairs, and prices that differ from pair to pair.
        self.reserves = {
            pool: (50_000 * UNIT // (1 + pool // 4) + pool, (1 + pool * 7919 % 1000) * 20_000 * UNIT + pool)
            for pool in pools
        }

    def amounts(self, trade: Trade) -> list[tuple[int, bool, int, int]]:
        """For each pool on the way: its number, whether the hub token goes in, what goes in, what comes out."""
        steps, amount, hub_in = [], trade.amount, trade.token_in == HUB
        for pool in trade.pools:
            hub, other = self.reserves[pool]
            reserve_in, reserve_out = (hub, other) if hub_in else (other, hub)
            after_fee = amount * 997
            out = after_fee * reserve_out // (reserve_in * 1000 + after_fee)
            steps.append((pool, hub_in, amount, out))
            amount, hub_in = out, not hub_in
        return steps

    def settle(self, steps: list[tuple[int, bool, int, int]]) -> None:
        """Move the reserves by a swap that succeeded."""
        for pool, hub_in, paid, out in steps:
            hub, other = self.reserves[pool]
            self.reserves[pool] = (hub + paid, other - out) if hub_in else (hub - out, other + paid)


class Swaps(Workload):
    """Router swaps: conflicts through hot pools' reserves, their token balances, and hot traders' nonces."""

    name = "swaps"
    summary = "exact-input swaps through a router over constant-product pools"
    dials = (
        Dial("pools", 267, "pools; with 1 every transaction conflicts", 1, 10_000),
        Dial("pool_zipf", 1.23, "Zipf exponent of pools; 0 is uniform", 0.0, 5.0),
        Dial("two_hops", 0.2, "share of swaps that pass two pools, where there are two", 0.0, 1.0),
        Dial("accounts", 50_000, "accounts that trade", 1, 1_000_000),
        Dial("trader_zipf", 0.80, "Zipf exponent of traders; 0 is uniform", 0.0, 5.0),
        Dial("slippage_bps", 50, "slippage that traders accept, in hundredths of a percent", 0, 10_000),
        Dial("unlimited", 0.7, "share of approvals of the router that are unlimited", 0.0, 1.0),
    )

    artifacts: ClassVar[Mapping[str, str]] = {"token": "token", "pool": "pool", "router": "router"}
    classes: ClassVar[Mapping[str, str]] = {
        "token.balanceOf": "token balance",
        "token.allowance": "allowance",
        "pool.packed": "pool reserve",
    }

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`."""
        from evm import Genesis

        draft = Draft(self.name, seed, block_size, blocks)
        trades = _draw_trades(dials, seed, draft.size)
        used = sorted({pool for trade in trades for pool in trade.pools})
        market = Market(used)
        genesis = Genesis(genesis_environment())
        tokens = {number: deploy_token(genesis, number) for number in (HUB, *(pool + 1 for pool in used))}
        pools = {pool: _deploy_pool(genesis, tokens[HUB], tokens[pool + 1]) for pool in used}
        router = genesis.deploy(load("router").creation())

        reverts = _write(draft, trades, market, tokens, pools, router, int(dials["slippage_bps"]))
        draft.fund(genesis)
        balances = _endow(genesis, draft, trades, Market(used), tokens, pools)
        _approve(genesis, draft, trades, tokens, router, Stream(seed, "swaps/approvals"), float(dials["unlimited"]))
        products, provide = {}, load("pool").method("mint")
        for number, pool in pools.items():
            genesis.call(pool, provide(named_account("liquidity provider")))
            products[number] = _product(genesis.state, pool)

        contracts = {f"token {number}": address for number, address in tokens.items()}
        contracts |= {f"pool {number}": address for number, address in pools.items()} | {"router": router}
        return Scenario(
            genesis.state,
            draft.finished(),
            dict(dials),
            contracts,
            {
                "ether": EtherBook.open(genesis.state, draft, contracts.values()),
                "holders": {tokens[number]: (tuple(held), sum(held.values())) for number, held in balances.items()},
                "pools": {pools[number]: (tokens[HUB], tokens[number + 1], products[number]) for number in used},
                "reverts": reverts,
            },
        )

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Whether tokens and ether are conserved and every pool is sound. See `Workload.check`.

        A pool is sound when the product of its reserves is at least what it was at genesis, and its recorded reserves
        are what it holds of its tokens.
        """
        ether: EtherBook = scenario.notes["ether"]
        violations = ether.violations(state, scenario.blocks)
        for token, (holders, supply) in scenario.notes["holders"].items():
            violations += supply_violations(state, token, "token", (*holders, router_of(scenario)), supply)
        for pool, (hub, other, before) in scenario.notes["pools"].items():
            name = f"pool 0x{pool.hex()}"
            if _product(state, pool) < before:
                violations.append(f"{name}: product of reserves fell from {before} to {_product(state, pool)}")
            held = tuple(Storage(state, token, load("token")).get("balanceOf", pool) for token in sorted((hub, other)))
            if held != (recorded := _reserves(state, pool)):
                violations.append(f"{name}: reserves are recorded as {recorded}, but it holds {held}")
        return violations


def router_of(scenario: Scenario) -> bytes:
    """Address of the router; it must never keep a token."""
    return scenario.contracts["router"]


def _draw_trades(dials: Mapping[str, DialValue], seed: int, count: int) -> list[Trade]:
    pools, exponent = int(dials["pools"]), float(dials["pool_zipf"])
    popularity = Zipf(pools, exponent)
    first = popularity.draw(Stream(seed, "swaps/pools"), count)
    stream = Stream(seed, "swaps/second pools")
    second = popularity.draw(stream, count)
    two = Stream(seed, "swaps/hops").chance(float(dials["two_hops"]), count) & (pools > 1)
    while (same := (two & (first == second)).nonzero()[0]).size:
        second[same] = popularity.draw(stream, same.size)
    traders = Zipf(int(dials["accounts"]), float(dials["trader_zipf"])).draw(Stream(seed, "swaps/traders"), count)
    buys = Stream(seed, "swaps/sides").chance(0.5, count)
    parts = Stream(seed, "swaps/amounts").below(100, count)
    start = Market(range(pools)).reserves
    trades = []
    for trader, a, b, two_hops, buy, part in zip(
        traders.tolist(), first.tolist(), second.tolist(), two.tolist(), buys.tolist(), parts.tolist(), strict=True
    ):
        hub_in = buy and not two_hops
        amount = start[a][0 if hub_in else 1] * (1 + part) // 10**6
        if two_hops:
            # Measured by the shallower pool.
            amount = amount * min(start[a][0], start[b][0]) // start[a][0]
        trades.append(Trade(trader, (a, b) if two_hops else (a,), HUB if hub_in else a + 1, amount))
    return trades


def _deploy_pool(genesis: Genesis, token: bytes, other: bytes) -> bytes:
    return genesis.deploy(load("pool").creation(*sorted((token, other))))


def _write(
    draft: Draft,
    trades: list[Trade],
    market: Market,
    tokens: Mapping[int, bytes],
    pools: Mapping[int, bytes],
    router: bytes,
    slippage_bps: int,
) -> list[int]:
    """Write all swaps; the places, counted over all blocks, of those that will revert in block order."""
    swap = load("router").method("swapExactIn")
    reverts, quoting = [], Market(())
    for place, trade in enumerate(trades):
        if draft.begins_block:
            quoting.reserves = dict(market.reserves)
            deadline = draft.environment.timestamp + DEADLINE_SECONDS
        min_out = quoting.amounts(trade)[-1][-1] * (10_000 - slippage_bps) // 10_000
        trader = draft.accounts[trade.trader]
        path = [pools[pool] for pool in trade.pools]
        draft.add(
            trade.trader,
            router,
            SWAP_GAS[len(path) - 1],
            swap(trade.amount, min_out, tokens[trade.token_in], path, trader, deadline),
        )
        steps = market.amounts(trade)
        if steps[-1][-1] >= min_out:
            market.settle(steps)
        else:
            reverts.append(place)
    return reverts


def _endow(
    genesis: Genesis,
    draft: Draft,
    trades: list[Trade],
    start: Market,
    tokens: Mapping[int, bytes],
    pools: Mapping[int, bytes],
) -> dict[int, dict[bytes, int]]:
    """Give pools their reserves and traders all that they will pay in, whatever they get out; balances by token."""
    balances: dict[int, dict[bytes, int]] = {number: {} for number in tokens}
    for pool, (hub, other) in start.reserves.items():
        balances[HUB][pools[pool]] = hub
        balances[pool + 1][pools[pool]] = other
    for trade in trades:
        trader, held = draft.accounts[trade.trader], balances[trade.token_in]
        held[trader] = held.get(trader, 0) + trade.amount
        last = trade.pools[-1] + 1
        balances[HUB if len(trade.pools) == 1 and trade.token_in != HUB else last].setdefault(trader, 0)
    for number, held in balances.items():
        endow(genesis, tokens[number], held)
    return balances


def _approve(
    genesis: Genesis,
    draft: Draft,
    trades: list[Trade],
    tokens: Mapping[int, bytes],
    router: bytes,
    stream: Stream,
    unlimited: float,
) -> None:
    """Approve the router for every token that a trader pays with: without limit, or for what its swaps here need."""
    needed: dict[tuple[int, int], int] = {}
    for trade in trades:
        pair = (trade.token_in, trade.trader)
        needed[pair] = needed.get(pair, 0) + trade.amount
    storages = {number: Storage(genesis.state, token, load("token")) for number, token in tokens.items()}
    for (number, trader), without_limit in zip(needed, stream.chance(unlimited, len(needed)).tolist(), strict=True):
        amount = UNLIMITED if without_limit else needed[number, trader]
        storages[number].set(amount, "allowance", draft.accounts[trader], router)


def _reserves(state: State, pool: bytes) -> tuple[int, int]:
    packed = Storage(state, pool, load("pool")).get("packed")
    return packed & RESERVE_MASK, packed >> 112 & RESERVE_MASK


def _product(state: State, pool: bytes) -> int:
    reserve0, reserve1 = _reserves(state, pool)
    return reserve0 * reserve1
