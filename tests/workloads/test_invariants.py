"""Invariants: kept by every correct run, and broken by every way in which a run could be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from contend.evm import Block, State
from contend.evm.drivers.genesis import DEPLOYER
from contend.strategies.serial import Serial
from contend.workloads import DialValue, Scenario, get
from contend.workloads.building.accounts import named_account
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load
from tests.workloads.conftest import Build

Damage = Callable[[Scenario, State], None]

DIALS: dict[str, Mapping[str, DialValue]] = {
    "payments": {"accounts": 60, "tokens": 3},
    "swaps": {"pools": 4, "accounts": 60},
    "nft": {"collections": 3, "accounts": 60, "offers": 0.4, "mint": 0.4},
    "dao": {"voters": 90, "proposals": 3, "execute": 0.1},
    "lending": {"markets": 3, "accounts": 60, "liquidations": 0.1, "posts": 0.05},
    "orders": {"books": 2, "accounts": 40},
    "stablecoin": {"coins": 2, "accounts": 60, "fee_bps": 5, "blocked": 0.1, "issuer": 0.1},
    "game": {"players": 60, "quests": 10, "raid": 0.3},
    "grants": {"donors": 60, "rounds": 2, "projects": 9, "perform": 0.2},
    "supply": {"batches": 20, "custodians": 40, "recall": 0.02, "inspect": 0.1},
    "metering": {"devices": 60, "operators": 9, "customers": 30, "govern": 0.2, "surge": 0.3},
    "mixed": {"dao": 0.1, "grants": 0.1},
    "adversarial": {"senders": 90},
}
SIZE = 250


def executed(build: Build, name: str, blocks: int = 1, seed: int = 1) -> tuple[Scenario, State]:
    scenario = build(name, SIZE, DIALS[name], seed, blocks)
    with Serial() as serial:
        for block in scenario.blocks:
            serial.execute(block, scenario.genesis, 1)
    return scenario, scenario.genesis


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize(("blocks", "seed"), [(1, 1), (3, 2)])
def test_a_correct_run_keeps_the_invariant(build: Build, name: str, blocks: int, seed: int) -> None:
    scenario, state = executed(build, name, blocks, seed)
    assert get(name)().check(scenario, state) == []


@pytest.mark.parametrize("name", DIALS)
def test_another_order_keeps_it_too(build: Build, name: str) -> None:
    # By sender, each sender's transactions in their order: what a strategy with an order of its own may do.
    scenario = build(name, SIZE, DIALS[name])
    (block,) = scenario.blocks
    ordered = sorted(block.transactions, key=lambda transaction: (transaction.sender, transaction.nonce))
    with Serial() as serial:
        serial.execute(Block(block.environment, tuple(ordered)), scenario.genesis, 1)
    assert get(name)().check(scenario, scenario.genesis) == []


@pytest.mark.parametrize("name", DIALS)
def test_a_lost_transaction_is_found(build: Build, name: str) -> None:
    scenario = build(name, SIZE, DIALS[name])
    (block,) = scenario.blocks
    with Serial() as serial:
        serial.execute(Block(block.environment, block.transactions[:-1]), scenario.genesis, 1)
    assert any("nonce is" in line for line in get(name)().check(scenario, scenario.genesis))


@pytest.mark.parametrize("name", DIALS)
def test_a_block_that_did_not_run_is_found(build: Build, name: str) -> None:
    scenario = build(name, SIZE, DIALS[name])
    assert any(line.startswith("ether: 0 wei left the world") for line in get(name)().check(scenario, scenario.genesis))


def token_of(scenario: Scenario) -> bytes:
    token: bytes = next(iter(scenario.notes["holders"]))
    return token


def storage_of(scenario: Scenario, state: State, name: str, contract: str) -> Storage:
    return Storage(state, scenario.contracts[name], load(contract))


def add(storage: Storage, difference: int, variable: str, *keys: int | bytes, offset: int = 0) -> None:
    storage.set(storage.get(variable, *keys, offset=offset) + difference, variable, *keys, offset=offset)


def mint_ether(scenario: Scenario, state: State) -> None:
    sender = scenario.blocks[0].transactions[0].sender
    state.set_balance(sender, state.balance(sender) + 1)


def lose_ether(scenario: Scenario, state: State) -> None:
    coinbase = scenario.blocks[0].environment.coinbase
    state.set_balance(coinbase, 0)


def rewind_nonce(scenario: Scenario, state: State) -> None:
    sender = scenario.blocks[0].transactions[-1].sender
    state.set_nonce(sender, state.nonce(sender) - 1)


def credit_twice(scenario: Scenario, state: State) -> None:
    token = token_of(scenario)
    add(Storage(state, token, load("token")), 5, "balanceOf", scenario.notes["holders"][token][0][0])


def inflate_supply(scenario: Scenario, state: State) -> None:
    token = token_of(scenario)
    storage, holder = Storage(state, token, load("token")), scenario.notes["holders"][token][0][0]
    add(storage, 5, "balanceOf", holder)
    add(storage, 5, "totalSupply")


def lose_an_update_of_reserves(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "pool 0", "pool"), 1, "packed")


def drain_pool(scenario: Scenario, state: State) -> None:
    pool = scenario.contracts["pool 0"]
    hub = storage_of(scenario, state, "token 0", "token")
    held = hub.get("balanceOf", pool)
    hub.set(held // 2, "balanceOf", pool)
    add(hub, held - held // 2, "balanceOf", scenario.contracts["router"])
    storage = storage_of(scenario, state, "pool 0", "pool")
    packed, is_first = storage.get("packed"), scenario.contracts["token 0"] < scenario.contracts["token 1"]
    storage.set(packed - ((held - held // 2) << (0 if is_first else 112)), "packed")


def first_collection(scenario: Scenario, state: State) -> Storage:
    return Storage(state, next(iter(scenario.notes["collections"])), load("collection"))


def orphan_token(scenario: Scenario, state: State) -> None:
    first_collection(scenario, state).set(0, "owners", 0)


def steal_token(scenario: Scenario, state: State) -> None:
    storage = first_collection(scenario, state)
    owner = storage.get("owners", 0)
    other = next(
        a for a in scenario.notes["collections"][storage.address].possible_owners if int.from_bytes(a, "big") != owner
    )
    storage.set(int.from_bytes(other, "big"), "owners", 0)


def sell_to_a_stranger(scenario: Scenario, state: State) -> None:
    storage = first_collection(scenario, state)
    owner = storage.get("owners", 0)
    add(storage, -1, "balanceOf", owner.to_bytes(20, "big"))
    storage.set(1, "balanceOf", b"\1" * 20)
    storage.set(int.from_bytes(b"\1" * 20, "big"), "owners", 0)


def mint_a_number_twice(scenario: Scenario, state: State) -> None:
    add(first_collection(scenario, state), -1, "totalSupply")


def mint_beyond_the_counter(scenario: Scenario, state: State) -> None:
    storage = first_collection(scenario, state)
    storage.set(storage.get("owners", 0), "owners", storage.get("totalSupply"))


def move_collection_ether(scenario: Scenario, state: State) -> None:
    first, second = list(scenario.notes["collections"])[:2]
    state.set_balance(first, state.balance(first) + 1)
    state.set_balance(second, state.balance(second) - 1)


def keep_ether_in_the_market(scenario: Scenario, state: State) -> None:
    state.set_balance(scenario.contracts["market 0"], 1)


def lose_a_vote_from_the_tally(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "dao", "dao"), -1, "tallies", 1, offset=1)


def ballot(scenario: Scenario) -> bytes:
    voter: bytes = scenario.notes["ballots"][1][0]
    return voter


def lose_a_receipt(scenario: Scenario, state: State) -> None:
    storage_of(scenario, state, "dao", "dao").set(0, "receipts", 1, ballot(scenario))


def count_a_vote_twice(scenario: Scenario, state: State) -> None:
    dao, voter = storage_of(scenario, state, "dao", "dao"), ballot(scenario)
    receipt = dao.get("receipts", 1, voter)
    dao.set(receipt + (receipt >> 16 << 16), "receipts", 1, voter)
    add(dao, receipt >> 16, "tallies", 1, offset=receipt >> 8 & 0xFF)


def double_delegated_votes(scenario: Scenario, state: State) -> None:
    token = storage_of(scenario, state, "token", "votes")
    voter = next(iter(scenario.notes["weights"]))
    last = token.get("numCheckpoints", voter) - 1
    add(token, 1 << 32, "checkpoints", voter, last)


def lose_governance_tokens(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "token", "votes"), -1, "balanceOf", next(iter(scenario.notes["weights"])))


def storage_of_bazaar(scenario: Scenario, state: State) -> Storage:
    return Storage(state, token_of(scenario), load("token"))


def pay_no_royalty(scenario: Scenario, state: State) -> None:
    tokens = storage_of_bazaar(scenario, state)
    royalty = tokens.get("balanceOf", DEPLOYER)
    tokens.set(0, "balanceOf", DEPLOYER)
    add(tokens, royalty, "balanceOf", scenario.blocks[0].transactions[0].sender)


def keep_currency_in_the_bazaar(scenario: Scenario, state: State) -> None:
    tokens, sender = storage_of_bazaar(scenario, state), next(iter(scenario.notes["holders"].values()))[0][0]
    add(tokens, 1, "balanceOf", scenario.contracts["bazaar"])
    add(tokens, -1, "balanceOf", sender)


def execute_without_closing(scenario: Scenario, state: State) -> None:
    storage_of(scenario, state, "dao", "dao").set(0, "proposals", scenario.notes["executed"][0], offset=4)


def supply_without_shares(scenario: Scenario, state: State) -> None:
    lending = storage_of(scenario, state, "lending", "lending")
    add(lending, 1, "markets", 0, offset=3)


def forget_a_debt(scenario: Scenario, state: State) -> None:
    lending = storage_of(scenario, state, "lending", "lending")
    account = next(a for a in scenario.notes["markets"][0] if lending.get("borrowShares", 0, a))
    lending.set(0, "borrowShares", 0, account)


def lose_a_repayment(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "lending", "lending"), 10**18, "markets", 0, offset=4)


def lend_more_than_there_is(scenario: Scenario, state: State) -> None:
    lending = storage_of(scenario, state, "lending", "lending")
    lending.set(lending.get("markets", 0, offset=2) + 1, "markets", 0, offset=4)


def pledge_twice(scenario: Scenario, state: State) -> None:
    lending = storage_of(scenario, state, "lending", "lending")
    # More than roundings can have left of a token that is lent elsewhere.
    add(lending, 10**18, "collateral", 0, scenario.notes["markets"][0][-1])


def first_book(scenario: Scenario, state: State) -> tuple[Storage, int, int]:
    """The first book, and side and price of the market maker's best ask."""
    book = storage_of(scenario, state, "book 0", "orderbook")
    asks = book.get("occupied", 1)
    return book, 1, (asks & -asks).bit_length() - 1


