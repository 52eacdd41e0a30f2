#pragma version 0.4.3
"""
@title   Provenance of goods
@notice  Products come in batches and are handed from custodian to custodian: the one ships, the other receives. Stock is
         counted by custodian and batch. Certified inspectors pass or fail batches; a recall stops a whole batch.
"""

event Shipped:
    product: indexed(uint256)
    sender: indexed(address)
    receiver: indexed(address)

event Received:
    product: indexed(uint256)
    receiver: indexed(address)
    hops: uint256

event Inspected:
    batch: indexed(uint256)
    inspector: indexed(address)
    passed: bool

event Recalled:
    batch: indexed(uint256)

event Certified:
    inspector: indexed(address)
    isCertified: bool

struct Product:
    custodian: address
    # To whom it is under way, or nobody.
    receiver: address
    batch: uint256
    hops: uint256

struct Batch:
    producer: address
    recalled: bool
    inspections: uint256
    failures: uint256

authority: public(immutable(address))
products: public(HashMap[uint256, Product])
batches: public(HashMap[uint256, Batch])
# By custodian, then batch.
stock: public(HashMap[address, HashMap[uint256, uint256]])
isCertified: public(HashMap[address, bool])


@deploy
def __init__(_authority: address):
    authority = _authority


@external
def certify(_inspector: address, _isCertified: bool):
    assert msg.sender == authority, "provenance: not the authority"
    self.isCertified[_inspector] = _isCertified
    log Certified(inspector=_inspector, isCertified=_isCertified)


@external
def produce(_product: uint256, _batch: uint256):
    """
    @notice  Brings a product into being, in a batch that is the caller's or new
    """
    assert self.products[_product].custodian == empty(address), "provenance: product exists"
    producer: address = self.batches[_batch].producer
    if producer == empty(address):
        self.batches[_batch].producer = msg.sender
    else:
        assert producer == msg.sender, "provenance: another producer's batch"
    self.products[_product].custodian = msg.sender
    self.products[_product].batch = _batch
    self.stock[msg.sender][_batch] += 1
    log Received(product=_product, receiver=msg.sender, hops=0)


@external
def ship(_product: uint256, _to: address):
    product: Product = self.products[_product]
    assert product.custodian == msg.sender, "provenance: not the custodian"
    assert product.receiver == empty(address), "provenance: under way"
    assert _to != msg.sender and _to != empty(address), "provenance: no receiver"
    self._check(product.batch)
    self.products[_product].receiver = _to
    log Shipped(product=_product, sender=msg.sender, receiver=_to)


@external
def receive(_product: uint256):
    product: Product = self.products[_product]
    assert product.receiver == msg.sender, "provenance: not for you"
    self._check(product.batch)
    self.products[_product].custodian = msg.sender
    self.products[_product].receiver = empty(address)
    self.products[_product].hops = product.hops + 1
    self.stock[product.custodian][product.batch] -= 1
    self.stock[msg.sender][product.batch] += 1
    log Received(product=_product, receiver=msg.sender, hops=product.hops + 1)


@external
def inspect(_batch: uint256, _passed: bool):
    assert self.isCertified[msg.sender], "provenance: not certified"
    assert self.batches[_batch].producer != empty(address), "provenance: no such batch"
    self.batches[_batch].inspections += 1
    if not _passed:
        self.batches[_batch].failures += 1
    log Inspected(batch=_batch, inspector=msg.sender, passed=_passed)


@external
def recall(_batch: uint256):
    """
    @notice  Stops every product of a batch where it is
    """
    assert (
        msg.sender == authority or msg.sender == self.batches[_batch].producer
    ), "provenance: not the producer"
    assert not self.batches[_batch].recalled, "provenance: recalled already"
    self.batches[_batch].recalled = True
    log Recalled(batch=_batch)


@view
@internal
def _check(_batch: uint256):
    """
    @dev  Every movement reads the state of its batch: a recall conflicts with all of them.
    """
    batch: Batch = self.batches[_batch]
    assert not batch.recalled, "provenance: recalled"
    assert batch.failures * 2 <= batch.inspections, "provenance: failed inspection"
