"""Slot search: the variable, and the element of it, that a storage slot is; keys are found by trying.

The keys of a mapping are hashed into its slots. What a transaction can have used as a key it nearly always got from
somewhere in sight: its sender, its call data, the accounts that it touched, the words that it read, or a counter. So
those are tried, transaction by transaction, until the slots that it touched have names. What a contract computes
instead (a pair packed into one word) the workload says (`workloads.base.Workload.computed_keys`). What is left stays a
number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np

from contend.evm import Block, Changes, Location, State, Transaction, mapping_slot
from contend.evm.drivers.recorder import Recording
from contend.evm.layout import KIND_NAMES
from contend.evm.state import location_key, location_of
from contend.workloads.contracts.storage_variable import StorageVariable

_SELECTOR, _WORD = 4, 32
_ARGUMENTS = 24  # words of call data that are looked at
_SMALL = 4  # numbers from 0 that are always tried
_NUMBERS = 1 << 64  # greater words are no numbers, and smaller ones no addresses
_ADDRESSES = 1 << 160
_LONGEST_COUNT = 200_000  # how far a counter may have moved for all its values to be tried

_MOST_PLAIN = 64  # slots of a variable without keys that are looked at in case a counter is among them

# Keys worth trying, by `_key_kind`.
Candidates = Mapping[str, list[int]]
# Keys of the levels of a mapping that are numbers.
Numbers = tuple[int, ...]


class Slot(NamedTuple):
    """Storage slot: a variable, the keys of an element of it, and the offset within the element."""

    variable: StorageVariable
    keys: tuple[int, ...]
    offset: int


class SlotSearch:
    """Finds out what the storage slots are that a block touches.

    Parameters
    ----------
    contracts : mapping
        Variables of each contract whose layout is known, by address.
    block : Block
    state : State
        Before the block, whenever `find` is called.
    recording : Recording
        Of the block.
    changes : Changes
        What the block changed.
    computed : callable, optional
        More numbers that a transaction can have used as keys, one for each level of a mapping.
    patience : int, optional
        A slot is given up after so many transactions that touched it, and what counters count is not tried; by default,
        nothing is given up.
    known : iterable of bytes, optional
        Addresses that have a name, which a contract may have in its code where no transaction shows them.
    """

    def __init__(
        self,
        contracts: Mapping[bytes, tuple[StorageVariable, ...]],
        block: Block,
        state: State,
        recording: Recording,
        changes: Changes,
        computed: Callable[[Transaction], Iterable[Numbers]] = lambda transaction: (),
        patience: int | None = None,
        known: Iterable[bytes] = (),
    ) -> None:
        self._contracts = contracts
        self._block = block
        self._state = state
        self._recording = recording
        self._changes = changes
        self._computed = computed
        self._patience = patience
        self._known = [int.from_bytes(address, "big") for address in known]
        self._tries: Counter[tuple[bytes, int]] = Counter()
        self._places: dict[int, Location] = {}
        self._hashed: dict[tuple[int, int], int] = {}
        self._open: dict[bytes, set[int]] = {}
        self._found: dict[tuple[bytes, int], Slot] = {}

    def find(self, only: Collection[Location] | None = None) -> Mapping[tuple[bytes, int], Slot]:
        """Search.

        Parameters
        ----------
        only : collection of Location, optional
            Find these, and what lies in their contracts without a key; by default, all that the block touches.

        Returns
        -------
        mapping
            By address and slot, earlier searches included; what could not be found is not there.
        """
        numbers = self._open_slots(only)
        for address in self._open:
            self._try_plain(address)
        locations, offsets = self._recording.locations, self._recording.offsets
        for index in self._touching(numbers):
            transaction = self._block.transactions[index]
            touched = [self._place(number) for number in locations[offsets[index] : offsets[index + 1]].tolist()]
            wanted: dict[bytes, set[int]] = {}
            for place in touched:
                if self._is_open(place):
                    wanted.setdefault(place.address, set()).add(place.slot)
            if wanted:
                candidates = _candidates(transaction, touched, self._state)
                computed = list(self._computed(transaction))
                for address, slots in wanted.items():
                    self._tries.update((address, slot) for slot in slots)
                    self._try_computed(address, slots, candidates, computed)
                    self._try(address, slots, candidates)
        if self._patience is None:
            self._try_counts()
            self._try_known()
        return self._found

    def _open_slots(self, only: Collection[Location] | None) -> list[int]:
        """Open what is to be found; the numbers of those locations."""
        if only is None:
            numbers = [int(number) for number in np.unique(self._recording.locations)]
        else:
            wanted = {place for place in only if place.kind == "storage" and place.address in self._contracts}
            numbers = self._numbers(wanted)
            for address in {place.address for place in wanted} - self._open.keys():
                plain = (one for one in self._contracts[address] if not one.key_types and one.slot_count <= _MOST_PLAIN)
                self._open[address] = {one.slot + offset for one in plain for offset in range(one.slot_count)}
        for place in map(self._place, numbers):
            known = (place.address, place.slot) in self._found
            if place.kind == "storage" and place.address in self._contracts and not known:
                self._open.setdefault(place.address, set()).add(place.slot)
        return numbers

    def _numbers(self, places: Iterable[Location]) -> list[int]:
        """Numbers of locations of which the block touches some."""
        found: list[int] = []
        for place in places:
            key = location_key(place.address, KIND_NAMES.index(place.kind), place.slot)
            found += np.flatnonzero((self._recording.keys == key).all(axis=1)).tolist()
        return found

    def _place(self, number: int) -> Location:
        if number not in self._places:
            self._places[number] = location_of(self._recording.keys[number])
        return self._places[number]

    def _touching(self, numbers: Iterable[int]) -> list[int]:
        """Transactions that touch one of these locations, if it is open."""
        wanted = [number for number in numbers if self._is_open(self._place(number))]
        at = np.flatnonzero(np.isin(self._recording.locations, wanted))
        return [int(index) for index in np.unique(np.searchsorted(self._recording.offsets, at, side="right") - 1)]

    def _is_open(self, place: Location) -> bool:
        if place.kind != "storage" or place.slot not in self._open.get(place.address, ()):
            return False
        return self._patience is None or self._tries[place.address, place.slot] < self._patience

    def _try_plain(self, address: bytes) -> None:
        for variable in self._contracts[address]:
            if not variable.key_types:
                # The items of an array may be billions.
                for slot in [one for one in self._open[address] if 0 <= one - variable.slot < variable.slot_count]:
                    self._settle(address, slot, Slot(variable, (), slot - variable.slot))

    def _try(self, address: bytes, slots: set[int], candidates: Candidates) -> None:
        """Try all keys at all mappings of a contract until none of `slots`, which is used up, is open."""
        for variable in self._contracts[address]:
            if not variable.key_types:
                continue
            for keys in product(*(candidates[_key_kind(kind)] for kind in variable.key_types)):
                if not slots:
                    return
                self._try_keys(address, slots, variable, keys)

    def _try_computed(self, address: bytes, slots: set[int], candidates: Candidates, computed: list[Numbers]) -> None:
        """Try numbers that a contract computed, as the only keys of a mapping or behind accounts."""
        for variable in self._contracts[address]:
            accounts = sum(kind == "address" for kind in variable.key_types)
            if "address" in variable.key_types[accounts:]:
                continue
            fitting = [numbers for numbers in computed if len(numbers) == len(variable.key_types) - accounts]
            for numbers in fitting:
                for before in product(candidates["address"], repeat=accounts):
                    self._try_keys(address, slots, variable, (*before, *numbers))

    def _try_keys(self, address: bytes, slots: set[int], variable: StorageVariable, keys: tuple[int, ...]) -> None:
        begin = self._slot_of(variable, keys)
        for offset in range(variable.element_slots):
            if begin + offset in slots:
                self._settle(address, begin + offset, Slot(variable, keys, offset))
                slots.discard(begin + offset)

    def _try_counts(self) -> None:
        """Try every value that a counter of a contract took, where slots are left.

        A counter in a mapping counts what the same keys and the count lead to, as the end of a queue does; what grows
        by more than the number of transactions is no such counter.
        """
        after = dict(iter(self._changes))
        state, most = self._state, len(self._block)
        for address, slots in self._open.items():
            if not slots:
                continue
            left, counters = set(slots), [one for one in self._found.items() if one[0][0] == address]
            for (_, slot), what in counters:
                before = state.storage(address, slot)
                grown = after.get(Location(address, "storage", slot), before) - before
                if not left or grown <= 0:
                    continue
                counts = range(before, before + grown + 1)
                if not what.keys and grown <= _LONGEST_COUNT:
                    self._try(address, left, {"address": [], "number": list(counts), "bytes": []})
                elif what.keys and grown <= most:
                    for variable in self._contracts[address]:
                        if variable.key_types[:-1] == what.variable.key_types and variable.key_types[-1] != "address":
                            for count in counts:
                                self._try_keys(address, left, variable, (*what.keys, count))

    def _try_known(self) -> None:
        """Try every address with a name as the only key of a mapping, where slots are left."""
        for address, slots in self._open.items():
            left = set(slots)
            for variable in self._contracts[address]:
                if variable.key_types == ("address",):
                    for key in self._known if left else ():
                        self._try_keys(address, left, variable, (key,))

    def _slot_of(self, variable: StorageVariable, keys: Iterable[int]) -> int:
        # The same mapping of many contracts lies at the same slot, so hashes are worth keeping.
        slot = variable.slot
        for key in keys:
            first, second = (key, slot) if variable.is_key_first else (slot, key)
            known = self._hashed.get((first, second))
            if known is None:
                known = self._hashed[first, second] = mapping_slot(first, second)
            slot = known
        return slot

    def _settle(self, address: bytes, slot: int, what: Slot) -> None:
        if slot in self._open[address]:
            self._found[address, slot] = what
            self._open[address].discard(slot)


def _candidates(transaction: Transaction, touched: Iterable[Location], state: State) -> Candidates:
    """Keys that a transaction can have used, those first that are used most."""
    data = transaction.data
    end = min(len(data), _SELECTOR + _ARGUMENTS * _WORD)
    words = [int.from_bytes(data[at : at + _WORD], "big") for at in range(_SELECTOR, end, _WORD)]
    words += [state.storage(place.address, place.slot) for place in touched if place.kind == "storage"]
    accounts = [transaction.sender, transaction.to or b"", *(place.address for place in touched)]
    addresses = [int.from_bytes(account, "big") for account in accounts]
    addresses += [word for word in words if _NUMBERS <= word < _ADDRESSES]
    numbers = [*range(_SMALL), *(number for word in words if word < _NUMBERS for number in (word, word + 1))]
    found = {"address": addresses, "number": numbers, "bytes": [*words, *numbers]}
    return {kind: list(dict.fromkeys(keys)) for kind, keys in found.items()}


def _key_kind(type_name: str) -> str:
    """Which candidates fit a mapping's key."""
    return type_name if type_name == "address" else "bytes" if type_name.startswith("bytes") else "number"
