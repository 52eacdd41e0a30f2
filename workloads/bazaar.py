"""Offers for tokens and their acceptance, beside the marketplace (a part of the NFT workload)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workloads.abi import load
from workloads.accounts import named_account
from workloads.base import Scenario
from workloads.shelf import Shelf
from workloads.site import Site
from workloads.storage import Storage

if TYPE_CHECKING:
    from evm import State

HUB = 0
TREASURY = "bazaar treasury"
OFFER_GAS, ACCEPT_GAS = 80_000, 240_000


class Bazaar:
    """The contract that takes offers, deployed on a site.

    Parameters
    ----------
    site : Site
    fee_bps, royalty_bps : int
        Hundredths of a percent of what is paid.
    """

    def __init__(self, site: Site, fee_bps: int, royalty_bps: int) -> None:
        from evm.genesis import DEPLOYER

        self._site = site
        self._royalty = royalty_bps
        currency = site.token(HUB)
        self._address = site.deploy("bazaar", "bazaar", currency, named_account(TREASURY), fee_bps)
        self._known: set[bytes] = set()
        self._offer, self._accept = (load("bazaar").method(name) for name in ("offer", "accept"))
        for earner in (DEPLOYER, named_account(TREASURY), self._address):
            site.tokens.give(HUB, earner)

    def _bidder(self, account: int, price: int) -> bytes:
        address = self._site.draft.accounts[account]
        self._site.tokens.give(HUB, address, price)
        self._site.tokens.allow(HUB, address, self._address)
        return address

    def offer(self, bidder: int, collection: bytes, token: int, price: int) -> None:
        """Write an offer."""
        self._bidder(bidder, price)
        self._site.draft.add(bidder, self._address, OFFER_GAS, self._offer(collection, token, price))

    def accept(self, owner: int, bidder: int, number: int, shelf: Shelf, collection: bytes, price: int) -> None:
        """Write the acceptance of an offer that was there at genesis, for one more token of the owner's."""
        site, token = self._site, shelf.new_listing(owner, price).token
        shelf.involved[bidder] = None
        address = self._bidder(bidder, price)
        site.tokens.give(HUB, site.draft.accounts[owner])
        storage = site.storage("bazaar", "bazaar")
        storage.set(price, "offers", collection, token, address)
        approvals = Storage(site.genesis.state, collection, load("collection"))
        approvals.set(1, "isApprovedForAll", site.draft.accounts[owner], self._address)
        if collection not in self._known:
            self._known.add(collection)
            site.genesis.call(self._address, load("bazaar").method("setRoyalty")(collection, self._royalty))
        site.draft.add(owner, self._address, ACCEPT_GAS, self._accept(collection, token, address, price))


def bazaar_violations(scenario: Scenario, state: State) -> list[str]:
    """Whether the bazaar keeps nothing, and fees and royalties are their shares of what was paid."""
    from evm.genesis import DEPLOYER

    bazaar, found = Storage(state, scenario.contracts["bazaar"], load("bazaar")), []
    currency = Storage(state, scenario.contracts[f"token {HUB}"], load("token"))
    if held := currency.get("balanceOf", bazaar.address):
        found.append(f"bazaar: keeps {held} of its currency")
    volume = sum(bazaar.get("volume", collection) for collection in scenario.notes["collections"])
    slack = sum(len(block) for block in scenario.blocks)
    for who, earner, dial in (("treasury", named_account(TREASURY), "fee_bps"), ("creator", DEPLOYER, "royalty_bps")):
        due = volume * int(scenario.dials[dial]) // 10_000
        # Each payment is rounded down.
        if not due - slack <= (earned := currency.get("balanceOf", earner)) <= due:
            found.append(f"bazaar: the {who} earned {earned} of a volume of {volume}, not {due}")
    return found
