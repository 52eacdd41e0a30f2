"""What becomes of a collection of tokens while the transactions that mint and trade them are written."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listing:
    """A token offered by an account at a price in wei."""

    token: int
    seller: int
    price: int


@dataclass
class Shelf:
    """What becomes of one collection while its transactions are written.

    Attributes
    ----------
    owners : list[int]
        Account that owns each token at genesis.
    listed : list[Listing]
        Listings at genesis.
    open : list[Listing]
        Listings made by transactions and not yet bought.
    asked : int
        Tokens that transactions ask to mint.
    limit : int
        Tokens that can ever be minted.
    involved : dict[int, None]
        Accounts that can own a token of it, in the order of their appearance.
    """

    owners: list[int] = field(default_factory=list)
    listed: list[Listing] = field(default_factory=list)
    open: list[Listing] = field(default_factory=list)
    asked: int = 0
    limit: int = 0
    involved: dict[int, None] = field(default_factory=dict)

    def older_listing(self, seller: int, price: int) -> Listing:
        """One more token that was there at genesis, listed."""
        listing = self.new_listing(seller, price)
        self.listed.append(listing)
        return listing

    def new_listing(self, seller: int, price: int) -> Listing:
        """One more token that was there at genesis, which a transaction lists."""
        self.owners.append(seller)
        self.involved[seller] = None
        return Listing(len(self.owners) - 1, seller, price)
