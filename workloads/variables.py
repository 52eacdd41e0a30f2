"""Names of storage slots: the compiler's layout read backwards.

A layout says where a variable begins. A slot inside a ``HashMap`` is a hash of its keys, and a hash cannot be inverted;
but whoever explains a block knows the keys that its transactions can have used, and tries them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workloads.abi import Artifact

_MAPPING = re.compile(r"HashMap\[(\w+), (.*)\]")
_ARRAY = re.compile(r"(.*)\[(\d+)\]")
_WORD = re.compile(r"u?int\d+|bytes\d+|address|bool")
# Slots that an element of unknown size may have: a struct of which no getter names the members.
UNKNOWN_WIDTH = 8


@dataclass(frozen=True)
class Variable:
    """One storage variable.

    Attributes
    ----------
    name : str
    slot : int
    slots : int
        From `slot` on; 1 for a mapping, whose elements are elsewhere.
    keys : tuple[str, ...]
        Types of the keys of a mapping, the outermost first; empty for other variables.
    width : int
        Slots of one element of a mapping.
    members : tuple[str, ...]
        Names of an element's slots, where a getter tells them.
    """

    name: str
    slot: int
    slots: int
    keys: tuple[str, ...]
    width: int
    members: tuple[str, ...]

    def element(self, keys: tuple[str, ...], offset: int) -> str:
        """Name of one slot, its keys as text."""
        name = self.name + "".join(f"[{key}]" for key in keys)
        if self.members:
            return f"{name}.{self.members[offset]}"
        return f"{name}[{offset}]" if max(self.width, self.slots) > 1 else name


def variables(artifact: Artifact) -> tuple[Variable, ...]:
    """Storage variables of a contract, those of imported modules by their own names."""
    return tuple(_collect(artifact, artifact.layout.get("storage_layout", {})))


def _collect(artifact: Artifact, layout: dict[str, Any]) -> Iterator[Variable]:
    for name, entry in layout.items():
        if "slot" not in entry or "type" not in entry:
            yield from _collect(artifact, entry)
            continue
        keys, value = [], str(entry["type"])
        while match := _MAPPING.fullmatch(value):
            keys.append(match[1])
            value = match[2]
        members = _members(artifact, name) if keys else ()
        yield Variable(name, int(entry["slot"]), int(entry["n_slots"]), tuple(keys), _width(value, members), members)


def _members(artifact: Artifact, name: str) -> tuple[str, ...]:
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


def _width(value: str, members: tuple[str, ...]) -> int:
    if members:
        return len(members)
    if _WORD.fullmatch(value):
        return 1
    if (match := _ARRAY.fullmatch(value)) and _WORD.fullmatch(match[1]):
        return int(match[2])
    return UNKNOWN_WIDTH