def fill_twice(scenario: Scenario, state: State) -> None:
    book, _, _ = first_book(scenario, state)
    add(book, 100, "baseOf", scenario.notes["books"][book.address][1][0])


def lose_depth(scenario: Scenario, state: State) -> None:
    book, side, price = first_book(scenario, state)
    add(book, -100, "depth", side, price)


def forget_a_price(scenario: Scenario, state: State) -> None:
    book, side, price = first_book(scenario, state)
    add(book, -(1 << price), "occupied", side)


def cross_the_book(scenario: Scenario, state: State) -> None:
    book, _, price = first_book(scenario, state)
    bids = book.get("occupied", 0)
    book.set(bids | 1 << price, "occupied", 0)


def lose_the_fee(scenario: Scenario, state: State) -> None:
    coin = storage_of(scenario, state, "coin 0", "stablecoin")
    add(coin, -1, "balanceOf", named_account("fee collector"))


def move_blocked_money(scenario: Scenario, state: State) -> None:
    coin, (holders, frozen) = next(iter(scenario.notes["coins"].items()))
    storage, blocked = Storage(state, coin, load("stablecoin")), next(iter(frozen))
    add(storage, 1, "balanceOf", blocked)
    add(storage, -1, "balanceOf", next(h for h in holders if h not in frozen and storage.get("balanceOf", h)))


