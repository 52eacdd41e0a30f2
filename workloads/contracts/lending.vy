#pragma version 0.4.3
"""
@title   Lending with isolated markets
@notice  A market lends one token against another as collateral. Suppliers own shares of what is supplied, borrowers owe
         shares of what is borrowed, and interest grows both totals whenever somebody touches the market. Whoever owes
         more than a share of the collateral's worth, at the oracle's price, can be liquidated by anyone.
@dev     Rounds against the user throughout, so that neither total can be drained by roundings. Collateral earns nothing.
"""

from ethereum.ercs import IERC20

interface Oracle:
    def latest(_asset: address) -> (uint256, uint256): view

interface FlashBorrower:
    def onFlashLoan(_token: address, _amount: uint256, _data: Bytes[1024]): nonpayable

event MarketCreated:
    id: indexed(uint256)
    loanToken: address
    collateralToken: address

event Supply:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256
    shares: uint256

event Withdraw:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256
    shares: uint256

event SupplyCollateral:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256

event WithdrawCollateral:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256

event Borrow:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256
    shares: uint256

event Repay:
    id: indexed(uint256)
    account: indexed(address)
    assets: uint256
    shares: uint256

event Liquidate:
    id: indexed(uint256)
    borrower: indexed(address)
    liquidator: indexed(address)
    repaid: uint256
    seized: uint256

event FlashLoan:
    borrower: indexed(address)
    token: indexed(address)
    assets: uint256

event AccrueInterest:
    id: indexed(uint256)
    interest: uint256

struct Market:
    loanToken: address
    collateralToken: address
    supplyAssets: uint256
    supplyShares: uint256
    borrowAssets: uint256
    borrowShares: uint256
    lastAccrual: uint256

WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 24 * 3600
# 2 % a year when nothing is borrowed, 22 % when everything is; linear between.
BASE_RATE: constant(uint256) = 2 * 10**16
SLOPE: constant(uint256) = 20 * 10**16
# A loan may be worth 80 % of its collateral; liquidators get 5 % more than they repay.
LOAN_TO_VALUE: constant(uint256) = 80 * 10**16
BONUS: constant(uint256) = 105 * 10**16
# What shares and assets start with, so that the first supplier cannot inflate the price of a share.
VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1

oracle: public(immutable(address))
marketCount: public(uint256)
markets: public(HashMap[uint256, Market])
supplyShares: public(HashMap[uint256, HashMap[address, uint256]])
borrowShares: public(HashMap[uint256, HashMap[address, uint256]])
collateral: public(HashMap[uint256, HashMap[address, uint256]])


@deploy
def __init__(_oracle: address):
    oracle = _oracle


@external
def createMarket(_loanToken: address, _collateralToken: address) -> uint256:
    assert _loanToken != _collateralToken, "lending: one token"
    id: uint256 = self.marketCount
    self.marketCount = id + 1
    self.markets[id].loanToken = _loanToken
    self.markets[id].collateralToken = _collateralToken
    self.markets[id].lastAccrual = block.timestamp
    log MarketCreated(id=id, loanToken=_loanToken, collateralToken=_collateralToken)
    return id


@external
@nonreentrant
def supply(_id: uint256, _assets: uint256):
    market: Market = self._accrued(_id)
    shares: uint256 = _assets * (market.supplyShares + VIRTUAL_SHARES) // (market.supplyAssets + VIRTUAL_ASSETS)
    assert shares > 0, "lending: nothing supplied"
    self.supplyShares[_id][msg.sender] += shares
    self.markets[_id].supplyShares = market.supplyShares + shares
    self.markets[_id].supplyAssets = market.supplyAssets + _assets
    self._pull(market.loanToken, _assets)
    log Supply(id=_id, account=msg.sender, assets=_assets, shares=shares)


