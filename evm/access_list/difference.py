"""First difference of an access list from the right one, named as what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contend.evm.access_list.encoding import FULL, READS, decode
from contend.evm.access_list.list_content import AccessList, AccessListError, AccountChanges, Readers
from contend.evm.state import State

MALFORMED, MISSING, SUPERFLUOUS = "malformed", "missing entry", "superfluous entry"
READ_AS_WRITE, WRITE_AS_READ = "read called a write", "write called a read"
WRONG_VALUE, WRONG_INDEX, NO_OP, WRONG_ORDER = "wrong value", "wrong index", "kept no-op", "wrong order"

Before = Callable[[bytes, str, int], int | bytes]
_Changes = Sequence[tuple[int, int | bytes]]


@dataclass(frozen=True)
class Difference:
    """What is wrong with a list: what kind of mistake, of what, and how it should be."""

    kind: str
    where: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}" + (f", {self.detail}" if self.detail else "")


def state_before(state: State) -> Before:
    """What a state before the block has, for `first_difference`."""

    def before(address: bytes, kind: str, slot: int) -> int | bytes:
        if kind == "code":
            return state.code(address)
        if kind == "storage":
            return state.storage(address, slot)
        return state.nonce(address) if kind == "nonce" else state.balance(address)

    return before


def first_difference(
    data: bytes, right: AccessList, transactions: int, before: Before | None = None, kind: str = FULL
) -> Difference | None:
    """Hold an encoded list against the right one.

    Parameters
    ----------
    data : bytes
    right : AccessList
        With readers where `kind` has them.
    transactions : int
        Of the block.
    before : callable, optional
        Of an address, a kind of location and a slot: the value before the block (`state_before`). Without it a no-op
        write that comes first at its location is called superfluous.
    kind : str
        Of the encoding (`evm.access_list.encoding.KINDS`).

    Returns
    -------
    Difference or None
        The first in the order of the list; one of order comes before all others.
    """
    try:
        declared = decode(data, kind, checked=False)
    except AccessListError as error:
        return Difference(MALFORMED, str(error))
    try:
        declared.check(transactions)
    except AccessListError as error:
        text = str(error)
        in_order = not text.endswith("wrong order") and "twice" not in text and "and in storage_reads" not in text
        return Difference(MALFORMED if in_order else WRONG_ORDER, text)
    found, wanted = ({account.address: account for account in one} for one in (declared, as_kind(right, kind)))
    for address in sorted({*found, *wanted}):
        name = "0x" + address.hex()
        if address not in found:
            return Difference(MISSING, f"account {name}")
        if address not in wanted:
            return Difference(SUPERFLUOUS, f"account {name}")
        difference = _of_account(found[address], wanted[address], before)
        if difference is not None:
            return difference
    return None


def as_kind(content: AccessList, kind: str) -> AccessList:
    """What a list of a kind can say of a list, as `decode` gives it."""
    return AccessList(tuple(_account_as(account, kind) for account in content))


def _account_as(account: AccountChanges, kind: str) -> AccountChanges:
    if kind == READS:
        slots = sorted({*account.storage_reads, *(slot for slot, _ in account.storage_changes)})
        return AccountChanges(account.address, storage_reads=tuple(slots))
    if kind == "locations":
        return AccountChanges(
            account.address,
            tuple((slot, _without_values(changes)) for slot, changes in account.storage_changes),
            account.storage_reads,
            _without_values(account.balance_changes),
            _without_values(account.nonce_changes),
            tuple((index, b"") for index, _ in account.code_changes),
        )
    if kind == FULL:
        return AccountChanges(
            account.address,
            account.storage_changes,
            account.storage_reads,
            account.balance_changes,
            account.nonce_changes,
            account.code_changes,
        )
    return account


def _without_values(changes: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple((index, 0) for index, _ in changes)


def _of_account(found: AccountChanges, wanted: AccountChanges, before: Before | None) -> Difference | None:
    address, name = wanted.address, wanted.name
    changed, right = dict(found.storage_changes), dict(wanted.storage_changes)
    reads, right_reads = set(found.storage_reads), set(wanted.storage_reads)
    for slot in sorted({*changed, *right, *reads, *right_reads}):
        where = f"{name} storage[{slot:#x}]"
        value = None if before is None else before(address, "storage", slot)
        if slot in changed and slot not in right:
            index, word = changed[slot][0]
            if word == value:
                return Difference(NO_OP, f"{where} at index {index}", f"it was {_shown(word)} before")
            if slot in right_reads:
                return Difference(READ_AS_WRITE, where, f"index {index} does not write it")
            return Difference(SUPERFLUOUS, where)
        if slot in right and slot not in changed:
            if slot in reads:
                return Difference(WRITE_AS_READ, where, f"index {right[slot][0][0]} writes it")
            return Difference(MISSING, where)
        if slot in right:
            difference = _of_changes(where, changed[slot], right[slot], value)
            if difference is not None:
                return difference
        elif slot in reads and slot not in right_reads:
            return Difference(SUPERFLUOUS, f"{where}: nobody reads it")
        elif slot in right_reads and slot not in reads:
            return Difference(MISSING, f"{where}: it is read")
    for kind, ours, theirs in (
        ("balance", found.balance_changes, wanted.balance_changes),
        ("nonce", found.nonce_changes, wanted.nonce_changes),
        ("code", found.code_changes, wanted.code_changes),
    ):
        value = None if before is None else before(address, kind, 0)
        difference = _of_changes(f"{name} {kind}", ours, theirs, value)
        if difference is not None:
            return difference
    return _of_readers(name, found.readers, wanted.readers)


def _of_changes(where: str, found: _Changes, wanted: _Changes, before: int | bytes | None) -> Difference | None:
    ours, right = dict(found), dict(wanted)
    value = before
    for index in sorted({*ours, *right}):
        at = f"{where} at index {index}"
        if index not in ours:
            moved = next((other for other in ours if other not in right and ours[other] == right[index]), None)
            if moved is not None:
                return Difference(WRONG_INDEX, f"{where} at index {moved}", f"not {index}")
            return Difference(MISSING, at, f"it is {_shown(right[index])}")
        if index not in right:
            if ours[index] == value:
                return Difference(NO_OP, at, f"it was {_shown(value)} before")
            moved = next((other for other in right if other not in ours and ours[index] == right[other]), None)
            if moved is not None:
                return Difference(WRONG_INDEX, at, f"not {moved}")
            return Difference(SUPERFLUOUS, at)
        if ours[index] != right[index]:
            return Difference(WRONG_VALUE, at, f"{_shown(ours[index])}, not {_shown(right[index])}")
        value = right[index]
    return None


def _of_readers(name: str, found: Readers, wanted: Readers) -> Difference | None:
    ours, right = dict(found.slots), dict(wanted.slots)
    named: list[tuple[str, Any, Any]] = [
        (f"{name} storage[{slot:#x}]", ours.get(slot, ()), right.get(slot, ())) for slot in sorted({*ours, *right})
    ]
    for kind in ("balance", "nonce", "code"):
        named.append((f"{name} {kind}", getattr(found, kind), getattr(wanted, kind)))
    for where, have, want in named:
        for index in sorted({*have, *want}):
            if index not in have:
                return Difference(MISSING, f"{where}: index {index} reads it")
            if index not in want:
                return Difference(SUPERFLUOUS, f"{where}: index {index} does not read it")
    return None


def _shown(value: int | bytes | None) -> str:
    if isinstance(value, bytes):
        return f"a code of {len(value)} bytes"
    return "nothing" if value is None else hex(value)