def copy_an_item(scenario: Scenario, state: State) -> None:
    player, item = scenario.notes["held"][0]
    add(storage_of(scenario, state, "items", "items"), 1, "balanceOf", player, item)


def lose_damage(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "game", "game"), -1, "worldDamage")


def gain_unnoticed(scenario: Scenario, state: State) -> None:
    game = storage_of(scenario, state, "game", "game")
    last = game.get("ranking", offset=9) & ((1 << 160) - 1)
    player = next(
        p for p in scenario.notes["players"] if game.get("experience", p) < game.get("ranking", offset=9) >> 160
    )
    assert int.from_bytes(player, "big") != last
    game.set(10**6, "experience", player)


def swap_ranks(scenario: Scenario, state: State) -> None:
    game = storage_of(scenario, state, "game", "game")
    first, second = game.get("ranking"), game.get("ranking", offset=1)
    mask = (1 << 160) - 1
    game.set(first >> 160 << 160 | second & mask, "ranking")
    game.set(second >> 160 << 160 | first & mask, "ranking", offset=1)


def lose_a_contribution(scenario: Scenario, state: State) -> None:
    o, number, project, donor = scenario.notes["given"][0]
    storage_of(scenario, state, f"grants {o}", "grants").set(0, "given", number, project, donor)


