"""Storage layout: the variables of a contract and the names of their slots, from the compiler's output.

A layout says in which slot a variable begins. A slot inside a ``HashMap`` is a hash of its keys, and a hash cannot be
inverted; but an analysis of a block knows the keys that its transactions can have used, and tries them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contend.workloads.contracts.abi import Artifact

_MAPPING = re.compile(r"HashMap\[(\w+), (.*)\]")
_ARRAY = re.compile(r"(.*)\[(\d+)\]")
_WORD = re.compile(r"u?int\d+|bytes\d+|address|bool")
# Slots that an element of unknown size may have: a struct of which no getter names the members.
UNKNOWN_ELEMENT_SLOTS = 8


@dataclass(frozen=True)
class StorageVariable:
    """Storage variable of a contract.

    Attributes
    ----------
    name : str
    slot : int
        First slot.
    slot_count : int
        Slots from `slot` on; 1 for a mapping, whose elements are elsewhere.
    key_types : tuple[str, ...]
        Types of the keys of a mapping, the outermost first; empty for other variables.
    element_slots : int
        Slots of one element of a mapping.
    member_names : tuple[str, ...]
        Names of an element's slots, where a getter tells them.
    """

    name: str
    slot: int
    slot_count: int
    key_types: tuple[str, ...]
    element_slots: int
    member_names: tuple[str, ...]

    def slot_name(self, keys: tuple[str, ...], offset: int) -> str:
        """Name of one slot, for instance ``proposals[3].closed``.

        Parameters
        ----------
        keys : tuple[str, ...]
            Keys of the mapping as text, one for each of `key_types`.
        offset : int
            Slots from the first of the element, or of the variable.
        """
        name = self.name + "".join(f"[{key}]" for key in keys)
        if self.member_names:
            return f"{name}.{self.member_names[offset]}"
        return f"{name}[{offset}]" if max(self.element_slots, self.slot_count) > 1 else name


def storage_variables(artifact: Artifact) -> tuple[StorageVariable, ...]:
    """Storage variables of a contract in the order of the layout, those of imported modules by their own names."""
    return tuple(_collect(artifact, artifact.layout.get("storage_layout", {})))


def _collect(artifact: Artifact, layout: dict[str, Any]) -> Iterator[StorageVariable]:
    for name, entry in layout.items():
        if "slot" not in entry or "type" not in entry:
            yield from _collect(artifact, entry)
            continue
        key_types, value_type = [], str(entry["type"])
        while match := _MAPPING.fullmatch(value_type):
            key_types.append(match[1])
            value_type = match[2]
        members = _member_names(artifact, name) if key_types else ()
        slot, slot_count = int(entry["slot"]), int(entry["n_slots"])
        yield StorageVariable(name, slot, slot_count, tuple(key_types), _element_slots(value_type, members), members)


def _member_names(artifact: Artifact, name: str) -> tuple[str, ...]:
    """Names that the getter of a mapping of structs gives to the members, which take a slot each."""
    for entry in artifact.abi:
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
