"""Metering: devices of a decentralised utility report usage and are paid, operators stake and are slashed.

A report reads the rate of its kind and the operator's stake, takes from a customer's prepaid balance, adds to the
operator's earnings, and counts in the network's total of its kind: all devices of a kind meet in one counter, those of
an operator in its earnings. Rates and stakes are read by all and written by few.

Defaults, and where they come from:

- ``customer_zipf``: receivers of payments of 2022, 0.94; ``operator_zipf``: 1.2, as unequal as votes in a large
  organisation; the mix: no measurement was at hand. Reports are most of what such a network does.
- ``networks``: one, whose totals all meet in; a chain that several share has more.
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
        Dial("networks", 1, "networks, each a contract with its own totals, stakes and balances", 1, 1_000),
        Dial("network_zipf", 0.0, "Zipf exponent of networks' shares; 0 is uniform", 0.0, 5.0),
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

    ends = (
        {"networks": 1_000, "network_zipf": 0.0, "kinds": 1, "devices": 1_000_000, "device_zipf": 0.0,
         "operators": 100_000, "operator_zipf": 0.0, "customers": 1_000_000, "customer_zipf": 0.0, "govern": 0.0},
        {"networks": 20, "network_zipf": 5.0, "kinds": 1, "devices": 20_000, "device_zipf": 0.3,
         "operators": 500, "operator_zipf": 1.2, "customers": 5_000, "customer_zipf": 0.94, "govern": 0.0},
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

        networks = int(dials["networks"])
        shares = Zipf(networks, float(dials["network_zipf"]))
        chosen = shares.draw(site.stream("networks"), count).tolist()
        # Devices of each kind in turn, so that a network has all kinds.
        network_of = shares.draw(site.stream("networks of devices"), 1 + devices // types).tolist()

        accounts, currency = draft.accounts, site.token(HUB)
        labels = [f"metering {n}" for n in range(networks)] if networks > 1 else ["metering"]
        contracts = [
            site.deploy(label, "metering", currency, accounts[GOVERNOR], accounts[AUDITOR], RATE) for label in labels
        ]
        methods = {name: load("metering").method(name) for name in GAS if name != "rate"}
        set_rate = load("metering").method("setRate")
        # By network and account, device or operator.
        prepaid: dict[tuple[int, int], int] = {}
        used: dict[tuple[int, int], None] = {}
        active: dict[tuple[int, int], None] = {}
        new = 0
        for place, (kind, operator, payer, part) in enumerate(zip(kinds, operators, payers, parts, strict=True)):
            owner, amount, n = OPERATORS - operator, (1 + part) * UNIT // 100, chosen[place]
            metering = contracts[n]
            match kind:
                case "report":
                    device, units = reporting[place], 1 + part
                    if surge and places[place] >= (1.0 - surge) * sizes[place]:
                        # The next device of kind 0.
                        device, units = device - device % types, units * SURGE_FACTOR
                    # A device is of one network for ever.
                    n = network_of[device // types]
                    used[n, device], active[n, owner_of[device]] = None, None
                    # Rates at most double.
                    prepaid[n, payer] = prepaid.get((n, payer), 0) + units * 2 * RATE * KINDS
                    draft.add(DEVICES - device, contracts[n], GAS[kind], methods[kind](accounts[payer], units))
                    continue
                case "prepay":
                    prepaid.setdefault((n, payer), 0)
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
            active[n, operator] = None
        site.roles |= {"governor": accounts[GOVERNOR], "auditor": accounts[AUDITOR]}
        # Enough that no number of withdrawals and slashes in these blocks brings it below the minimum.
        stake = STAKE + 11 * UNIT * count
        storages = [site.storage(label, "metering") for label in labels]
        for (n, customer), amount in prepaid.items():
            storages[n].set(amount, "prepaid", accounts[customer])
        for n, device in used:
            owner_address = accounts[OPERATORS - owner_of[device]]
            storages[n].set(int.from_bytes(owner_address, "big"), "devices", accounts[DEVICES - device])
            storages[n].set(device % types, "devices", accounts[DEVICES - device], offset=KIND)
        for n, operator in active:
            storages[n].set(stake, "stakes", accounts[OPERATORS - operator])
            site.tokens.give(HUB, contracts[n], stake)
        notes: dict[str, dict[str, list[bytes]]] = {}
        for n, label in enumerate(labels):
            site.tokens.give(HUB, contracts[n])
            notes[label] = {"customers": [], "operators": [], "devices": []}
        for (n, customer), amount in prepaid.items():
            site.tokens.give(HUB, contracts[n], amount)
            notes[labels[n]]["customers"].append(accounts[customer])
        for n, operator in active:
            notes[labels[n]]["operators"].append(accounts[OPERATORS - operator])
        for n, device in used:
            notes[labels[n]]["devices"].append(accounts[DEVICES - device])
        return notes

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether every payment and every unit is accounted for. See `Application.verify`.

        Each contract holds stakes, earnings, prepaid balances and what was slashed; the total of each kind is what its
        devices delivered.
        """
        found, currency = [], Storage(state, scenario.contracts[f"token {HUB}"], load("token"))
        for label, address in scenario.contracts.items():
            if label.partition(" ")[0] != "metering":
                continue
            storage, notes, units = Storage(state, address, load("metering")), scenario.notes[label], [0] * KINDS
            owed = storage.get("pot") + sum(storage.get("prepaid", customer) for customer in notes["customers"])
            for operator in notes["operators"]:
                owed += storage.get("stakes", operator) + storage.get("earnings", operator)
            held = currency.get("balanceOf", address)
            if held != owed:
                found.append(f"{label}: holds {held} and owes {owed}")
            for device in notes["devices"]:
                units[storage.get("devices", device, offset=KIND)] += storage.get("devices", device, offset=UNITS)
            delivered = [storage.get("delivered", offset=kind) for kind in range(KINDS)]
            if delivered != units:
                found.append(f"{label}: totals are {delivered}, devices delivered {units}")
        return found