def lose_squares(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "grants 0", "grants"), -1, "rounds", 1, offset=2)


def claim_unpaid(scenario: Scenario, state: State) -> None:
    assert scenario.notes["funds"][0].claims
    storage_of(scenario, state, "grants 0", "grants").set(0, "projects", 0, 0, offset=4)


def perform_unpaid(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "treasury 0", "treasury"), 1, "tasks", 0, offset=3)


def pay_unrecorded(scenario: Scenario, state: State) -> None:
    tokens = Storage(state, token_of(scenario), load("token"))
    add(tokens, -1, "balanceOf", scenario.contracts["treasury 0"])
    add(tokens, 1, "balanceOf", scenario.contracts["grants 0"])


def first_product(scenario: Scenario, state: State) -> tuple[Storage, int]:
    return storage_of(scenario, state, "provenance", "provenance"), next(iter(scenario.notes["products"]))


def steal_a_product(scenario: Scenario, state: State) -> None:
    storage, product = first_product(scenario, state)
    custodian = storage.get("products", product)
    other = next(a for a, _ in scenario.notes["stocks"] if int.from_bytes(a, "big") != custodian)
    storage.set(int.from_bytes(other, "big"), "products", product)


def relabel_a_product(scenario: Scenario, state: State) -> None:
    storage, product = first_product(scenario, state)
    add(storage, 1, "products", product, offset=2)


def lose_a_product_on_its_way(scenario: Scenario, state: State) -> None:
    storage, product = first_product(scenario, state)
    storage.set(12345, "products", product)


def lose_an_inspection(scenario: Scenario, state: State) -> None:
    storage, _ = first_product(scenario, state)
    add(storage, -1, "batches", next(iter(scenario.notes["inspections"])), offset=2)


def forget_a_recall(scenario: Scenario, state: State) -> None:
    storage, _ = first_product(scenario, state)
    storage.set(0, "batches", next(iter(scenario.notes["recalled"])), offset=1)


def earn_twice(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "metering", "metering"), 1, "earnings", scenario.notes["metering"]["operators"][0])


def lose_units(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "metering", "metering"), -1, "delivered")


def miss_a_report(scenario: Scenario, state: State) -> None:
    add(
        storage_of(scenario, state, "metering", "metering"),
        -1,
        "devices",
        scenario.notes["metering"]["devices"][0],
        offset=2,
    )


def lose_a_part(scenario: Scenario, state: State) -> None:
    part = scenario.notes["parts"]["stablecoin"]
    add(Storage(state, part.contracts["coin 0"], load("stablecoin")), 1, "balanceOf", named_account("fee collector"))


def lose_a_step(scenario: Scenario, state: State) -> None:
    storage_of(scenario, state, "gauntlet", "gauntlet").set(0, "cells", scenario.notes["written"][0])


def step_where_nobody_was(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "gauntlet", "gauntlet"), 1, "cells", 3)