@external
@nonreentrant
def withdraw(_id: uint256, _assets: uint256):
    market: Market = self._accrued(_id)
    shares: uint256 = self._up(_assets * (market.supplyShares + VIRTUAL_SHARES), market.supplyAssets + VIRTUAL_ASSETS)
    held: uint256 = self.supplyShares[_id][msg.sender]
    assert shares <= held, "lending: more than supplied"
    assert market.borrowAssets + _assets <= market.supplyAssets, "lending: insufficient liquidity"
    self.supplyShares[_id][msg.sender] = unsafe_sub(held, shares)
    self.markets[_id].supplyShares = market.supplyShares - shares
    self.markets[_id].supplyAssets = market.supplyAssets - _assets
    self._push(market.loanToken, _assets)
    log Withdraw(id=_id, account=msg.sender, assets=_assets, shares=shares)


@external
@nonreentrant
def supplyCollateral(_id: uint256, _assets: uint256):
    assert _assets > 0, "lending: nothing supplied"
    token: address = self.markets[_id].collateralToken
    assert token != empty(address), "lending: no such market"
    self.collateral[_id][msg.sender] += _assets
    self._pull(token, _assets)
    log SupplyCollateral(id=_id, account=msg.sender, assets=_assets)


@external
@nonreentrant
def withdrawCollateral(_id: uint256, _assets: uint256):
    market: Market = self._accrued(_id)
    held: uint256 = self.collateral[_id][msg.sender]
    assert _assets <= held, "lending: more than supplied"
    self.collateral[_id][msg.sender] = unsafe_sub(held, _assets)
    assert self._isHealthy(_id, msg.sender, market), "lending: insufficient collateral"
    self._push(market.collateralToken, _assets)
    log WithdrawCollateral(id=_id, account=msg.sender, assets=_assets)


@external
@nonreentrant
def borrow(_id: uint256, _assets: uint256):
    market: Market = self._accrued(_id)
    shares: uint256 = self._up(_assets * (market.borrowShares + VIRTUAL_SHARES), market.borrowAssets + VIRTUAL_ASSETS)
    assert shares > 0, "lending: nothing borrowed"
    market.borrowShares += shares
    market.borrowAssets += _assets
    assert market.borrowAssets <= market.supplyAssets, "lending: insufficient liquidity"
    self.borrowShares[_id][msg.sender] += shares
    self.markets[_id].borrowShares = market.borrowShares
    self.markets[_id].borrowAssets = market.borrowAssets
    assert self._isHealthy(_id, msg.sender, market), "lending: insufficient collateral"
    self._push(market.loanToken, _assets)
    log Borrow(id=_id, account=msg.sender, assets=_assets, shares=shares)


@external
@nonreentrant
def repay(_id: uint256, _assets: uint256):
    """
    @notice  Repays a part of what the caller owes, or all of it where `_assets` is more
    """
    market: Market = self._accrued(_id)
    owed: uint256 = self.borrowShares[_id][msg.sender]
    assert owed > 0, "lending: nothing owed"
    shares: uint256 = min(
        owed, _assets * (market.borrowShares + VIRTUAL_SHARES) // (market.borrowAssets + VIRTUAL_ASSETS)
    )
    assets: uint256 = self._up(
        shares * (market.borrowAssets + VIRTUAL_ASSETS), market.borrowShares + VIRTUAL_SHARES
    )
    self._repay(_id, msg.sender, market, owed, shares, assets)
    self._pull(market.loanToken, assets)
    log Repay(id=_id, account=msg.sender, assets=assets, shares=shares)


