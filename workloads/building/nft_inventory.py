"""NFT inventory: tokens and listings of a collection while the transactions that mint and trade them are generated."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listing:
    """Token for sale on a marketplace.

    Attributes
    ----------
    token : int
        Token id.
    seller : int
        Account index.
    price : int
        In wei.
    """

    token: int
    seller: int
    price: int


@dataclass
class NftInventory:
    """Tokens and listings of one collection while its transactions are generated.

    Attributes
    ----------
    owners : list[int]
        Account index of the owner at genesis, by token id.
    genesis_listings : list[Listing]
        Listings at genesis.
    open_listings : list[Listing]
        Listings made by transactions and not yet bought.
    mints_requested : int
        Tokens that transactions ask to mint.
    mint_limit : int
        Tokens that can ever be minted.
    possible_owners : dict[int, None]
        Account indices of all that can own a token of it, in the order of their appearance.
    """

    owners: list[int] = field(default_factory=list)
    genesis_listings: list[Listing] = field(default_factory=list)
    open_listings: list[Listing] = field(default_factory=list)
    mints_requested: int = 0
    mint_limit: int = 0
    possible_owners: dict[int, None] = field(default_factory=dict)

    def listing_at_genesis(self, seller: int, price: int) -> Listing:
        """Add a token that exists, and is listed, at genesis."""
        listing = self.listing_by_transaction(seller, price)
        self.genesis_listings.append(listing)
        return listing

    def listing_by_transaction(self, seller: int, price: int) -> Listing:
        """Add a token that exists at genesis and that a transaction lists or sells."""
        self.owners.append(seller)
        self.possible_owners[seller] = None
        return Listing(len(self.owners) - 1, seller, price)
