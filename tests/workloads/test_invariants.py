"""Invariants: kept by every correct run, and broken by every way in which a run could be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from evm import Block, State
from strategies.serial import Serial
from tests.workloads.conftest import Build
from workloads import DialValue, Scenario, get
from workloads.abi import load
from workloads.storage import Storage

Damage = Callable[[Scenario, State], None]

DIALS: dict[str, Mapping[str, DialValue]] = {
    "payments": {"accounts": 60, "tokens": 3},
    "swaps": {"pools": 4, "accounts": 60},
    "nft": {"collections": 3, "accounts": 60},
    "dao": {"voters": 90, "proposals": 3},
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
        a for a in scenario.notes["collections"][storage.address].involved if int.from_bytes(a, "big") != owner
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
]


@pytest.mark.parametrize(("name", "damage", "found"), DAMAGE)
def test_damage_is_found(build: Build, name: str, damage: Damage, found: str) -> None:
    scenario, state = executed(build, name)
    damage(scenario, state)
    violations = get(name)().check(scenario, state)
    assert any(found in line for line in violations), violations
    assert all("\n" not in line for line in violations)
