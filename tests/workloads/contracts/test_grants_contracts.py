"""What `grants` and `treasury` promise, asked of the compiled contracts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import pytest

from contend.workloads.building.tokens import UNLIMITED
from tests.workloads.world import ALICE, BOB, CAROL, Contract, World, reverts


@dataclass
class Fund:
    world: World
    token: Contract
    grants: Contract


@pytest.fixture
def fund() -> Fund:
    """A round of ten blocks with 1,000 to match; BOB asks for one project, CAROL for another."""
    world = World()
    token = world.deploy("token", "Gold", "GLD", 18, 10**6)
    grants = world.deploy("grants", token.address)
    for account in (BOB, CAROL):
        token.send(ALICE, "transfer", account, 10_000)
    for account in (ALICE, BOB, CAROL):
        token.send(account, "approve", grants.address, UNLIMITED)
    grants.send(ALICE, "openRound", 10, 1_000)
    assert grants.send(BOB, "request", 0, 500) == (0,)
    assert grants.send(CAROL, "request", 0, 500) == (1,)
    return Fund(world, token, grants)


def test_many_small_donors_move_more_than_one_large_one(fund: Fund) -> None:
    grants, token = fund.grants, fund.token
    for donor in (ALICE, BOB, CAROL):
        grants.send(donor, "contribute", 0, 0, 100)
    grants.send(ALICE, "contribute", 0, 1, 300)
    first, second = 3 * isqrt(100), isqrt(300)
    assert grants.ask("rounds", 0)[2] == first**2 + second**2
    with reverts("grants: round is open"):
        grants.send(BOB, "claim", 0, 0)
    fund.world.pass_blocks(11)
    with reverts("grants: round is over"):
        grants.send(ALICE, "contribute", 0, 0, 1)
    with reverts("grants: round is over"):
        grants.send(ALICE, "request", 0, 1)
    before = token.ask("balanceOf", BOB)[0]
    grants.send(CAROL, "claim", 0, 0)
    matched = 1_000 * first**2 // (first**2 + second**2)
    assert token.ask("balanceOf", BOB) == (before + 300 + matched,)
    assert matched > 700
    with reverts("grants: claimed"):
        grants.send(BOB, "claim", 0, 0)
    grants.send(BOB, "claim", 0, 1)
    assert token.ask("balanceOf", grants.address)[0] <= 1


def test_contributions_of_one_donor_count_as_one(fund: Fund) -> None:
    for amount in (10, 20, 70):
        fund.grants.send(BOB, "contribute", 0, 1, amount)
    _, _, contributions, roots, _ = fund.grants.ask("projects", 0, 1)
    assert (contributions, roots) == (100, 10)
    assert fund.grants.ask("given", 0, 1, BOB) == (100,)


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [
        ("contribute", (0, 2, 5), "grants: no such project"),
        ("contribute", (0, 0, 0), "grants: nothing given"),
        ("contribute", (0, 0, 10**7), "ERC20: insufficient balance"),
        ("contribute", (1, 0, 5), "grants: round is over"),
        ("request", (0, 0), "grants: no goal"),
        ("openRound", (0, 1), "grants: no time"),
    ],
)
def test_what_makes_no_sense_is_refused(fund: Fund, method: str, arguments: tuple[int, ...], reason: str) -> None:
    with reverts(reason):
        fund.grants.send(BOB, method, *arguments)


def test_streams_pay_what_is_due_and_tasks_the_first_keeper() -> None:
    world = World()
    token = world.deploy("token", "Gold", "GLD", 18, 10**6)
    treasury = world.deploy("treasury", token.address)
    token.send(ALICE, "transfer", treasury.address, 10_000)
    treasury.send(ALICE, "grantStream", BOB, 7)
    treasury.send(ALICE, "addTask", 5, 30)
    for method, arguments in (("grantStream", (BOB, 1)), ("addTask", (1, 1))):
        with reverts("treasury: not the admin"):
            treasury.send(BOB, method, *arguments)
    world.pass_blocks(4)
    with reverts("treasury: not the payee"):
        treasury.send(CAROL, "draw", 0)
    treasury.send(BOB, "draw", 0)
    treasury.send(BOB, "draw", 0)
    assert token.ask("balanceOf", BOB) == (28,)
    treasury.send(CAROL, "perform", 0)
    with reverts("treasury: not due"):
        treasury.send(BOB, "perform", 0)
    with reverts("treasury: no such task"):
        treasury.send(BOB, "perform", 1)
    world.pass_blocks(5)
    treasury.send(BOB, "perform", 0)
    assert treasury.ask("paidOut") == (28 + 60,)
    assert token.ask("balanceOf", treasury.address) == (10_000 - 88,)
    assert treasury.ask("tasks", 0)[3] == 2
