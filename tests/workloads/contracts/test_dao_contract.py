"""What `dao` promises, asked of the compiled contract."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, ETHER, Contract, World, reverts

PENDING, ACTIVE, DEFEATED, SUCCEEDED, EXECUTED, CANCELED = (1 << i for i in range(6))
VOTE, VOTE_WITH_REASON = "castVote(uint256,uint8)", "castVote(uint256,uint8,string)"
AGAINST, FOR, ABSTAIN = range(3)
DELAY, PERIOD = 2, 10


@dataclass
class Organisation:
    world: World
    votes: Contract
    dao: Contract

    def propose(self, sender: bytes = ALICE, amount: int = ETHER, data: bytes = b"") -> int:
        """Propose to send ether to CAROL."""
        return self.dao.send(sender, "propose", CAROL, amount, data, "Pay Carol")[0]


@pytest.fixture
def organisation() -> Organisation:
    """ALICE has 600 of 1,000 votes, BOB 300, CAROL 100; a quorum takes 400, a proposal 200."""
    world = World()
    votes = world.deploy("votes", "Governance", "GOV", 1_000)
    votes.send(ALICE, "transfer", BOB, 300)
    votes.send(ALICE, "transfer", CAROL, 100)
    for voter in (ALICE, BOB, CAROL):
        votes.send(voter, "delegate", voter)
    dao = world.deploy("dao", votes.address, DELAY, PERIOD, 200, 400)
    world.genesis.call(dao.address, b"", ALICE, 5 * ETHER)
    world.pass_blocks(1)
    return Organisation(world, votes, dao)


def test_a_proposal_lives_and_is_executed(organisation: Organisation) -> None:
    world, dao = organisation.world, organisation.dao
    assert organisation.propose() == 1
    assert dao.ask("state", 1) == (PENDING,)
    world.pass_blocks(DELAY)
    assert dao.ask("state", 1) == (PENDING,)
    with reverts("dao: voting is closed"):
        dao.send(ALICE, VOTE, 1, FOR)
    world.pass_blocks(1)
    assert dao.ask("state", 1) == (ACTIVE,)
    dao.send(ALICE, VOTE, 1, FOR)
    dao.send(BOB, VOTE_WITH_REASON, 1, AGAINST, "too expensive")
    dao.send(CAROL, VOTE, 1, ABSTAIN)
    assert dao.ask("proposalVotes", 1) == (300, 600, 100)
    assert dao.ask("getReceipt", 1, BOB) == (1, AGAINST, 300)
    with reverts("dao: not succeeded"):
        dao.send(ALICE, "execute", 1, CAROL, ETHER, b"")
    world.pass_blocks(PERIOD)
    assert dao.ask("state", 1) == (SUCCEEDED,)
    with reverts("dao: another action"):
        dao.send(ALICE, "execute", 1, CAROL, 2 * ETHER, b"")
    before = world.state.balance(CAROL)
    dao.send(BOB, "execute", 1, CAROL, ETHER, b"")
    assert world.state.balance(CAROL) == before + ETHER
    assert dao.ask("state", 1) == (EXECUTED,)
    with reverts("dao: not succeeded"):
        dao.send(BOB, "execute", 1, CAROL, ETHER, b"")
    with reverts("dao: already decided"):
        dao.send(ALICE, "cancel", 1)


def test_nobody_votes_twice_or_wrongly(organisation: Organisation) -> None:
    dao = organisation.dao
    organisation.propose()
    organisation.world.pass_blocks(DELAY + 1)
    dao.send(ALICE, VOTE, 1, AGAINST)
    with reverts("dao: already voted"):
        dao.send(ALICE, VOTE, 1, FOR)
    with reverts("dao: invalid vote"):
        dao.send(BOB, VOTE, 1, 3)
    with reverts("dao: no such proposal"):
        dao.send(BOB, VOTE, 2, FOR)


def test_votes_count_as_they_were_when_voting_began(organisation: Organisation) -> None:
    dao, world = organisation.dao, organisation.world
    organisation.propose()
    world.pass_blocks(DELAY + 1)
    organisation.votes.send(ALICE, "transfer", BOB, 600)
    dao.send(ALICE, VOTE, 1, FOR)
    dao.send(BOB, VOTE, 1, FOR)
    assert dao.ask("proposalVotes", 1) == (0, 900, 0)


def test_a_proposal_needs_a_quorum_and_a_majority(organisation: Organisation) -> None:
    dao, world = organisation.dao, organisation.world
    organisation.propose()
    organisation.propose()
    world.pass_blocks(DELAY + 1)
    dao.send(BOB, VOTE, 1, FOR)
    dao.send(ALICE, VOTE, 2, AGAINST)
    dao.send(BOB, VOTE, 2, FOR)
    world.pass_blocks(PERIOD)
    assert dao.ask("state", 1) == dao.ask("state", 2) == (DEFEATED,)
    with reverts("dao: voting is closed"):
        dao.send(CAROL, VOTE, 1, FOR)


def test_proposals_are_made_by_those_with_votes_and_taken_back_by_their_makers(organisation: Organisation) -> None:
    dao = organisation.dao
    with reverts("dao: below proposal threshold"):
        organisation.propose(CAROL)
    assert organisation.propose(BOB) == 1
    assert organisation.propose(ALICE, data=b"\x12\x34") == 2
    with reverts("dao: not the proposer"):
        dao.send(ALICE, "cancel", 1)
    dao.send(BOB, "cancel", 1)
    assert dao.ask("state", 1) == (CANCELED,)
    organisation.world.pass_blocks(DELAY + 1)
    with reverts("dao: voting is closed"):
        dao.send(ALICE, VOTE, 1, FOR)


def test_delay_and_period_must_be_positive() -> None:
    world = World()
    with reverts("dao: delay and period must be positive"):
        world.deploy("dao", b"\1" * 20, 0, PERIOD, 0, 0)
