#pragma version 0.4.3
"""
@title   Marketplace for ERC-721 tokens
@notice  Sellers keep their tokens until they are sold: the market moves them by approval. A buyer pays in ether; the
         seller gets the price less a fee, the treasury gets the fee, both at once.
"""

interface Collection:
    def ownerOf(_tokenId: uint256) -> address: view
    def getApproved(_tokenId: uint256) -> address: view
    def isApprovedForAll(_owner: address, _operator: address) -> bool: view
    def transferFrom(_from: address, _to: address, _tokenId: uint256): nonpayable

event Listed:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)
    price: uint256

event Cancelled:
    collection: indexed(address)
    tokenId: indexed(uint256)
    seller: indexed(address)

event Sold:
    collection: indexed(address)
    tokenId: indexed(uint256)
    buyer: indexed(address)
    seller: address
    price: uint256
    fee: uint256

event TreasuryChanged:
    previous: indexed(address)
    current: indexed(address)

struct Listing:
    seller: address
    price: uint256

MAX_FEE_BASIS_POINTS: constant(uint256) = 1000

feeBasisPoints: public(immutable(uint256))
admin: public(immutable(address))
treasury: public(address)
listings: public(HashMap[address, HashMap[uint256, Listing]])


@deploy
def __init__(_treasury: address, _feeBasisPoints: uint256):
    assert _treasury != empty(address), "market: zero treasury"
    assert _feeBasisPoints <= MAX_FEE_BASIS_POINTS, "market: fee too high"
    self.treasury = _treasury
    feeBasisPoints = _feeBasisPoints
    admin = msg.sender


@external
def setTreasury(_treasury: address):
    assert msg.sender == admin, "market: not the admin"
    assert _treasury != empty(address), "market: zero treasury"
    log TreasuryChanged(previous=self.treasury, current=_treasury)
    self.treasury = _treasury


@external
def list(_collection: address, _tokenId: uint256, _price: uint256):
    """
    @notice  Offers a token at a price, or changes the price of an offer
    """
    assert _price > 0, "market: zero price"
    assert staticcall Collection(_collection).ownerOf(_tokenId) == msg.sender, "market: not the owner"
    if not staticcall Collection(_collection).isApprovedForAll(msg.sender, self):
        assert staticcall Collection(_collection).getApproved(_tokenId) == self, "market: not approved"
    self.listings[_collection][_tokenId] = Listing(seller=msg.sender, price=_price)
    log Listed(collection=_collection, tokenId=_tokenId, seller=msg.sender, price=_price)


@external
def cancel(_collection: address, _tokenId: uint256):
    assert self.listings[_collection][_tokenId].seller == msg.sender, "market: not the seller"
    self.listings[_collection][_tokenId] = empty(Listing)
    log Cancelled(collection=_collection, tokenId=_tokenId, seller=msg.sender)


@payable
@external
@nonreentrant
def buy(_collection: address, _tokenId: uint256):
    """
    @notice  Buys a listed token for exactly its price
    """
    listing: Listing = self.listings[_collection][_tokenId]
    assert listing.seller != empty(address), "market: not listed"
    assert msg.value == listing.price, "market: wrong payment"
    self.listings[_collection][_tokenId] = empty(Listing)
    # Reverts when the seller no longer owns the token or took the approval back.
    extcall Collection(_collection).transferFrom(listing.seller, msg.sender, _tokenId)

    fee: uint256 = listing.price * feeBasisPoints // 10000
    raw_call(listing.seller, b"", value=unsafe_sub(listing.price, fee))
    if fee > 0:
        raw_call(self.treasury, b"", value=fee)
    log Sold(
        collection=_collection,
        tokenId=_tokenId,
        buyer=msg.sender,
        seller=listing.seller,
        price=listing.price,
        fee=fee,
    )
