"""What `orderbook` promises, asked of the compiled contract and held against a plain model of a book."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from contend.workloads.building.tokens import UNLIMITED
from tests.workloads.world import ALICE, BOB, CAROL, Contract, World, reverts

BID, ASK = 0, 1
UNIT = 100  # the smallest amount


@pytest.fixture
def book() -> Contract:
    return open_book()


def open_book() -> Contract:
    world = World()
    base, quote = (world.deploy("token", name, name, 18, 10**12) for name in ("Base", "Quote"))
    book = world.deploy("orderbook", base.address, quote.address)
    for token in (base, quote):
        for account in (BOB, CAROL):
            token.send(ALICE, "transfer", account, 10**9)
        for account in (ALICE, BOB, CAROL):
            token.send(account, "approve", book.address, UNLIMITED)
            book.send(account, "deposit", token.address, 10**8)
    return book


def test_orders_rest_and_are_filled_best_price_first_then_oldest(book: Contract) -> None:
    book.send(ALICE, "place", 1, ASK, 110, 3 * UNIT)
    book.send(BOB, "place", 1, ASK, 105, UNIT)
    book.send(ALICE, "place", 2, ASK, 105, UNIT)
    assert book.ask("best", ASK) == (105,)
    assert book.ask("depth", ASK, 105) == (2 * UNIT,)
    # Takes BOB's, then ALICE's at 105, then a part at 110.
    book.send(CAROL, "place", 1, BID, 110, 3 * UNIT)
    assert book.ask("quoteOf", BOB) == (10**8 + 105,)
    assert book.ask("quoteOf", ALICE) == (10**8 + 105 + 110,)
    assert book.ask("quoteOf", CAROL) == (10**8 - 320,)
    assert book.ask("baseOf", CAROL) == (10**8 + 3 * UNIT,)
    assert book.ask("best", ASK) == (110,)
    assert book.ask("best", BID) == (0,)
    assert book.ask("depth", ASK, 110) == (2 * UNIT,)


def test_what_does_not_cross_rests_and_is_cancelled(book: Contract) -> None:
    book.send(ALICE, "place", 7, BID, 90, 2 * UNIT)
    assert book.ask("quoteOf", ALICE) == (10**8 - 180,)
    with reverts("book: no such order"):
        book.send(BOB, "cancel", 7)
    with reverts("book: number used"):
        book.send(ALICE, "place", 7, BID, 91, UNIT)
    assert book.send(ALICE, "cancel", 7) == (2 * UNIT,)
    assert book.send(ALICE, "cancel", 7) == (0,)
    assert book.ask("quoteOf", ALICE) == (10**8,)
    assert book.ask("best", BID) == (0,)
    # A cancelled order is an empty place in its queue.
    book.send(ALICE, "place", 8, BID, 90, UNIT)
    book.send(BOB, "place", 1, BID, 90, UNIT)
    book.send(ALICE, "cancel", 8)
    book.send(CAROL, "place", 1, ASK, 80, UNIT)
    assert book.ask("baseOf", BOB) == (10**8 + UNIT,)
    assert book.ask("quoteOf", CAROL) == (10**8 + 90,)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((1, 2, 100, UNIT), "book: no such side"),
        ((1, BID, 0, UNIT), "book: no such price"),
        ((1, BID, 256, UNIT), "book: no such price"),
        ((1, BID, 100, 99), "book: amount"),
        ((1, BID, 100, 0), "book: amount"),
        ((2**64, BID, 100, UNIT), "book: number too large"),
        ((1, BID, 255, 10**9), "book: insufficient quote"),
        ((1, ASK, 255, 10**9), "book: insufficient base"),
    ],
)
def test_bad_orders_are_refused(book: Contract, arguments: tuple[int, ...], reason: str) -> None:
    with reverts(reason):
        book.send(ALICE, "place", *arguments)


def test_money_leaves_only_to_its_owner(book: Contract) -> None:
    base = book.ask("base")[0].to_bytes(20, "big")
    book.send(ALICE, "withdraw", base, 10**8)
    with reverts("book: insufficient balance"):
        book.send(ALICE, "withdraw", base, 1)
    with reverts("book: token not traded"):
        book.send(ALICE, "withdraw", ALICE, 1)


def test_an_order_looks_at_so_many_places_and_never_leaves_the_book_crossed(book: Contract) -> None:
    for number in range(30):
        book.send(ALICE, "place", number, ASK, 100, UNIT)
    book.send(BOB, "place", 1, BID, 100, 30 * UNIT)
    assert book.ask("depth", ASK, 100) == (6 * UNIT,)
    assert book.ask("best", BID) == (0,)
    assert book.ask("baseOf", BOB) == (10**8 + 24 * UNIT,)


@dataclass
class Model:
    """A book as a list of orders: side, price, amount, owner, in the order of arrival."""

    resting: list[list[int]] = field(default_factory=list)
    base: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 10**8))
    quote: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 10**8))

    def place(self, owner: int, number: int, side: int, price: int, amount: int) -> None:
        better = -1 if side == ASK else 1
        facing = [one for one in self.resting if one[0] != side and one[2] and better * (price - one[1]) >= 0]
        for one in sorted(facing, key=lambda one: better * one[1]):
            filled = min(amount, one[2])
            one[2], amount = one[2] - filled, amount - filled
            buyer, seller = (owner, one[3]) if side == BID else (one[3], owner)
            if side == BID:
                self.quote[buyer] -= filled // UNIT * one[1]
                self.base[buyer] += filled
                self.quote[seller] += filled // UNIT * one[1]
            else:
                self.base[seller] -= filled
                self.quote[seller] += filled // UNIT * one[1]
                self.base[buyer] += filled
        if side == BID:
            self.quote[owner] -= amount // UNIT * price
        else:
            self.base[owner] -= amount
        self.resting.append([side, price, amount, owner, number])

    def cancel(self, owner: int, number: int) -> None:
        for one in self.resting:
            if one[3:] == [owner, number]:
                if one[0] == BID:
                    self.quote[owner] += one[2] // UNIT * one[1]
                else:
                    self.base[owner] += one[2]
                one[2] = 0


ACTIONS = some.lists(
    some.tuples(some.integers(0, 2), some.integers(0, 1), some.integers(95, 105), some.integers(1, 5), some.booleans()),
    max_size=14,
)


@given(ACTIONS)
@settings(max_examples=15, deadline=None)
def test_a_book_does_what_a_list_of_orders_does(actions: list[tuple[int, int, int, int, bool]]) -> None:
    book, model, accounts = open_book(), Model(), (ALICE, BOB, CAROL)
    for number, (owner, side, price, units, cancels) in enumerate(actions):
        if cancels and model.resting:
            one = model.resting[number % len(model.resting)]
            book.send(accounts[one[3]], "cancel", one[4])
            model.cancel(one[3], one[4])
        else:
            book.send(accounts[owner], "place", number, side, price, units * UNIT)
            model.place(owner, number, side, price, units * UNIT)
    for owner, account in enumerate(accounts):
        assert book.ask("baseOf", account) == (model.base[owner],)
        assert book.ask("quoteOf", account) == (model.quote[owner],)
    for side in (BID, ASK):
        for price in range(95, 106):
            assert book.ask("depth", side, price) == (sum(o[2] for o in model.resting if o[:2] == [side, price]),)
