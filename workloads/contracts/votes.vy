#pragma version 0.4.3
"""
@title   ERC-20 governance token with delegated voting power
@notice  Balances give votes to a delegate of their owner's choice. Votes are kept as checkpoints by block number, so
         that a ballot can ask for those of a past block.
"""

from ethereum.ercs import IERC20

implements: IERC20

event DelegateChanged:
    delegator: indexed(address)
    fromDelegate: indexed(address)
    toDelegate: indexed(address)

event DelegateVotesChanged:
    delegate: indexed(address)
    previousBalance: uint256
    newBalance: uint256

BLOCK_MASK: constant(uint256) = 2**32 - 1
BLOCK_BITS: constant(uint256) = 32
# A binary search over 2**32 checkpoints ends within 32 steps.
SEARCH_STEPS: constant(uint256) = 32

name: public(String[64])
symbol: public(String[16])
decimals: public(constant(uint8)) = 18

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
delegates: public(HashMap[address, address])
numCheckpoints: public(HashMap[address, uint256])
# block number | votes << 32
checkpoints: HashMap[address, HashMap[uint256, uint256]]


@deploy
def __init__(_name: String[64], _symbol: String[16], _supply: uint256):
    assert _supply < 2**224, "votes: supply too large"
    self.name = _name
    self.symbol = _symbol
    self.totalSupply = _supply
    self.balanceOf[msg.sender] = _supply
    log IERC20.Transfer(sender=empty(address), receiver=msg.sender, value=_supply)


@external
def transfer(_to: address, _value: uint256) -> bool:
    self._transfer(msg.sender, _to, _value)
    return True


@external
def transferFrom(_from: address, _to: address, _value: uint256) -> bool:
    allowed: uint256 = self.allowance[_from][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= _value, "ERC20: insufficient allowance"
        self.allowance[_from][msg.sender] = unsafe_sub(allowed, _value)
    self._transfer(_from, _to, _value)
    return True


@external
def approve(_spender: address, _value: uint256) -> bool:
    self.allowance[msg.sender][_spender] = _value
    log IERC20.Approval(owner=msg.sender, spender=_spender, value=_value)
    return True


@external
def delegate(_delegatee: address):
    """
    @notice  Gives the votes of the caller's balance to `_delegatee`
    """
    previous: address = self.delegates[msg.sender]
    self.delegates[msg.sender] = _delegatee
    log DelegateChanged(delegator=msg.sender, fromDelegate=previous, toDelegate=_delegatee)
    self._move_votes(previous, _delegatee, self.balanceOf[msg.sender])


@view
@external
def getCurrentVotes(_account: address) -> uint256:
    count: uint256 = self.numCheckpoints[_account]
    if count == 0:
        return 0
    return self.checkpoints[_account][unsafe_sub(count, 1)] >> BLOCK_BITS


@view
@external
def getPriorVotes(_account: address, _blockNumber: uint256) -> uint256:
    """
    @notice  Votes of `_account` at the end of a past block
    """
    assert _blockNumber < block.number, "votes: not yet determined"
    count: uint256 = self.numCheckpoints[_account]
    if count == 0:
        return 0
    upper: uint256 = unsafe_sub(count, 1)
    checkpoint: uint256 = self.checkpoints[_account][upper]
    # Most questions are about the latest checkpoint, or one that is older than the first.
    if checkpoint & BLOCK_MASK <= _blockNumber:
        return checkpoint >> BLOCK_BITS
    if self.checkpoints[_account][0] & BLOCK_MASK > _blockNumber:
        return 0
    lower: uint256 = 0
    for i: uint256 in range(SEARCH_STEPS):
        if upper <= lower:
            break
        middle: uint256 = unsafe_sub(upper, unsafe_sub(upper, lower) // 2)
        checkpoint = self.checkpoints[_account][middle]
        if checkpoint & BLOCK_MASK <= _blockNumber:
            lower = middle
        else:
            upper = unsafe_sub(middle, 1)
    return self.checkpoints[_account][lower] >> BLOCK_BITS


@internal
def _transfer(_from: address, _to: address, _value: uint256):
    assert _to != empty(address), "ERC20: transfer to zero"
    available: uint256 = self.balanceOf[_from]
    assert available >= _value, "ERC20: insufficient balance"
    self.balanceOf[_from] = unsafe_sub(available, _value)
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], _value)
    log IERC20.Transfer(sender=_from, receiver=_to, value=_value)
    self._move_votes(self.delegates[_from], self.delegates[_to], _value)


@internal
def _move_votes(_from: address, _to: address, _value: uint256):
    if _from == _to or _value == 0:
        return
    if _from != empty(address):
        self._add_votes(_from, unsafe_sub(0, _value))
    if _to != empty(address):
        self._add_votes(_to, _value)


@internal
def _add_votes(_account: address, _difference: uint256):
    """
    @dev  Differences are modulo 2**256; votes stay between zero and the supply.
    """
    count: uint256 = self.numCheckpoints[_account]
    latest: uint256 = 0
    if count > 0:
        latest = self.checkpoints[_account][unsafe_sub(count, 1)]
    votes: uint256 = unsafe_add(latest >> BLOCK_BITS, _difference)
    checkpoint: uint256 = block.number | (votes << BLOCK_BITS)
    if count > 0 and latest & BLOCK_MASK == block.number:
        self.checkpoints[_account][unsafe_sub(count, 1)] = checkpoint
    else:
        self.checkpoints[_account][count] = checkpoint
        self.numCheckpoints[_account] = unsafe_add(count, 1)
    log DelegateVotesChanged(delegate=_account, previousBalance=latest >> BLOCK_BITS, newBalance=votes)