def succeed_twice(scenario: Scenario, state: State) -> None:
    add(storage_of(scenario, state, "gauntlet", "gauntlet"), 1, "calls", next(iter(scenario.notes["calls"])))


EVERYWHERE: list[tuple[Damage, str]] = [
    (mint_ether, "ether: "),
    (lose_ether, "ether: "),
    (rewind_nonce, "nonce is"),
]
DAMAGE: list[tuple[str, Damage, str]] = [
    *((name, damage, found) for name in DIALS for damage, found in EVERYWHERE),
    ("payments", credit_twice, "balances add up to"),
    ("payments", inflate_supply, "total supply is"),
    ("swaps", credit_twice, "balances add up to"),
    ("swaps", lose_an_update_of_reserves, "but it holds"),
    ("swaps", drain_pool, "product of reserves fell"),
    ("nft", orphan_token, "not exactly the tokens below its counter"),
    ("nft", steal_token, "its balance says"),
    ("nft", sell_to_a_stranger, "not exactly the tokens below its counter"),
    ("nft", mint_a_number_twice, "counter is"),
    ("nft", mint_beyond_the_counter, "not exactly the tokens below its counter"),
    ("nft", move_collection_ether, "wei for"),
    ("nft", keep_ether_in_the_market, "keeps 1 wei"),
    ("dao", lose_a_vote_from_the_tally, "tally is"),
    ("dao", lose_a_receipt, "has no valid receipt"),
    ("dao", count_a_vote_twice, "has no valid receipt"),
    ("dao", double_delegated_votes, "delegated votes add up to"),
    ("dao", lose_governance_tokens, "balances add up to"),
    ("dao", execute_without_closing, "closed as 0"),
    ("nft", pay_no_royalty, "the creator earned 0"),
    ("nft", keep_currency_in_the_bazaar, "keeps 1 of its currency"),
    ("lending", supply_without_shares, "supplyShares add up to"),
    ("lending", forget_a_debt, "borrowShares add up to"),
    ("lending", lose_a_repayment, "of token 0 and owes"),
    ("lending", lend_more_than_there_is, "borrowed of"),
    ("lending", pledge_twice, "of token 1 and owes"),
    ("lending", credit_twice, "balances add up to"),
    ("orders", fill_twice, "and owes"),
    ("orders", lose_depth, "recorded are"),
    ("orders", forget_a_price, "recorded are"),
    ("orders", cross_the_book, "bids and asks cross"),
    ("stablecoin", lose_the_fee, "balances add up to"),
    ("stablecoin", move_blocked_money, "blocked"),
    ("game", copy_an_item, "the supply is"),
    ("game", lose_damage, "the boss suffered"),
    ("game", gain_unnoticed, "the best have"),
    ("game", swap_ranks, "is not what it shows"),
    ("grants", lose_a_contribution, "which is not what donors gave"),
    ("grants", lose_squares, "squares add up to"),
    ("grants", claim_unpaid, "and owe"),
    ("grants", perform_unpaid, "streams and tasks say"),
    ("grants", pay_unrecorded, "treasury: holds"),
    ("supply", steal_a_product, "its stock says"),
    ("supply", relabel_a_product, "is of batch"),
    ("supply", lose_a_product_on_its_way, "to whom nobody sent them"),
    ("supply", lose_an_inspection, "recalled, inspections and failures are"),
    ("supply", forget_a_recall, "recalled, inspections and failures are"),
    ("metering", earn_twice, "and owes"),
    ("metering", lose_units, "devices delivered"),
    ("metering", miss_a_report, "devices delivered"),
    ("mixed", credit_twice, "balances add up to"),
    ("mixed", lose_a_part, "stablecoin: token"),
    ("adversarial", lose_a_step, "were never written"),
    ("adversarial", step_where_nobody_was, "cells add up to"),
    ("adversarial", succeed_twice, "times, not"),
]


@pytest.mark.parametrize(("name", "damage", "found"), DAMAGE)
def test_damage_is_found(build: Build, name: str, damage: Damage, found: str) -> None:
    scenario, state = executed(build, name)
    damage(scenario, state)
    violations = get(name)().check(scenario, state)
    assert any(found in line for line in violations), violations
    assert all("\n" not in line for line in violations)
