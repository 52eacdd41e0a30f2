"""Names of locations: contracts by the workload, variables by the compiler's layout, keys by trying.

The keys of a mapping are hashed into its slots. What a transaction can have used as a key it nearly always got from
somewhere in sight: its sender, its call data, the contracts that it touched, the words that it read, or a counter. So
those are tried, transaction by transaction, until the slots that it touched have names. What is left stays a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

from evm import Block, Changes, Location, State, mapping_slot
from evm.layout import KIND_NAMES
from evm.recording import Recording
from evm.state import location_of
from workloads.base import STORAGE_CLASSES, Scenario, Workload
from workloads.variables import Variable, variables

CLASSES = ("nonce", "balance", *STORAGE_CLASSES, "code")
OTHER_STORAGE = "other storage"

_SELECTOR, _WORD = 4, 32
_ARGUMENTS = 24  # words of call data that are looked at
_SMALL = 4  # numbers from 0 that are always tried
_LARGEST_NUMBER = 1 << 64
_SMALLEST_ADDRESS = 1 << 64
_LONGEST_COUNT = 200_000  # how far a counter may have moved for all its values to be tried

Keys = tuple[int, ...]


class Namer:
    """Names and classes of the locations of one block.

    Parameters
    ----------
    workload : Workload
    scenario : Scenario
        Its genesis as it was before the block.
    block : Block
    recording : Recording
        Of `block`.
    changes : Changes
        What the block changed.
    """

    def __init__(
        self, workload: Workload, scenario: Scenario, block: Block, recording: Recording, changes: Changes
    ) -> None:
        self._classes: Mapping[str, str] = workload.classes
        self._contracts = {bytes(address): name for name, address in scenario.contracts.items()}
        self._coinbase = block.environment.coinbase
        self._artifacts: dict[bytes, str] = {}
        self._found: dict[bytes, dict[int, tuple[str, str]]] = {}
        layouts: dict[str, tuple[Variable, ...]] = {}
        self._variables: dict[bytes, tuple[Variable, ...]] = {}
        for address, name in self._contracts.items():
            artifact = workload.artifact(name)
            if artifact is not None:
                if artifact.contract not in layouts:
                    layouts[artifact.contract] = variables(artifact)
                self._artifacts[address] = artifact.contract
                self._variables[address] = layouts[artifact.contract]
                self._found[address] = {}
        _Search(self._variables, self._found, self._key).run(block, scenario.genesis, recording, changes)

    def name(self, location: Location) -> str:
        """What to call a location, for instance ``pool 3.packed`` or ``0xc0ffee.. balance``."""
        who = self._who(location.address)
        if location.kind != "storage":
            return f"{who} {location.kind}"
        found = self._found.get(location.address, {}).get(location.slot)
        return f"{who} slot {_short(location.slot)}" if found is None else f"{who}.{found[1]}"

    def class_of(self, location: Location) -> str:
        """Class of a location, one of `CLASSES`."""
        if location.kind != "storage":
            return location.kind
        found = self._found.get(location.address, {}).get(location.slot)
        if found is None:
            return OTHER_STORAGE
        return self._classes.get(f"{self._artifacts[location.address]}.{found[0]}", OTHER_STORAGE)

    def is_named(self, location: Location) -> bool:
        """Whether a slot has a variable's name, or needs none."""
        return location.kind != "storage" or location.slot in self._found.get(location.address, {})

    def _who(self, address: bytes) -> str:
        name = self._contracts.get(address)
        if name is None:
            return "beneficiary" if address == self._coinbase else f"0x{address[:4].hex()}.."
        artifact = self._artifacts.get(address)
        return name if artifact is None or artifact == name.partition(" ")[0] else f"{name} ({artifact})"

    def _key(self, kind: str, key: int) -> str:
        """A mapping's key as text."""
        if kind != "address":
            return _short(key)
        address = key.to_bytes(20, "big")
        return self._contracts.get(address) or f"0x{address[:4].hex()}.."


