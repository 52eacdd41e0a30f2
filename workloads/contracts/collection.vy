#pragma version 0.4.3
"""
@title   ERC-721 collection with a public sale
@notice  Tokens are numbered from zero in the order of minting; the counter is the next number.
"""

from ethereum.ercs import IERC165

implements: IERC165

interface Receiver:
    def onERC721Received(
        _operator: address, _from: address, _tokenId: uint256, _data: Bytes[1024]
    ) -> bytes4: nonpayable

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    tokenId: indexed(uint256)

event Approval:
    owner: indexed(address)
    approved: indexed(address)
    tokenId: indexed(uint256)

event ApprovalForAll:
    owner: indexed(address)
    operator: indexed(address)
    approved: bool

event Withdrawal:
    to: indexed(address)
    amount: uint256

MAX_BATCH: constant(uint256) = 20

name: public(String[64])
symbol: public(String[16])
maxSupply: public(immutable(uint256))
maxPerTransaction: public(immutable(uint256))
price: public(immutable(uint256))
saleStart: public(immutable(uint256))

creator: public(address)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
owners: HashMap[uint256, address]
approvals: HashMap[uint256, address]
isApprovedForAll: public(HashMap[address, HashMap[address, bool]])


@deploy
def __init__(
    _name: String[64],
    _symbol: String[16],
    _maxSupply: uint256,
    _maxPerTransaction: uint256,
    _price: uint256,
    _saleStart: uint256,
):
    assert 0 < _maxPerTransaction and _maxPerTransaction <= MAX_BATCH, "collection: batch limit"
    self.name = _name
    self.symbol = _symbol
    maxSupply = _maxSupply
    maxPerTransaction = _maxPerTransaction
    price = _price
    saleStart = _saleStart
    self.creator = msg.sender


@view
@external
def supportsInterface(interface_id: bytes4) -> bool:
    return interface_id in [0x01ffc9a7, 0x80ac58cd]


@view
@external
def ownerOf(_tokenId: uint256) -> address:
    owner: address = self.owners[_tokenId]
    assert owner != empty(address), "ERC721: no such token"
    return owner


@view
@external
def getApproved(_tokenId: uint256) -> address:
    assert self.owners[_tokenId] != empty(address), "ERC721: no such token"
    return self.approvals[_tokenId]


@payable
@external
def mint(_quantity: uint256):
    """
    @notice  Buys the next `_quantity` tokens of the public sale at the fixed price
    """
    assert block.timestamp >= saleStart, "collection: sale not open"
    assert 0 < _quantity and _quantity <= maxPerTransaction, "collection: quantity"
    assert msg.value == unsafe_mul(price, _quantity), "collection: wrong payment"
    first: uint256 = self.totalSupply
    assert first + _quantity <= maxSupply, "collection: sold out"
    self.totalSupply = unsafe_add(first, _quantity)
    self.balanceOf[msg.sender] = unsafe_add(self.balanceOf[msg.sender], _quantity)
    for i: uint256 in range(_quantity, bound=MAX_BATCH):
        tokenId: uint256 = unsafe_add(first, i)
        self.owners[tokenId] = msg.sender
        log Transfer(sender=empty(address), receiver=msg.sender, tokenId=tokenId)


@external
def approve(_approved: address, _tokenId: uint256):
    owner: address = self.owners[_tokenId]
    assert owner != empty(address), "ERC721: no such token"
    assert owner == msg.sender or self.isApprovedForAll[owner][msg.sender], "ERC721: not allowed"
    self.approvals[_tokenId] = _approved
    log Approval(owner=owner, approved=_approved, tokenId=_tokenId)


@external
def setApprovalForAll(_operator: address, _approved: bool):
    assert _operator != msg.sender, "ERC721: approve to self"
    self.isApprovedForAll[msg.sender][_operator] = _approved
    log ApprovalForAll(owner=msg.sender, operator=_operator, approved=_approved)


@external
def transferFrom(_from: address, _to: address, _tokenId: uint256):
    self._transfer(_from, _to, _tokenId)


@external
def safeTransferFrom(_from: address, _to: address, _tokenId: uint256, _data: Bytes[1024] = b""):
    self._transfer(_from, _to, _tokenId)
    if _to.is_contract:
        answer: bytes4 = extcall Receiver(_to).onERC721Received(msg.sender, _from, _tokenId, _data)
        assert answer == method_id("onERC721Received(address,address,uint256,bytes)", output_type=bytes4)


@external
def withdraw():
    """
    @notice  Pays the proceeds of the sale to the creator
    """
    amount: uint256 = self.balance
    raw_call(self.creator, b"", value=amount)
    log Withdrawal(to=self.creator, amount=amount)


@internal
def _transfer(_from: address, _to: address, _tokenId: uint256):
    assert _to != empty(address), "ERC721: transfer to zero"
    owner: address = self.owners[_tokenId]
    assert owner == _from and owner != empty(address), "ERC721: not the owner"
    if msg.sender != owner and not self.isApprovedForAll[owner][msg.sender]:
        assert self.approvals[_tokenId] == msg.sender, "ERC721: not allowed"
    if self.approvals[_tokenId] != empty(address):
        self.approvals[_tokenId] = empty(address)
    self.balanceOf[_from] = unsafe_sub(self.balanceOf[_from], 1)
    self.balanceOf[_to] = unsafe_add(self.balanceOf[_to], 1)
    self.owners[_tokenId] = _to
    log Transfer(sender=_from, receiver=_to, tokenId=_tokenId)
