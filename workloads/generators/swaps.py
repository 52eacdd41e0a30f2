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
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import Zipf
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT, UNLIMITED
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

HUB = 0
RESERVE_MASK = 2**112 - 1
# Gas limits by the number of pools, as a wallet sets them: about a quarter above the most that such a swap uses.
SWAP_GAS = (190_000, 310_000, 430_000, 550_000)
ADD_GAS, REMOVE_GAS = 260_000, 240_000
DEADLINE_SECONDS = 1_200
PROVIDER = "liquidity provider"


@dataclass(frozen=True)
class Trade:
    """Swap before it is encoded.

    Attributes
    ----------
    trader : int
        Account index.
    pools : tuple[int, ...]
        Indices of the pools on its route, in order.
    token_in : int
        Index of the token that goes in.
    amount : int
        In units of that token.
    """

    trader: int
    pools: tuple[int, ...]
    token_in: int
    amount: int


@dataclass(frozen=True)
class Provision:
    """Provision of liquidity, added to a pool or taken out.

    Attributes
    ----------
    provider : int
        Account index.
    pool : int
        Index of the pool.
    adds : bool
        Whether liquidity is added.
    amount : int
        Units of the hub token if liquidity is added, shares if it is taken out.
    """

    provider: int
    pool: int
    adds: bool
    amount: int


class Hop(NamedTuple):
    """Step of a swap through one pool.

    Attributes
    ----------
    pool : int
        Index of the pool.
    forward : bool
        Whether the pool's first token goes in.
    amount_in, amount_out : int
        In token units.
    """

    pool: int
    forward: bool
    amount_in: int
    amount_out: int


