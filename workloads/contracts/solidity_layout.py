"""Storage layout of Solidity: variables, their slots, and those of their elements.

Source: Solidity documentation, "Layout of State Variables in Storage and Transient Storage".

The compiler lists variables with slot, offset and type, and types with how they are encoded. What is shorter than a
word shares a slot, whose name then is that of all in it. An element of a mapping lies at the hash of its key and the
mapping's slot; the items of a dynamic array, and bytes too long for the slot, lie from the hash of the slot on, which
itself holds the length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contend.workloads.contracts.keccak_digest import keccak_digest
from contend.workloads.contracts.storage_variable import StorageVariable

WORD = 32
# How far a dynamic array is looked for behind the hash of its slot, and how many slots of an element are named.
MOST_ITEMS = 1 << 32
MOST_ELEMENT_SLOTS = 64
# Types that are looked at: structs within structs could be more than anybody waits for.
_MOST_VISITS = 100_000
# Structs within structs; one within itself, which no compiler writes, has no end.
_MOST_NESTING = 64
_MOST_KEYS = 32

Types = Mapping[str, Mapping[str, Any]]


def solidity_variables(layout: Mapping[str, Any]) -> tuple[StorageVariable, ...]:
    """Variables of a layout (``storageLayout``), members of structs under their own names."""
    found = tuple(_Walk(layout["types"] or {}).members(layout["storage"], "", 0))
    return (*_merged(found), *(variable for variable in found if variable.key_types or variable.item_slots))


def _merged(found: tuple[StorageVariable, ...]) -> Iterator[StorageVariable]:
    """Plain variables, those that share a slot as one."""
    by_slot: dict[int, list[str]] = {}
    for variable in found:
        if not variable.key_types and not variable.item_slots:
            by_slot.setdefault(variable.slot, []).append(variable.name)
    for slot, names in by_slot.items():
        yield StorageVariable("+".join(names), slot, 1, (), 1, ())


class _Walk:
    """A walk through all variables of a contract, and the members of those that are structs."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._visits = 0

    def members(
        self, members: list[Mapping[str, Any]], prefix: str, begin: int, depth: int = 0
    ) -> Iterator[StorageVariable]:
        """Variables of a contract, or of a struct that begins at a slot and is within ``depth`` structs."""
        if depth > _MOST_NESTING:
            raise ValueError("structs nested too deeply")
        for member in members:
            self._visits += 1
            if self._visits > _MOST_VISITS:
                raise ValueError("too many variables")
            slot = begin + int(member["slot"])
            yield from self._variables(prefix + str(member["label"]), slot, member["type"], depth)

    def _variables(self, name: str, slot: int, type_id: str, depth: int) -> Iterator[StorageVariable]:
        kind = self._types[type_id]
        encoding, size = kind["encoding"], int(kind["numberOfBytes"])
        if encoding == "mapping":
            yield from _mapping(name, slot, kind, self._types)
        elif encoding == "dynamic_array":
            yield StorageVariable(f"{name}.length", slot, 1, (), 1, ())
            yield _items(name, _hash(slot), MOST_ITEMS, self._types, kind["base"])
        elif encoding == "bytes":
            yield StorageVariable(name, slot, 1, (), 1, ())
            yield StorageVariable(name, _hash(slot), MOST_ITEMS, (), 1, (), item_slots=1)
        elif "members" in kind:
            yield from self.members(kind["members"], f"{name}.", slot, depth + 1)
        elif "base" in kind:
            yield _items(name, slot, min(_slots(size), MOST_ITEMS), self._types, kind["base"])
        else:
            yield StorageVariable(name, slot, 1, (), 1, ())


def _slots(size: int) -> int:
    return max(-(-size // WORD), 1)


def _items(name: str, slot: int, slot_count: int, types: Types, base: str) -> StorageVariable:
    """Items of an array from a slot on."""
    size = int(types[base]["numberOfBytes"])
    names = _slot_names(types[base], types)
    return StorageVariable(
        name, slot, slot_count, (), 1, names, item_slots=_slots(size), items_a_slot=max(WORD // max(size, 1), 1)
    )


def _mapping(name: str, slot: int, kind: Mapping[str, Any], types: Types) -> Iterator[StorageVariable]:
    """A mapping, of mappings perhaps; nothing if its keys vary in size, so that they are no words."""
    key_types: list[str] = []
    while kind["encoding"] == "mapping":
        key = types[kind["key"]]
        if key["encoding"] != "inplace":
            return
        label = str(key["label"])
        is_address = label.startswith(("address", "contract "))
        key_types.append("address" if is_address else label.replace("enum ", ""))
        if len(key_types) > _MOST_KEYS:
            raise ValueError("mappings nested too deeply")
        kind = types[kind["value"]]
    element = min(_slots(int(kind["numberOfBytes"])), MOST_ELEMENT_SLOTS)
    yield StorageVariable(name, slot, 1, tuple(key_types), element, _slot_names(kind, types), is_key_first=True)


def _slot_names(kind: Mapping[str, Any], types: Types) -> tuple[str, ...]:
    """Names of the slots of a struct; empty for what is none."""
    if "members" not in kind:
        return ()
    names: list[list[str]] = [[] for _ in range(min(_slots(int(kind["numberOfBytes"])), MOST_ELEMENT_SLOTS))]
    for member in kind["members"]:
        first, count = int(member["slot"]), _slots(int(types[member["type"]]["numberOfBytes"]))
        for offset in range(min(count, MOST_ELEMENT_SLOTS)):
            if first + offset < len(names):
                names[first + offset].append(str(member["label"]) + (f"[{offset}]" if count > 1 else ""))
    return tuple("+".join(one) or str(offset) for offset, one in enumerate(names))


def _hash(slot: int) -> int:
    return int.from_bytes(keccak_digest(slot.to_bytes(WORD, "big")), "big")
