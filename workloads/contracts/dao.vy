#pragma version 0.4.3
"""
@title   Organisation that decides by token-weighted votes
@notice  A holder of enough votes proposes one call; others vote for, against, or abstain with the votes that they had
         when voting began; a proposal that wins with a quorum can be executed by anyone.
"""

interface Votes:
    def getPriorVotes(_account: address, _blockNumber: uint256) -> uint256: view

event ProposalCreated:
    id: uint256
    proposer: indexed(address)
    target: address
    amount: uint256
    data: Bytes[1024]
    startBlock: uint256
    endBlock: uint256
    description: String[256]

event VoteCast:
    voter: indexed(address)
    proposalId: uint256
    support: uint8
    votes: uint256
    reason: String[128]

event ProposalCanceled:
    id: uint256

event ProposalExecuted:
    id: uint256

flag State:
    PENDING
    ACTIVE
    DEFEATED
    SUCCEEDED
    EXECUTED
    CANCELED

struct Proposal:
    proposer: address
    action: bytes32
    startBlock: uint256
    endBlock: uint256
    closed: uint256

VOTE_AGAINST: constant(uint256) = 0
VOTE_FOR: constant(uint256) = 1
VOTE_ABSTAIN: constant(uint256) = 2
OPEN: constant(uint256) = 0
CLOSED_BY_EXECUTION: constant(uint256) = 1
CLOSED_BY_CANCELLATION: constant(uint256) = 2

token: public(immutable(address))
votingDelay: public(immutable(uint256))
votingPeriod: public(immutable(uint256))
proposalThreshold: public(immutable(uint256))
quorumVotes: public(immutable(uint256))

proposalCount: public(uint256)
proposals: public(HashMap[uint256, Proposal])
# By proposal, then against, for, abstain.
tallies: HashMap[uint256, uint256[3]]
# By proposal, then voter: 0 before the vote, then 1 | support << 8 | votes << 16.
receipts: HashMap[uint256, HashMap[address, uint256]]


@deploy
def __init__(
    _token: address,
    _votingDelay: uint256,
    _votingPeriod: uint256,
    _proposalThreshold: uint256,
    _quorumVotes: uint256,
):
    assert _votingDelay > 0 and _votingPeriod > 0, "dao: delay and period must be positive"
    token = _token
    votingDelay = _votingDelay
    votingPeriod = _votingPeriod
    proposalThreshold = _proposalThreshold
    quorumVotes = _quorumVotes


@payable
@external
def __default__():
    # The organisation's treasury.
    pass


@external
def propose(_target: address, _amount: uint256, _data: Bytes[1024], _description: String[256]) -> uint256:
    """
    @notice  Proposes to call `_target` with ether and data
    @return  The proposal's number, counted from one
    """
    assert (
        staticcall Votes(token).getPriorVotes(msg.sender, block.number - 1) >= proposalThreshold
    ), "dao: below proposal threshold"
    id: uint256 = self.proposalCount + 1
    self.proposalCount = id
    start: uint256 = block.number + votingDelay
    end: uint256 = start + votingPeriod
    self.proposals[id] = Proposal(
        proposer=msg.sender,
        action=self._action(_target, _amount, _data),
        startBlock=start,
        endBlock=end,
        closed=OPEN,
    )
    log ProposalCreated(
        id=id,
        proposer=msg.sender,
        target=_target,
        amount=_amount,
        data=_data,
        startBlock=start,
        endBlock=end,
        description=_description,
    )
    return id


@external
def castVote(_proposalId: uint256, _support: uint8, _reason: String[128] = ""):
    """
    @notice  Votes once on a proposal: 0 against, 1 for, 2 abstain
    """
    support: uint256 = convert(_support, uint256)
    assert support <= VOTE_ABSTAIN, "dao: invalid vote"
    assert self._state(_proposalId) == State.ACTIVE, "dao: voting is closed"
    assert self.receipts[_proposalId][msg.sender] == 0, "dao: already voted"
    votes: uint256 = staticcall Votes(token).getPriorVotes(msg.sender, self.proposals[_proposalId].startBlock)
    self.tallies[_proposalId][support] += votes
    self.receipts[_proposalId][msg.sender] = 1 | (support << 8) | (votes << 16)
    log VoteCast(
        voter=msg.sender, proposalId=_proposalId, support=_support, votes=votes, reason=_reason
    )


@external
def cancel(_proposalId: uint256):
    """
    @notice  Takes a proposal back, as long as it is not decided
    """
    assert msg.sender == self.proposals[_proposalId].proposer, "dao: not the proposer"
    assert self._state(_proposalId) in (State.PENDING | State.ACTIVE), "dao: already decided"
    self.proposals[_proposalId].closed = CLOSED_BY_CANCELLATION
    log ProposalCanceled(id=_proposalId)


@external
@nonreentrant
def execute(_proposalId: uint256, _target: address, _amount: uint256, _data: Bytes[1024]):
    """
    @notice  Does what a successful proposal asked for
    """
    assert self._state(_proposalId) == State.SUCCEEDED, "dao: not succeeded"
    assert self.proposals[_proposalId].action == self._action(_target, _amount, _data), "dao: another action"
    self.proposals[_proposalId].closed = CLOSED_BY_EXECUTION
    raw_call(_target, _data, value=_amount)
    log ProposalExecuted(id=_proposalId)


@view
@external
def state(_proposalId: uint256) -> State:
    return self._state(_proposalId)


@view
@external
def proposalVotes(_proposalId: uint256) -> (uint256, uint256, uint256):
    """
    @return  Votes against, for, abstaining
    """
    tally: uint256[3] = self.tallies[_proposalId]
    return tally[VOTE_AGAINST], tally[VOTE_FOR], tally[VOTE_ABSTAIN]


@view
@external
def getReceipt(_proposalId: uint256, _voter: address) -> (bool, uint256, uint256):
    """
    @return  Whether the account voted, how, and with how many votes
    """
    receipt: uint256 = self.receipts[_proposalId][_voter]
    return receipt != 0, (receipt >> 8) & 255, receipt >> 16


@view
@internal
def _state(_proposalId: uint256) -> State:
    start: uint256 = self.proposals[_proposalId].startBlock
    assert start != 0, "dao: no such proposal"
    closed: uint256 = self.proposals[_proposalId].closed
    if closed == CLOSED_BY_EXECUTION:
        return State.EXECUTED
    if closed == CLOSED_BY_CANCELLATION:
        return State.CANCELED
    if block.number <= start:
        return State.PENDING
    if block.number <= self.proposals[_proposalId].endBlock:
        return State.ACTIVE
    tally: uint256[3] = self.tallies[_proposalId]
    if tally[VOTE_FOR] > tally[VOTE_AGAINST] and tally[VOTE_FOR] >= quorumVotes:
        return State.SUCCEEDED
    return State.DEFEATED


@pure
@internal
def _action(_target: address, _amount: uint256, _data: Bytes[1024]) -> bytes32:
    return keccak256(abi_encode(_target, _amount, _data))
