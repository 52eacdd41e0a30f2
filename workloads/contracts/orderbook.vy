#pragma version 0.4.3
"""
@title   Order book of one pair of tokens
@notice  Traders deposit both tokens, then place limit orders at one of 256 prices. An order first takes what crosses it
         on the other side, best price and oldest first, and rests with what is left. Fills move balances within the
         book; nothing leaves it before it is withdrawn.
@dev     One word a side says at which prices orders rest, so that the best price is a few shifts away. Queues are
         counted up and never compacted; a cancelled order stays in its queue as an empty place.
"""

from ethereum.ercs import IERC20

event Deposit:
    trader: indexed(address)
    token: indexed(address)
    amount: uint256

event Withdrawal:
    trader: indexed(address)
    token: indexed(address)
    amount: uint256

event Placed:
    trader: indexed(address)
    key: uint256
    price: uint256
    resting: uint256

event Filled:
    maker: indexed(address)
    taker: indexed(address)
    price: uint256
    amount: uint256

event Cancelled:
    trader: indexed(address)
    key: uint256
    amount: uint256

struct Order:
    # Base units that still rest.
    amount: uint256
    # price | side << 8 | 1 << 16: not zero once the order was placed
    terms: uint256

PRICES: constant(uint256) = 256
# Places of queues that one order looks at; what would cross beyond them is dropped, so that the book never crosses.
MAX_STEPS: constant(uint256) = 24
BID: constant(uint256) = 0
ASK: constant(uint256) = 1
# An order is known by its owner and a number that the owner chose.
OWNER_BITS: constant(uint256) = 64
# base units are sold for price * TICK / UNIT quote units
UNIT: constant(uint256) = 10**18
TICK: constant(uint256) = 10**16

base: public(immutable(address))
quote: public(immutable(address))

baseOf: public(HashMap[address, uint256])
quoteOf: public(HashMap[address, uint256])
# By side: bit p says that orders rest at price p.
occupied: public(HashMap[uint256, uint256])
# By side, then price: what rests there, and the queue.
depth: public(HashMap[uint256, HashMap[uint256, uint256]])
heads: HashMap[uint256, HashMap[uint256, uint256]]
tails: HashMap[uint256, HashMap[uint256, uint256]]
queues: HashMap[uint256, HashMap[uint256, HashMap[uint256, uint256]]]
orders: public(HashMap[uint256, Order])


@deploy
def __init__(_base: address, _quote: address):
    assert _base != _quote, "book: one token"
    base = _base
    quote = _quote


@external
@nonreentrant
def deposit(_token: address, _amount: uint256):
    self._credit(_token, msg.sender, _amount)
    assert extcall IERC20(_token).transferFrom(
        msg.sender, self, _amount, default_return_value=True
    ), "book: transfer failed"
    log Deposit(trader=msg.sender, token=_token, amount=_amount)


@external
@nonreentrant
def withdraw(_token: address, _amount: uint256):
    if _token == base:
        assert self.baseOf[msg.sender] >= _amount, "book: insufficient balance"
        self.baseOf[msg.sender] -= _amount
    else:
        assert _token == quote, "book: token not traded"
        assert self.quoteOf[msg.sender] >= _amount, "book: insufficient balance"
        self.quoteOf[msg.sender] -= _amount
    assert extcall IERC20(_token).transfer(msg.sender, _amount, default_return_value=True), "book: transfer failed"
    log Withdrawal(trader=msg.sender, token=_token, amount=_amount)


