"""NFT offers: bids in an ERC-20 token and their acceptance, beside the marketplace of the NFT workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.base import Scenario
from contend.workloads.building.accounts import named_account
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.nft_inventory import NftInventory
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load

if TYPE_CHECKING:
    from contend.evm import State

HUB = 0
TREASURY = "bazaar treasury"
OFFER_GAS, ACCEPT_GAS = 80_000, 240_000


class NftOffers:
    """Offers on a chain: the contract that takes them, and the transactions that make and accept them.

    Parameters
    ----------
    chain : ChainBuilder
        Chain on which the contract is deployed.
    fee_bps, royalty_bps : int
        Shares of what is paid, in hundredths of a percent.
    """

    def __init__(self, chain: ChainBuilder, fee_bps: int, royalty_bps: int) -> None:
        from contend.evm.drivers.genesis import DEPLOYER

        self._chain = chain
        self._royalty_bps = royalty_bps
        currency = chain.token(HUB)
        self._address = chain.deploy("bazaar", "bazaar", currency, named_account(TREASURY), fee_bps)
        self._with_royalty: set[bytes] = set()
        self._offer, self._accept = (load("bazaar").method(name) for name in ("offer", "accept"))
        for payee in (DEPLOYER, named_account(TREASURY), self._address):
            chain.tokens.credit(HUB, payee)

    def offer(self, bidder: int, collection: bytes, token: int, price: int) -> None:
        """Add a transaction that makes an offer.

        Parameters
        ----------
        bidder : int
            Account index.
        collection : bytes
            Address of 20 bytes.
        token : int
            Token id.
        price : int
            In units of the currency.
        """
        self._endow_bidder(bidder, price)
        self._chain.block_builder.add(bidder, self._address, OFFER_GAS, self._offer(collection, token, price))

    def accept(self, owner: int, bidder: int, inventory: NftInventory, collection: bytes, price: int) -> None:
        """Add a transaction that accepts an offer made before the genesis, for one more token of the owner's.

        Parameters
        ----------
        owner, bidder : int
            Account indices.
        inventory : NftInventory
            Of the collection.
        collection : bytes
            Address of 20 bytes.
        price : int
            In units of the currency.
        """
        chain, token = self._chain, inventory.listing_by_transaction(owner, price).token
        inventory.possible_owners[bidder] = None
        bidder_address, owner_address = self._endow_bidder(bidder, price), chain.block_builder.accounts[owner]
        chain.tokens.credit(HUB, owner_address)
        chain.storage("bazaar", "bazaar").set(price, "offers", collection, token, bidder_address)
        approvals = Storage(chain.genesis.state, collection, load("collection"))
        approvals.set(1, "isApprovedForAll", owner_address, self._address)
        if collection not in self._with_royalty:
            self._with_royalty.add(collection)
            chain.genesis.call(self._address, load("bazaar").method("setRoyalty")(collection, self._royalty_bps))
        chain.block_builder.add(
            owner, self._address, ACCEPT_GAS, self._accept(collection, token, bidder_address, price)
        )

    def _endow_bidder(self, bidder: int, price: int) -> bytes:
        """Credit and approve the price of an offer at genesis; the bidder's address."""
        address = self._chain.block_builder.accounts[bidder]
        self._chain.tokens.credit(HUB, address, price)
        self._chain.tokens.approve(HUB, address, self._address)
        return address


def offer_violations(scenario: Scenario, state: State) -> list[str]:
    """Violations: the contract keeps currency, or fees and royalties are not their shares of what was paid."""
    from contend.evm.drivers.genesis import DEPLOYER

    bazaar, found = Storage(state, scenario.contracts["bazaar"], load("bazaar")), []
    currency = Storage(state, scenario.contracts[f"token {HUB}"], load("token"))
    if held := currency.get("balanceOf", bazaar.address):
        found.append(f"bazaar: keeps {held} of its currency")
    volume = sum(bazaar.get("volume", collection) for collection in scenario.notes["collections"])
    slack = sum(len(block) for block in scenario.blocks)
    for role, payee, dial in (("treasury", named_account(TREASURY), "fee_bps"), ("creator", DEPLOYER, "royalty_bps")):
        due = volume * int(scenario.dials[dial]) // 10_000
        # Each payment is rounded down.
        if not due - slack <= (earned := currency.get("balanceOf", payee)) <= due:
            found.append(f"bazaar: the {role} earned {earned} of a volume of {volume}, not {due}")
    return found
