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

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.block_builder import ETHER
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.nft_inventory import NftInventory
from contend.workloads.building.nft_offers import NftOffers, offer_violations
from contend.workloads.building.sampling import RandomStream
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

MINT_PRICE = ETHER // 20
MAX_BATCH = 20
# Gas limits as a wallet sets them: about a quarter above what such a call uses at most.
MINT_GAS, MINT_GAS_EACH = 95_000, 30_000
LIST_GAS = 130_000
BUY_GAS = 140_000
# A buyer chooses among the listings made in these blocks and this many older ones.
OLDER_LISTINGS = 10


@dataclass(frozen=True)
class _Expected:
    """Expectations of one collection, for `Nft.verify`.

    Attributes
    ----------
    tokens_at_genesis : int
    mints_requested, mint_limit : int
        As in `NftInventory`.
    possible_owners : tuple[bytes, ...]
        Addresses.
    """

    tokens_at_genesis: int
    mints_requested: int
    mint_limit: int
    possible_owners: tuple[bytes, ...]


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
        Dial.zipf("collection_zipf", 1.32, "collections"),
        Dial("accounts", 10_783, "accounts that mint and trade", 2, 1_000_000),
        Dial.zipf("minter_zipf", 0.53, "accounts"),
        Dial.share("mint", 0.7, "share of mints, the rest being listings and purchases"),
        Dial.share("buy", 0.5, "share of purchases on the market, the rest being listings"),
        Dial("batch", 5, "most tokens in one mint", 1, MAX_BATCH),
        Dial("supply", 100_000, "tokens of a collection that are left to mint; later mints revert", 1, 10**9),
        Dial("markets", 1, "marketplaces, each for its share of the collections", 1, 1_000),
        Dial("fee_bps", 250, "fee of the marketplaces, in hundredths of a percent", 0, 1_000),
        Dial.share("offers", 0.0, "share of offers and their acceptances, paid in a token, of all but mints"),
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

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        chosen = chain.draw_ranks("collections", int(dials["collections"]), float(dials["collection_zipf"]))
        actors = chain.draw_ranks("minters", int(dials["accounts"]), float(dials["minter_zipf"]))
        mints = chain.draw_chances("mints", float(dials["mint"]))
        buys = chain.draw_chances("purchases", float(dials["buy"]))
        quantities = chain.draw_below("quantities", int(dials["batch"]))
        sellers = _sellers(chain.stream("sellers"), actors, int(dials["accounts"]))
        prices = chain.draw_below("prices", 500)
        picks = chain.stream("picks").raw(builder.transaction_count).tolist()

        markets = int(dials["markets"])
        trades = Counter(c for c, is_mint in zip(chosen, mints, strict=True) if not is_mint)
        # No more tokens than trades exist at genesis, so at least the dial's supply is left.
        inventories = {c: NftInventory(mint_limit=int(dials["supply"]) + trades[c]) for c in sorted(set(chosen))}
        collections = {c: _deploy_collection(chain, c, inventory.mint_limit) for c, inventory in inventories.items()}
        market = {
            m: chain.deploy(f"market {m}", "market", named_account("treasury"), int(dials["fee_bps"]))
            for m in sorted({c % markets for c in trades})
        }
        bids = chain.draw_chances("offers", float(dials["offers"]))
        offers = NftOffers(chain, int(dials["fee_bps"]), int(dials["royalty_bps"])) if any(bids) else None
        mint, list_ = load("collection").method("mint"), load("market").method("list")
        buy = load("market").method("buy")
        for i, (c, actor) in enumerate(zip(chosen, actors, strict=True)):
            collection, inventory = collections[c], inventories[c]
            price = (1 + prices[i]) * ETHER // 100
            inventory.possible_owners[actor] = None
            if mints[i]:
                quantity = 1 + quantities[i]
                gas_limit = MINT_GAS + MINT_GAS_EACH * quantity
                builder.add(actor, collection, gas_limit, mint(quantity), MINT_PRICE * quantity)
                inventory.mints_requested += quantity
                continue
            if bids[i] and offers is not None:
                if buys[i]:
                    offers.accept(actor, sellers[i], inventory, collection, price)
                else:
                    offers.offer(actor, collection, picks[i] % (len(inventory.owners) + 1), price)
                continue
            if not buys[i]:
                listing = inventory.listing_by_transaction(actor, price)
                inventory.open_listings.append(listing)
                builder.add(actor, market[c % markets], LIST_GAS, list_(collection, listing.token, price))
                continue
            open_listings = inventory.open_listings
            pick = picks[i] % (len(open_listings) + OLDER_LISTINGS)
            if pick < len(open_listings) and open_listings[pick].seller != actor:
                listing = open_listings.pop(pick)
            else:
                listing = inventory.listing_at_genesis(sellers[i], price)
            builder.add(actor, market[c % markets], BUY_GAS, buy(collection, listing.token), listing.price)

        for c, inventory in inventories.items():
            _write_inventory(chain, inventory, collections[c], market.get(c % markets))
        chain.roles["treasury"] = named_account("treasury")
        return {
            "collections": {
                collections[c]: _Expected(
                    len(inventory.owners),
                    inventory.mints_requested,
                    inventory.mint_limit,
                    tuple(chain.addresses(inventory.possible_owners)),
                )
                for c, inventory in inventories.items()
            },
            "markets": tuple(market.values()),
            "offers": offers is not None,
        }

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that tokens have one owner each, counters equal what was minted, and ether is kept.

        See `Application.verify`.

        For each collection: tokens 0 to counter - 1 have owners, the next one has none; owners' balances count their
        tokens; the ether that it holds is the price of all its tokens; and the counter is where the mints of these
        blocks bring it (which, when they ask for more than is left, depends on who came first). No market keeps ether.
        """
        violations = []
        for collection, expected in scenario.notes["collections"].items():
            violations += _collection_violations(state, collection, expected, int(scenario.dials["batch"]))
        for market in scenario.notes["markets"]:
            if state.balance(market):
                violations.append(f"market 0x{market.hex()}: keeps {state.balance(market)} wei")
        if scenario.notes["offers"]:
            violations += offer_violations(scenario, state)
        return violations


def _sellers(stream: RandomStream, actors: list[int], accounts: int) -> list[int]:
    """Draw for each actor another account, uniformly."""
    steps = stream.below(accounts - 1, len(actors)).tolist()
    return [(actor + 1 + step) % accounts for actor, step in zip(actors, steps, strict=True)]


def _deploy_collection(chain: ChainBuilder, index: int, supply: int) -> bytes:
    """Deploy a collection of at most `supply` tokens; its address."""
    label, opened = f"collection {index}", chain.genesis.environment.timestamp
    return chain.deploy(label, "collection", f"Collection {index}", f"C{index}", supply, MAX_BATCH, MINT_PRICE, opened)


def _write_inventory(chain: ChainBuilder, inventory: NftInventory, collection: bytes, market: bytes | None) -> None:
    """Write a collection's storage at genesis: tokens paid for and owned, the market approved, some tokens listed."""
    genesis, accounts = chain.genesis, chain.block_builder.accounts
    storage = Storage(genesis.state, collection, load("collection"))
    storage.set(len(inventory.owners), "totalSupply")
    genesis.fund(collection, MINT_PRICE * len(inventory.owners))
    for token, owner in enumerate(inventory.owners):
        storage.set(accounts[owner], "owners", token)
    for owner, held in Counter(inventory.owners).items():
        storage.set(held, "balanceOf", accounts[owner])
        if market is not None:
            storage.set(1, "isApprovedForAll", accounts[owner], market)
    if market is not None:
        listings = Storage(genesis.state, market, load("market"))
        for listing in inventory.genesis_listings:
            listings.set(accounts[listing.seller], "listings", collection, listing.token)
            listings.set(listing.price, "listings", collection, listing.token, offset=1)


