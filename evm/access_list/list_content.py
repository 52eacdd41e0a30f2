"""Content of a block access list (EIP-7928): for each account that a block touches, what it reads and what it changes.

Plain data, and the rules that its order has to keep. An index says when: 0 is what the block does before its
transactions, i + 1 is transaction i, and n + 1 is what it does after them. Values are those after the index. A write
that leaves the word as it was is a read, and what was read stays read when its frame reverts.

A list may also say who reads what (`Readers`). EIP-7928 has nothing of the kind: that is this project's extension, and
is part of the kind ``indexed`` only (`evm.access_list.encoding`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

ADDRESS_BYTES = 20
MOST_INDEX = (1 << 32) - 1
GAS_PER_ITEM = 2000

Change = tuple[int, int]
SlotChanges = tuple[int, tuple[Change, ...]]
SlotReaders = tuple[int, tuple[int, ...]]
Ordered = TypeVar("Ordered", int, str)


class AccessListError(ValueError):
    """An access list breaks a rule of the format. The message is one line that names the account."""


@dataclass(frozen=True)
class Readers:
    """Who reads an account's locations without writing them: indices in ascending order.

    Attributes
    ----------
    slots : tuple of (slot, indices)
        By slot in ascending order, also slots that another transaction writes.
    balance, nonce, code : tuple of int
    """

    slots: tuple[SlotReaders, ...] = ()
    balance: tuple[int, ...] = ()
    nonce: tuple[int, ...] = ()
    code: tuple[int, ...] = ()


@dataclass(frozen=True)
class AccountChanges:
    """What a block does with one account.

    Attributes
    ----------
    address : bytes
        20 bytes.
    storage_changes : tuple of (slot, changes)
        By slot in ascending order, each with at least one change: (index, word after it), by index.
    storage_reads : tuple of int
        Slots that are read and never written, in ascending order.
    balance_changes, nonce_changes : tuple of (index, value)
        By index.
    code_changes : tuple of (index, bytes)
        By index.
    readers : Readers
        Of the kind ``indexed``.
    """

    address: bytes
    storage_changes: tuple[SlotChanges, ...] = ()
    storage_reads: tuple[int, ...] = ()
    balance_changes: tuple[Change, ...] = ()
    nonce_changes: tuple[Change, ...] = ()
    code_changes: tuple[tuple[int, bytes], ...] = ()
    readers: Readers = field(default=Readers())

    @property
    def name(self) -> str:
        """Address as messages show it."""
        return "0x" + self.address.hex()

    @property
    def items(self) -> int:
        """What EIP-7928 counts of an account: itself, and each slot once."""
        return 1 + len(self.storage_changes) + len(self.storage_reads)

    @property
    def entries(self) -> int:
        """Changes and reads."""
        changes = sum(len(changes) for _, changes in self.storage_changes) + len(self.storage_reads)
        return changes + len(self.balance_changes) + len(self.nonce_changes) + len(self.code_changes)


@dataclass(frozen=True)
class AccessList:
    """Block access list: accounts in ascending order of their addresses."""

    accounts: tuple[AccountChanges, ...] = ()

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[AccountChanges]:
        return iter(self.accounts)

    @property
    def items(self) -> int:
        """Addresses and slots, which EIP-7928 bounds by the block's gas limit (`check_size`)."""
        return sum(account.items for account in self.accounts)

    @property
    def entries(self) -> int:
        """Changes and reads of all accounts."""
        return sum(account.entries for account in self.accounts)

    def check(self, transactions: int | None = None) -> None:
        """Check order, uniqueness, and ranges.

        Parameters
        ----------
        transactions : int, optional
            Of the block: no index is above one more.

        Raises
        ------
        AccessListError
            Of the first rule that is broken.
        """
        last = MOST_INDEX if transactions is None else transactions + 1
        for account in self.accounts:
            if len(account.address) != ADDRESS_BYTES:
                raise AccessListError(f"{account.name}: an address has {ADDRESS_BYTES} bytes")
        _check_ascending("the list", "account", [account.name for account in self.accounts])
        for account in self.accounts:
            _check_account(account, last)

    def check_size(self, gas_limit: int) -> None:
        """Check EIP-7928's bound on addresses and slots: one for each 2,000 gas that the block may use.

        Raises
        ------
        AccessListError
            If there are more.
        """
        if self.items > gas_limit // GAS_PER_ITEM:
            most = gas_limit // GAS_PER_ITEM
            raise AccessListError(f"the list: {self.items} addresses and slots; at {gas_limit} gas at most {most}")


def _check_ascending(where: str, what: str, values: Sequence[Ordered]) -> None:
    for one, other in pairwise(values):
        if other == one:
            raise AccessListError(f"{where}: {what} {_shown(one)} stands there twice")
        if other < one:
            raise AccessListError(f"{where}: {what} {_shown(other)} stands behind {_shown(one)}: wrong order")


def _shown(value: int | str) -> str:
    return value if isinstance(value, str) else hex(value)


def _check_indices(where: str, indices: Sequence[int], last: int) -> None:
    _check_ascending(where, "index", indices)
    for index in indices:
        if not 0 <= index <= last:
            raise AccessListError(f"{where}: index {index} is not in 0 to {last}")


def _check_range(where: str, value: int, bits: int) -> None:
    if not 0 <= value < 1 << bits:
        raise AccessListError(f"{where}: {value:#x} has more than {bits} bits")


def _check_account(account: AccountChanges, last: int) -> None:
    name = account.name
    changed = [slot for slot, _ in account.storage_changes]
    _check_ascending(f"{name} storage_changes", "slot", changed)
    _check_ascending(f"{name} storage_reads", "slot", account.storage_reads)
    for slot, changes in account.storage_changes:
        where = f"{name} storage_changes[{slot:#x}]"
        _check_range(where, slot, 256)
        if not changes:
            raise AccessListError(f"{where}: no change")
        _check_indices(where, [index for index, _ in changes], last)
        for _, word in changes:
            _check_range(where, word, 256)
    for slot in account.storage_reads:
        _check_range(f"{name} storage_reads", slot, 256)
    both = sorted(set(changed) & set(account.storage_reads))
    if both:
        raise AccessListError(f"{name}: slot {both[0]:#x} stands in storage_changes and in storage_reads")
    for field_name, found, bits in (
        ("balance_changes", account.balance_changes, 256),
        ("nonce_changes", account.nonce_changes, 64),
    ):
        _check_indices(f"{name} {field_name}", [index for index, _ in found], last)
        for _, value in found:
            _check_range(f"{name} {field_name}", value, bits)
    _check_indices(f"{name} code_changes", [index for index, _ in account.code_changes], last)
    _check_readers(account, last)


def _check_readers(account: AccountChanges, last: int) -> None:
    name, readers = account.name, account.readers
    _check_ascending(f"{name} readers", "slot", [slot for slot, _ in readers.slots])
    for slot, indices in readers.slots:
        if not indices:
            raise AccessListError(f"{name} readers[{slot:#x}]: nobody")
        _check_indices(f"{name} readers[{slot:#x}]", indices, last)
    for kind in ("balance", "nonce", "code"):
        _check_indices(f"{name} {kind} readers", getattr(readers, kind), last)
