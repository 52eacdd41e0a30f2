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

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import Zipf
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

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
        Dial.zipf("batch_zipf", 0.8, "batches"),
        Dial("per_batch", 10, "products in a batch; with few, most transactions wait for the one before", 1, 10_000),
        Dial("custodians", 5_000, "accounts that produce, carry and sell", 2, 1_000_000),
        Dial.zipf("custodian_zipf", 0.94, "custodians"),
        Dial("inspectors", 50, "certified inspectors", 1, 10_000),
        Dial.share("produce", 0.1, "share of new products"),
        Dial.share("inspect", 0.05, "share of inspections"),
        Dial.share("recall", 0.001, "share of recalls"),
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

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder, count = chain.block_builder, chain.block_builder.transaction_count
        shares = {kind: float(dials[kind]) for kind in ("produce", "inspect", "recall")}
        kinds = chain.draw_kinds("kinds", {"move": max(0.0, 1.0 - sum(shares.values())), **shares})
        batches, per_batch = int(dials["batches"]), int(dials["per_batch"])
        chosen = chain.draw_ranks("batches", batches, float(dials["batch_zipf"]))
        custodians = Zipf(int(dials["custodians"]), float(dials["custodian_zipf"]))
        receivers = custodians.draw(chain.stream("receivers"), count).tolist()
        producers = custodians.draw(chain.stream("producers"), batches).tolist()
        units = chain.draw_below("products", per_batch)
        inspectors = chain.draw_below("inspectors", int(dials["inspectors"]))
        recalls = chain.draw_below("recalls", batches)

        provenance = chain.deploy("provenance", "provenance", builder.accounts[AUTHORITY])
        chain.roles["authority"] = builder.accounts[AUTHORITY]
        methods = {name: load("provenance").method(name) for name in GAS}
        # Custodian of each product, and receiver of one under way, as of the transactions added so far.
        custody: dict[int, tuple[int, int | None]] = {}
        at_genesis: dict[int, None] = {}
        produced: dict[int, int] = {}
        batch_of: dict[int, int] = {}
        stocks: dict[tuple[int, int], None] = {}
        inspections: dict[int, list[int]] = {}
        recalled: dict[int, None] = {}
        for i, (kind, batch, receiver) in enumerate(zip(kinds, chosen, receivers, strict=True)):
            producer = producers[batch]
            if kind == "inspect":
                passed = i % FAILING != 0
                tally = inspections.setdefault(batch, [0, 0])
                tally[0], tally[1] = tally[0] + 1, tally[1] + (not passed)
                sender = INSPECTORS - inspectors[i]
                builder.add(sender, provenance, GAS[kind], methods[kind](batch, passed))
            elif kind == "recall" and (target := recalls[i]) not in recalled:
                recalled[target] = None
                builder.add(AUTHORITY, provenance, GAS[kind], methods[kind](target))
            elif kind == "produce":
                index = produced[batch] = produced.get(batch, 0) + 1
                product = (per_batch + index) * batches + batch
                batch_of[product] = batch
                custody[product] = (producer, None)
                stocks[producer, batch] = None
                builder.add(producer, provenance, GAS[kind], methods[kind](product, batch))
            else:
                product = units[i] * batches + batch
                if product not in custody:
                    custody[product], at_genesis[product], batch_of[product] = (producer, None), None, batch
                    stocks[producer, batch] = None
                holder, awaited = custody[product]
                if awaited is not None:
                    custody[product] = (awaited, None)
                    stocks[awaited, batch] = None
                    builder.add(awaited, provenance, GAS["receive"], methods["receive"](product))
                    continue
                if receiver == holder:
                    receiver = (receiver + 1) % int(dials["custodians"])
                custody[product] = (holder, receiver)
                builder.add(holder, provenance, GAS["ship"], methods["ship"](product, builder.accounts[receiver]))
        touched = sorted({*batch_of.values(), *inspections, *recalled})
        _write_storage(chain, at_genesis, batch_of, producers, touched, int(dials["inspectors"]))
        return {
            "products": batch_of,
            "stocks": tuple((builder.accounts[holder], batch) for holder, batch in stocks),
            "inspections": inspections,
            "batches": touched,
            "recalled": frozenset(recalled),
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that stocks count custodians' products, and batches their inspections. See `Application.verify`."""
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
            owned = held.pop((int.from_bytes(account, "big"), batch), 0)
            if (stock := storage.get("stock", account, batch)) != owned:
                found.append(f"batch {batch}: 0x{account.hex()} has {owned} products, its stock says {stock}")
        if held:
            found.append(f"products are with {len(held)} custodians to whom nobody sent them")
        for batch in notes["batches"]:
            inspected, failed = notes["inspections"].get(batch, (0, 0))
            wanted = [int(batch in notes["recalled"]), PASSED + inspected, failed]
            fields = [storage.get("batches", batch, offset=field) for field in (RECALLED, INSPECTIONS, FAILURES)]
            if fields != wanted:
                found.append(f"batch {batch}: recalled, inspections and failures are {fields}, should be {wanted}")
        return found


def _write_storage(
    chain: ChainBuilder,
    products: Mapping[int, None],
    batch_of: Mapping[int, int],
    producers: list[int],
    batches: list[int],
    inspectors: int,
) -> None:
    """Write the genesis: products with their producers, batches that passed inspections, and inspectors."""
    storage, stocks = chain.storage("provenance", "provenance"), dict[tuple[int, int], int]()
    for product in products:
        batch = batch_of[product]
        storage.set(chain.block_builder.accounts[producers[batch]], "products", product)
        storage.set(batch, "products", product, offset=BATCH)
        stocks[producers[batch], batch] = stocks.get((producers[batch], batch), 0) + 1
    for (holder, batch), count in stocks.items():
        storage.set(count, "stock", chain.block_builder.accounts[holder], batch)
    for batch in batches:
        storage.set(chain.block_builder.accounts[producers[batch]], "batches", batch)
        storage.set(PASSED, "batches", batch, offset=INSPECTIONS)
    for inspector in range(inspectors):
        storage.set(1, "isCertified", chain.block_builder.accounts[INSPECTORS - inspector])
