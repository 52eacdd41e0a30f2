"""Order-book trading: limit orders that cross or rest, and cancellations, on books of one pair each.

Makers place orders away from the middle and take many of them back; takers cross the spread and are filled by the best
and oldest orders. All orders of a book meet in its best price, and fills at one price in the head of its queue, so a
book is a chain of its takers; orders that rest at different prices conflict only through the word that says which
prices are occupied.

Defaults, and where they come from:

- ``books``, ``book_zipf``: pairs are as unequal as on an average day of Uniswap (2022): 1.23.
- ``accounts``, ``account_zipf``: payment senders of 2022, 0.80.
- ``cancel``, ``cross``, ``funding``: no measurement was at hand. On exchanges most orders are taken back unfilled; on a
  chain, where that costs gas, fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.storage import Storage
from contend.workloads.building.tokens import UNIT
from contend.workloads.contracts.abi import decode_words, load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State, Transaction

HUB = 0
BID, ASK = 0, 1
PRICES, MIDDLE, LEVELS, REACH = 256, 128, 12, 30
TICKS_PER_UNIT = 100
OWNER_BITS = 64
GAS = {"place": 190_000, "cross": 300_000, "cancel": 100_000, "deposit": 90_000, "withdraw": 90_000}
MAKER = "market maker"


@dataclass
class _Book:
    """Order book while its transactions are generated.

    Attributes
    ----------
    address : bytes
    balances : dict
        Balance that each trader needs in the book at genesis, by variable of the contract and trader.
    orders : dict
        Orders placed, by trader and order number.
    resting : list
        Account index and order number of orders that rest and can be cancelled.
    """

    address: bytes
    balances: dict[tuple[str, bytes], int] = field(default_factory=dict)
    orders: dict[tuple[bytes, int], None] = field(default_factory=dict)
    resting: list[tuple[int, int]] = field(default_factory=list)

    def endow(self, side: int, trader: bytes, price: int, amount: int) -> None:
        """Add what an order can cost to a trader's balance at genesis."""
        key = ("quoteOf", trader) if side == BID else ("baseOf", trader)
        self.balances[key] = self.balances.get(key, 0) + (_cost(price, amount) if side == BID else amount)


