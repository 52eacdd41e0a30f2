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

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import Zipf
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

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
        Dial.zipf("device_zipf", 0.3, "devices' reports"),
        Dial("operators", 500, "operators of devices", 1, 100_000),
        Dial.zipf("operator_zipf", 1.2, "operators' shares of the devices"),
        Dial("customers", 5_000, "customers", 1, 1_000_000),
        Dial.zipf("customer_zipf", 0.94, "customers"),
        Dial(
            "kinds",
            KINDS,
            "kinds of utility (energy, storage, bandwidth, mobility), each with a shared total",
            1,
            KINDS,
        ),
        Dial("networks", 1, "networks, each a contract with its own totals, stakes and balances", 1, 1_000),
        Dial.zipf("network_zipf", 0.0, "networks' shares"),
        Dial.weight("report", 0.85, "reports"),
        Dial.weight("money", 0.12, "prepayments, claims, stakes and withdrawals of stakes"),
        Dial.weight("govern", 0.03, "enrolments, slashes and changes of rates"),
        Dial.share(
            "surge", 0.0, "share of a block, at its end, in which one utility's customers draw ten times as much"
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

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder, count = chain.block_builder, chain.block_builder.transaction_count
        report, money, govern = (float(dials[name]) for name in ("report", "money", "govern"))
        weights = {"report": report, **dict.fromkeys(("prepay", "claim", "stake", "unstake"), money / 4)}
        weights |= {"register": govern * 0.7, "slash": govern * 0.2, "rate": govern * 0.1}
        kinds = chain.draw_kinds("kinds", weights if report + money + govern else {"report": 1.0})
        devices = int(dials["devices"])
        reporting = chain.draw_ranks("devices", devices, float(dials["device_zipf"]))
        owners = Zipf(int(dials["operators"]), float(dials["operator_zipf"]))
        owner_of = owners.draw(chain.stream("owners"), devices).tolist()
        operators = owners.draw(chain.stream("operators"), count).tolist()
        payers = chain.draw_ranks("customers", int(dials["customers"]), float(dials["customer_zipf"]))
        parts = chain.draw_below("amounts", 1_000)
        types, surge = int(dials["kinds"]), float(dials["surge"])
        # Index of each transaction in its block, and the size of that block.
        positions = [(index, size) for size in builder.block_sizes for index in range(size)]

        networks = int(dials["networks"])
        shares = Zipf(networks, float(dials["network_zipf"]))
        chosen = shares.draw(chain.stream("networks"), count).tolist()
        # Devices of each kind in turn, so that a network has all kinds.
        network_of = shares.draw(chain.stream("networks of devices"), 1 + devices // types).tolist()

        accounts, currency = builder.accounts, chain.token(HUB)
        labels = [f"metering {n}" for n in range(networks)] if networks > 1 else ["metering"]
        contracts = [
            chain.deploy(label, "metering", currency, accounts[GOVERNOR], accounts[AUDITOR], RATE) for label in labels
        ]
        methods = {name: load("metering").method(name) for name in GAS if name != "rate"}
        set_rate = load("metering").method("setRate")
        # For each network, accounts that need a balance, a stake or an operator at genesis.
        prepaid: list[dict[int, int]] = [{} for _ in labels]
        devices_used: list[dict[int, None]] = [{} for _ in labels]
        operators_used: list[dict[int, None]] = [{} for _ in labels]
        enrolled = 0
        for i, (kind, operator, payer, part) in enumerate(zip(kinds, operators, payers, parts, strict=True)):
            owner, amount, n = OPERATORS - operator, (1 + part) * UNIT // 100, chosen[i]
            metering = contracts[n]
            match kind:
                case "report":
                    device, units = reporting[i], 1 + part
                    index, size = positions[i]
                    if surge and index >= (1.0 - surge) * size:
                        # The next device of kind 0.
                        device, units = device - device % types, units * SURGE_FACTOR
                    # A device is of one network for ever.
                    n = network_of[device // types]
                    devices_used[n][device], operators_used[n][owner_of[device]] = None, None
                    # Rates at most double.
                    prepaid[n][payer] = prepaid[n].get(payer, 0) + units * 2 * RATE * KINDS
                    builder.add(DEVICES - device, contracts[n], GAS[kind], methods[kind](accounts[payer], units))
                    continue
                case "prepay":
                    prepaid[n].setdefault(payer, 0)
                    chain.tokens.credit(HUB, accounts[payer], amount)
                    chain.tokens.approve(HUB, accounts[payer], metering)
                    builder.add(payer, metering, GAS[kind], methods[kind](amount))
                    continue
                case "rate":
                    builder.add(GOVERNOR, metering, GAS[kind], set_rate(part % types, RATE * (1 + part % types) + part))
                    continue
                case "slash":
                    builder.add(AUDITOR, metering, GAS[kind], methods[kind](accounts[owner], UNIT // 100))
                case "register":
                    enrolled += 1
                    builder.add(
                        owner, metering, GAS[kind], methods[kind](accounts[NEW_DEVICES - enrolled], part % types)
                    )
                case _:
                    chain.tokens.credit(HUB, accounts[owner], amount if kind == "stake" else 0)
                    chain.tokens.approve(HUB, accounts[owner], metering)
                    arguments = () if kind == "claim" else (amount,)
                    builder.add(owner, metering, GAS[kind], methods[kind](*arguments))
            operators_used[n][operator] = None
        chain.roles |= {"governor": accounts[GOVERNOR], "auditor": accounts[AUDITOR]}
        # Enough that no number of withdrawals and slashes in these blocks brings it below the minimum.
        stake = STAKE + 11 * UNIT * count
        notes = {}
        for n, label in enumerate(labels):
            customers = {accounts[customer]: amount for customer, amount in prepaid[n].items()}
            staking = [accounts[OPERATORS - operator] for operator in operators_used[n]]
            used = {
                accounts[DEVICES - device]: (accounts[OPERATORS - owner_of[device]], device % types)
                for device in devices_used[n]
            }
            _write_network(chain, label, customers, dict.fromkeys(staking, stake), used)
            notes[label] = {"customers": list(customers), "operators": staking, "devices": list(used)}
        return notes

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that every payment and every unit is accounted for. See `Application.verify`.

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


def _write_network(
    chain: ChainBuilder,
    label: str,
    customers: Mapping[bytes, int],
    stakes: Mapping[bytes, int],
    devices: Mapping[bytes, tuple[bytes, int]],
) -> None:
    """Write the genesis of one network: prepaid balances, stakes, and devices with their operator and kind.

    The network's contract holds all that is prepaid and staked.
    """
    storage = chain.storage(label, "metering")
    for customer, amount in customers.items():
        storage.set(amount, "prepaid", customer)
    for device, (operator, kind) in devices.items():
        storage.set(operator, "devices", device)
        storage.set(kind, "devices", device, offset=KIND)
    for operator, stake in stakes.items():
        storage.set(stake, "stakes", operator)
    chain.tokens.credit(HUB, storage.address, sum(customers.values()) + sum(stakes.values()))
