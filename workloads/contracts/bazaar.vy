#pragma version 0.4.3
"""
@title   Offers for ERC-721 tokens, paid in an ERC-20 token, with royalties
@notice  Anyone offers a price for a token; its owner accepts. The price moves from the bidder to the owner at that
         moment, less a fee to the treasury and a royalty to the collection's creator. Nothing is held in between.
"""

from ethereum.ercs import IERC20

interface Collection:
    def ownerOf(_tokenId: uint256) -> address: view
    def creator() -> address: view
    def transferFrom(_from: address, _to: address, _tokenId: uint256): nonpayable

event Offered:
    bidder: indexed(address)
    collection: indexed(address)
    tokenId: uint256
    price: uint256

event OfferAccepted:
    bidder: indexed(address)
    collection: indexed(address)
    seller: indexed(address)
    tokenId: uint256
    price: uint256

event RoyaltySet:
    collection: indexed(address)
    basisPoints: uint256

BASIS: constant(uint256) = 10000

currency: public(immutable(address))
treasury: public(immutable(address))
feeBasisPoints: public(immutable(uint256))
royalties: public(HashMap[address, uint256])
# By collection, token and bidder.
offers: public(HashMap[address, HashMap[uint256, HashMap[address, uint256]]])
# What was paid for tokens of a collection so far.
volume: public(HashMap[address, uint256])


@deploy
def __init__(_currency: address, _treasury: address, _feeBasisPoints: uint256):
    assert _feeBasisPoints <= 1000, "bazaar: fee too high"
    currency = _currency
    treasury = _treasury
    feeBasisPoints = _feeBasisPoints


@external
def setRoyalty(_collection: address, _basisPoints: uint256):
    assert msg.sender == staticcall Collection(_collection).creator(), "bazaar: not the creator"
    assert _basisPoints <= 1000, "bazaar: royalty too high"
    self.royalties[_collection] = _basisPoints
    log RoyaltySet(collection=_collection, basisPoints=_basisPoints)


@external
def offer(_collection: address, _tokenId: uint256, _price: uint256):
    """
    @notice  Offers a price for a token, or changes or (with 0) takes back what was offered
    """
    if _price > 0:
        assert staticcall IERC20(currency).balanceOf(msg.sender) >= _price, "bazaar: insufficient balance"
        assert staticcall IERC20(currency).allowance(msg.sender, self) >= _price, "bazaar: not approved"
    self.offers[_collection][_tokenId][msg.sender] = _price
    log Offered(bidder=msg.sender, collection=_collection, tokenId=_tokenId, price=_price)


@external
@nonreentrant
def accept(_collection: address, _tokenId: uint256, _bidder: address, _price: uint256):
    """
    @notice  Sells a token to a bidder for exactly the price offered
    """
    assert _price > 0 and self.offers[_collection][_tokenId][_bidder] == _price, "bazaar: no such offer"
    assert staticcall Collection(_collection).ownerOf(_tokenId) == msg.sender, "bazaar: not the owner"
    self.offers[_collection][_tokenId][_bidder] = 0
    self.volume[_collection] += _price
    extcall Collection(_collection).transferFrom(msg.sender, _bidder, _tokenId)
    fee: uint256 = _price * feeBasisPoints // BASIS
    royalty: uint256 = _price * self.royalties[_collection] // BASIS
    self._pay(_bidder, treasury, fee)
    self._pay(_bidder, staticcall Collection(_collection).creator(), royalty)
    self._pay(_bidder, msg.sender, _price - fee - royalty)
    log OfferAccepted(
        bidder=_bidder, collection=_collection, seller=msg.sender, tokenId=_tokenId, price=_price
    )


@internal
def _pay(_from: address, _to: address, _value: uint256):
    if _value > 0:
        assert extcall IERC20(currency).transferFrom(
            _from, _to, _value, default_return_value=True
        ), "bazaar: transfer failed"
