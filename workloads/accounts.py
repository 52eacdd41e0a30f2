"""Externally owned accounts: number to address, the same everywhere."""

from __future__ import annotations

import hashlib

ADDRESS_BYTES = 20


def named_account(name: str) -> bytes:
    """Address of an account that has a role rather than a number; it never sends."""
    return hashlib.blake2b(f"account {name}".encode(), digest_size=ADDRESS_BYTES).digest()


class Accounts:
    """Addresses by account number, made when first asked for.

    An address is a hash of its number alone: it depends on no seed and no dial, and neighbours share no prefix.

    Attributes
    ----------
    used : dict[int, bytes]
        Address by number of every account asked for so far.
    """

    def __init__(self) -> None:
        self.used: dict[int, bytes] = {}

    def __getitem__(self, number: int) -> bytes:
        address = self.used.get(number)
        if address is None:
            address = self.used[number] = named_account(str(number))
        return address
