#pragma version 0.4.3
"""
@title   Constant-product pool of two ERC-20 tokens
@notice  Holds x of token0 and y of token1 and lets anyone exchange one for the other as long as x * y, less a fee of
         0.3 % of what comes in, does not fall. Shares of the pool are themselves an ERC-20 token.
@dev     Callers pay first: `mint`, `burn` and `swap` act on what has arrived since the reserves were last recorded.
         Reserves and the time of the last change share one slot. Prices accumulate over time for oracles, once a block.
"""

from ethereum.ercs import IERC20
import erc20

initializes: erc20
implements: IERC20
exports: erc20.__interface__

event Mint:
    sender: indexed(address)
    amount0: uint256
    amount1: uint256

event Burn:
    sender: indexed(address)
    amount0: uint256
    amount1: uint256
    to: indexed(address)

event Swap:
    sender: indexed(address)
    amount0In: uint256
    amount1In: uint256
    amount0Out: uint256
    amount1Out: uint256
    to: indexed(address)

event Sync:
    reserve0: uint256
    reserve1: uint256

FEE_PER_MILLE: constant(uint256) = 3
MINIMUM_LIQUIDITY: constant(uint256) = 1000
RESERVE_BITS: constant(uint256) = 112
RESERVE_MASK: constant(uint256) = 2**112 - 1
TIME_MASK: constant(uint256) = 2**32 - 1

token0: public(immutable(address))
token1: public(immutable(address))

# reserve0 | reserve1 << 112 | timestamp mod 2**32 << 224
packed: uint256
price0CumulativeLast: public(uint256)
price1CumulativeLast: public(uint256)


@deploy
def __init__(_token0: address, _token1: address):
    assert _token0 != _token1, "pool: identical tokens"
    assert _token0 != empty(address) and _token1 != empty(address), "pool: zero token"
    erc20.__init__("Pool share", "POOL", 18)
    token0 = _token0
    token1 = _token1


@view
@external
def getReserves() -> (uint256, uint256, uint256):
    """
    @return  reserve0, reserve1, and the timestamp modulo 2**32 at which they were recorded
    """
    packed: uint256 = self.packed
    return packed & RESERVE_MASK, (packed >> RESERVE_BITS) & RESERVE_MASK, packed >> 224


