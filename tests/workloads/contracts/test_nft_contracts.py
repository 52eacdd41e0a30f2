"""What `collection` and `market` promise, asked of the compiled contracts."""

from __future__ import annotations

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, ETHER, ZERO, Contract, World, as_int, reverts

PRICE = ETHER // 10
TREASURY = b"\x77" * 20


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def collection(world: World) -> Contract:
    return world.deploy("collection", "Punks", "PNK", 10, 4, PRICE, world.environment.timestamp)


@pytest.fixture
def market(world: World) -> Contract:
    return world.deploy("market", TREASURY, 250)


def test_minting_takes_the_next_numbers(world: World, collection: Contract) -> None:
    collection.send(ALICE, "mint", 2, value=2 * PRICE)
    collection.send(BOB, "mint", 3, value=3 * PRICE)
    assert [collection.ask("ownerOf", token)[0] for token in range(5)] == [as_int(ALICE)] * 2 + [as_int(BOB)] * 3
    assert collection.ask("balanceOf", BOB) == (3,)
    assert collection.ask("totalSupply") == (5,)
    assert world.state.balance(collection.address) == 5 * PRICE
    with reverts("ERC721: no such token"):
        collection.ask("ownerOf", 5)
    before = world.state.balance(ALICE)
    collection.send(CAROL, "withdraw")
    assert world.state.balance(ALICE) == before + 5 * PRICE


def test_the_sale_has_rules(world: World, collection: Contract) -> None:
    with reverts("collection: wrong payment"):
        collection.send(BOB, "mint", 2, value=PRICE)
    with reverts("collection: quantity"):
        collection.send(BOB, "mint", 0)
    with reverts("collection: quantity"):
        collection.send(BOB, "mint", 5, value=5 * PRICE)
    for _ in range(2):
        collection.send(BOB, "mint", 4, value=4 * PRICE)
    with reverts("collection: sold out"):
        collection.send(BOB, "mint", 3, value=3 * PRICE)
    collection.send(BOB, "mint", 2, value=2 * PRICE)
    early = world.deploy("collection", "Late", "LATE", 10, 4, PRICE, world.environment.timestamp + 12)
    with reverts("collection: sale not open"):
        early.send(BOB, "mint", 1, value=PRICE)
    world.pass_blocks(1)
    early.send(BOB, "mint", 1, value=PRICE)
    with reverts("collection: batch limit"):
        world.deploy("collection", "Big", "BIG", 10, 21, PRICE, 0)


def test_tokens_move_by_owner_approval_or_operator(collection: Contract) -> None:
    collection.send(ALICE, "mint", 3, value=3 * PRICE)
    collection.send(ALICE, "transferFrom", ALICE, BOB, 0)
    with reverts("ERC721: not the owner"):
        collection.send(ALICE, "transferFrom", ALICE, BOB, 0)
    with reverts("ERC721: not allowed"):
        collection.send(CAROL, "transferFrom", ALICE, BOB, 1)
    with reverts("ERC721: transfer to zero"):
        collection.send(ALICE, "transferFrom", ALICE, ZERO, 1)
    collection.send(ALICE, "approve", CAROL, 1)
    assert collection.ask("getApproved", 1) == (as_int(CAROL),)
    collection.send(CAROL, "transferFrom", ALICE, BOB, 1)
    assert collection.ask("getApproved", 1) == (0,)
    with reverts("ERC721: not allowed"):
        collection.send(CAROL, "approve", CAROL, 2)
    collection.send(ALICE, "setApprovalForAll", CAROL, 1)
    collection.send(CAROL, "safeTransferFrom(address,address,uint256)", ALICE, BOB, 2)
    assert collection.ask("balanceOf", BOB) == (3,)
    assert collection.ask("balanceOf", ALICE) == (0,)
    with reverts("ERC721: approve to self"):
        collection.send(ALICE, "setApprovalForAll", ALICE, 1)
    with reverts("ERC721: no such token"):
        collection.send(ALICE, "approve", BOB, 9)
    assert collection.ask("supportsInterface", bytes.fromhex("80ac58cd")) == (1,)
    assert collection.ask("supportsInterface", bytes.fromhex("ffffffff")) == (0,)


def test_a_safe_transfer_to_a_contract_that_takes_no_tokens_reverts(collection: Contract, market: Contract) -> None:
    collection.send(ALICE, "mint", 1, value=PRICE)
    with reverts():
        collection.send(ALICE, "safeTransferFrom(address,address,uint256)", ALICE, market.address, 0)


