"""Externally owned accounts: addresses by account index or by role, the same in every workload."""

from __future__ import annotations

import hashlib

ADDRESS_BYTES = 20


def named_account(name: str) -> bytes:
    """Address, 20 bytes, of an account that has a role rather than an index; it never sends."""
    return hashlib.blake2b(f"account {name}".encode(), digest_size=ADDRESS_BYTES).digest()


class Accounts:
    """Addresses by account index, computed when first asked for.

    An address is a hash of its index alone: it depends on no seed and no dial, and neighbours share no prefix.

    Attributes
    ----------
    used : dict[int, bytes]
        Address by index of every account asked for so far.
    """

    def __init__(self) -> None:
        self.used: dict[int, bytes] = {}

    def __getitem__(self, index: int) -> bytes:
        address = self.used.get(index)
        if address is None:
            address = self.used[index] = named_account(str(index))
        return address
