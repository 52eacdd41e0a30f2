#pragma version 0.4.3
"""
@title   ERC-20 balances and allowances
@notice  A module: `token` and `pool` initialise it and export its functions.
@dev     An allowance of 2**256 - 1 is unlimited and is not counted down, as in most tokens in use.
"""

from ethereum.ercs import IERC20

implements: IERC20

name: public(String[64])
symbol: public(String[16])
decimals: public(immutable(uint8))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(_name: String[64], _symbol: String[16], _decimals: uint8):
    self.name = _name
    self.symbol = _symbol
    decimals = _decimals


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
    assert _spender != empty(address), "ERC20: approve to zero"
    self.allowance[msg.sender][_spender] = _value
    log IERC20.Approval(owner=msg.sender, spender=_spender, value=_value)
    return True


@internal
def _transfer(_from: address, _to: address, _value: uint256):
    assert _to != empty(address), "ERC20: transfer to zero"
    available: uint256 = self.balanceOf[_from]
    assert available >= _value, "ERC20: insufficient balance"
    self.balanceOf[_from] = unsafe_sub(available, _value)
    # No overflow: all balances together are the total supply.
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], _value)
    log IERC20.Transfer(sender=_from, receiver=_to, value=_value)


@internal
def _mint(_to: address, _value: uint256):
    self.totalSupply += _value
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], _value)
    log IERC20.Transfer(sender=empty(address), receiver=_to, value=_value)


@internal
def _burn(_from: address, _value: uint256):
    available: uint256 = self.balanceOf[_from]
    assert available >= _value, "ERC20: insufficient balance"
    self.balanceOf[_from] = unsafe_sub(available, _value)
    self.totalSupply = unsafe_sub(self.totalSupply, _value)
    log IERC20.Transfer(sender=_from, receiver=empty(address), value=_value)
