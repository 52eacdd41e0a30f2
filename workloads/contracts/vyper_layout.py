"""Storage layout of Vyper: variables by name, each with its first slot and its type as the source has it.

The layout has no members of structs; the getter that the compiler makes of a public mapping tells their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contend.workloads.contracts.storage_variable import StorageVariable

Interface = list[dict[str, Any]]

_MAPPING = re.compile(r"HashMap\[(\w+), (.*)\]")
_ARRAY = re.compile(r"(.*)\[(\d+)\]")
_WORD = re.compile(r"u?int\d+|bytes\d+|address|bool")
# Slots that an element of unknown size may have: a struct of which no getter names the members.
UNKNOWN_ELEMENT_SLOTS = 8


def vyper_variables(layout: Mapping[str, Any], abi: Interface) -> tuple[StorageVariable, ...]:
    """Variables of a layout (``vyper -f layout``), those of imported modules by their own names."""
    return tuple(_collect(abi, layout.get("storage_layout", {})))


def _collect(abi: Interface, layout: Mapping[str, Any]) -> Iterator[StorageVariable]:
    for name, entry in layout.items():
        if "slot" not in entry or "type" not in entry:
            yield from _collect(abi, entry)
            continue
        key_types, value_type = [], str(entry["type"])
        while match := _MAPPING.fullmatch(value_type):
            key_types.append(match[1])
            value_type = match[2]
        members = _member_names(abi, name) if key_types else ()
        slot, slot_count = int(entry["slot"]), int(entry["n_slots"])
        yield StorageVariable(name, slot, slot_count, tuple(key_types), _element_slots(value_type, members), members)


def _member_names(abi: Interface, name: str) -> tuple[str, ...]:
    """Names that the getter of a mapping of structs gives to the members, which take a slot each."""
    for entry in abi:
        if entry["type"] == "function" and entry["name"] == name:
            outputs: list[dict[str, Any]] = entry["outputs"]
            if len(outputs) == 1 and "components" in outputs[0]:
                outputs = outputs[0]["components"]
            names = tuple(str(output["name"]) for output in outputs)
            simple = all(_WORD.fullmatch(str(output["type"])) for output in outputs)
            return names if simple and len(names) > 1 and all(names) else ()
    return ()


def _element_slots(value_type: str, member_names: tuple[str, ...]) -> int:
    """Slots of one element of a mapping with values of this type."""
    if member_names:
        return len(member_names)
    if _WORD.fullmatch(value_type):
        return 1
    if (match := _ARRAY.fullmatch(value_type)) and _WORD.fullmatch(match[1]):
        return int(match[2])
    return UNKNOWN_ELEMENT_SLOTS
