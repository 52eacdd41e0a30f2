"""What `pool` and `router` promise, asked of the compiled contracts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, Contract, World, reverts

DEPTH = 10**24
LATER = 2**40


@dataclass
class Exchange:
    world: World
    tokens: list[Contract]
    pools: list[Contract]
    router: Contract

    def token(self, pool: Contract, place: int) -> Contract:
        """token0 or token1 of a pool."""
        (address,) = pool.ask(f"token{place}")
        return next(token for token in self.tokens if int.from_bytes(token.address, "big") == address)

    def swap(self, amount: int, least: int, token: Contract, pools: list[Contract], deadline: int = LATER) -> int:
        """Swap as BOB."""
        path = [pool.address for pool in pools]
        return self.router.send(BOB, "swapExactIn", amount, least, token.address, path, BOB, deadline)[0]


@pytest.fixture
def exchange() -> Exchange:
    """Three tokens, and pools 0-1 and 1-2 with liquidity by ALICE; BOB has tokens and has approved the router."""
    world = World()
    tokens = [world.deploy("token", f"T{i}", f"T{i}", 18, 100 * DEPTH) for i in range(3)]
    pools = [world.deploy("pool", tokens[i].address, tokens[i + 1].address) for i in range(2)]
    router = world.deploy("router")
    for i, pool in enumerate(pools):
        tokens[i].send(ALICE, "transfer", pool.address, DEPTH)
        tokens[i + 1].send(ALICE, "transfer", pool.address, 4 * DEPTH)
        pool.send(ALICE, "mint", ALICE)
    for token in tokens:
        token.send(ALICE, "transfer", BOB, DEPTH)
        token.send(BOB, "approve", router.address, DEPTH)
    return Exchange(world, tokens, pools, router)


def out(amount: int, reserve_in: int, reserve_out: int) -> int:
    """The constant-product formula with a fee of 0.3 %."""
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def test_the_first_shares_are_the_root_of_the_product(exchange: Exchange) -> None:
    pool = exchange.pools[0]
    assert pool.ask("getReserves")[:2] == (DEPTH, 4 * DEPTH)
    assert pool.ask("totalSupply") == (2 * DEPTH,)
    assert pool.ask("balanceOf", ALICE) == (math.isqrt(4 * DEPTH * DEPTH) - 1_000,)


def test_more_shares_and_back(exchange: Exchange) -> None:
    pool, (first, second, _) = exchange.pools[0], exchange.tokens
    first.send(BOB, "transfer", pool.address, DEPTH // 10)
    second.send(BOB, "transfer", pool.address, 4 * DEPTH // 10)
    assert pool.send(BOB, "mint", BOB) == (2 * DEPTH // 10,)
    with reverts("pool: no liquidity minted"):
        pool.send(BOB, "mint", BOB)
    pool.send(BOB, "transfer", pool.address, 2 * DEPTH // 10)
    assert pool.send(BOB, "burn", CAROL) == (DEPTH // 10, 4 * DEPTH // 10)
    assert first.ask("balanceOf", CAROL) == (DEPTH // 10,)
    assert pool.ask("getReserves")[:2] == (DEPTH, 4 * DEPTH)
    with reverts("pool: no liquidity burned"):
        pool.send(BOB, "burn", BOB)


def test_a_swap_pays_by_the_formula(exchange: Exchange) -> None:
    pool, token = exchange.pools[0], exchange.tokens[0]
    expected = out(10**20, DEPTH, 4 * DEPTH)
    assert exchange.router.ask("quote", 10**20, token.address, [pool.address]) == (expected,)
    assert exchange.swap(10**20, expected, token, [pool]) == expected
    assert pool.ask("getReserves")[:2] == (DEPTH + 10**20, 4 * DEPTH - expected)
    assert token.ask("allowance", BOB, exchange.router.address) == (DEPTH - 10**20,)
    back = out(expected, 4 * DEPTH - expected, DEPTH + 10**20)
    assert exchange.swap(expected, back, exchange.tokens[1], [pool]) == back
    assert back < 10**20


def test_two_pools_in_one_swap(exchange: Exchange) -> None:
    first, last = exchange.tokens[0], exchange.tokens[2]
    expected = out(out(10**20, DEPTH, 4 * DEPTH), DEPTH, 4 * DEPTH)
    assert exchange.swap(10**20, 0, first, exchange.pools) == expected
    assert last.ask("balanceOf", BOB) == (DEPTH + expected,)
    for token in exchange.tokens:
        assert token.ask("balanceOf", exchange.router.address) == (0,)


def test_the_router_refuses(exchange: Exchange) -> None:
    first, pools = exchange.tokens[0], exchange.pools
    with reverts("router: expired"):
        exchange.swap(1, 0, first, pools[:1], deadline=exchange.world.environment.timestamp - 1)
    with reverts("router: insufficient output"):
        exchange.swap(10**20, out(10**20, DEPTH, 4 * DEPTH) + 1, first, pools[:1])
    with reverts("router: token not in pool"):
        exchange.swap(10**20, 0, exchange.tokens[2], pools[:1])
    with reverts("router: no pools"):
        exchange.swap(10**20, 0, first, [])
    with reverts("router: no input"):
        exchange.swap(0, 0, first, pools[:1])
    with reverts("ERC20: insufficient allowance"):
        exchange.swap(DEPTH + 1, 0, first, pools[:1])
    empty = exchange.world.deploy("pool", first.address, exchange.tokens[2].address)
    with reverts("router: empty pool"):
        exchange.swap(10**20, 0, first, [empty])


def test_a_pool_gives_nothing_that_is_not_paid_for(exchange: Exchange) -> None:
    pool, token = exchange.pools[0], exchange.tokens[0]
    with reverts("pool: nothing asked for"):
        pool.send(BOB, "swap", 0, 0, BOB)
    with reverts("pool: insufficient liquidity"):
        pool.send(BOB, "swap", DEPTH, 0, BOB)
    with reverts("pool: invalid receiver"):
        pool.send(BOB, "swap", 1, 0, token.address)
    with reverts("pool: nothing paid in"):
        pool.send(BOB, "swap", 0, 10**18, BOB)
    token.send(BOB, "transfer", pool.address, 10**18)
    fair = out(10**18, DEPTH, 4 * DEPTH)
    with reverts("pool: product fell"):
        pool.send(BOB, "swap", 0, fair + 4, BOB)
    pool.send(BOB, "swap", 0, fair, BOB)


def test_gifts_become_reserves_when_recorded(exchange: Exchange) -> None:
    pool, token = exchange.pools[0], exchange.tokens[0]
    token.send(BOB, "transfer", pool.address, 77)
    assert pool.ask("getReserves")[0] == DEPTH
    pool.send(BOB, "sync")
    assert pool.ask("getReserves")[0] == DEPTH + 77


def test_prices_accumulate_over_time(exchange: Exchange) -> None:
    pool = exchange.pools[0]
    assert pool.ask("price0CumulativeLast") == (0,)
    exchange.world.pass_blocks(5)
    exchange.swap(10**20, 0, exchange.token(pool, 0), [pool])
    assert pool.ask("price0CumulativeLast") == (60 * 4 * 2**112,)
    assert pool.ask("price1CumulativeLast") == (60 * 2**112 // 4,)
    assert pool.ask("getReserves")[2] == exchange.world.environment.timestamp
    exchange.swap(10**20, 0, exchange.token(pool, 0), [pool])
    assert pool.ask("price0CumulativeLast") == (60 * 4 * 2**112,)


def test_pools_refuse_impossible_pairs() -> None:
    world = World()
    token = world.deploy("token", "T", "T", 18, 1)
    with reverts("pool: identical tokens"):
        world.deploy("pool", token.address, token.address)
    with reverts("pool: zero token"):
        world.deploy("pool", token.address, b"\0" * 20)


@pytest.fixture
def manager(exchange: Exchange) -> Contract:
    manager = exchange.world.deploy("liquidity")
    for token in exchange.tokens:
        token.send(BOB, "approve", manager.address, DEPTH)
    return manager


def test_liquidity_is_added_in_the_ratio_of_the_reserves_and_taken_out_again(
    exchange: Exchange, manager: Contract
) -> None:
    pool = exchange.pools[0]
    first = exchange.token(pool, 0)
    reserve0, reserve1 = pool.ask("getReserves")[:2]
    amount = reserve0 // 100
    with reverts("liquidity: ratio moved"):
        manager.send(BOB, "add", pool.address, first.address, amount, reserve1 // 100 - 1, BOB, LATER)
    shares = manager.send(BOB, "add", pool.address, first.address, amount, reserve1 // 100, BOB, LATER)[0]
    assert pool.ask("balanceOf", BOB) == (shares,) == (2 * DEPTH // 100,)
    assert pool.ask("getReserves")[:2] == (reserve0 + amount, reserve1 + reserve1 // 100)
    pool.send(BOB, "approve", manager.address, shares)
    with reverts("liquidity: insufficient output"):
        manager.send(BOB, "remove", pool.address, shares, amount + 1, 0, BOB, LATER)
    assert manager.send(BOB, "remove", pool.address, shares, amount, 0, BOB, LATER) == (amount, reserve1 // 100)
    assert pool.ask("getReserves")[:2] == (reserve0, reserve1)


def test_the_manager_keeps_its_deadline_and_its_pool(exchange: Exchange, manager: Contract) -> None:
    pool, foreign = exchange.pools[0], exchange.tokens[2]
    for method, arguments in (
        ("add", (pool.address, exchange.tokens[0].address, 1_000, DEPTH, BOB, 1)),
        ("remove", (pool.address, 1, 0, 0, BOB, 1)),
    ):
        with reverts("liquidity: expired"):
            manager.send(BOB, method, *arguments)
    with reverts("liquidity: token not in pool"):
        manager.send(BOB, "add", pool.address, foreign.address, 1_000, DEPTH, BOB, LATER)
    with reverts("ERC20: insufficient allowance"):
        manager.send(BOB, "remove", pool.address, 1, 0, 0, BOB, LATER)
