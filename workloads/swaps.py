"""Swaps: traders exchange tokens over constant-product pools through a router.

Every pool pairs the hub token (what wrapped ether is on Ethereum) with a token of its own, so that a route between two
other tokens leads through two pools. Long routes go on through a pool between two of the other tokens, and perhaps back
to the hub. A swap is four contracts deep: router, pool, token, and back. Providers add liquidity in the ratio of the
reserves and take it out again, which moves both reserves and the supply of shares.

Traders quote against the state before the block and accept a slippage, as they do on a chain; a swap whose price has
moved further by its turn reverts. Which ones do so in block order is computed here with the pools' own integer
formulas, and kept in the scenario's notes as ``reverts``.

Defaults, and where they come from (public chain data of 2022 unless said otherwise):

- ``pools``, ``pool_zipf``: an average day of Uniswap has 267 pairs with Zipf exponent 1.23; its burstiest have 1.60.
- ``accounts``, ``trader_zipf``: those of payment senders, 0.80; no figure for traders was at hand.
- ``two_hops``: of 117 transactions with Uniswap swaps in nine mainnet blocks, 25 passed more than one pool.
- ``long_routes``, ``liquidity``: off, so that blocks are those of earlier versions.
- ``slippage_bps``: 0.5 %, what Uniswap's interface proposes.
- ``unlimited``: 35 of the 49 approvals in nine mainnet blocks were unlimited.
- Trades move 0.0001 % to 0.01 % of a pool's reserve, as retail trades do in pools of tens of millions of dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Any, ClassVar

from workloads.abi import load
from workloads.accounts import named_account
from workloads.application import Application
from workloads.arrivals import BURST
from workloads.base import Dial, DialValue, Preset, Scenario
from workloads.sampling import Zipf
from workloads.site import Site
from workloads.storage import Storage
from workloads.tokens import UNIT, UNLIMITED

if TYPE_CHECKING:
    from evm import State

HUB = 0
RESERVE_MASK = 2**112 - 1
# Gas limits by the number of pools, as a wallet sets them: about a quarter above the most that such a swap uses.
SWAP_GAS = (190_000, 310_000, 430_000, 550_000)
ADD_GAS, REMOVE_GAS = 260_000, 240_000
DEADLINE_SECONDS = 1_200
PROVIDER = "liquidity provider"


@dataclass(frozen=True)
class Trade:
    """One swap before it is encoded: pools by number in their order, and which token goes in."""

    trader: int
    pools: tuple[int, ...]
    token_in: int
    amount: int


@dataclass(frozen=True)
class Provision:
    """Liquidity added to a pool (`adds`, an amount of the hub token) or taken out (an amount of shares)."""

    provider: int
    pool: int
    adds: bool
    amount: int


@dataclass
class Market:
    """Reserves as the pools will record them, and their supplies of shares.

    Pools below `count` pair the hub token with token ``pool + 1``; pool ``count + p`` pairs token ``p + 1`` with the
    next.

    Attributes
    ----------
    count : int
        Pools of the hub token.
    reserves : dict[int, tuple[int, int]]
        By pool, in the order of `tokens`.
    supplies : dict[int, int]
        By pool.
    """

    count: int
    reserves: dict[int, tuple[int, int]] = field(default_factory=dict)
    supplies: dict[int, int] = field(default_factory=dict)

    @classmethod
    def open(cls, count: int, pools: Iterable[int]) -> Market:
        """What the pools hold at genesis: deep pools for popular pairs, and prices that differ from pair to pair."""
        market = cls(count)
        for pool in pools:
            if pool < count:
                sides = _depth(pool)
            else:
                (hub, first), (next_hub, second) = _depth(pool - count), _depth((pool - count + 1) % count)
                sides = (first // 10, second * hub // next_hub // 10)
            market.reserves[pool] = sides
            market.supplies[pool] = isqrt(sides[0] * sides[1])
        return market

    def tokens(self, pool: int) -> tuple[int, int]:
        """The two tokens of a pool."""
        return (
            (HUB, pool + 1) if pool < self.count else (pool - self.count + 1, (pool - self.count + 1) % self.count + 1)
        )

    def amounts(self, trade: Trade) -> list[tuple[int, bool, int, int]]:
        """For each pool on the way: its number, whether its first token goes in, what goes in, what comes out."""
        steps, amount, token = [], trade.amount, trade.token_in
        for pool in trade.pools:
            first, second = self.tokens(pool)
            forward = token == first
            reserve_in, reserve_out = self.reserves[pool] if forward else self.reserves[pool][::-1]
            after_fee = amount * 997
            out = after_fee * reserve_out // (reserve_in * 1000 + after_fee)
            steps.append((pool, forward, amount, out))
            amount, token = out, second if forward else first
        return steps

    def settle(self, steps: list[tuple[int, bool, int, int]]) -> None:
        """Move the reserves by a swap that succeeded."""
        for pool, forward, paid, out in steps:
            first, second = self.reserves[pool]
            self.reserves[pool] = (first + paid, second - out) if forward else (first - out, second + paid)

    def provide(self, provision: Provision) -> int:
        """Move reserves and supply by a provision; what it takes of the pool's second token, if it adds."""
        pool = provision.pool
        (first, second), supply = self.reserves[pool], self.supplies[pool]
        if provision.adds:
            other = provision.amount * second // first
            self.supplies[pool] += min(provision.amount * supply // first, other * supply // second)
            self.reserves[pool] = (first + provision.amount, second + other)
            return other
        self.supplies[pool] -= provision.amount
        self.reserves[pool] = (
            first - provision.amount * first // supply,
            second - provision.amount * second // supply,
        )
        return 0


def _depth(pool: int) -> tuple[int, int]:
    return 50_000 * UNIT // (1 + pool // 4) + pool, (1 + pool * 7919 % 1000) * 20_000 * UNIT + pool


class Swaps(Application):
    """Router swaps: conflicts through hot pools' reserves, their token balances, and hot traders' nonces."""

    name = "swaps"
    summary = "exact-input swaps through a router over constant-product pools"
    artifacts: ClassVar[Mapping[str, str]] = {
        "token": "token",
        "pool": "pool",
        "router": "router",
        "liquidity": "liquidity",
    }
    dials = (
        Dial("pools", 267, "pools; with 1 every transaction conflicts", 1, 10_000),
        Dial("pool_zipf", 1.23, "Zipf exponent of pools; 0 is uniform", 0.0, 5.0),
        Dial("two_hops", 0.2, "share of swaps that pass two pools, where there are two", 0.0, 1.0),
        Dial("long_routes", 0.0, "share of those that go on through a third pool, or a fourth", 0.0, 1.0),
        Dial("liquidity", 0.0, "share of liquidity added and removed, the rest being swaps", 0.0, 1.0),
        Dial("accounts", 50_000, "accounts that trade", 1, 1_000_000),
        Dial("trader_zipf", 0.80, "Zipf exponent of traders; 0 is uniform", 0.0, 5.0),
        Dial("slippage_bps", 50, "slippage that traders accept, in hundredths of a percent", 0, 10_000),
        Dial("unlimited", 0.7, "share of approvals of the router that are unlimited", 0.0, 1.0),
        BURST,
    )
    presets = (
        Preset("average-day", "Uniswap on an average day of 2022: 267 pairs, Zipf 1.23 (the defaults)",
               {"pools": 267, "pool_zipf": 1.23}),
        Preset("burst-day", "Uniswap on its burstiest days of 2022: 330 pairs, Zipf 1.60",
               {"pools": 330, "pool_zipf": 1.60}),
        Preset("token-sale", "a token sale's plateau, 7 times the ordinary rate, at one pool",
               {"pools": 330, "pool_zipf": 3.0, "two_hops": 0.05, "slippage_bps": 500, "burst": "plateau"}),
        Preset("one-pool", "every swap on one pool: Aptos measured 814 a second there, and 11,378 on 100 pools",
               {"pools": 1}),
        Preset("liquidity", "providers and long routes beside plain swaps (no measurement at hand)",
               {"liquidity": 0.2, "two_hops": 0.4, "long_routes": 0.5}),
    )  # fmt: skip

    ends = (
        {"pools": 10_000, "pool_zipf": 0.0, "two_hops": 0.0, "accounts": 1_000_000, "trader_zipf": 0.0},
        {"pools": 267, "pool_zipf": 5.0, "two_hops": 0.0, "accounts": 50_000, "trader_zipf": 0.8},
    )

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        count = int(dials["pools"])
        actions = _draw_actions(site, dials)
        used = sorted({pool for action in actions for pool in _pools_of(action)})
        market = Market.open(count, used)
        numbers = sorted({HUB, *(token for pool in used for token in market.tokens(pool))})
        tokens = {number: site.token(number) for number in numbers}
        pools = {
            pool: site.deploy(f"pool {pool}", "pool", *sorted(tokens[number] for number in market.tokens(pool)))
            for pool in used
        }
        router = site.deploy("router", "router")
        provides = any(isinstance(action, Provision) for action in actions)
        manager = site.deploy("liquidity", "liquidity") if provides else b""

        reverts = _write(site, actions, market, tokens, pools, int(dials["slippage_bps"]))
        _endow(site, actions, Market.open(count, used), pools)
        _approve(site, actions, router, float(dials["unlimited"]))
        site.tokens.settle()
        books, provide = {}, load("pool").method("mint")
        for number, pool in pools.items():
            site.genesis.call(pool, provide(named_account(PROVIDER)))
            first, second = (tokens[token] for token in market.tokens(number))
            books[pool] = (first, second, _product(site.genesis.state, pool), _supply(site.genesis.state, pool))
        _share(site, actions, pools, manager)
        return {"pools": books, "reverts": reverts}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether every pool is sound. See `Application.verify`.

        A pool is sound when the product of its reserves, for the same number of shares, is at least what it was at
        genesis, and its recorded reserves are what it holds of its tokens.
        """
        violations = []
        for pool, (first, second, before, shares) in scenario.notes["pools"].items():
            name, product = f"pool 0x{pool.hex()}", _product(state, pool)
            if product * shares**2 < before * _supply(state, pool) ** 2:
                violations.append(f"{name}: product of reserves fell from {before} to {product}")
            held = tuple(
                Storage(state, token, load("token")).get("balanceOf", pool) for token in sorted((first, second))
            )
            if held != (recorded := _reserves(state, pool)):
                violations.append(f"{name}: reserves are recorded as {recorded}, but it holds {held}")
        return violations


Action = Trade | Provision


def _pools_of(action: Action) -> tuple[int, ...]:
    return action.pools if isinstance(action, Trade) else (action.pool,)


def _draw_actions(site: Site, dials: Mapping[str, DialValue]) -> list[Action]:
    pools, exponent, count = int(dials["pools"]), float(dials["pool_zipf"]), site.draft.size
    popularity = Zipf(pools, exponent)
    first = popularity.draw(site.stream("pools"), count)
    stream = site.stream("second pools")
    second = popularity.draw(stream, count)
    two = site.stream("hops").chance(float(dials["two_hops"]), count) & (pools > 1)
    while (same := (two & (first == second)).nonzero()[0]).size:
        second[same] = popularity.draw(stream, same.size)
    traders = Zipf(int(dials["accounts"]), float(dials["trader_zipf"])).draw(site.stream("traders"), count)
    buys = site.stream("sides").chance(0.5, count)
    parts = site.stream("amounts").below(100, count)
    longer = site.stream("long routes").chance(float(dials["long_routes"]), count).tolist()
    back = site.stream("ways back").chance(0.5, count).tolist()
    provides = site.stream("provisions").chance(float(dials["liquidity"]), count).tolist()
    actions: list[Action] = []
    for place, (trader, a, b, two_hops, buy, part) in enumerate(
        zip(traders.tolist(), first.tolist(), second.tolist(), two.tolist(), buys.tolist(), parts.tolist(), strict=True)
    ):
        if provides[place]:
            actions.append(Provision(trader, a, buy, _depth(a)[0] * (1 + part) // 10**6))
            continue
        hub_in = buy and not two_hops
        amount = _depth(a)[0 if hub_in else 1] * (1 + part) // 10**6
        if two_hops:
            # Measured by the shallower pool.
            amount = amount * min(_depth(a)[0], _depth(b)[0]) // _depth(a)[0]
        path = (a, b) if two_hops else (a,)
        if two_hops and longer[place]:
            path += (pools + b,)
            amount //= 10
            # Not through one pool twice: the router plans with the reserves of before.
            if back[place] and (b + 1) % pools != a:
                path += ((b + 1) % pools,)
        actions.append(Trade(trader, path, HUB if hub_in else a + 1, amount))
    return actions


def _write(
    site: Site,
    actions: list[Action],
    market: Market,
    tokens: Mapping[int, bytes],
    pools: Mapping[int, bytes],
    slippage_bps: int,
) -> list[int]:
    """Write all calls; the places, counted over all blocks, of those that will revert in block order."""
    draft, router, swap = site.draft, site.contracts["router"], load("router").method("swapExactIn")
    add, remove = load("liquidity").method("add"), load("liquidity").method("remove")
    reverts, quoting = [], Market(market.count)
    for place, action in enumerate(actions):
        if draft.begins_block:
            quoting.reserves = dict(market.reserves)
            deadline = draft.environment.timestamp + DEADLINE_SECONDS
        if isinstance(action, Provision):
            pool, most = pools[action.pool], _most(action)
            manager = site.contracts["liquidity"]
            if action.adds:
                data = add(pool, tokens[HUB], action.amount, most, draft.accounts[action.provider], deadline)
            else:
                data = remove(pool, action.amount, 1, 1, draft.accounts[action.provider], deadline)
            draft.add(action.provider, manager, ADD_GAS if action.adds else REMOVE_GAS, data)
            market.provide(action)
            continue
        min_out = quoting.amounts(action)[-1][-1] * (10_000 - slippage_bps) // 10_000
        trader = draft.accounts[action.trader]
        path = [pools[pool] for pool in action.pools]
        draft.add(
            action.trader,
            router,
            SWAP_GAS[len(path) - 1],
            swap(action.amount, min_out, tokens[action.token_in], path, trader, deadline),
        )
        steps = market.amounts(action)
        if steps[-1][-1] >= min_out:
            market.settle(steps)
        else:
            reverts.append(place)
    return reverts


def _most(provision: Provision) -> int:
    """The most of the pool's own token that a provider pays in: ten times what its share was worth at genesis."""
    hub, other = _depth(provision.pool)
    return 10 * provision.amount * other // hub


def _endow(site: Site, actions: list[Action], start: Market, pools: Mapping[int, bytes]) -> None:
    """Give pools their reserves, and traders and providers all that they will pay in, whatever they get out."""
    for pool, amounts in start.reserves.items():
        for number, amount in zip(start.tokens(pool), amounts, strict=True):
            site.tokens.give(number, pools[pool], amount)
    router = site.contracts["router"]
    for number in sorted({number for pool in pools for number in start.tokens(pool)}):
        # It must never keep a token; that it has none is part of what is conserved.
        site.tokens.give(number, router)
    for action in actions:
        if isinstance(action, Provision):
            provider = site.draft.accounts[action.provider]
            site.tokens.give(HUB, provider, action.amount if action.adds else 0)
            site.tokens.give(action.pool + 1, provider, _most(action) if action.adds else 0)
            continue
        trader = site.draft.accounts[action.trader]
        site.tokens.give(action.token_in, trader, action.amount)
        token = action.token_in
        for pool in action.pools:
            first, second = start.tokens(pool)
            token = second if token == first else first
        site.tokens.give(token, trader)


def _approve(site: Site, actions: list[Action], router: bytes, unlimited: float) -> None:
    """Approve the router for every token that a trader pays with: without limit, or for what its swaps here need."""
    needed: dict[tuple[int, int], int] = {}
    accounts = site.draft.accounts
    for action in actions:
        if isinstance(action, Trade):
            pair = (action.token_in, action.trader)
            needed[pair] = needed.get(pair, 0) + action.amount
        else:
            for number in (HUB, action.pool + 1) if action.adds else ():
                site.tokens.allow(number, accounts[action.provider], site.contracts["liquidity"])
    drawn = site.stream("approvals").chance(unlimited, len(needed)).tolist()
    for (number, trader), without_limit in zip(needed, drawn, strict=True):
        amount = UNLIMITED if without_limit else needed[number, trader]
        site.tokens.allow(number, accounts[trader], router, amount)


def _share(site: Site, actions: list[Action], pools: Mapping[int, bytes], manager: bytes) -> None:
    """Give providers the shares that they will take out, from those that the first provider got."""
    founder = named_account(PROVIDER)
    for action in actions:
        if isinstance(action, Provision) and not action.adds:
            shares = Storage(site.genesis.state, pools[action.pool], load("pool"))
            provider = site.draft.accounts[action.provider]
            shares.set(shares.get("balanceOf", founder) - action.amount, "balanceOf", founder)
            shares.set(shares.get("balanceOf", provider) + action.amount, "balanceOf", provider)
            shares.set(UNLIMITED, "allowance", provider, manager)


def _reserves(state: State, pool: bytes) -> tuple[int, int]:
    packed = Storage(state, pool, load("pool")).get("packed")
    return packed & RESERVE_MASK, packed >> 112 & RESERVE_MASK


def _product(state: State, pool: bytes) -> int:
    reserve0, reserve1 = _reserves(state, pool)
    return reserve0 * reserve1


def _supply(state: State, pool: bytes) -> int:
    return Storage(state, pool, load("pool")).get("totalSupply")