@external
@nonreentrant
def mint(_to: address) -> uint256:
    """
    @notice  Turns tokens sent to the pool beforehand into shares for `_to`
    """
    packed: uint256 = self.packed
    reserve0: uint256 = packed & RESERVE_MASK
    reserve1: uint256 = (packed >> RESERVE_BITS) & RESERVE_MASK
    balance0: uint256 = staticcall IERC20(token0).balanceOf(self)
    balance1: uint256 = staticcall IERC20(token1).balanceOf(self)
    amount0: uint256 = balance0 - reserve0
    amount1: uint256 = balance1 - reserve1

    supply: uint256 = erc20.totalSupply
    shares: uint256 = 0
    if supply == 0:
        shares = isqrt(amount0 * amount1) - MINIMUM_LIQUIDITY
        # Locked for ever, so that nobody can make one share worth a fortune.
        erc20._mint(empty(address), MINIMUM_LIQUIDITY)
    else:
        shares = min(amount0 * supply // reserve0, amount1 * supply // reserve1)
    assert shares > 0, "pool: no liquidity minted"
    erc20._mint(_to, shares)

    self._record(packed, balance0, balance1)
    log Mint(sender=msg.sender, amount0=amount0, amount1=amount1)
    return shares


@external
@nonreentrant
def burn(_to: address) -> (uint256, uint256):
    """
    @notice  Turns shares sent to the pool beforehand back into tokens for `_to`
    """
    packed: uint256 = self.packed
    balance0: uint256 = staticcall IERC20(token0).balanceOf(self)
    balance1: uint256 = staticcall IERC20(token1).balanceOf(self)
    shares: uint256 = erc20.balanceOf[self]
    supply: uint256 = erc20.totalSupply
    amount0: uint256 = shares * balance0 // supply
    amount1: uint256 = shares * balance1 // supply
    assert amount0 > 0 and amount1 > 0, "pool: no liquidity burned"

    erc20._burn(self, shares)
    self._pay(token0, _to, amount0)
    self._pay(token1, _to, amount1)
    self._record(
        packed, staticcall IERC20(token0).balanceOf(self), staticcall IERC20(token1).balanceOf(self)
    )
    log Burn(sender=msg.sender, amount0=amount0, amount1=amount1, to=_to)
    return amount0, amount1


@external
@nonreentrant
def swap(_amount0Out: uint256, _amount1Out: uint256, _to: address):
    """
    @notice  Pays out to `_to`, and reverts unless enough of the other token arrived beforehand
    """
    assert _amount0Out > 0 or _amount1Out > 0, "pool: nothing asked for"
    packed: uint256 = self.packed
    reserve0: uint256 = packed & RESERVE_MASK
    reserve1: uint256 = (packed >> RESERVE_BITS) & RESERVE_MASK
    assert _amount0Out < reserve0 and _amount1Out < reserve1, "pool: insufficient liquidity"
    assert _to != token0 and _to != token1, "pool: invalid receiver"

    if _amount0Out > 0:
        self._pay(token0, _to, _amount0Out)
    if _amount1Out > 0:
        self._pay(token1, _to, _amount1Out)
    balance0: uint256 = staticcall IERC20(token0).balanceOf(self)
    balance1: uint256 = staticcall IERC20(token1).balanceOf(self)

    amount0In: uint256 = 0
    amount1In: uint256 = 0
    if balance0 > unsafe_sub(reserve0, _amount0Out):
        amount0In = unsafe_sub(balance0, unsafe_sub(reserve0, _amount0Out))
    if balance1 > unsafe_sub(reserve1, _amount1Out):
        amount1In = unsafe_sub(balance1, unsafe_sub(reserve1, _amount1Out))
    assert amount0In > 0 or amount1In > 0, "pool: nothing paid in"
    self._record(packed, balance0, balance1)
    # Recorded reserves fit 112 bits, so none of these products exceeds 256.
    after_fee0: uint256 = unsafe_sub(unsafe_mul(balance0, 1000), unsafe_mul(amount0In, FEE_PER_MILLE))
    after_fee1: uint256 = unsafe_sub(unsafe_mul(balance1, 1000), unsafe_mul(amount1In, FEE_PER_MILLE))
    assert unsafe_mul(after_fee0, after_fee1) >= unsafe_mul(
        unsafe_mul(reserve0, reserve1), 1000000
    ), "pool: product fell"
    log Swap(
        sender=msg.sender,
        amount0In=amount0In,
        amount1In=amount1In,
        amount0Out=_amount0Out,
        amount1Out=_amount1Out,
        to=_to,
    )


@external
@nonreentrant
def sync():
    """
    @notice  Records as reserves whatever the pool holds
    """
    self._record(
        self.packed, staticcall IERC20(token0).balanceOf(self), staticcall IERC20(token1).balanceOf(self)
    )


@internal
def _pay(_token: address, _to: address, _value: uint256):
    assert extcall IERC20(_token).transfer(_to, _value, default_return_value=True), "pool: transfer failed"


@internal
def _record(_packed: uint256, _balance0: uint256, _balance1: uint256):
    assert _balance0 <= RESERVE_MASK and _balance1 <= RESERVE_MASK, "pool: overflow"
    now: uint256 = block.timestamp & TIME_MASK
    elapsed: uint256 = unsafe_sub(now, _packed >> 224) & TIME_MASK
    if elapsed > 0:
        reserve0: uint256 = _packed & RESERVE_MASK
        reserve1: uint256 = (_packed >> RESERVE_BITS) & RESERVE_MASK
        if reserve0 > 0 and reserve1 > 0:
            # Accumulators wrap on purpose: oracles use differences only.
            price0: uint256 = (reserve1 << RESERVE_BITS) // reserve0
            price1: uint256 = (reserve0 << RESERVE_BITS) // reserve1
            self.price0CumulativeLast = unsafe_add(self.price0CumulativeLast, unsafe_mul(price0, elapsed))
            self.price1CumulativeLast = unsafe_add(self.price1CumulativeLast, unsafe_mul(price1, elapsed))
    self.packed = _balance0 | (_balance1 << RESERVE_BITS) | (now << 224)
    log Sync(reserve0=_balance0, reserve1=_balance1)