class Orders(Application):
    """Order books: conflicts through best prices, heads of queues, depths, and makers' balances."""

    name = "orders"
    summary = "limit orders and cancellations on on-chain order books"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "token", "book": "orderbook"}
    dials = (
        Dial("books", 16, "order books; with 1 every transaction conflicts", 1, 200),
        Dial.zipf("book_zipf", 1.23, "books"),
        Dial("accounts", 5_000, "accounts that trade", 1, 1_000_000),
        Dial.zipf("account_zipf", 0.80, "accounts"),
        Dial.share("cancel", 0.25, "share of cancellations"),
        Dial.share("cross", 0.3, "share of the orders that cross the spread"),
        Dial.share("funding", 0.05, "share of deposits and withdrawals"),
        BURST,
    )
    presets = (
        Preset("opening", "NASDAQ's opening second has 808 times the orders of the median: few books, much crossing",
               {"books": 4, "book_zipf": 1.6, "cross": 0.6, "cancel": 0.1, "burst": "opening"}),
        Preset("burst", "books as unequal as Uniswap's pairs on its burstiest days of 2022: Zipf 1.60",
               {"book_zipf": 1.6}),
    )  # fmt: skip

    ends = (
        {"books": 200, "book_zipf": 0.0, "accounts": 1_000_000, "account_zipf": 0.0, "cancel": 0.0, "cross": 0.0},
        {"books": 16, "book_zipf": 5.0, "accounts": 5_000, "account_zipf": 0.8, "cancel": 0.0, "cross": 1.0},
    )

    def computed_keys(self, transaction: Transaction) -> Iterator[tuple[int, ...]]:
        """Keys of orders (owner and number in one word) and queues (side, price). See `Workload.computed_keys`."""
        owner = int.from_bytes(transaction.sender, "big") << OWNER_BITS
        for number in decode_words(transaction.data[4:]):
            if number >> OWNER_BITS == 0:
                yield (owner | number,)
        for price in range(MIDDLE - REACH, MIDDLE + REACH + 1):
            for side in (BID, ASK):
                yield side, price
                # First of the queue there.
                yield side, price, 0

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        cancel, funding = float(dials["cancel"]), float(dials["funding"])
        weights = {
            "place": max(0.0, 1.0 - cancel - funding),
            "cancel": cancel,
            "deposit": funding / 2,
            "withdraw": funding / 2,
        }
        kinds = chain.draw_kinds("kinds", weights)
        chosen = chain.draw_ranks("books", int(dials["books"]), float(dials["book_zipf"]))
        actors = chain.draw_ranks("accounts", int(dials["accounts"]), float(dials["account_zipf"]))
        sides = chain.draw_below("sides", 2)
        crossing = chain.draw_chances("crossing", float(dials["cross"]))
        distances = chain.draw_ranks("distances", REACH, 1.0)
        sizes = chain.draw_below("sizes", 1_000)
        picks = chain.stream("picks").raw(builder.transaction_count).tolist()

        hub = chain.token(HUB)
        books = {b: _deploy_book(chain, b, hub) for b in sorted(set(chosen))}
        methods = {name: load("orderbook").method(name) for name in ("place", "cancel", "deposit", "withdraw")}
        last_order: dict[int, int] = {}
        for i, (kind, b, actor, side) in enumerate(zip(kinds, chosen, actors, sides, strict=True)):
            book, trader = books[b], builder.accounts[actor]
            amount = (1 + sizes[i]) * UNIT // 1_000
            if kind == "cancel" and book.resting:
                owner, number = book.resting.pop(picks[i] % len(book.resting))
                builder.add(owner, book.address, GAS["cancel"], methods["cancel"](number))
            elif kind in ("deposit", "withdraw"):
                token = HUB if side == BID else b + 1
                chain.tokens.credit(token, trader, amount if kind == "deposit" else 0)
                chain.tokens.approve(token, trader, book.address)
                book.endow(side, trader, TICKS_PER_UNIT, amount if kind == "withdraw" else 0)
                builder.add(actor, book.address, GAS[kind], methods[kind](chain.tokens[token], amount))
            else:
                away = -2 - distances[i] // 4 if crossing[i] else 1 + distances[i]
                price = MIDDLE - away if side == BID else MIDDLE + away
                number = last_order[actor] = last_order.get(actor, 0) + 1
                book.endow(side, trader, price, amount)
                book.orders[trader, number] = None
                if not crossing[i]:
                    book.resting.append((actor, number))
                gas = GAS["cross" if crossing[i] else "place"]
                builder.add(actor, book.address, gas, methods["place"](number, side, price, amount))
        return {"books": {book.address: _write_book(chain, b, book) for b, book in books.items()}}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that books hold what traders have in them, and their indexes are right. See `Application.verify`.

        A book holds of each token the traders' balances and what rests; the depth at a price is the sum of the orders
        that rest there, its bit is set exactly if there are any, and the best bid is below the best ask.
        """
        found = []
        for address, (base, traders, orders) in scenario.notes["books"].items():
            storage, name = Storage(state, address, load("orderbook")), f"book 0x{address.hex()}"
            depth: dict[tuple[int, int], int] = {}
            for trader, number in orders:
                key = int.from_bytes(trader, "big") << OWNER_BITS | number
                if resting := storage.get("orders", key):
                    terms = storage.get("orders", key, offset=1)
                    level = (terms >> 8 & 1, terms & 255)
                    depth[level] = depth.get(level, 0) + resting
            for side in (BID, ASK):
                bits = storage.get("occupied", side)
                for price in range(PRICES):
                    recorded, resting = storage.get("depth", side, price), depth.get((side, price), 0)
                    if recorded != resting or bool(resting) != bool(bits >> price & 1):
                        found.append(f"{name}: {resting} rest on side {side} at {price}, recorded are {recorded}")
            bids, asks = storage.get("occupied", BID), storage.get("occupied", ASK)
            if bids and asks and bids.bit_length() - 1 >= (asks & -asks).bit_length() - 1:
                found.append(f"{name}: bids and asks cross")
            held = {
                base: sum(storage.get("baseOf", trader) for trader in traders)
                + sum(amount for (side, _), amount in depth.items() if side == ASK),
                scenario.contracts[f"token {HUB}"]: sum(storage.get("quoteOf", trader) for trader in traders)
                + sum(_cost(price, amount) for (side, price), amount in depth.items() if side == BID),
            }
            for token, owed in held.items():
                balance = Storage(state, token, load("token")).get("balanceOf", address)
                if balance != owed:
                    found.append(f"{name}: holds {balance} of token 0x{token.hex()} and owes {owed}")
        return found


def _cost(price: int, amount: int) -> int:
    """Quote units for base units, as the contract computes them."""
    return amount // TICKS_PER_UNIT * price


def _deploy_book(chain: ChainBuilder, index: int, hub: bytes) -> _Book:
    """Deploy a book in which a market maker's orders rest on both sides, deep enough for most takers."""
    address = chain.deploy(f"book {index}", "orderbook", chain.token(index + 1), hub)
    book, maker = _Book(address), named_account(MAKER)
    place, storage = load("orderbook").method("place"), Storage(chain.genesis.state, address, load("orderbook"))
    amount = 1_000 * UNIT
    levels = [
        (side, MIDDLE + (-1 - level if side == BID else 1 + level)) for side in (BID, ASK) for level in range(LEVELS)
    ]
    for side, price in levels:
        book.endow(side, maker, price, amount)
    for (variable, trader), balance in book.balances.items():
        storage.set(balance, variable, trader)
    for order, (side, price) in enumerate(levels):
        chain.genesis.call(address, place(order, side, price, amount), maker)
        book.orders[maker, order] = None
    return book


def _write_book(
    chain: ChainBuilder, index: int, book: _Book
) -> tuple[bytes, tuple[bytes, ...], tuple[tuple[bytes, int], ...]]:
    """Write the balances that traders have in a book at genesis; its base token, traders and orders, for the check."""
    storage = Storage(chain.genesis.state, book.address, load("orderbook"))
    maker = named_account(MAKER)
    totals = {"baseOf": 0, "quoteOf": 0}
    for (variable, trader), balance in book.balances.items():
        totals[variable] += balance
        if trader != maker:
            # The maker's balances have become orders.
            storage.set(balance, variable, trader)
    chain.tokens.credit(index + 1, book.address, totals["baseOf"])
    chain.tokens.credit(HUB, book.address, totals["quoteOf"])
    traders = dict.fromkeys((maker, *(trader for _, trader in book.balances), *(trader for trader, _ in book.orders)))
    return chain.tokens[index + 1], tuple(traders), tuple(book.orders)
