#pragma version 0.4.3
"""
@title   Grants with quadratic matching
@notice  Projects ask for funding in a round, donors contribute, and when the round ends its matching pool is shared in
         proportion to the square of the sum of the square roots of each project's contributions. Many small donors
         therefore move more than one large one (Buterin, Hitzig, Weyl: A Flexible Design for Funding Public Goods).
@dev     Each contribution keeps the project's sum of roots and the round's sum of squares up to date, so that the round
         can be settled in one step: the round's sum is a counter that all its donors share.
"""

from ethereum.ercs import IERC20

event RoundOpened:
    id: indexed(uint256)
    endBlock: uint256
    matching: uint256

event Requested:
    id: indexed(uint256)
    project: indexed(uint256)
    owner: indexed(address)
    goal: uint256

event Contributed:
    id: indexed(uint256)
    project: indexed(uint256)
    donor: indexed(address)
    amount: uint256

event Claimed:
    id: indexed(uint256)
    project: indexed(uint256)
    contributions: uint256
    matching: uint256

struct Round:
    endBlock: uint256
    matching: uint256
    # Sum over projects of the square of their sum of roots.
    squares: uint256

struct Project:
    owner: address
    goal: uint256
    contributions: uint256
    roots: uint256
    claimed: bool

currency: public(immutable(address))
roundCount: public(uint256)
rounds: public(HashMap[uint256, Round])
projectCounts: public(HashMap[uint256, uint256])
projects: public(HashMap[uint256, HashMap[uint256, Project]])
# By round, project and donor.
given: public(HashMap[uint256, HashMap[uint256, HashMap[address, uint256]]])


@deploy
def __init__(_currency: address):
    currency = _currency


@external
@nonreentrant
def openRound(_blocks: uint256, _matching: uint256) -> uint256:
    """
    @notice  Opens a round with a matching pool that the caller pays
    """
    assert _blocks > 0, "grants: no time"
    id: uint256 = self.roundCount
    self.roundCount = id + 1
    end: uint256 = block.number + _blocks
    self.rounds[id] = Round(endBlock=end, matching=_matching, squares=0)
    self._pull(_matching)
    log RoundOpened(id=id, endBlock=end, matching=_matching)
    return id


@external
def request(_round: uint256, _goal: uint256) -> uint256:
    """
    @notice  Asks for funding: a new project of the caller's
    """
    assert block.number <= self.rounds[_round].endBlock, "grants: round is over"
    assert _goal > 0, "grants: no goal"
    project: uint256 = self.projectCounts[_round]
    self.projectCounts[_round] = project + 1
    self.projects[_round][project].owner = msg.sender
    self.projects[_round][project].goal = _goal
    log Requested(id=_round, project=project, owner=msg.sender, goal=_goal)
    return project


@external
@nonreentrant
def contribute(_round: uint256, _project: uint256, _amount: uint256):
    assert block.number <= self.rounds[_round].endBlock, "grants: round is over"
    assert self.projects[_round][_project].owner != empty(address), "grants: no such project"
    assert _amount > 0, "grants: nothing given"
    before: uint256 = self.given[_round][_project][msg.sender]
    now: uint256 = before + _amount
    self.given[_round][_project][msg.sender] = now
    roots: uint256 = self.projects[_round][_project].roots
    more: uint256 = roots + isqrt(now) - isqrt(before)
    self.projects[_round][_project].roots = more
    self.projects[_round][_project].contributions += _amount
    self.rounds[_round].squares += more * more - roots * roots
    self._pull(_amount)
    log Contributed(id=_round, project=_project, donor=msg.sender, amount=_amount)


@external
@nonreentrant
def claim(_round: uint256, _project: uint256):
    """
    @notice  After the round, pays a project's owner its contributions and its share of the matching pool
    """
    assert block.number > self.rounds[_round].endBlock, "grants: round is open"
    owner: address = self.projects[_round][_project].owner
    assert owner != empty(address), "grants: no such project"
    assert not self.projects[_round][_project].claimed, "grants: claimed"
    self.projects[_round][_project].claimed = True
    roots: uint256 = self.projects[_round][_project].roots
    contributions: uint256 = self.projects[_round][_project].contributions
    squares: uint256 = self.rounds[_round].squares
    matching: uint256 = 0
    if squares > 0:
        matching = self.rounds[_round].matching * (roots * roots) // squares
    assert extcall IERC20(currency).transfer(owner, contributions + matching), "grants: transfer failed"
    log Claimed(id=_round, project=_project, contributions=contributions, matching=matching)


@internal
def _pull(_amount: uint256):
    assert extcall IERC20(currency).transferFrom(
        msg.sender, self, _amount, default_return_value=True
    ), "grants: transfer failed"