@external
@nonreentrant
def liquidate(_id: uint256, _borrower: address, _most: uint256):
    """
    @notice  Repays up to `_most` for a borrower whose loan exceeds its limit, and seizes collateral worth 5 % more
    """
    market: Market = self._accrued(_id)
    assert not self._isHealthy(_id, _borrower, market), "lending: position is healthy"
    owed: uint256 = self.borrowShares[_id][_borrower]
    price: uint256 = self._price(market.collateralToken)
    held: uint256 = self.collateral[_id][_borrower]
    # No more than the collateral is worth with the bonus.
    worth: uint256 = held * price // BONUS
    wanted: uint256 = min(_most, worth)
    shares: uint256 = min(
        owed, wanted * (market.borrowShares + VIRTUAL_SHARES) // (market.borrowAssets + VIRTUAL_ASSETS)
    )
    assets: uint256 = self._up(
        shares * (market.borrowAssets + VIRTUAL_ASSETS), market.borrowShares + VIRTUAL_SHARES
    )
    seized: uint256 = min(held, assets * BONUS // price)
    assert shares > 0 and seized > 0, "lending: nothing to liquidate"
    self._repay(_id, _borrower, market, owed, shares, assets)
    self.collateral[_id][_borrower] = unsafe_sub(held, seized)
    self._pull(market.loanToken, assets)
    self._push(market.collateralToken, seized)
    log Liquidate(id=_id, borrower=_borrower, liquidator=msg.sender, repaid=assets, seized=seized)


@external
def flashLoan(_token: address, _amount: uint256, _data: Bytes[1024]):
    """
    @notice  Lends any amount for the length of one call
    """
    assert _amount > 0, "lending: nothing lent"
    self._push(_token, _amount)
    extcall FlashBorrower(msg.sender).onFlashLoan(_token, _amount, _data)
    self._pull(_token, _amount)
    log FlashLoan(borrower=msg.sender, token=_token, assets=_amount)


@view
@external
def isHealthy(_id: uint256, _borrower: address) -> bool:
    """
    @notice  Whether a loan is within its limit, as of the last accrual
    """
    return self._isHealthy(_id, _borrower, self.markets[_id])


@internal
def _accrued(_id: uint256) -> Market:
    """
    @dev  Interest once a block: the second touch finds no time elapsed.
    """
    market: Market = self.markets[_id]
    assert market.loanToken != empty(address), "lending: no such market"
    elapsed: uint256 = block.timestamp - market.lastAccrual
    if elapsed > 0:
        if market.borrowAssets > 0:
            rate: uint256 = BASE_RATE + SLOPE * market.borrowAssets // market.supplyAssets
            interest: uint256 = market.borrowAssets * rate * elapsed // (YEAR * WAD)
            market.borrowAssets += interest
            market.supplyAssets += interest
            self.markets[_id].borrowAssets = market.borrowAssets
            self.markets[_id].supplyAssets = market.supplyAssets
            log AccrueInterest(id=_id, interest=interest)
        self.markets[_id].lastAccrual = block.timestamp
    return market


@internal
def _repay(_id: uint256, _borrower: address, _market: Market, _owed: uint256, _shares: uint256, _assets: uint256):
    self.borrowShares[_id][_borrower] = unsafe_sub(_owed, _shares)
    self.markets[_id].borrowShares = _market.borrowShares - _shares
    # Rounding up may repay a unit more than all that is owed together.
    self.markets[_id].borrowAssets = _market.borrowAssets - min(_assets, _market.borrowAssets)


@view
@internal
def _isHealthy(_id: uint256, _borrower: address, _market: Market) -> bool:
    owed: uint256 = self.borrowShares[_id][_borrower]
    if owed == 0:
        return True
    debt: uint256 = self._up(owed * (_market.borrowAssets + VIRTUAL_ASSETS), _market.borrowShares + VIRTUAL_SHARES)
    limit: uint256 = self.collateral[_id][_borrower] * self._price(_market.collateralToken) // WAD * LOAN_TO_VALUE // WAD
    return debt <= limit


@view
@internal
def _price(_token: address) -> uint256:
    price: uint256 = 0
    posted: uint256 = 0
    price, posted = staticcall Oracle(oracle).latest(_token)
    return price


@pure
@internal
def _up(_numerator: uint256, _denominator: uint256) -> uint256:
    return (_numerator + _denominator - 1) // _denominator


@internal
def _pull(_token: address, _amount: uint256):
    assert extcall IERC20(_token).transferFrom(
        msg.sender, self, _amount, default_return_value=True
    ), "lending: transfer failed"


@internal
def _push(_token: address, _amount: uint256):
    assert extcall IERC20(_token).transfer(msg.sender, _amount, default_return_value=True), "lending: transfer failed"
