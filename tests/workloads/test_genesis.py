"""What is written into storage directly is what the contracts themselves then say, through their methods."""

from __future__ import annotations

from contend.evm import Block, Environment, State, view_call
from contend.workloads import names
from contend.workloads.building.block_builder import ETHER
from contend.workloads.building.tokens import UNLIMITED
from contend.workloads.contracts.abi import Argument, decode_words, load
from contend.workloads.generators.dao import DISTRIBUTED, SUPPLY
from contend.workloads.generators.swaps import RESERVE_MASK
from tests.workloads.conftest import Build

SAMPLE = 40


def ask(state: State, environment: Environment, contract: str, address: bytes, method: str, *args: Argument) -> int:
    """The first word that a view returns."""
    data = load(contract).method(method)(*args)
    return decode_words(view_call(state, environment, address, data))[0]


def words_of(data: bytes) -> list[int]:
    return list(decode_words(data[4:]))


def test_token_balances_and_supply(build: Build) -> None:
    scenario = build("payments", 100, {"erc20": 1.0, "tokens": 3})
    state, environment = scenario.genesis, scenario.blocks[0].environment
    for held, (holders, supply) in scenario.notes["holders"].items():
        assert ask(state, environment, "token", held, "totalSupply") == supply
        assert sum(ask(state, environment, "token", held, "balanceOf", holder) for holder in holders) == supply
    spent: dict[tuple[bytes, bytes], int] = {}
    for transaction in scenario.blocks[0]:
        assert transaction.to is not None
        pair = (transaction.to, transaction.sender)
        spent[pair] = spent.get(pair, 0) + words_of(transaction.data)[1]
    for (token, sender), amount in list(spent.items())[:SAMPLE]:
        assert ask(state, environment, "token", token, "balanceOf", sender) >= amount


def test_pools_and_approvals(build: Build) -> None:
    scenario = build("swaps", 300, {"pools": 5})
    state, environment = scenario.genesis, scenario.blocks[0].environment
    router = scenario.contracts["router"]
    for pool, (hub, other, product, _) in scenario.notes["pools"].items():
        reserves = view_call(state, environment, pool, load("pool").method("getReserves")())
        reserve0, reserve1, recorded = decode_words(reserves)
        assert reserve0 * reserve1 == product
        assert 0 < max(reserve0, reserve1) < RESERVE_MASK
        assert recorded == (environment.timestamp - 86_400) % 2**32
        tokens = [ask(state, environment, "pool", pool, name).to_bytes(20, "big") for name in ("token0", "token1")]
        assert tokens == sorted((hub, other))
        for side, reserve in zip(tokens, (reserve0, reserve1), strict=True):
            assert ask(state, environment, "token", side, "balanceOf", pool) == reserve
    unlimited = set()
    for transaction in scenario.blocks[0].transactions[:SAMPLE]:
        amount, _, token = words_of(transaction.data)[:3]
        pair = (transaction.sender, router)
        allowed = ask(state, environment, "token", token.to_bytes(20, "big"), "allowance", *pair)
        assert allowed >= amount
        unlimited.add(allowed == UNLIMITED)
    assert unlimited == {True, False}


def test_collections_and_listings(build: Build) -> None:
    scenario = build("nft", 300, {"collections": 4, "mint": 0.2})
    state, environment = scenario.genesis, scenario.blocks[0].environment
    market = scenario.contracts["market 0"]
    lists, buys = load("market").method("list").selector, load("market").method("buy").selector
    for transaction in [t for t in scenario.blocks[0] if t.to == market][:SAMPLE]:
        collection, token = words_of(transaction.data)[:2]
        address = collection.to_bytes(20, "big")
        owner = ask(state, environment, "collection", address, "ownerOf", token)
        if transaction.data[:4] == lists:
            assert owner.to_bytes(20, "big") == transaction.sender
        else:
            assert transaction.data[:4] == buys
            assert owner.to_bytes(20, "big") != transaction.sender
        seller = owner.to_bytes(20, "big")
        assert ask(state, environment, "collection", address, "isApprovedForAll", seller, market) == 1
        assert ask(state, environment, "collection", address, "balanceOf", seller) >= 1
        listing = view_call(state, environment, market, load("market").method("listings")(address, token))
        assert decode_words(listing) in ((owner, transaction.value), (0, 0))
    for collection_address, expected in scenario.notes["collections"].items():
        assert ask(state, environment, "collection", collection_address, "totalSupply") == expected.tokens_at_genesis
        price = ask(state, environment, "collection", collection_address, "price")
        assert state.balance(collection_address) == price * expected.tokens_at_genesis
        assert ask(state, environment, "collection", collection_address, "maxSupply") == expected.mint_limit


def test_votes_and_proposals(build: Build) -> None:
    scenario = build("dao", 300, {"proposals": 3})
    state, environment = scenario.genesis, scenario.blocks[0].environment
    dao, token = scenario.contracts["dao"], scenario.contracts["token"]
    active = 2
    assert ask(state, environment, "dao", dao, "proposalCount") == 3
    weights = scenario.notes["weights"]
    assert ask(state, environment, "votes", token, "totalSupply") == sum(weights.values()) == SUPPLY
    for proposal in (1, 2, 3):
        assert ask(state, environment, "dao", dao, "state", proposal) == active
        (_, _, start, _, _) = decode_words(
            view_call(state, environment, dao, load("dao").method("proposals")(proposal))
        )
        for voter in scenario.notes["ballots"][proposal][:SAMPLE]:
            assert ask(state, environment, "votes", token, "getPriorVotes", voter, start) == weights[voter] > 0
            assert ask(state, environment, "votes", token, "balanceOf", voter) == weights[voter]
            assert ask(state, environment, "votes", token, "delegates", voter) == int.from_bytes(voter, "big")
            assert ask(state, environment, "votes", token, "getCurrentVotes", voter) == weights[voter]


def test_ten_voters_hold_half_of_the_distributed_votes(build: Build) -> None:
    weights = sorted(build("dao", 20_000, {"other": 0.0}).notes["weights"].values(), reverse=True)
    assert 0.45 < sum(weights[1:11]) / DISTRIBUTED < 0.58


def test_senders_can_pay_for_everything(build: Build) -> None:
    for name in names():
        scenario = build(name, 200, blocks=2)
        cost: dict[bytes, int] = {}
        for block in scenario.blocks:
            for transaction in block:
                assert transaction.max_fee >= 2 * block.environment.base_fee
                price = transaction.gas_limit * transaction.max_fee + transaction.value
                cost[transaction.sender] = cost.get(transaction.sender, 0) + price
        assert all(scenario.genesis.balance(sender) >= wei + ETHER // 10 for sender, wei in cost.items())


def test_genesis_lies_before_the_first_block(build: Build) -> None:
    blocks: list[Block] = build("swaps", 3, blocks=3).blocks
    assert [block.environment.number - blocks[0].environment.number for block in blocks] == [0, 1, 2]
    assert [block.environment.timestamp - blocks[0].environment.timestamp for block in blocks] == [0, 12, 24]