def _collection_violations(state: State, collection: bytes, expected: _Expected, batch: int) -> list[str]:
    """Violations of one collection's invariant; `batch` is the most tokens in one mint."""
    storage = Storage(state, collection, load("collection"))
    name, found = f"collection 0x{collection.hex()}", []
    counter = storage.get("totalSupply")
    before, requested, limit = expected.tokens_at_genesis, expected.mints_requested, expected.mint_limit
    wanted = before + requested
    # A mint fails only when fewer than its batch are left, and the counter never goes back.
    least = wanted if wanted <= limit else limit - batch + 1
    if not least <= counter <= min(wanted, limit):
        found.append(f"{name}: counter is {counter} after {before} tokens and mints of {requested}")
    if state.balance(collection) != MINT_PRICE * counter:
        found.append(f"{name}: holds {state.balance(collection)} wei for {counter} tokens of {MINT_PRICE} wei")
    owners = [storage.get("owners", token) for token in range(counter + 1)]
    held = Counter(owners[:counter])
    for account in expected.possible_owners:
        owned, balance = held.pop(int.from_bytes(account, "big"), 0), storage.get("balanceOf", account)
        if balance != owned:
            found.append(f"{name}: 0x{account.hex()} owns {owned} tokens, its balance says {balance}")
    if held or owners[counter]:
        found.append(f"{name}: not exactly the tokens below its counter of {counter} have one of its owners")
    return found
