"""Damage of a block's access list (EIP-7928): a list of the same form that says something else.

Its entries are changes and reads. One that is added, or put in another's place, is what an entry says, at a location
that the list has elsewhere; so the list stays a well-formed one, and only executing the block tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from contend.evm import layout
from contend.evm.access_list import AccountChanges, decode, encode
from contend.evm.access_list.assembly import Assembly
from contend.harness.verify.damage import Damage

_STORAGE, _BALANCE, _NONCE, _CODE = layout.KIND_NAMES


@dataclass(frozen=True)
class Entry:
    """An entry of a list: what is at a location after an index, or, without a value, that the location is read."""

    address: bytes
    kind: str
    slot: int
    index: int
    value: int | bytes | None


def damaged_list(data: bytes, kind: str, transactions: int, damage: Damage) -> bytes:
    """Damage an encoded access list.

    Parameters
    ----------
    data : bytes
    kind : str
        One of `strategies.given.LIST_KINDS`.
    transactions : int
        In the block.
    damage : Damage

    Raises
    ------
    contend.evm.access_list.content.AccessListError
        If the bytes are no such list.
    """
    content = decode(data, kind, transactions)
    entries = [entry for account in content for entry in _entries_of(account)]
    kept, grown, others = damage.choose(len(entries), len(entries))
    found = Assembly()
    for account in content:
        if not account.entries:
            found.touch(account.address)
    for place in np.flatnonzero(kept).tolist():
        _note(found, entries[place])
    for place, other in zip(grown.tolist(), others.tolist(), strict=True):
        _note(found, _elsewhere(entries[place], entries[other]))
    return encode(found.finish(), kind)


def _entries_of(account: AccountChanges) -> Iterator[Entry]:
    address, readers = account.address, account.readers
    for slot, changes in account.storage_changes:
        for index, value in changes:
            yield Entry(address, _STORAGE, slot, index, value)
    read = dict(readers.slots)
    for slot in sorted({*account.storage_reads, *read}):
        for index in read.get(slot, (0,)):
            yield Entry(address, _STORAGE, slot, index, None)
    whole = ((_BALANCE, account.balance_changes), (_NONCE, account.nonce_changes), (_CODE, account.code_changes))
    for kind, found in whole:
        for index, after in found:
            yield Entry(address, kind, 0, index, after)
    for kind, indices in ((_BALANCE, readers.balance), (_NONCE, readers.nonce), (_CODE, readers.code)):
        for index in indices:
            yield Entry(address, kind, 0, index, None)


def _elsewhere(entry: Entry, other: Entry) -> Entry:
    """What an entry says, of the location of another one; code stays code."""
    if _CODE in (entry.kind, other.kind):
        return replace(other, index=entry.index) if entry.kind != _CODE else replace(entry, address=other.address)
    if entry.value is None:
        # That another location of the list is read, the list mostly says already: its slot, of another account.
        return replace(entry, address=other.address)
    return replace(other, index=entry.index, value=entry.value)


def _note(found: Assembly, entry: Entry) -> None:
    if entry.value is None:
        found.touch(entry.address)
        found.read(entry.address, entry.kind, entry.slot, entry.index)
    elif isinstance(entry.value, bytes):
        found.deploy(entry.address, entry.index, entry.value)
    else:
        value = entry.value % 2**64 if entry.kind == _NONCE else entry.value
        found.write(entry.address, entry.kind, entry.slot, entry.index, value)
