#pragma version 0.4.3
"""
@title   ERC-20 token with a minter
"""

from ethereum.ercs import IERC20
import erc20

initializes: erc20
implements: IERC20
exports: erc20.__interface__

event MinterChanged:
    previous: indexed(address)
    current: indexed(address)

minter: public(address)


@deploy
def __init__(_name: String[64], _symbol: String[16], _decimals: uint8, _supply: uint256):
    erc20.__init__(_name, _symbol, _decimals)
    self.minter = msg.sender
    log MinterChanged(previous=empty(address), current=msg.sender)
    erc20._mint(msg.sender, _supply)


@external
def setMinter(_minter: address):
    assert msg.sender == self.minter, "token: not the minter"
    self.minter = _minter
    log MinterChanged(previous=msg.sender, current=_minter)


@external
def mint(_to: address, _value: uint256):
    assert msg.sender == self.minter, "token: not the minter"
    assert _to != empty(address), "token: mint to zero"
    erc20._mint(_to, _value)


@external
def burn(_value: uint256):
    erc20._burn(msg.sender, _value)
