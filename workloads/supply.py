"""Supply chain: products handed from custodian to custodian, inspections of batches, and recalls.

A product's way is a chain of its own: it is shipped by one and received by the next. Every movement changes the stock
of two custodians and reads its batch, which inspections and recalls write: a recall conflicts with every movement of
its batch, and stops those that come after it.

Defaults, and where they come from:

- ``custodian_zipf``: receivers of payments of 2022, 0.94: few large warehouses, many shops.
- ``batch_zipf``: 0.8; ``inspect``, ``recall``, ``produce``: no measurement was at hand.
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

if TYPE_CHECKING:
    from evm import State

AUTHORITY = -3
INSPECTORS = -1_000
CUSTODIAN, RECEIVER, BATCH, HOPS = range(4)
PRODUCER, RECALLED, INSPECTIONS, FAILURES = range(4)
# Inspections that every batch has passed before; one in this many fails.
PASSED, FAILING = 20, 25
GAS = {"ship": 80_000, "receive": 105_000, "produce": 150_000, "inspect": 75_000, "recall": 50_000}


class Supply(Application):
    """Supply chain: conflicts through products on their way, custodians' stock, and batches under inspection."""

    name = "supply"
    summary = "products handed from custodian to custodian, inspections, recalls"
    artifacts: ClassVar[Mapping[str, str]] = {"provenance": "provenance"}
    dials = (
        Dial("batches", 500, "batches", 1, 100_000),
        Dial("batch_zipf", 0.8, "Zipf exponent of batches; 0 is uniform", 0.0, 5.0),
        Dial("per_batch", 10, "products in a batch; with few, most transactions wait for the one before", 1, 10_000),
        Dial("custodians", 5_000, "accounts that produce, carry and sell", 2, 1_000_000),
        Dial("custodian_zipf", 0.94, "Zipf exponent of custodians; 0 is uniform", 0.0, 5.0),
        Dial("inspectors", 50, "certified inspectors", 1, 10_000),
        Dial("produce", 0.1, "share of new products", 0.0, 1.0),
        Dial("inspect", 0.05, "share of inspections", 0.0, 1.0),
        Dial("recall", 0.001, "share of recalls", 0.0, 1.0),
        BURST,
    )
    presets = (
        Preset("recall", "a contamination: batches are inspected and recalled while they move (no measurement at hand)",
               {"inspect": 0.3, "recall": 0.01, "batch_zipf": 1.2}),
    )  # fmt: skip

    ends = (
        {"batches": 100_000, "batch_zipf": 0.0, "custodians": 1_000_000, "custodian_zipf": 0.0, "inspect": 0.0,
         "recall": 0.0},
        {"batches": 500, "batch_zipf": 5.0, "custodians": 100, "custodian_zipf": 2.0, "inspect": 0.5, "recall": 0.0},
    )  # fmt: skip

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        draft, count = site.draft, site.draft.size
        shares = {kind: float(dials[kind]) for kind in ("produce", "inspect", "recall")}
        kinds = mix(site.stream("kinds"), {"move": max(0.0, 1.0 - sum(shares.values())), **shares}, count)
        batches, per_batch = int(dials["batches"]), int(dials["per_batch"])
        chosen = Zipf(batches, float(dials["batch_zipf"])).draw(site.stream("batches"), count).tolist()
        custodians = Zipf(int(dials["custodians"]), float(dials["custodian_zipf"]))
        receivers = custodians.draw(site.stream("receivers"), count).tolist()
        makers = custodians.draw(site.stream("producers"), batches).tolist()
        units = site.stream("products").below(per_batch, count).tolist()
        inspectors = site.stream("inspectors").below(int(dials["inspectors"]), count).tolist()
        recalls = site.stream("recalls").below(batches, count).tolist()

        chain = site.deploy("provenance", "provenance", draft.accounts[AUTHORITY])
        site.roles["authority"] = draft.accounts[AUTHORITY]
        methods = {name: load("provenance").method(name) for name in GAS}
        # Where products are, and to whom they are under way, as of the transactions written so far.
        places: dict[int, tuple[int, int | None]] = {}
        first: dict[int, None] = {}
        produced: dict[int, int] = {}
        batch_of: dict[int, int] = {}
        stocks: dict[tuple[int, int], None] = {}
        inspections: dict[int, list[int]] = {}
        recalled: dict[int, None] = {}
        for place, (kind, batch, receiver) in enumerate(zip(kinds, chosen, receivers, strict=True)):
            maker = makers[batch]
            if kind == "inspect":
                passed = place % FAILING != 0
                tally = inspections.setdefault(batch, [0, 0])
                tally[0], tally[1] = tally[0] + 1, tally[1] + (not passed)
                sender = INSPECTORS - inspectors[place]
                draft.add(sender, chain, GAS[kind], methods[kind](batch, passed))
            elif kind == "recall" and (target := recalls[place]) not in recalled:
                recalled[target] = None
                draft.add(AUTHORITY, chain, GAS[kind], methods[kind](target))
            elif kind == "produce":
                number = produced[batch] = produced.get(batch, 0) + 1
                product = (per_batch + number) * batches + batch
                batch_of[product] = batch
                places[product] = (maker, None)
                stocks[maker, batch] = None
                draft.add(maker, chain, GAS[kind], methods[kind](product, batch))
            else:
                product = units[place] * batches + batch
                if product not in places:
                    places[product], first[product], batch_of[product] = (maker, None), None, batch
                    stocks[maker, batch] = None
                holder, awaited = places[product]
                if awaited is not None:
                    places[product] = (awaited, None)
                    stocks[awaited, batch] = None
                    draft.add(awaited, chain, GAS["receive"], methods["receive"](product))
                    continue
                if receiver == holder:
                    receiver = (receiver + 1) % int(dials["custodians"])
                places[product] = (holder, receiver)
                draft.add(holder, chain, GAS["ship"], methods["ship"](product, draft.accounts[receiver]))
        touched = sorted({*batch_of.values(), *inspections, *recalled})
        _store(site, first, batch_of, makers, touched, int(dials["inspectors"]))
        return {
            "products": batch_of,
            "stocks": tuple((draft.accounts[holder], batch) for holder, batch in stocks),
            "inspections": inspections,
            "batches": touched,
            "recalled": frozenset(recalled),
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether stock is what custodians have, and batches count their inspections. See `Application.verify`."""
        storage = Storage(state, scenario.contracts["provenance"], load("provenance"))
        notes, found, held = scenario.notes, [], dict[tuple[int, int], int]()
        for product, batch in notes["products"].items():
            custodian = storage.get("products", product)
            recorded = storage.get("products", product, offset=BATCH)
            if custodian:
                held[custodian, batch] = held.get((custodian, batch), 0) + 1
            if custodian and recorded != batch:
                found.append(f"product {product}: is of batch {recorded}, not of {batch}")
        for account, batch in notes["stocks"]:
            have = held.pop((int.from_bytes(account, "big"), batch), 0)
            if (stock := storage.get("stock", account, batch)) != have:
                found.append(f"batch {batch}: 0x{account.hex()} has {have} products, its stock says {stock}")
        if held:
            found.append(f"products are with {len(held)} custodians to whom nobody sent them")
        for batch in notes["batches"]:
            inspected, failed = notes["inspections"].get(batch, (0, 0))
            wanted = [int(batch in notes["recalled"]), PASSED + inspected, failed]
            fields = [storage.get("batches", batch, offset=field) for field in (RECALLED, INSPECTIONS, FAILURES)]
            if fields != wanted:
                found.append(f"batch {batch}: recalled, inspections and failures are {fields}, should be {wanted}")
        return found


def _store(
    site: Site,
    products: Mapping[int, None],
    batch_of: Mapping[int, int],
    makers: list[int],
    batches: list[int],
    inspectors: int,
) -> None:
    """Write what is there at genesis: products with their makers, batches that passed inspections, and inspectors."""
    storage, stocks = site.storage("provenance", "provenance"), dict[tuple[int, int], int]()
    for product in products:
        batch = batch_of[product]
        storage.set(int.from_bytes(site.draft.accounts[makers[batch]], "big"), "products", product)
        storage.set(batch, "products", product, offset=BATCH)
        stocks[makers[batch], batch] = stocks.get((makers[batch], batch), 0) + 1
    for (holder, batch), count in stocks.items():
        storage.set(count, "stock", site.draft.accounts[holder], batch)
    for batch in batches:
        storage.set(int.from_bytes(site.draft.accounts[makers[batch]], "big"), "batches", batch)
        storage.set(PASSED, "batches", batch, offset=INSPECTIONS)
    for number in range(inspectors):
        storage.set(1, "isCertified", site.draft.accounts[INSPECTORS - number])
