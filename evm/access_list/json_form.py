"""JSON form of block access lists, with the names that the official test fixtures use (``blockAccessList``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contend.evm.access_list.list_content import AccessList, AccessListError, AccountChanges
from contend.hexadecimal import number_of, octets_of

_NAMES = ("address", "storageChanges", "storageReads", "balanceChanges", "nonceChanges", "codeChanges")


def to_json(content: AccessList) -> list[dict[str, Any]]:
    """List as JSON has it: integers and bytes in hexadecimal."""
    return [
        {
            "address": account.name,
            "nonceChanges": _changes(account.nonce_changes, "postNonce"),
            "balanceChanges": _changes(account.balance_changes, "postBalance"),
            "codeChanges": [{"blockAccessIndex": hex(i), "newCode": "0x" + c.hex()} for i, c in account.code_changes],
            "storageChanges": [
                {"slot": hex(slot), "slotChanges": _changes(changes, "postValue")}
                for slot, changes in account.storage_changes
            ],
            "storageReads": [hex(slot) for slot in account.storage_reads],
        }
        for account in content
    ]


def from_json(document: Any) -> AccessList:
    """List from JSON; its order is not checked (`AccessList.check`).

    Raises
    ------
    AccessListError
        If something is missing or malformed, in one line.
    """
    return AccessList(tuple(_account(item, f"[{i}]") for i, item in enumerate(_array(document, "the list"))))


def _changes(changes: Sequence[tuple[int, int]], name: str) -> list[dict[str, str]]:
    return [{"blockAccessIndex": hex(index), name: hex(value)} for index, value in changes]


def _array(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise AccessListError(f"{where}: not an array")
    return value


def _member(value: Any, name: str, where: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise AccessListError(f"{where}: the field {name!r} is missing")
    return value[name]


def _integer(value: Any, where: str) -> int:
    # As official tests write them, whose lists these are.
    found = number_of(value, official=True) if isinstance(value, str) else None
    if found is not None:
        return found
    raise AccessListError(f"{where}: {str(value)[:40]!r} is not an integer in hexadecimal")


def _octets(value: Any, where: str) -> bytes:
    found = octets_of(value) if isinstance(value, str) else None
    if found is not None:
        return found
    raise AccessListError(f"{where}: {str(value)[:40]!r} is not bytes in hexadecimal")


def _change_list(value: Any, names: Sequence[str], where: str) -> tuple[tuple[int, Any], ...]:
    found = []
    for place, item in enumerate(_array(value, where)):
        at = f"{where}[{place}]"
        name = next((name for name in names if isinstance(item, Mapping) and name in item), names[0])
        read = _octets if name == "newCode" else _integer
        index = _integer(_member(item, "blockAccessIndex", at), f"{at}.blockAccessIndex")
        found.append((index, read(_member(item, name, at), f"{at}.{name}")))
    return tuple(found)


def _account(item: Any, where: str) -> AccountChanges:
    address, storage, reads, balances, nonces, codes = (_member(item, name, where) for name in _NAMES)
    changes = []
    for place, slot in enumerate(_array(storage, f"{where}.storageChanges")):
        at = f"{where}.storageChanges[{place}]"
        number = _integer(_member(slot, "slot", at), f"{at}.slot")
        changes.append((number, _change_list(_member(slot, "slotChanges", at), ("postValue",), f"{at}.slotChanges")))
    return AccountChanges(
        _octets(address, f"{where}.address"),
        tuple(changes),
        tuple(_integer(slot, f"{where}.storageReads") for slot in _array(reads, f"{where}.storageReads")),
        _change_list(balances, ("postBalance",), f"{where}.balanceChanges"),
        _change_list(nonces, ("postNonce",), f"{where}.nonceChanges"),
        _change_list(codes, ("newCode",), f"{where}.codeChanges"),
    )
