#pragma version 0.4.3
"""
@title   ERC-1155 items of a game
@notice  Many kinds of items in one contract. The game mints and burns them; players transfer them in batches.
"""

interface Receiver:
    def onERC1155BatchReceived(
        _operator: address, _from: address, _ids: DynArray[uint256, 16], _values: DynArray[uint256, 16], _data: Bytes[64]
    ) -> bytes4: nonpayable

event TransferSingle:
    operator: indexed(address)
    sender: indexed(address)
    receiver: indexed(address)
    id: uint256
    value: uint256

event TransferBatch:
    operator: indexed(address)
    sender: indexed(address)
    receiver: indexed(address)
    ids: DynArray[uint256, MAX_BATCH]
    values: DynArray[uint256, MAX_BATCH]

event ApprovalForAll:
    owner: indexed(address)
    operator: indexed(address)
    approved: bool

MAX_BATCH: constant(uint256) = 16

admin: public(immutable(address))
game: public(address)
totalSupply: public(HashMap[uint256, uint256])
balanceOf: public(HashMap[address, HashMap[uint256, uint256]])
isApprovedForAll: public(HashMap[address, HashMap[address, bool]])


@deploy
def __init__():
    admin = msg.sender


@external
def setGame(_game: address):
    assert msg.sender == admin, "items: not the admin"
    self.game = _game


@view
@external
def supportsInterface(interface_id: bytes4) -> bool:
    return interface_id in [0x01ffc9a7, 0xd9b67a26]


@external
def setApprovalForAll(_operator: address, _approved: bool):
    self.isApprovedForAll[msg.sender][_operator] = _approved
    log ApprovalForAll(owner=msg.sender, operator=_operator, approved=_approved)


@external
def safeBatchTransferFrom(
    _from: address,
    _to: address,
    _ids: DynArray[uint256, MAX_BATCH],
    _values: DynArray[uint256, MAX_BATCH],
    _data: Bytes[64],
):
    assert len(_ids) == len(_values), "ERC1155: lengths differ"
    assert _to != empty(address), "ERC1155: transfer to zero"
    assert _from == msg.sender or self.isApprovedForAll[_from][msg.sender], "ERC1155: not allowed"
    for i: uint256 in range(len(_ids), bound=MAX_BATCH):
        id: uint256 = _ids[i]
        held: uint256 = self.balanceOf[_from][id]
        assert held >= _values[i], "ERC1155: insufficient balance"
        self.balanceOf[_from][id] = unsafe_sub(held, _values[i])
        self.balanceOf[_to][id] += _values[i]
    log TransferBatch(operator=msg.sender, sender=_from, receiver=_to, ids=_ids, values=_values)
    if _to.is_contract:
        answer: bytes4 = extcall Receiver(_to).onERC1155BatchReceived(msg.sender, _from, _ids, _values, _data)
        assert answer == method_id(
            "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)", output_type=bytes4
        )


@external
def mint(_to: address, _id: uint256, _value: uint256):
    assert msg.sender == self.game, "items: not the game"
    self.totalSupply[_id] += _value
    self.balanceOf[_to][_id] += _value
    log TransferSingle(operator=msg.sender, sender=empty(address), receiver=_to, id=_id, value=_value)


@external
def burn(_from: address, _id: uint256, _value: uint256):
    assert msg.sender == self.game, "items: not the game"
    held: uint256 = self.balanceOf[_from][_id]
    assert held >= _value, "ERC1155: insufficient balance"
    self.balanceOf[_from][_id] = unsafe_sub(held, _value)
    self.totalSupply[_id] -= _value
    log TransferSingle(operator=msg.sender, sender=_from, receiver=empty(address), id=_id, value=_value)
