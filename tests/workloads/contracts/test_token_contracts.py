"""What `token` and `votes` promise, asked of the compiled contracts."""

from __future__ import annotations

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, ZERO, Contract, World, as_int, reverts

UNLIMITED = 2**256 - 1


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def token(world: World) -> Contract:
    return world.deploy("token", "Gold", "GLD", 6, 1_000)


@pytest.fixture
def votes(world: World) -> Contract:
    return world.deploy("votes", "Governance", "GOV", 1_000)


def test_a_new_token_belongs_to_its_deployer(token: Contract) -> None:
    assert token.ask("totalSupply") == token.ask("balanceOf", ALICE) == (1_000,)
    assert token.ask("decimals") == (6,)
    assert token.ask("symbol")[1:] == (3, int.from_bytes(b"GLD".ljust(32, b"\0"), "big"))


@pytest.mark.parametrize("fixture", ["token", "votes"])
def test_transfers_and_allowances(fixture: str, request: pytest.FixtureRequest) -> None:
    token: Contract = request.getfixturevalue(fixture)
    assert token.send(ALICE, "transfer", BOB, 300) == (1,)
    assert token.send(BOB, "transfer", BOB, 300) == (1,)
    token.send(BOB, "approve", CAROL, 100)
    token.send(CAROL, "transferFrom", BOB, ALICE, 60)
    assert token.ask("allowance", BOB, CAROL) == (40,)
    assert token.ask("balanceOf", ALICE) == (760,)
    assert token.ask("balanceOf", BOB) == (240,)
    with reverts("ERC20: insufficient allowance"):
        token.send(CAROL, "transferFrom", BOB, ALICE, 41)
    token.send(BOB, "approve", CAROL, UNLIMITED)
    token.send(CAROL, "transferFrom", BOB, CAROL, 200)
    assert token.ask("allowance", BOB, CAROL) == (UNLIMITED,)
    with reverts("ERC20: insufficient balance"):
        token.send(BOB, "transfer", ALICE, 41)
    with reverts("ERC20: transfer to zero"):
        token.send(BOB, "transfer", ZERO, 1)
    assert token.ask("totalSupply") == (1_000,)


def test_only_the_minter_mints(token: Contract) -> None:
    with reverts("token: not the minter"):
        token.send(BOB, "mint", BOB, 1)
    token.send(ALICE, "setMinter", BOB)
    token.send(BOB, "mint", CAROL, 500)
    with reverts("token: mint to zero"):
        token.send(BOB, "mint", ZERO, 1)
    with reverts("token: not the minter"):
        token.send(ALICE, "setMinter", ALICE)
    token.send(CAROL, "burn", 200)
    with reverts("ERC20: insufficient balance"):
        token.send(CAROL, "burn", 301)
    assert token.ask("totalSupply") == (1_300,)
    with reverts():
        token.send(BOB, "mint", CAROL, UNLIMITED)


def test_plain_ether_and_unknown_methods_are_refused(world: World, token: Contract) -> None:
    with reverts():
        world.genesis.call(token.address, b"", ALICE, 1)
    with reverts():
        world.genesis.call(token.address, b"\xde\xad\xbe\xef", ALICE)
    with reverts():
        token.send(ALICE, "transfer", BOB, 1, value=1)


def test_votes_follow_the_delegate(votes: Contract) -> None:
    assert votes.ask("getCurrentVotes", ALICE) == (0,)
    votes.send(ALICE, "delegate", ALICE)
    assert votes.ask("getCurrentVotes", ALICE) == (1_000,)
    votes.send(ALICE, "transfer", BOB, 400)
    assert votes.ask("getCurrentVotes", ALICE) == (600,)
    assert votes.ask("getCurrentVotes", BOB) == (0,)
    votes.send(BOB, "delegate", CAROL)
    votes.send(ALICE, "delegate", CAROL)
    assert votes.ask("getCurrentVotes", CAROL) == (1_000,)
    assert votes.ask("getCurrentVotes", ALICE) == (0,)
    assert votes.ask("delegates", BOB) == (as_int(CAROL),)
    votes.send(BOB, "delegate", ZERO)
    assert votes.ask("getCurrentVotes", CAROL) == (600,)


def test_past_votes_are_found_at_every_block(world: World, votes: Contract) -> None:
    votes.send(ALICE, "delegate", ALICE)
    first = world.environment.number
    expected = {first - 1: 0, first: 1_000}
    held = 1_000
    for step in range(1, 12):
        world.pass_blocks(1 + step % 3)
        votes.send(ALICE, "transfer", BOB, step)
        votes.send(ALICE, "transfer", BOB, 1)
        held -= step + 1
        expected[world.environment.number] = held
    assert votes.ask("numCheckpoints", ALICE) == (12,)
    with reverts("votes: not yet determined"):
        votes.ask("getPriorVotes", ALICE, world.environment.number)
    world.pass_blocks(1)
    known = 0
    for number in range(first - 1, world.environment.number):
        known = expected.get(number, known)
        assert votes.ask("getPriorVotes", ALICE, number) == (known,), number - first
    assert votes.ask("getPriorVotes", CAROL, first) == (0,)
