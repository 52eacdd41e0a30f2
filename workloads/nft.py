"""NFT: a mint rush on shared counters, and a marketplace beside it.

Minters buy the next tokens of a collection, all through one counter and into one ether balance. On the market, sellers
list tokens that they own and have approved, and buyers pay in ether: the market takes it in and passes it on to the
seller and, for the fee, to its treasury, so purchases on one market form a chain through its balance. Offers are paid
in the hub token instead, and their acceptance pays a royalty to the collection's creator.

Defaults, and where they come from (public chain data of 2022 unless said otherwise):

- ``collections``, ``collection_zipf``: 844 mint contracts with Zipf exponent 1.32.
- ``accounts``, ``minter_zipf``: 10,783 minters with Zipf exponent 0.53; traders are drawn like minters.
- ``fee_bps``: 2.5 %, what the largest marketplace took in 2022.
- ``offers``: off, so that blocks are those of earlier versions.
- ``mint``, ``buy``, ``batch``: no measurement was at hand. A rush is mostly mints; half of the rest are purchases; a
  mint takes 1 to ``batch`` tokens, each number equally often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workloads.abi import load
from workloads.accounts import named_account
from workloads.application import Application
from workloads.arrivals import BURST
from workloads.base import Dial, DialValue, Preset, Scenario
from workloads.bazaar import Bazaar, bazaar_violations
from workloads.draft import ETHER, Draft
from workloads.sampling import Stream, Zipf
from workloads.shelf import Shelf
from workloads.site import Site
from workloads.storage import Storage

if TYPE_CHECKING:
    from evm import Genesis, State

MINT_PRICE = ETHER // 20
MAX_BATCH = 20
# Gas limits as a wallet sets them: about a quarter above what such a call uses at most.
MINT_GAS, MINT_GAS_EACH = 95_000, 30_000
LIST_GAS = 130_000
BUY_GAS = 140_000
# A buyer chooses among the listings made in these blocks and this many older ones.
OLDER_LISTINGS = 10


@dataclass(frozen=True)
class _Book:
    """What `Nft.check` needs to know of one collection: tokens at genesis, tokens asked for, and as in `Shelf`."""

    before: int
    asked: int
    limit: int
    involved: tuple[bytes, ...]


class Nft(Application):
    """Mints and marketplace: conflicts through collections' counters, and ether balances of collections and market."""

    name = "nft"
    summary = "ERC-721 mint rush, marketplace listings and purchases"
    artifacts: ClassVar[Mapping[str, str]] = {
        "collection": "collection",
        "market": "market",
        "bazaar": "bazaar",
        "token": "token",
    }
    dials = (
        Dial("collections", 844, "ERC-721 collections", 1, 10_000),
        Dial("collection_zipf", 1.32, "Zipf exponent of collections; 0 is uniform", 0.0, 5.0),
        Dial("accounts", 10_783, "accounts that mint and trade", 2, 1_000_000),
        Dial("minter_zipf", 0.53, "Zipf exponent of accounts; 0 is uniform", 0.0, 5.0),
        Dial("mint", 0.7, "share of mints, the rest being listings and purchases", 0.0, 1.0),
        Dial("buy", 0.5, "share of purchases on the market, the rest being listings", 0.0, 1.0),
        Dial("batch", 5, "most tokens in one mint", 1, MAX_BATCH),
        Dial("supply", 100_000, "tokens of a collection that are left to mint; later mints revert", 1, 10**9),
        Dial("markets", 1, "marketplaces, each for its share of the collections", 1, 1_000),
        Dial("fee_bps", 250, "fee of the marketplaces, in hundredths of a percent", 0, 1_000),
        Dial("offers", 0.0, "share of offers and their acceptances, paid in a token, of all but mints", 0.0, 1.0),
        Dial("royalty_bps", 500, "creators' share of accepted offers, in hundredths of a percent", 0, 1_000),
        BURST,
    )
    presets = (
        Preset("mint", "mint contracts and minters of 2022: Zipf 1.32 and 0.53, nothing but mints", {"mint": 1.0}),
        Preset("mint-rush", "one drop that everybody waits for, sold out within the block: a token sale's plateau",
               {"collections": 1, "mint": 1.0, "supply": 20_000, "minter_zipf": 0.3, "burst": "plateau"}),
        Preset("trading", "no drop: listings, purchases, and offers with royalties (no measurement at hand)",
               {"mint": 0.05, "offers": 0.4}),
    )  # fmt: skip

    ends = (
        {"collections": 10_000, "collection_zipf": 0.0, "accounts": 1_000_000, "minter_zipf": 0.0, "markets": 1_000},
        {"collections": 844, "collection_zipf": 5.0, "accounts": 10_000, "minter_zipf": 0.5, "markets": 1},
    )

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        draft, genesis, count = site.draft, site.genesis, site.draft.size
        popularity = Zipf(int(dials["collections"]), float(dials["collection_zipf"]))
        chosen = popularity.draw(site.stream("collections"), count).tolist()
        minters = Zipf(int(dials["accounts"]), float(dials["minter_zipf"]))
        actors = minters.draw(site.stream("minters"), count).tolist()
        mints = site.stream("mints").chance(float(dials["mint"]), count).tolist()
        buys = site.stream("purchases").chance(float(dials["buy"]), count).tolist()
        quantities = site.stream("quantities").below(int(dials["batch"]), count).tolist()
        sellers = _sellers(site.stream("sellers"), actors, int(dials["accounts"]))
        prices = site.stream("prices").below(500, count).tolist()
        picks = site.stream("picks").raw(count).tolist()

        markets = int(dials["markets"])
        trades = Counter(number for number, is_mint in zip(chosen, mints, strict=True) if not is_mint)
        # No more tokens than trades exist at genesis, so at least the dial's supply is left.
        shelves = {number: Shelf(limit=int(dials["supply"]) + trades[number]) for number in sorted(set(chosen))}
        collections = {number: _deploy_collection(site, number, shelf.limit) for number, shelf in shelves.items()}
        market = {
            number: site.deploy(f"market {number}", "market", named_account("treasury"), int(dials["fee_bps"]))
            for number in sorted({number % markets for number in trades})
        }
        bids = site.stream("offers").chance(float(dials["offers"]), count).tolist()
        bazaar = Bazaar(site, int(dials["fee_bps"]), int(dials["royalty_bps"])) if any(bids) else None
        mint, list_ = load("collection").method("mint"), load("market").method("list")
        buy = load("market").method("buy")
        for place, (number, actor) in enumerate(zip(chosen, actors, strict=True)):
            collection, shelf = collections[number], shelves[number]
            price = (1 + prices[place]) * ETHER // 100
            shelf.involved[actor] = None
            if mints[place]:
                quantity = 1 + quantities[place]
                gas_limit = MINT_GAS + MINT_GAS_EACH * quantity
                draft.add(actor, collection, gas_limit, mint(quantity), MINT_PRICE * quantity)
                shelf.asked += quantity
                continue
            if bids[place] and bazaar is not None:
                if buys[place]:
                    bazaar.accept(actor, sellers[place], number, shelf, collection, price)
                else:
                    bazaar.offer(actor, collection, picks[place] % (len(shelf.owners) + 1), price)
                continue
            if not buys[place]:
                listing = shelf.new_listing(actor, price)
                shelf.open.append(listing)
                draft.add(actor, market[number % markets], LIST_GAS, list_(collection, listing.token, price))
                continue
            pick = picks[place] % (len(shelf.open) + OLDER_LISTINGS)
            if pick < len(shelf.open) and shelf.open[pick].seller != actor:
                listing = shelf.open.pop(pick)
            else:
                listing = shelf.older_listing(sellers[place], price)
            draft.add(actor, market[number % markets], BUY_GAS, buy(collection, listing.token), listing.price)

        for number, shelf in shelves.items():
            _stock(genesis, draft, shelf, collections[number], market.get(number % markets))
        site.roles["treasury"] = named_account("treasury")
        return {
            "collections": {
                collections[number]: _Book(
                    len(shelf.owners), shelf.asked, shelf.limit, tuple(site.accounts(shelf.involved))
                )
                for number, shelf in shelves.items()
            },
            "markets": tuple(market.values()),
            "bazaar": bazaar is not None,
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether tokens have one owner each, counters equal what was minted, and ether is kept.

        See `Application.verify`.

        For each collection: tokens 0 to counter - 1 have owners, the next one has none; owners' balances count their
        tokens; the ether that it holds is the price of all its tokens; and the counter is where the mints of these
        blocks bring it (which, when they ask for more than is left, depends on who came first). No market keeps ether.
        """
        violations = []
        for collection, book in scenario.notes["collections"].items():
            violations += _collection_violations(state, collection, book, int(scenario.dials["batch"]))
        for market in scenario.notes["markets"]:
            if state.balance(market):
                violations.append(f"market 0x{market.hex()}: keeps {state.balance(market)} wei")
        if scenario.notes["bazaar"]:
            violations += bazaar_violations(scenario, state)
        return violations


def _sellers(stream: Stream, actors: list[int], accounts: int) -> list[int]:
    """For each actor another account, uniformly."""
    steps = stream.below(accounts - 1, len(actors)).tolist()
    return [(actor + 1 + step) % accounts for actor, step in zip(actors, steps, strict=True)]


def _deploy_collection(site: Site, number: int, supply: int) -> bytes:
    label, opened = f"collection {number}", site.genesis.environment.timestamp
    return site.deploy(label, "collection", f"Collection {number}", f"C{number}", supply, MAX_BATCH, MINT_PRICE, opened)


def _stock(genesis: Genesis, draft: Draft, shelf: Shelf, collection: bytes, market: bytes | None) -> None:
    """Write what a collection looks like at genesis: tokens paid for and owned, the market approved, some listed."""
    storage = Storage(genesis.state, collection, load("collection"))
    storage.set(len(shelf.owners), "totalSupply")
    genesis.fund(collection, MINT_PRICE * len(shelf.owners))
    for token, owner in enumerate(shelf.owners):
        storage.set(int.from_bytes(draft.accounts[owner], "big"), "owners", token)
    for owner, held in Counter(shelf.owners).items():
        storage.set(held, "balanceOf", draft.accounts[owner])
        if market is not None:
            storage.set(1, "isApprovedForAll", draft.accounts[owner], market)
    if market is not None:
        listings = Storage(genesis.state, market, load("market"))
        for listing in shelf.listed:
            seller = int.from_bytes(draft.accounts[listing.seller], "big")
            listings.set(seller, "listings", collection, listing.token)
            listings.set(listing.price, "listings", collection, listing.token, offset=1)


def _collection_violations(state: State, collection: bytes, book: _Book, batch: int) -> list[str]:
    storage = Storage(state, collection, load("collection"))
    name, found = f"collection 0x{collection.hex()}", []
    counter, wanted = storage.get("totalSupply"), book.before + book.asked
    # A mint fails only when fewer than its batch are left, and the counter never goes back.
    least = wanted if wanted <= book.limit else book.limit - batch + 1
    if not least <= counter <= min(wanted, book.limit):
        found.append(f"{name}: counter is {counter} after {book.before} tokens and mints of {book.asked}")
    if state.balance(collection) != MINT_PRICE * counter:
        found.append(f"{name}: holds {state.balance(collection)} wei for {counter} tokens of {MINT_PRICE} wei")
    owners = [storage.get("owners", token) for token in range(counter + 1)]
    held = Counter(owners[:counter])
    for account in book.involved:
        owned, balance = held.pop(int.from_bytes(account, "big"), 0), storage.get("balanceOf", account)
        if balance != owned:
            found.append(f"{name}: 0x{account.hex()} owns {owned} tokens, its balance says {balance}")
    if held or owners[counter]:
        found.append(f"{name}: not exactly the tokens below its counter of {counter} have one of its owners")
    return found
