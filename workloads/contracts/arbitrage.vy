#pragma version 0.4.3
"""
@title   Arbitrage between two pools of one pair, on borrowed money
@notice  Takes a flash loan, sells it on one pool and buys it back on the other, repays, and keeps the difference. Where
         there is none, everything reverts, as the competition of searchers on a chain mostly does.
"""

from ethereum.ercs import IERC20

interface Lender:
    def flashLoan(_token: address, _amount: uint256, _data: Bytes[1024]): nonpayable

interface Pool:
    def token0() -> address: view
    def token1() -> address: view
    def getReserves() -> (uint256, uint256, uint256): view
    def swap(_amount0Out: uint256, _amount1Out: uint256, _to: address): nonpayable

event Arbitrage:
    caller: indexed(address)
    token: indexed(address)
    amount: uint256
    profit: uint256

lender: public(immutable(address))


@deploy
def __init__(_lender: address):
    lender = _lender


@external
def run(_token: address, _amount: uint256, _first: address, _second: address, _least: uint256):
    """
    @notice  Borrows `_amount`, and pays the caller what is left over if that is at least `_least`
    """
    before: uint256 = staticcall IERC20(_token).balanceOf(self)
    extcall Lender(lender).flashLoan(_token, _amount, abi_encode(_first, _second))
    profit: uint256 = staticcall IERC20(_token).balanceOf(self) - before
    assert profit >= _least, "arbitrage: no profit"
    if profit > 0:
        assert extcall IERC20(_token).transfer(msg.sender, profit), "arbitrage: transfer failed"
    log Arbitrage(caller=msg.sender, token=_token, amount=_amount, profit=profit)


@external
def onFlashLoan(_token: address, _amount: uint256, _data: Bytes[1024]):
    assert msg.sender == lender, "arbitrage: not the lender"
    first: address = empty(address)
    second: address = empty(address)
    first, second = abi_decode(_data, (address, address))
    bought: uint256 = self._swap(first, _token, _amount)
    other: address = staticcall Pool(first).token0()
    if other == _token:
        other = staticcall Pool(first).token1()
    returned: uint256 = self._swap(second, other, bought)
    assert returned >= _amount, "arbitrage: loss"
    extcall IERC20(_token).approve(lender, _amount)


@internal
def _swap(_pool: address, _token: address, _amount: uint256) -> uint256:
    reserve0: uint256 = 0
    reserve1: uint256 = 0
    recorded: uint256 = 0
    reserve0, reserve1, recorded = staticcall Pool(_pool).getReserves()
    assert extcall IERC20(_token).transfer(_pool, _amount), "arbitrage: transfer failed"
    after_fee: uint256 = _amount * 997
    out: uint256 = 0
    if _token == staticcall Pool(_pool).token0():
        out = after_fee * reserve1 // (reserve0 * 1000 + after_fee)
        extcall Pool(_pool).swap(0, out, self)
    else:
        out = after_fee * reserve0 // (reserve1 * 1000 + after_fee)
        extcall Pool(_pool).swap(out, 0, self)
    return out
