#pragma version 0.4.3
"""
@title   Utility metering for networks of devices
@notice  Operators stake and run devices that report what they delivered (energy, storage, bandwidth, mobility) to
         customers who have paid in advance. A report moves money from the customer to the operator at the rate of its
         kind; an auditor slashes operators whose devices report falsely.
"""

from ethereum.ercs import IERC20

event Registered:
    device: indexed(address)
    operator: indexed(address)
    kind: uint256

event Reported:
    device: indexed(address)
    customer: indexed(address)
    units: uint256
    payment: uint256

event Prepaid:
    customer: indexed(address)
    amount: uint256

event Claimed:
    operator: indexed(address)
    amount: uint256

event StakeChanged:
    operator: indexed(address)
    stake: uint256

event Slashed:
    operator: indexed(address)
    amount: uint256

event RateChanged:
    kind: indexed(uint256)
    rate: uint256

struct Device:
    operator: address
    kind: uint256
    units: uint256
    reports: uint256

KINDS: constant(uint256) = 4
MINIMUM_STAKE: constant(uint256) = 10**18

currency: public(immutable(address))
governor: public(immutable(address))
auditor: public(immutable(address))

rates: public(uint256[KINDS])
# Units delivered of each kind: a counter that all devices of a kind share.
delivered: public(uint256[KINDS])
devices: public(HashMap[address, Device])
stakes: public(HashMap[address, uint256])
earnings: public(HashMap[address, uint256])
prepaid: public(HashMap[address, uint256])
# What was slashed.
pot: public(uint256)


@deploy
def __init__(_currency: address, _governor: address, _auditor: address, _rate: uint256):
    currency = _currency
    governor = _governor
    auditor = _auditor
    for kind: uint256 in range(KINDS):
        self.rates[kind] = _rate * (kind + 1)


@external
def setRate(_kind: uint256, _rate: uint256):
    assert msg.sender == governor, "metering: not the governor"
    assert _kind < KINDS, "metering: no such kind"
    self.rates[_kind] = _rate
    log RateChanged(kind=_kind, rate=_rate)


@external
def register(_device: address, _kind: uint256):
    """
    @notice  Enrols a device of the caller's, who must have staked
    """
    assert _kind < KINDS, "metering: no such kind"
    assert self.stakes[msg.sender] >= MINIMUM_STAKE, "metering: stake too small"
    assert self.devices[_device].operator == empty(address), "metering: device enrolled"
    self.devices[_device].operator = msg.sender
    self.devices[_device].kind = _kind
    log Registered(device=_device, operator=msg.sender, kind=_kind)


@external
def report(_customer: address, _units: uint256):
    """
    @notice  A device reports units that it delivered to a customer
    """
    device: Device = self.devices[msg.sender]
    assert device.operator != empty(address), "metering: unknown device"
    assert self.stakes[device.operator] >= MINIMUM_STAKE, "metering: stake too small"
    payment: uint256 = _units * self.rates[device.kind]
    available: uint256 = self.prepaid[_customer]
    assert available >= payment, "metering: customer has not prepaid"
    self.prepaid[_customer] = unsafe_sub(available, payment)
    self.earnings[device.operator] += payment
    self.devices[msg.sender].units = device.units + _units
    self.devices[msg.sender].reports = device.reports + 1
    self.delivered[device.kind] += _units
    log Reported(device=msg.sender, customer=_customer, units=_units, payment=payment)


@external
@nonreentrant
def prepay(_amount: uint256):
    self.prepaid[msg.sender] += _amount
    self._pull(_amount)
    log Prepaid(customer=msg.sender, amount=_amount)


@external
@nonreentrant
def claim():
    """
    @notice  Pays an operator what its devices have earned
    """
    amount: uint256 = self.earnings[msg.sender]
    self.earnings[msg.sender] = 0
    self._push(amount)
    log Claimed(operator=msg.sender, amount=amount)


@external
@nonreentrant
def stake(_amount: uint256):
    total: uint256 = self.stakes[msg.sender] + _amount
    self.stakes[msg.sender] = total
    self._pull(_amount)
    log StakeChanged(operator=msg.sender, stake=total)


@external
@nonreentrant
def unstake(_amount: uint256):
    assert self.stakes[msg.sender] >= _amount, "metering: more than staked"
    left: uint256 = self.stakes[msg.sender] - _amount
    self.stakes[msg.sender] = left
    self._push(_amount)
    log StakeChanged(operator=msg.sender, stake=left)


@external
def slash(_operator: address, _amount: uint256):
    assert msg.sender == auditor, "metering: not the auditor"
    amount: uint256 = min(_amount, self.stakes[_operator])
    self.stakes[_operator] -= amount
    self.pot += amount
    log Slashed(operator=_operator, amount=amount)


@internal
def _pull(_amount: uint256):
    assert extcall IERC20(currency).transferFrom(
        msg.sender, self, _amount, default_return_value=True
    ), "metering: transfer failed"


@internal
def _push(_amount: uint256):
    assert extcall IERC20(currency).transfer(msg.sender, _amount), "metering: transfer failed"