@dataclass
class PoolModel:
    """Model of all constant-product pools: reserves as the contracts will record them, and supplies of shares.

    Pools below `count` pair the hub token with token ``pool + 1``; pool ``count + p`` pairs token ``p + 1`` with the
    next.

    Attributes
    ----------
    count : int
        Number of pools of the hub token.
    reserves : dict[int, tuple[int, int]]
        Reserves in token units by pool, in the order of `tokens`.
    supplies : dict[int, int]
        Supply of shares by pool.
    """

    count: int
    reserves: dict[int, tuple[int, int]] = field(default_factory=dict)
    supplies: dict[int, int] = field(default_factory=dict)

    @classmethod
    def at_genesis(cls, count: int, pools: Iterable[int]) -> PoolModel:
        """Pools as they are at genesis: deep pools for popular pairs, and prices that differ from pair to pair."""
        model = cls(count)
        for pool in pools:
            if pool < count:
                sides = _depth(pool)
            else:
                (hub, first), (next_hub, second) = _depth(pool - count), _depth((pool - count + 1) % count)
                sides = (first // 10, second * hub // next_hub // 10)
            model.reserves[pool] = sides
            model.supplies[pool] = isqrt(sides[0] * sides[1])
        return model

    def tokens(self, pool: int) -> tuple[int, int]:
        """Indices of the two tokens of a pool."""
        return (
            (HUB, pool + 1) if pool < self.count else (pool - self.count + 1, (pool - self.count + 1) % self.count + 1)
        )

    def quote(self, trade: Trade) -> list[Hop]:
        """Quote a swap: its hops at the current reserves."""
        hops, amount, token = [], trade.amount, trade.token_in
        for pool in trade.pools:
            first, second = self.tokens(pool)
            forward = token == first
            reserve_in, reserve_out = self.reserves[pool] if forward else self.reserves[pool][::-1]
            after_fee = amount * 997
            amount_out = after_fee * reserve_out // (reserve_in * 1000 + after_fee)
            hops.append(Hop(pool, forward, amount, amount_out))
            amount, token = amount_out, second if forward else first
        return hops

    def apply_swap(self, hops: list[Hop]) -> None:
        """Change the reserves by a swap that succeeded."""
        for pool, forward, paid, out in hops:
            first, second = self.reserves[pool]
            self.reserves[pool] = (first + paid, second - out) if forward else (first - out, second + paid)

    def apply_provision(self, provision: Provision) -> None:
        """Change reserves and supply of shares by a provision."""
        pool = provision.pool
        (first, second), supply = self.reserves[pool], self.supplies[pool]
        if provision.adds:
            other = provision.amount * second // first
            self.supplies[pool] += min(provision.amount * supply // first, other * supply // second)
            self.reserves[pool] = (first + provision.amount, second + other)
            return
        self.supplies[pool] -= provision.amount
        self.reserves[pool] = (
            first - provision.amount * first // supply,
            second - provision.amount * second // supply,
        )


def _depth(pool: int) -> tuple[int, int]:
    """Reserves at genesis of a pool of the hub token: of the hub token, and of its own."""
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
        Dial.zipf("pool_zipf", 1.23, "pools"),
        Dial.share("two_hops", 0.2, "share of swaps that pass two pools, where there are two"),
        Dial.share("long_routes", 0.0, "share of those that go on through a third pool, or a fourth"),
        Dial.share("liquidity", 0.0, "share of liquidity added and removed, the rest being swaps"),
        Dial("accounts", 50_000, "accounts that trade", 1, 1_000_000),
        Dial.zipf("trader_zipf", 0.80, "traders"),
        Dial("slippage_bps", 50, "slippage that traders accept, in hundredths of a percent", 0, 10_000),
        Dial.share("unlimited", 0.7, "share of approvals of the router that are unlimited"),
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

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        count = int(dials["pools"])
        actions = _draw_actions(chain, dials)
        used = sorted({pool for action in actions for pool in _pools_of(action)})
        model = PoolModel.at_genesis(count, used)
        traded = sorted({HUB, *(token for pool in used for token in model.tokens(pool))})
        tokens = {token: chain.token(token) for token in traded}
        pools = {
            pool: chain.deploy(f"pool {pool}", "pool", *sorted(tokens[token] for token in model.tokens(pool)))
            for pool in used
        }
        router = chain.deploy("router", "router")
        provides = any(isinstance(action, Provision) for action in actions)
        manager = chain.deploy("liquidity", "liquidity") if provides else b""

        reverts = _add_calls(chain, actions, model, tokens, pools, int(dials["slippage_bps"]))
        _endow(chain, actions, PoolModel.at_genesis(count, used), pools)
        _approve(chain, actions, router, float(dials["unlimited"]))
        chain.tokens.write_storage()
        expected, provide = {}, load("pool").method("mint")
        for index, pool in pools.items():
            chain.genesis.call(pool, provide(named_account(PROVIDER)))
            first, second = (tokens[token] for token in model.tokens(index))
            expected[pool] = (first, second, _product(chain.genesis.state, pool), _supply(chain.genesis.state, pool))
        _move_shares(chain, actions, pools, manager)
        return {"pools": expected, "reverts": reverts}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that every pool is sound. See `Application.verify`.

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
    """Indices of the pools that an action changes."""
    return action.pools if isinstance(action, Trade) else (action.pool,)


def _draw_actions(chain: ChainBuilder, dials: Mapping[str, DialValue]) -> list[Action]:
    """Draw a swap or a provision for each transaction."""
    pools, exponent, count = int(dials["pools"]), float(dials["pool_zipf"]), chain.block_builder.transaction_count
    popularity = Zipf(pools, exponent)
    first = popularity.draw(chain.stream("pools"), count)
    stream = chain.stream("second pools")
    second = popularity.draw(stream, count)
    two = chain.stream("hops").chance(float(dials["two_hops"]), count) & (pools > 1)
    while (same := (two & (first == second)).nonzero()[0]).size:
        second[same] = popularity.draw(stream, same.size)
    traders = Zipf(int(dials["accounts"]), float(dials["trader_zipf"])).draw(chain.stream("traders"), count)
    buys = chain.stream("sides").chance(0.5, count)
    parts = chain.stream("amounts").below(100, count)
    longer = chain.draw_chances("long routes", float(dials["long_routes"]))
    back = chain.draw_chances("ways back", 0.5)
    provides = chain.draw_chances("provisions", float(dials["liquidity"]))
    actions: list[Action] = []
    for i, (trader, a, b, two_hops, buy, part) in enumerate(
        zip(traders.tolist(), first.tolist(), second.tolist(), two.tolist(), buys.tolist(), parts.tolist(), strict=True)
    ):
        if provides[i]:
            actions.append(Provision(trader, a, buy, _depth(a)[0] * (1 + part) // 10**6))
            continue
        hub_in = buy and not two_hops
        amount = _depth(a)[0 if hub_in else 1] * (1 + part) // 10**6
        if two_hops:
            # Measured by the shallower pool.
            amount = amount * min(_depth(a)[0], _depth(b)[0]) // _depth(a)[0]
        path = (a, b) if two_hops else (a,)
        if two_hops and longer[i]:
            path += (pools + b,)
            amount //= 10
            # Not through one pool twice: the router plans with the reserves of before.
            if back[i] and (b + 1) % pools != a:
                path += ((b + 1) % pools,)
        actions.append(Trade(trader, path, HUB if hub_in else a + 1, amount))
    return actions


def _add_calls(
    chain: ChainBuilder,
    actions: list[Action],
    model: PoolModel,
    tokens: Mapping[int, bytes],
    pools: Mapping[int, bytes],
    slippage_bps: int,
) -> list[int]:
    """Add all calls; the indices, counted over all blocks, of those that will revert in block order."""
    builder, router, swap = chain.block_builder, chain.contracts["router"], load("router").method("swapExactIn")
    add, remove = load("liquidity").method("add"), load("liquidity").method("remove")
    reverts, quoting = [], PoolModel(model.count)
    for i, action in enumerate(actions):
        if builder.begins_block:
            quoting.reserves = dict(model.reserves)
            deadline = builder.environment.timestamp + DEADLINE_SECONDS
        if isinstance(action, Provision):
            pool, most = pools[action.pool], _max_other(action)
            manager = chain.contracts["liquidity"]
            if action.adds:
                data = add(pool, tokens[HUB], action.amount, most, builder.accounts[action.provider], deadline)
            else:
                data = remove(pool, action.amount, 1, 1, builder.accounts[action.provider], deadline)
            builder.add(action.provider, manager, ADD_GAS if action.adds else REMOVE_GAS, data)
            model.apply_provision(action)
            continue
        min_out = quoting.quote(action)[-1].amount_out * (10_000 - slippage_bps) // 10_000
        trader = builder.accounts[action.trader]
        path = [pools[pool] for pool in action.pools]
        builder.add(
            action.trader,
            router,
            SWAP_GAS[len(path) - 1],
            swap(action.amount, min_out, tokens[action.token_in], path, trader, deadline),
        )
        hops = model.quote(action)
        if hops[-1].amount_out >= min_out:
            model.apply_swap(hops)
        else:
            reverts.append(i)
    return reverts


def _max_other(provision: Provision) -> int:
    """Limit of the pool's own token that a provider pays in: ten times what its share was worth at genesis."""
    hub, other = _depth(provision.pool)
    return 10 * provision.amount * other // hub


def _endow(chain: ChainBuilder, actions: list[Action], start: PoolModel, pools: Mapping[int, bytes]) -> None:
    """Give pools their reserves, and traders and providers all that they will pay in, whatever they get out."""
    for pool, amounts in start.reserves.items():
        for token, amount in zip(start.tokens(pool), amounts, strict=True):
            chain.tokens.credit(token, pools[pool], amount)
    router = chain.contracts["router"]
    for token in sorted({token for pool in pools for token in start.tokens(pool)}):
        # It must never keep a token; that it has none is part of what is conserved.
        chain.tokens.credit(token, router)
    for action in actions:
        if isinstance(action, Provision):
            provider = chain.block_builder.accounts[action.provider]
            chain.tokens.credit(HUB, provider, action.amount if action.adds else 0)
            chain.tokens.credit(action.pool + 1, provider, _max_other(action) if action.adds else 0)
            continue
        trader = chain.block_builder.accounts[action.trader]
        chain.tokens.credit(action.token_in, trader, action.amount)
        token = action.token_in
        for pool in action.pools:
            first, second = start.tokens(pool)
            token = second if token == first else first
        chain.tokens.credit(token, trader)


def _approve(chain: ChainBuilder, actions: list[Action], router: bytes, unlimited: float) -> None:
    """Approve the router for every token that a trader pays with: without limit, or for what its swaps here need."""
    needed: dict[tuple[int, int], int] = {}
    accounts = chain.block_builder.accounts
    for action in actions:
        if isinstance(action, Trade):
            pair = (action.token_in, action.trader)
            needed[pair] = needed.get(pair, 0) + action.amount
        else:
            for token in (HUB, action.pool + 1) if action.adds else ():
                chain.tokens.approve(token, accounts[action.provider], chain.contracts["liquidity"])
    drawn = chain.stream("approvals").chance(unlimited, len(needed)).tolist()
    for (token, trader), without_limit in zip(needed, drawn, strict=True):
        amount = UNLIMITED if without_limit else needed[token, trader]
        chain.tokens.approve(token, accounts[trader], router, amount)


def _move_shares(chain: ChainBuilder, actions: list[Action], pools: Mapping[int, bytes], manager: bytes) -> None:
    """Give providers the shares that they will take out, from those that the first provider got."""
    founder = named_account(PROVIDER)
    for action in actions:
        if isinstance(action, Provision) and not action.adds:
            shares = Storage(chain.genesis.state, pools[action.pool], load("pool"))
            provider = chain.block_builder.accounts[action.provider]
            shares.set(shares.get("balanceOf", founder) - action.amount, "balanceOf", founder)
            shares.set(shares.get("balanceOf", provider) + action.amount, "balanceOf", provider)
            shares.set(UNLIMITED, "allowance", provider, manager)


def _reserves(state: State, pool: bytes) -> tuple[int, int]:
    """Recorded reserves of a pool, in the order of its tokens' addresses."""
    packed = Storage(state, pool, load("pool")).get("packed")
    return packed & RESERVE_MASK, packed >> 112 & RESERVE_MASK


def _product(state: State, pool: bytes) -> int:
    """Product of a pool's recorded reserves."""
    reserve0, reserve1 = _reserves(state, pool)
    return reserve0 * reserve1


def _supply(state: State, pool: bytes) -> int:
    """Supply of a pool's shares."""
    return Storage(state, pool, load("pool")).get("totalSupply")
