#pragma version 0.4.3
"""
@title   Stablecoin with a fee on transfers and a blocklist
@notice  The issuer mints against deposits that it holds elsewhere, burns what is redeemed, and can block accounts. A
         share of every transfer goes to the issuer's fee account, up to a most.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256

event Blocked:
    account: indexed(address)
    isBlocked: bool

event FeeChanged:
    basisPoints: uint256
    most: uint256

MAX_BASIS_POINTS: constant(uint256) = 20

decimals: public(constant(uint8)) = 6
name: public(String[64])
symbol: public(String[16])
issuer: public(immutable(address))
collector: public(immutable(address))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
isBlocked: public(HashMap[address, bool])
# basis points | most << 16: read by every transfer
feeTerms: uint256


@deploy
def __init__(_name: String[64], _symbol: String[16], _issuer: address, _collector: address, _basisPoints: uint256):
    assert _basisPoints <= MAX_BASIS_POINTS, "stablecoin: fee too high"
    self.name = _name
    self.symbol = _symbol
    issuer = _issuer
    collector = _collector
    self.feeTerms = _basisPoints | (50 * 10**6 << 16)


@external
def transfer(_to: address, _value: uint256) -> bool:
    self._transfer(msg.sender, _to, _value)
    return True


@external
def transferFrom(_from: address, _to: address, _value: uint256) -> bool:
    assert not self.isBlocked[msg.sender], "stablecoin: blocked"
    allowed: uint256 = self.allowance[_from][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= _value, "ERC20: insufficient allowance"
        self.allowance[_from][msg.sender] = unsafe_sub(allowed, _value)
    self._transfer(_from, _to, _value)
    return True


@external
def approve(_spender: address, _value: uint256) -> bool:
    self.allowance[msg.sender][_spender] = _value
    log Approval(owner=msg.sender, spender=_spender, value=_value)
    return True


@external
def mint(_to: address, _value: uint256):
    assert msg.sender == issuer, "stablecoin: not the issuer"
    assert not self.isBlocked[_to], "stablecoin: blocked"
    self.totalSupply += _value
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], _value)
    log Transfer(sender=empty(address), receiver=_to, value=_value)


@external
def redeem(_value: uint256):
    """
    @notice  Burns what the caller redeems for deposits
    """
    assert not self.isBlocked[msg.sender], "stablecoin: blocked"
    available: uint256 = self.balanceOf[msg.sender]
    assert available >= _value, "ERC20: insufficient balance"
    self.balanceOf[msg.sender] = unsafe_sub(available, _value)
    self.totalSupply = unsafe_sub(self.totalSupply, _value)
    log Transfer(sender=msg.sender, receiver=empty(address), value=_value)


@external
def setBlocked(_account: address, _isBlocked: bool):
    assert msg.sender == issuer, "stablecoin: not the issuer"
    self.isBlocked[_account] = _isBlocked
    log Blocked(account=_account, isBlocked=_isBlocked)


@external
def setFee(_basisPoints: uint256, _most: uint256):
    assert msg.sender == issuer, "stablecoin: not the issuer"
    assert _basisPoints <= MAX_BASIS_POINTS and _most < 2**64, "stablecoin: fee too high"
    self.feeTerms = _basisPoints | (_most << 16)
    log FeeChanged(basisPoints=_basisPoints, most=_most)


@internal
def _transfer(_from: address, _to: address, _value: uint256):
    assert not self.isBlocked[_from] and not self.isBlocked[_to], "stablecoin: blocked"
    assert _to != empty(address), "ERC20: transfer to zero"
    available: uint256 = self.balanceOf[_from]
    assert available >= _value, "ERC20: insufficient balance"
    terms: uint256 = self.feeTerms
    fee: uint256 = min(_value * (terms & 65535) // 10000, terms >> 16)
    self.balanceOf[_from] = unsafe_sub(available, _value)
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], unsafe_sub(_value, fee))
    log Transfer(sender=_from, receiver=_to, value=unsafe_sub(_value, fee))
    if fee > 0:
        self.balanceOf[collector] = unsafe_add(self.balanceOf[collector], fee)
        log Transfer(sender=_from, receiver=collector, value=fee)