class _Search:
    """Finds the names of slots. `found` gets, by address and slot, the variable and the name of the slot."""

    def __init__(
        self,
        of: Mapping[bytes, tuple[Variable, ...]],
        found: dict[bytes, dict[int, tuple[str, str]]],
        text: Callable[[str, int], str],
    ) -> None:
        self._variables = of
        self._found = found
        self._text = text
        self._hashed: dict[tuple[int, int], int] = {}
        self._open: dict[bytes, set[int]] = {}

    def run(self, block: Block, state: State, recording: Recording, changes: Changes) -> None:
        storage = KIND_NAMES.index("storage")
        kinds = recording.kinds
        places = {int(i): location_of(recording.keys[i]) for i in np.unique(recording.locations)}
        for number, place in places.items():
            if kinds[number] == storage and place.address in self._variables:
                self._open.setdefault(place.address, set()).add(place.slot)
        for address in list(self._open):
            self._plain(address)
        touched = recording.locations.tolist()
        offsets = recording.offsets.tolist()
        for index, transaction in enumerate(block):
            mine = [places[number] for number in touched[offsets[index] : offsets[index + 1]]]
            wanted = {place.address for place in mine if place.slot in self._open.get(place.address, ())}
            if not wanted:
                continue
            slots: dict[bytes, set[int]] = {}
            for place in mine:
                if place.address in wanted and place.slot in self._open[place.address]:
                    slots.setdefault(place.address, set()).add(place.slot)
            words = _words(transaction.data) + [
                state.storage(place.address, place.slot) for place in mine if place.kind == "storage"
            ]
            accounts = [transaction.sender, *([transaction.to] if transaction.to else [])]
            accounts += [place.address for place in mine]
            addresses = [int.from_bytes(account, "big") for account in accounts]
            addresses += [word for word in words if _SMALLEST_ADDRESS <= word < 1 << 160]
            numbers = [*range(_SMALL), *(word for word in words if word < _LARGEST_NUMBER)]
            numbers += [word + 1 for word in words if word < _LARGEST_NUMBER]
            tried = {"address": list(dict.fromkeys(addresses)), "number": list(dict.fromkeys(numbers))}
            for address, open_slots in slots.items():
                self._try(address, open_slots, tried)
        self._count(state, changes)

    def _plain(self, address: bytes) -> None:
        for variable in self._variables[address]:
            if not variable.keys:
                for offset in range(variable.slots):
                    self._settle(address, variable, (), variable.slot + offset, offset)

    def _try(self, address: bytes, slots: set[int], tried: Mapping[str, list[int]]) -> None:
        """Try all keys at all mappings of a contract until none of `slots` is without a name."""
        for variable in self._variables[address]:
            if not variable.keys:
                continue
            kinds = ["address" if kind == "address" else "number" for kind in variable.keys]
            for keys in product(*(tried[kind] for kind in kinds)):
                if not slots:
                    return
                slot = self._slot(variable.slot, keys)
                for offset in range(variable.width):
                    if slot + offset in slots:
                        self._settle(address, variable, keys, slot + offset, offset)
                        slots.discard(slot + offset)

    def _count(self, state: State, changes: Changes) -> None:
        """Try every value that a counter of a contract took, where slots are left."""
        after = {location: word for location, word in changes}  # noqa: C416  # `Changes.keys` would mislead `dict`
        for address, slots in self._open.items():
            if not slots:
                continue
            for variable in self._variables[address]:
                if variable.keys or variable.slots > 1:
                    continue
                now = after.get(Location(address, "storage", variable.slot))
                before = state.storage(address, variable.slot)
                if now is not None and before < now <= before + _LONGEST_COUNT:
                    self._try(address, set(slots), {"address": [], "number": list(range(before, now + 1))})

    def _slot(self, slot: int, keys: Keys) -> int:
        # The same mapping of many contracts lies at the same slot, so hashes are worth keeping.
        for key in keys:
            known = self._hashed.get((slot, key))
            if known is None:
                known = self._hashed[slot, key] = mapping_slot(slot, key)
            slot = known
        return slot

    def _settle(self, address: bytes, variable: Variable, keys: Keys, slot: int, offset: int) -> None:
        if slot in self._open[address]:
            shown = tuple(self._text(kind, key) for kind, key in zip(variable.keys, keys, strict=True))
            self._found[address][slot] = (variable.name, variable.element(shown, offset))
            self._open[address].discard(slot)


def _words(data: bytes) -> list[int]:
    """Arguments of a call: the words after the selector."""
    end = min(len(data), _SELECTOR + _ARGUMENTS * _WORD)
    return [int.from_bytes(data[at : at + _WORD], "big") for at in range(_SELECTOR, end, _WORD)]


def _short(number: int) -> str:
    return str(number) if number < 1 << 64 else f"0x{number:064x}"[:10] + ".."
