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

from workloads.abi import decode_words, load
from workloads.accounts import named_account
from workloads.application import Application
from workloads.arrivals import BURST
from workloads.base import Dial, DialValue, Preset, Scenario
from workloads.sampling import Zipf, mix
from workloads.site import Site
from workloads.storage import Storage
from workloads.tokens import UNIT

if TYPE_CHECKING:
    from evm import State, Transaction

HUB = 0
BID, ASK = 0, 1
PRICES, MIDDLE, LEVELS, REACH = 256, 128, 12, 30
TICKS_PER_UNIT = 100
OWNER_BITS = 64
GAS = {"place": 190_000, "cross": 300_000, "cancel": 100_000, "deposit": 90_000, "withdraw": 90_000}
MAKER = "market maker"


@dataclass
class _Book:
    """One book while its transactions are written: balances that traders need in it, and orders placed."""

    address: bytes
    balances: dict[tuple[str, bytes], int] = field(default_factory=dict)
    orders: dict[tuple[bytes, int], None] = field(default_factory=dict)
    resting: list[tuple[int, int]] = field(default_factory=list)

    def need(self, side: int, trader: bytes, price: int, amount: int) -> None:
        """Let a trader have what an order can cost."""
        key = ("quoteOf", trader) if side == BID else ("baseOf", trader)
        self.balances[key] = self.balances.get(key, 0) + (_cost(price, amount) if side == BID else amount)


class Orders(Application):
    """Order books: conflicts through best prices, heads of queues, depths, and makers' balances."""

    name = "orders"
    summary = "limit orders and cancellations on on-chain order books"
    artifacts: ClassVar[Mapping[str, str]] = {"token": "token", "book": "orderbook"}
    dials = (
        Dial("books", 16, "order books; with 1 every transaction conflicts", 1, 200),
        Dial("book_zipf", 1.23, "Zipf exponent of books; 0 is uniform", 0.0, 5.0),
        Dial("accounts", 5_000, "accounts that trade", 1, 1_000_000),
        Dial("account_zipf", 0.80, "Zipf exponent of accounts; 0 is uniform", 0.0, 5.0),
        Dial("cancel", 0.25, "share of cancellations", 0.0, 1.0),
        Dial("cross", 0.3, "share of the orders that cross the spread", 0.0, 1.0),
        Dial("funding", 0.05, "share of deposits and withdrawals", 0.0, 1.0),
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
        """Owner and number of an order in one word; side and price of what a book has best. See `Workload`."""
        owner = int.from_bytes(transaction.sender, "big") << OWNER_BITS
        for number in decode_words(transaction.data[4:]):
            if number >> OWNER_BITS == 0:
                yield (owner | number,)
        for price in range(MIDDLE - REACH, MIDDLE + REACH + 1):
            for side in (BID, ASK):
                yield side, price
                # The first in the queue there.
                yield side, price, 0

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        draft, count = site.draft, site.draft.size
        cancel, funding = float(dials["cancel"]), float(dials["funding"])
        weights = {
            "place": max(0.0, 1.0 - cancel - funding),
            "cancel": cancel,
            "deposit": funding / 2,
            "withdraw": funding / 2,
        }
        kinds = mix(site.stream("kinds"), weights, count)
        chosen = Zipf(int(dials["books"]), float(dials["book_zipf"])).draw(site.stream("books"), count).tolist()
        accounts = Zipf(int(dials["accounts"]), float(dials["account_zipf"]))
        actors = accounts.draw(site.stream("accounts"), count).tolist()
        sides = site.stream("sides").below(2, count).tolist()
        crossing = site.stream("crossing").chance(float(dials["cross"]), count).tolist()
        distances = Zipf(REACH, 1.0).draw(site.stream("distances"), count).tolist()
        sizes = site.stream("sizes").below(1_000, count).tolist()
        picks = site.stream("picks").raw(count).tolist()

        hub = site.token(HUB)
        books = {b: _open(site, b, hub) for b in sorted(set(chosen))}
        methods = {name: load("orderbook").method(name) for name in ("place", "cancel", "deposit", "withdraw")}
        numbers: dict[int, int] = {}
        for place, (kind, b, actor, side) in enumerate(zip(kinds, chosen, actors, sides, strict=True)):
            book, trader = books[b], draft.accounts[actor]
            amount = (1 + sizes[place]) * UNIT // 1_000
            if kind == "cancel" and book.resting:
                owner, number = book.resting.pop(picks[place] % len(book.resting))
                draft.add(owner, book.address, GAS["cancel"], methods["cancel"](number))
            elif kind in ("deposit", "withdraw"):
                token = HUB if side == BID else b + 1
                site.tokens.give(token, trader, amount if kind == "deposit" else 0)
                site.tokens.allow(token, trader, book.address)
                book.need(side, trader, TICKS_PER_UNIT, amount if kind == "withdraw" else 0)
                draft.add(actor, book.address, GAS[kind], methods[kind](site.tokens[token], amount))
            else:
                away = -2 - distances[place] // 4 if crossing[place] else 1 + distances[place]
                price = MIDDLE - away if side == BID else MIDDLE + away
                number = numbers[actor] = numbers.get(actor, 0) + 1
                book.need(side, trader, price, amount)
                book.orders[trader, number] = None
                if not crossing[place]:
                    book.resting.append((actor, number))
                gas = GAS["cross" if crossing[place] else "place"]
                draft.add(actor, book.address, gas, methods["place"](number, side, price, amount))
        return {"books": {book.address: _fill(site, b, book) for b, book in books.items()}}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether books hold what traders have in them, and their indexes tell the truth. See `Application.verify`.

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


def _open(site: Site, number: int, hub: bytes) -> _Book:
    """Deploy a book in which a market maker's orders rest on both sides, deep enough for most takers."""
    address = site.deploy(f"book {number}", "orderbook", site.token(number + 1), hub)
    book, maker = _Book(address), named_account(MAKER)
    place, storage = load("orderbook").method("place"), Storage(site.genesis.state, address, load("orderbook"))
    amount = 1_000 * UNIT
    levels = [
        (side, MIDDLE + (-1 - level if side == BID else 1 + level)) for side in (BID, ASK) for level in range(LEVELS)
    ]
    for side, price in levels:
        book.need(side, maker, price, amount)
    for (variable, trader), balance in book.balances.items():
        storage.set(balance, variable, trader)
    for order, (side, price) in enumerate(levels):
        site.genesis.call(address, place(order, side, price, amount), maker)
        book.orders[maker, order] = None
    return book


def _fill(site: Site, number: int, book: _Book) -> tuple[bytes, tuple[bytes, ...], tuple[tuple[bytes, int], ...]]:
    """Write what traders have in a book at genesis; its base token, traders and orders, for the check afterwards."""
    storage = Storage(site.genesis.state, book.address, load("orderbook"))
    maker = named_account(MAKER)
    totals = {"baseOf": 0, "quoteOf": 0}
    for (variable, trader), balance in book.balances.items():
        totals[variable] += balance
        if trader != maker:
            # The maker's balances have become orders.
            storage.set(balance, variable, trader)
    site.tokens.give(number + 1, book.address, totals["baseOf"])
    site.tokens.give(HUB, book.address, totals["quoteOf"])
    traders = dict.fromkeys((maker, *(trader for _, trader in book.balances), *(trader for trader, _ in book.orders)))
    return site.tokens[number + 1], tuple(traders), tuple(book.orders)
