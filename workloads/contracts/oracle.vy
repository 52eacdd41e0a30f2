#pragma version 0.4.3
"""
@title   Price feed
@notice  A feeder posts prices of assets; everyone reads them. Each answer carries the time at which it was given.
"""

event PriceUpdated:
    asset: indexed(address)
    price: uint256

# price | timestamp << 192
PRICE_MASK: constant(uint256) = 2**192 - 1
TIME_BITS: constant(uint256) = 192
# A feeder may not move a price by more than a half at once.
MAX_STEP: constant(uint256) = 2

feeder: public(immutable(address))
answers: HashMap[address, uint256]


@deploy
def __init__(_feeder: address):
    feeder = _feeder


@external
def post(_asset: address, _price: uint256):
    """
    @param  _price  Of one unit, with 18 decimals
    """
    assert msg.sender == feeder, "oracle: not the feeder"
    assert 0 < _price and _price <= PRICE_MASK, "oracle: price out of range"
    before: uint256 = self.answers[_asset] & PRICE_MASK
    if before > 0:
        assert _price <= before * MAX_STEP and before <= _price * MAX_STEP, "oracle: price jumps"
    self.answers[_asset] = _price | (block.timestamp << TIME_BITS)
    log PriceUpdated(asset=_asset, price=_price)


@view
@external
def latest(_asset: address) -> (uint256, uint256):
    """
    @return  Price, and when it was posted
    """
    answer: uint256 = self.answers[_asset]
    assert answer > 0, "oracle: no answer"
    return answer & PRICE_MASK, answer >> TIME_BITS
