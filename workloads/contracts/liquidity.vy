#pragma version 0.4.3
"""
@title   Liquidity manager over constant-product pools
@notice  Adds liquidity in the ratio of a pool's reserves, and takes it out, each in one transaction.
@dev     Holds nothing: tokens and shares go straight from the caller to the pool.
"""

from ethereum.ercs import IERC20

interface Pool:
    def token0() -> address: view
    def token1() -> address: view
    def getReserves() -> (uint256, uint256, uint256): view
    def mint(_to: address) -> uint256: nonpayable
    def burn(_to: address) -> (uint256, uint256): nonpayable

event Added:
    provider: indexed(address)
    pool: indexed(address)
    shares: uint256

event Removed:
    provider: indexed(address)
    pool: indexed(address)
    amount0: uint256
    amount1: uint256


@external
@nonreentrant
def add(
    _pool: address, _token: address, _amount: uint256, _mostOther: uint256, _to: address, _deadline: uint256
) -> uint256:
    """
    @notice  Adds `_amount` of `_token` and as much of the pool's other token as the reserves ask for
    """
    assert block.timestamp <= _deadline, "liquidity: expired"
    token0: address = staticcall Pool(_pool).token0()
    token1: address = staticcall Pool(_pool).token1()
    assert _token == token0 or _token == token1, "liquidity: token not in pool"
    reserve0: uint256 = 0
    reserve1: uint256 = 0
    recorded: uint256 = 0
    reserve0, reserve1, recorded = staticcall Pool(_pool).getReserves()
    other: address = token1
    needed: uint256 = 0
    if _token == token0:
        needed = _amount * reserve1 // reserve0
    else:
        needed = _amount * reserve0 // reserve1
        other = token0
    assert needed <= _mostOther, "liquidity: ratio moved"
    self._pull(_token, _pool, _amount)
    self._pull(other, _pool, needed)
    shares: uint256 = extcall Pool(_pool).mint(_to)
    log Added(provider=msg.sender, pool=_pool, shares=shares)
    return shares


@external
@nonreentrant
def remove(
    _pool: address, _shares: uint256, _least0: uint256, _least1: uint256, _to: address, _deadline: uint256
) -> (uint256, uint256):
    """
    @notice  Turns shares of a pool back into its tokens
    """
    assert block.timestamp <= _deadline, "liquidity: expired"
    self._pull(_pool, _pool, _shares)
    amount0: uint256 = 0
    amount1: uint256 = 0
    amount0, amount1 = extcall Pool(_pool).burn(_to)
    assert amount0 >= _least0 and amount1 >= _least1, "liquidity: insufficient output"
    log Removed(provider=msg.sender, pool=_pool, amount0=amount0, amount1=amount1)
    return amount0, amount1


@internal
def _pull(_token: address, _to: address, _value: uint256):
    assert extcall IERC20(_token).transferFrom(
        msg.sender, _to, _value, default_return_value=True
    ), "liquidity: transfer failed"