@external
@nonreentrant
def place(_number: uint256, _side: uint256, _price: uint256, _amount: uint256):
    """
    @notice  Places an order under a number that the caller has not used before
    @param  _amount  Base units, a multiple of 10**18 / TICK so that every fill is exact
    """
    assert _side <= ASK, "book: no such side"
    assert _price > 0 and _price < PRICES, "book: no such price"
    assert _amount > 0 and _amount % (UNIT // TICK) == 0, "book: amount"
    assert _number >> OWNER_BITS == 0, "book: number too large"
    key: uint256 = (convert(msg.sender, uint256) << OWNER_BITS) | _number
    assert self.orders[key].terms == 0, "book: number used"
    left: uint256 = self._take(_side, _price, _amount)
    facing: uint256 = self._best(1 - _side)
    if facing > 0 and ((_side == BID and facing <= _price) or (_side == ASK and facing >= _price)):
        left = 0
    self.orders[key] = Order(amount=left, terms=_price | (_side << 8) | (1 << 16))
    if left > 0:
        if _side == BID:
            cost: uint256 = self._cost(_price, left)
            assert self.quoteOf[msg.sender] >= cost, "book: insufficient quote"
            self.quoteOf[msg.sender] -= cost
        else:
            assert self.baseOf[msg.sender] >= left, "book: insufficient base"
            self.baseOf[msg.sender] -= left
        tail: uint256 = self.tails[_side][_price]
        self.queues[_side][_price][tail] = key
        self.tails[_side][_price] = tail + 1
        resting: uint256 = self.depth[_side][_price]
        self.depth[_side][_price] = resting + left
        if resting == 0:
            self.occupied[_side] |= 1 << _price
    log Placed(trader=msg.sender, key=key, price=_price, resting=left)


@external
@nonreentrant
def cancel(_number: uint256) -> uint256:
    """
    @notice  Takes back what still rests of an order, which may be nothing
    """
    key: uint256 = (convert(msg.sender, uint256) << OWNER_BITS) | _number
    terms: uint256 = self.orders[key].terms
    assert terms > 0, "book: no such order"
    left: uint256 = self.orders[key].amount
    if left > 0:
        price: uint256 = terms & 255
        side: uint256 = (terms >> 8) & 1
        self.orders[key].amount = 0
        self._thin(side, price, left)
        if side == BID:
            self.quoteOf[msg.sender] += self._cost(price, left)
        else:
            self.baseOf[msg.sender] += left
    log Cancelled(trader=msg.sender, key=key, amount=left)
    return left


@view
@external
def best(_side: uint256) -> uint256:
    """
    @return  The best price of a side, 0 where nothing rests
    """
    return self._best(_side)


@internal
def _take(_side: uint256, _limit: uint256, _amount: uint256) -> uint256:
    """
    @dev  Fills against the other side; what is left of the amount.
    """
    left: uint256 = _amount
    paid: uint256 = 0
    other: uint256 = 1 - _side
    price: uint256 = self._best(other)
    for i: uint256 in range(MAX_STEPS):
        if left == 0 or price == 0:
            break
        if (_side == BID and price > _limit) or (_side == ASK and price < _limit):
            break
        head: uint256 = self.heads[other][price]
        key: uint256 = self.queues[other][price][head]
        resting: uint256 = self.orders[key].amount
        filled: uint256 = min(left, resting)
        if filled > 0:
            maker: address = convert(key >> OWNER_BITS, address)
            cost: uint256 = self._cost(price, filled)
            left -= filled
            paid += cost
            self.orders[key].amount = resting - filled
            if _side == BID:
                self.quoteOf[maker] += cost
            else:
                self.baseOf[maker] += filled
            log Filled(maker=maker, taker=msg.sender, price=price, amount=filled)
        if filled == resting:
            self.heads[other][price] = head + 1
        if filled > 0 and self._thin(other, price, filled):
            price = self._best(other)
    if paid > 0:
        if _side == BID:
            assert self.quoteOf[msg.sender] >= paid, "book: insufficient quote"
            self.quoteOf[msg.sender] -= paid
            self.baseOf[msg.sender] += _amount - left
        else:
            assert self.baseOf[msg.sender] >= _amount - left, "book: insufficient base"
            self.baseOf[msg.sender] -= _amount - left
            self.quoteOf[msg.sender] += paid
    return left


@internal
def _thin(_side: uint256, _price: uint256, _amount: uint256) -> bool:
    """
    @dev  Takes an amount from a price's depth; whether nothing rests there any more.
    """
    resting: uint256 = self.depth[_side][_price] - _amount
    self.depth[_side][_price] = resting
    if resting > 0:
        return False
    self.occupied[_side] ^= 1 << _price
    # All places before the tail are empty.
    self.heads[_side][_price] = self.tails[_side][_price]
    return True


@internal
def _credit(_token: address, _trader: address, _amount: uint256):
    if _token == base:
        self.baseOf[_trader] += _amount
    else:
        assert _token == quote, "book: token not traded"
        self.quoteOf[_trader] += _amount


@view
@internal
def _best(_side: uint256) -> uint256:
    """
    @dev  The highest bit for bids, the lowest for asks, by halving.
    """
    bits: uint256 = self.occupied[_side]
    if bits == 0:
        return 0
    if _side == ASK:
        bits = bits & unsafe_sub(0, bits)
    found: uint256 = 0
    step: uint256 = 128
    for i: uint256 in range(8):
        if bits >> step > 0:
            bits = bits >> step
            found = unsafe_add(found, step)
        step = step >> 1
    return found


@pure
@internal
def _cost(_price: uint256, _amount: uint256) -> uint256:
    return _amount // (UNIT // TICK) * _price
