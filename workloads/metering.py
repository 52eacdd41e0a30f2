"""Metering: devices of a decentralised utility report usage and are paid, operators stake and are slashed.

A report reads the rate of its kind and the operator's stake, takes from a customer's prepaid balance, adds to the
operator's earnings, and counts in the network's total of its kind: all devices of a kind meet in one counter, those of
an operator in its earnings. Rates and stakes are read by all and written by few.

Defaults, and where they come from:

- ``customer_zipf``: receivers of payments of 2022, 0.94; ``operator_zipf``: 1.2, as unequal as votes in a large
  organisation; the mix: no measurement was at hand. Reports are most of what such a network does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from workloads.abi import load
from workloads.application import Application
from workloads.arrivals import BURST
from workloads.base import Dial, DialValue, Preset, Scenario
from workloads.sampling import Zipf, mix
from workloads.site import Site
from workloads.storage import Storage
from workloads.tokens import UNIT

if TYPE_CHECKING:
    from evm import State

HUB = 0
KINDS = 4
GOVERNOR, AUDITOR = -4, -5
# Operators and devices are accounts from here downwards, and so are devices that are enrolled in these blocks.
OPERATORS, DEVICES, NEW_DEVICES = -1_000_000, -2_000_000, -4_000_000
RATE = 10**12
STAKE = 10_000 * UNIT
# In a surge a device delivers so many times as much.
SURGE_FACTOR = 10
OPERATOR, KIND, UNITS, REPORTS = range(4)
GAS = {
    "report": 170_000,
    "prepay": 75_000,
    "claim": 75_000,
    "stake": 75_000,
    "unstake": 75_000,
    "register": 95_000,
    "slash": 65_000,
    "rate": 45_000,
}


class Metering(Application):
    """Metering: conflicts through totals of each kind, operators' earnings, customers' balances, rates and stakes."""

    name = "metering"
    summary = "devices report usage and are paid by rate; stakes, slashing, utility surges"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "token", "metering": "metering"}
    dials = (
        Dial("devices", 20_000, "devices", 1, 1_000_000),
        Dial("device_zipf", 0.3, "Zipf exponent of devices' reports; 0 is uniform", 0.0, 5.0),
        Dial("operators", 500, "operators of devices", 1, 100_000),
        Dial("operator_zipf", 1.2, "Zipf exponent of operators' shares of the devices; 0 is uniform", 0.0, 5.0),
        Dial("customers", 5_000, "customers", 1, 1_000_000),
        Dial("customer_zipf", 0.94, "Zipf exponent of customers; 0 is uniform", 0.0, 5.0),
        Dial(
            "kinds",
            KINDS,
            "kinds of utility (energy, storage, bandwidth, mobility), each with a shared total",
            1,
            KINDS,
        ),
        Dial("report", 0.85, "weight of reports", 0.0, 1_000.0),
        Dial("money", 0.12, "weight of prepayments, claims, stakes and withdrawals of stakes", 0.0, 1_000.0),
        Dial("govern", 0.03, "weight of enrolments, slashes and changes of rates", 0.0, 1_000.0),
        Dial(
            "surge",
            0.0,
            "share of a block, at its end, in which one utility's customers draw ten times as much",
            0.0,
            1.0,
        ),
        BURST,
    )
    presets = (
        Preset("utility-surge", "a cold snap: demand for energy multiplies within a few blocks (no measurement)",
               {"surge": 0.7, "report": 5.0, "customer_zipf": 1.32, "burst": "plateau"}),
    )  # fmt: skip

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        draft, count = site.draft, site.draft.size
        report, money, govern = (float(dials[name]) for name in ("report", "money", "govern"))
        weights = {"report": report, **dict.fromkeys(("prepay", "claim", "stake", "unstake"), money / 4)}
        weights |= {"register": govern * 0.7, "slash": govern * 0.2, "rate": govern * 0.1}
        kinds = mix(site.stream("kinds"), weights if report + money + govern else {"report": 1.0}, count)
        devices = int(dials["devices"])
        reporting = Zipf(devices, float(dials["device_zipf"])).draw(site.stream("devices"), count).tolist()
        owners = Zipf(int(dials["operators"]), float(dials["operator_zipf"]))
        owner_of = owners.draw(site.stream("owners"), devices).tolist()
        operators = owners.draw(site.stream("operators"), count).tolist()
        customers = Zipf(int(dials["customers"]), float(dials["customer_zipf"]))
        payers = customers.draw(site.stream("customers"), count).tolist()
        parts = site.stream("amounts").below(1_000, count).tolist()
        types, surge = int(dials["kinds"]), float(dials["surge"])
        places = [place for size in draft.sizes for place in range(size)]
        sizes = [size for size in draft.sizes for _ in range(size)]

        accounts, currency = draft.accounts, site.token(HUB)
        metering = site.deploy("metering", "metering", currency, accounts[GOVERNOR], accounts[AUDITOR], RATE)
        methods = {name: load("metering").method(name) for name in GAS if name != "rate"}
        set_rate = load("metering").method("setRate")
        prepaid: dict[int, int] = {}
        used: dict[int, None] = {}
        active: dict[int, None] = {}
        new = 0
        for place, (kind, operator, payer, part) in enumerate(zip(kinds, operators, payers, parts, strict=True)):
            owner, amount = OPERATORS - operator, (1 + part) * UNIT // 100
            match kind:
                case "report":
                    device, units = reporting[place], 1 + part
                    if surge and places[place] >= (1.0 - surge) * sizes[place]:
                        # The next device of kind 0.
                        device, units = device - device % types, units * SURGE_FACTOR
                    used[device], active[owner_of[device]] = None, None
                    # Rates at most double.
                    prepaid[payer] = prepaid.get(payer, 0) + units * 2 * RATE * KINDS
                    draft.add(DEVICES - device, metering, GAS[kind], methods[kind](accounts[payer], units))
                    continue
                case "prepay":
                    prepaid.setdefault(payer, 0)
                    site.tokens.give(HUB, accounts[payer], amount)
                    site.tokens.allow(HUB, accounts[payer], metering)
                    draft.add(payer, metering, GAS[kind], methods[kind](amount))
                    continue
                case "rate":
                    draft.add(GOVERNOR, metering, GAS[kind], set_rate(part % types, RATE * (1 + part % types) + part))
                    continue
                case "slash":
                    draft.add(AUDITOR, metering, GAS[kind], methods[kind](accounts[owner], UNIT // 100))
                case "register":
                    new += 1
                    draft.add(owner, metering, GAS[kind], methods[kind](accounts[NEW_DEVICES - new], part % types))
                case _:
                    site.tokens.give(HUB, accounts[owner], amount if kind == "stake" else 0)
                    site.tokens.allow(HUB, accounts[owner], metering)
                    arguments = () if kind == "claim" else (amount,)
                    draft.add(owner, metering, GAS[kind], methods[kind](*arguments))
            active[operator] = None
        site.roles |= {"governor": accounts[GOVERNOR], "auditor": accounts[AUDITOR]}
        storage = site.storage("metering", "metering")
        for customer, amount in prepaid.items():
            storage.set(amount, "prepaid", accounts[customer])
        for device in used:
            owner_address = accounts[OPERATORS - owner_of[device]]
            storage.set(int.from_bytes(owner_address, "big"), "devices", accounts[DEVICES - device])
            storage.set(device % types, "devices", accounts[DEVICES - device], offset=KIND)
        # Enough that no number of withdrawals and slashes in these blocks brings it below the minimum.
        stake = STAKE + 11 * UNIT * count
        for operator in active:
            storage.set(stake, "stakes", accounts[OPERATORS - operator])
        site.tokens.give(HUB, metering, sum(prepaid.values()) + stake * len(active))
        return {
            "customers": tuple(site.accounts(prepaid)),
            "operators": tuple(accounts[OPERATORS - operator] for operator in active),
            "devices": tuple(accounts[DEVICES - device] for device in used),
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether every payment and every unit is accounted for. See `Application.verify`.

        The contract holds stakes, earnings, prepaid balances and what was slashed; the total of each kind is what its
        devices delivered.
        """
        storage = Storage(state, scenario.contracts["metering"], load("metering"))
        notes, found, units = scenario.notes, [], [0] * KINDS
        owed = storage.get("pot") + sum(storage.get("prepaid", customer) for customer in notes["customers"])
        for operator in notes["operators"]:
            owed += storage.get("stakes", operator) + storage.get("earnings", operator)
        held = Storage(state, scenario.contracts[f"token {HUB}"], load("token")).get("balanceOf", storage.address)
        if held != owed:
            found.append(f"metering: holds {held} and owes {owed}")
        for device in notes["devices"]:
            units[storage.get("devices", device, offset=KIND)] += storage.get("devices", device, offset=UNITS)
        delivered = [storage.get("delivered", offset=kind) for kind in range(KINDS)]
        if delivered != units:
            found.append(f"metering: totals are {delivered}, devices delivered {units}")
        return found
