#pragma version 0.4.3
"""
@title   Router over constant-product pools
@notice  Exchanges an exact amount along a path of pools, or reverts when less than a minimum would come out.
@dev     Holds nothing: the trader's tokens go straight to the first pool, each pool pays the next, the last the receiver.
"""

from ethereum.ercs import IERC20

interface Pool:
    def token0() -> address: view
    def token1() -> address: view
    def getReserves() -> (uint256, uint256, uint256): view
    def swap(_amount0Out: uint256, _amount1Out: uint256, _to: address): nonpayable

event SwapExactIn:
    sender: indexed(address)
    to: indexed(address)
    tokenIn: address
    tokenOut: address
    amountIn: uint256
    amountOut: uint256

struct Hop:
    pool: address
    zero_for_one: bool
    amount_out: uint256

MAX_HOPS: constant(uint256) = 4


@view
@external
def quote(_amountIn: uint256, _tokenIn: address, _pools: DynArray[address, MAX_HOPS]) -> uint256:
    """
    @notice  What an exchange along these pools would give now
    """
    hops: DynArray[Hop, MAX_HOPS] = []
    token_out: address = empty(address)
    hops, token_out = self._plan(_amountIn, _tokenIn, _pools)
    return hops[len(hops) - 1].amount_out


@external
@nonreentrant
def swapExactIn(
    _amountIn: uint256,
    _minOut: uint256,
    _tokenIn: address,
    _pools: DynArray[address, MAX_HOPS],
    _to: address,
    _deadline: uint256,
) -> uint256:
    """
    @notice  Pulls `_amountIn` of `_tokenIn` from the caller and sends at least `_minOut` of the last token to `_to`
    """
    assert block.timestamp <= _deadline, "router: expired"
    hops: DynArray[Hop, MAX_HOPS] = []
    token_out: address = empty(address)
    hops, token_out = self._plan(_amountIn, _tokenIn, _pools)
    last: uint256 = unsafe_sub(len(hops), 1)
    amount_out: uint256 = hops[last].amount_out
    assert amount_out >= _minOut, "router: insufficient output"

    assert extcall IERC20(_tokenIn).transferFrom(
        msg.sender, hops[0].pool, _amountIn, default_return_value=True
    ), "router: transfer failed"
    for i: uint256 in range(MAX_HOPS):
        receiver: address = _to
        if i < last:
            receiver = hops[unsafe_add(i, 1)].pool
        if hops[i].zero_for_one:
            extcall Pool(hops[i].pool).swap(0, hops[i].amount_out, receiver)
        else:
            extcall Pool(hops[i].pool).swap(hops[i].amount_out, 0, receiver)
        if i == last:
            break
    log SwapExactIn(
        sender=msg.sender,
        to=_to,
        tokenIn=_tokenIn,
        tokenOut=token_out,
        amountIn=_amountIn,
        amountOut=amount_out,
    )
    return amount_out


@view
@internal
def _plan(
    _amountIn: uint256, _tokenIn: address, _pools: DynArray[address, MAX_HOPS]
) -> (DynArray[Hop, MAX_HOPS], address):
    assert _amountIn > 0, "router: no input"
    assert len(_pools) > 0, "router: no pools"
    hops: DynArray[Hop, MAX_HOPS] = []
    token: address = _tokenIn
    amount: uint256 = _amountIn
    for pool: address in _pools:
        token0: address = staticcall Pool(pool).token0()
        token1: address = staticcall Pool(pool).token1()
        reserve0: uint256 = 0
        reserve1: uint256 = 0
        recorded: uint256 = 0
        reserve0, reserve1, recorded = staticcall Pool(pool).getReserves()
        assert reserve0 > 0 and reserve1 > 0, "router: empty pool"
        after_fee: uint256 = amount * 997
        zero_for_one: bool = token == token0
        if zero_for_one:
            amount = after_fee * reserve1 // (reserve0 * 1000 + after_fee)
            token = token1
        else:
            assert token == token1, "router: token not in pool"
            amount = after_fee * reserve0 // (reserve1 * 1000 + after_fee)
            token = token0
        hops.append(Hop(pool=pool, zero_for_one=zero_for_one, amount_out=amount))
    return hops, token