def test_a_sale_pays_seller_and_treasury(world: World, collection: Contract, market: Contract) -> None:
    collection.send(ALICE, "mint", 1, value=PRICE)
    with reverts("market: not approved"):
        market.send(ALICE, "list", collection.address, 0, ETHER)
    collection.send(ALICE, "setApprovalForAll", market.address, 1)
    with reverts("market: not the owner"):
        market.send(BOB, "list", collection.address, 0, ETHER)
    with reverts("market: zero price"):
        market.send(ALICE, "list", collection.address, 0, 0)
    market.send(ALICE, "list", collection.address, 0, ETHER)
    assert market.ask("listings", collection.address, 0) == (as_int(ALICE), ETHER)
    with reverts("market: wrong payment"):
        market.send(BOB, "buy", collection.address, 0, value=ETHER - 1)
    before = world.state.balance(ALICE)
    market.send(BOB, "buy", collection.address, 0, value=ETHER)
    assert world.state.balance(ALICE) == before + ETHER * 39 // 40
    assert world.state.balance(TREASURY) == ETHER // 40
    assert world.state.balance(market.address) == 0
    assert collection.ask("ownerOf", 0) == (as_int(BOB),)
    with reverts("market: not listed"):
        market.send(CAROL, "buy", collection.address, 0, value=ETHER)


def test_listings_end(collection: Contract, market: Contract) -> None:
    collection.send(ALICE, "mint", 2, value=2 * PRICE)
    for token in range(2):
        collection.send(ALICE, "approve", market.address, token)
        market.send(ALICE, "list", collection.address, token, ETHER)
    with reverts("market: not the seller"):
        market.send(BOB, "cancel", collection.address, 0)
    market.send(ALICE, "cancel", collection.address, 0)
    with reverts("market: not listed"):
        market.send(BOB, "buy", collection.address, 0, value=ETHER)
    collection.send(ALICE, "transferFrom", ALICE, CAROL, 1)
    with reverts("ERC721: not the owner"):
        market.send(BOB, "buy", collection.address, 1, value=ETHER)


def test_the_treasury_is_the_admins_to_choose(market: Contract, world: World) -> None:
    with reverts("market: not the admin"):
        market.send(BOB, "setTreasury", BOB)
    with reverts("market: zero treasury"):
        market.send(ALICE, "setTreasury", ZERO)
    market.send(ALICE, "setTreasury", BOB)
    assert market.ask("treasury") == (as_int(BOB),)
    with reverts("market: fee too high"):
        world.deploy("market", TREASURY, 1_001)


def test_an_accepted_offer_pays_seller_treasury_and_creator(world: World, collection: Contract) -> None:
    gold = world.deploy("token", "Gold", "GLD", 18, 10**6)
    bazaar = world.deploy("bazaar", gold.address, TREASURY, 250)
    bazaar.send(ALICE, "setRoyalty", collection.address, 500)
    with reverts("bazaar: not the creator"):
        bazaar.send(BOB, "setRoyalty", collection.address, 0)
    with reverts("bazaar: royalty too high"):
        bazaar.send(ALICE, "setRoyalty", collection.address, 1_001)
    collection.send(BOB, "mint", 1, value=PRICE)
    with reverts("bazaar: insufficient balance"):
        bazaar.send(CAROL, "offer", collection.address, 0, 1_000)
    gold.send(ALICE, "transfer", CAROL, 5_000)
    with reverts("bazaar: not approved"):
        bazaar.send(CAROL, "offer", collection.address, 0, 1_000)
    gold.send(CAROL, "approve", bazaar.address, 5_000)
    bazaar.send(CAROL, "offer", collection.address, 0, 1_000)
    for price in (0, 999):
        with reverts("bazaar: no such offer"):
            bazaar.send(BOB, "accept", collection.address, 0, CAROL, price)
    with reverts("bazaar: not the owner"):
        bazaar.send(ALICE, "accept", collection.address, 0, CAROL, 1_000)
    with reverts("ERC721: not allowed"):
        bazaar.send(BOB, "accept", collection.address, 0, CAROL, 1_000)
    collection.send(BOB, "setApprovalForAll", bazaar.address, True)
    before = gold.ask("balanceOf", ALICE)[0]
    bazaar.send(BOB, "accept", collection.address, 0, CAROL, 1_000)
    assert collection.ask("ownerOf", 0) == (as_int(CAROL),)
    assert gold.ask("balanceOf", BOB) == (1_000 - 25 - 50,)
    assert gold.ask("balanceOf", TREASURY) == (25,)
    assert gold.ask("balanceOf", ALICE) == (before + 50,)
    assert bazaar.ask("volume", collection.address) == (1_000,)
    with reverts("bazaar: no such offer"):
        bazaar.send(CAROL, "accept", collection.address, 0, CAROL, 1_000)


def test_an_offer_can_be_taken_back(world: World, collection: Contract) -> None:
    gold = world.deploy("token", "Gold", "GLD", 18, 10**6)
    bazaar = world.deploy("bazaar", gold.address, TREASURY, 0)
    gold.send(ALICE, "approve", bazaar.address, 500)
    bazaar.send(ALICE, "offer", collection.address, 3, 500)
    assert bazaar.ask("offers", collection.address, 3, ALICE) == (500,)
    bazaar.send(ALICE, "offer", collection.address, 3, 0)
    assert bazaar.ask("offers", collection.address, 3, ALICE) == (0,)
