"""World state: one map from location to word.

A location is interned once to a dense number; its key and its word stand side by side in a row of that number, and
whatever a strategy keeps about locations are arrays indexed by it. The hash table that interns is open-addressed and
lock-free: workers that meet a new location together both take a number, one wins the slot, and the loser's number stays
unused (its word is zero for ever, and a zero word is no part of the state).

A slot of the table is a word: half of the hash, which tells nearly all other keys, and the number. So a read that finds
nothing in the caches waits twice: for the slot, and for the row, which is a pair of neighbouring cache lines. The slots
of an account's balance, nonce and code lie in one line (`hash_key`), since who asks for one asks for others. Who knows
what will be read asks for slot and row ahead (`prefetch_slot`, `prefetch_location`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm import layout
from contend.evm.block import Words, limbs
from contend.evm.code.directory import EMPTY_HASH, CodeDirectory
from contend.evm.layout import LOCATION, STATE, WORD
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import multiply_wide, view_u64
from contend.evm.runtime.prefetch import LINE_BYTES, prefetch
from contend.evm.runtime.structs import KEY, LINE_U64, WORD_BYTES, Struct, address_of

NOT_FOUND = -1
NO_ROOM = -2
_TAG = U(0xFFFFFFFF00000000)
_FIRST_TIME = U(layout.FIRST_TIME)
_NUMBER = U(0xFFFFFFFF)
_SALT = (U(0x2D358DCCAA6C78A5), U(0x8BB84B93962EACC9), U(0x4B33A62ED433D4A3), U(0x4D5A2DA51DE1AA47))
COUNTER = Struct("Counter", count=LINE_U64)
_KIND_SHIFT, _KIND_MASK = U(layout.KIND_SHIFT), U(layout.KIND_MASK)
KEY_AT = Struct("Key", key=KEY)


@kernel(inline=True)
def hash_key(key):
    """Hash of a location's key: products of salted words, folded (the wyhash construction).

    The kind is put in last, into the lowest bits of either half: so the locations of one account hash to one group of
    eight slots, a cache line, and differ in the half that tells keys.
    """
    kind = (key[2] >> _KIND_SHIFT) & _KIND_MASK
    third = key[2] ^ (kind << _KIND_SHIFT)
    a, b = multiply_wide(key[0] ^ _SALT[0], key[1] ^ third ^ _SALT[1])
    c, d = multiply_wide(key[3] ^ _SALT[2], key[4] ^ _SALT[3])
    e, f = multiply_wide(key[5] ^ a ^ b ^ _SALT[1], key[6] ^ c ^ d ^ _SALT[2])
    return e ^ f ^ a ^ d ^ kind ^ (kind << U(32))


@kernel(inline=True)
def same_key(left, right):
    """Whether two keys are equal."""
    difference = (left[0] ^ right[0]) | (left[1] ^ right[1]) | (left[2] ^ right[2])
    difference |= (left[3] ^ right[3]) | (left[4] ^ right[4])
    return (difference | (left[5] ^ right[5]) | (left[6] ^ right[6])) == U0


@kernel(inline=True)
def location_row(state, location):
    """Row of a location of a state (`STATE`), in memory: its key and its word (`evm.layout.LOCATION`)."""
    return LOCATION.item(state.locations, state.capacity, location)


@kernel(inline=True)
def kind_of(state, location):
    """Kind of a location of a state: `evm.layout.KIND_STORAGE` and its like."""
    return I((location_row(state, location).key[2] >> _KIND_SHIFT) & _KIND_MASK)


@kernel(inline=True)
def is_in_memory(row):
    """Whether the word of a location's row is there, and has not to be asked for behind the state."""
    arrival = atomics.load(row, "arrival")
    return arrival == U0 or arrival >= _FIRST_TIME


@kernel(inline=True)
def _probe(state, table, slot, hashed, key):
    """Number of the location that a slot of the table holds, if it is the one with this key; else `NOT_FOUND`."""
    found = atomics.load(table, slot)
    if (found ^ hashed) & _TAG == U0:
        number = I(found & _NUMBER) - 1
        if number >= 0 and same_key(location_row(state, number).key, key):
            return number
    return I(NOT_FOUND)


@kernel()
def prefetch_slot(state_address, key):
    """Ask for the memory in which the search for a key begins."""
    state = STATE.at(state_address)
    prefetch(state.table + (I(hash_key(key)) & state.table_mask) * WORD_BYTES)


@kernel()
def prefetch_row(state, slot):
    """Ask for the row to which a slot of the table leads. The location's number; none is there below 0."""
    number = I(atomics.load(view_u64(state.table, state.table_mask + 1), slot) & _NUMBER) - 1
    if number >= 0:
        row = address_of(location_row(state, number))
        prefetch(row)
        prefetch(row + LINE_BYTES)
    return number


@kernel()
def prefetch_location(state_address, key):
    """Ask for the row to which the slot leads: in all likelihood that of the location itself."""
    state = STATE.at(state_address)
    prefetch_row(state, I(hash_key(key)) & state.table_mask)


@kernel()
def find_location(state_address, key):
    """Number of the location with this key, or `NOT_FOUND`."""
    state = STATE.at(state_address)
    mask = state.table_mask
    table = view_u64(state.table, mask + 1)
    hashed = hash_key(key)
    slot = I(hashed) & mask
    while atomics.load(table, slot) != U0:
        number = _probe(state, table, slot, hashed, key)
        if number != NOT_FOUND:
            return number
        slot = (slot + 1) & mask
    return I(NOT_FOUND)


@kernel()
def intern_location(state_address, key):
    """As `find_location`, but a new location is entered. `NO_ROOM` when the state is full. Safe among workers."""
    state = STATE.at(state_address)
    mask = state.table_mask
    table = view_u64(state.table, mask + 1)
    hashed = hash_key(key)
    slot = I(hashed) & mask
    fresh = I(NOT_FOUND)
    while True:
        if atomics.load(table, slot) == U0:
            if fresh == NOT_FOUND:
                counter = COUNTER.at(state.count_address)
                fresh = I(atomics.add(counter, "count", U1))
                if fresh >= state.capacity:
                    atomics.subtract(counter, "count", U1)
                    return I(NO_ROOM)
                location_row(state, fresh).key = key
            if atomics.compare_and_swap(table, slot, U0, (hashed & _TAG) | U(fresh + 1)) == U0:
                return fresh
        number = _probe(state, table, slot, hashed, key)
        if number != NOT_FOUND:
            return number
        slot = (slot + 1) & mask


@kernel()
def _rehash(state_address, before, table):
    """Enter in `table` what the table `before` holds: not all keys, since a number that lost a race repeats one."""
    state = STATE.at(state_address)
    mask = table.size - 1
    for i in range(before.size):
        if before[i] != U0:
            slot = I(hash_key(location_row(state, I(before[i] & _NUMBER) - 1).key)) & mask
            while table[slot] != U0:
                slot = (slot + 1) & mask
            table[slot] = before[i]


@kernel()
def _apply(state_address, keys, words, count):
    """Write `count` words; the state has room for them."""
    state = STATE.at(state_address)
    for i in range(count):
        location = intern_location(state_address, KEY_AT.item(keys, count, i).key)
        check(location >= 0)
        location_row(state, location).value = WORD.item(words, count, i).value


@kernel()
def key_in_state(state_address, key):
    """Key of a location as it is in a state, for one that is named without a storage generation."""
    if (key[2] >> _KIND_SHIFT) & _KIND_MASK != U(layout.KIND_STORAGE):
        return key
    third = (key[2] & U(0xFFFFFFFF)) | (U(layout.KIND_GENERATION) << _KIND_SHIFT)
    found = I(find_location(state_address, (key[0], key[1], third, U0, U0, U0, U0)))
    if found < 0:
        return key
    generation = location_row(STATE.at(state_address), found).value[0]
    return key[0], key[1], key[2] | (generation << U(layout.GENERATION_SHIFT)), key[3], key[4], key[5], key[6]


@kernel()
def _number_at(state_address, place, adds):
    """Number of the location whose key, named without a storage generation, lies at `place`; entered if it `adds`."""
    key = key_in_state(state_address, KEY_AT.at(place).key)
    if adds:
        return intern_location(state_address, key)
    return find_location(state_address, key)


class Location(NamedTuple):
    """One unit of state that can conflict.

    Attributes
    ----------
    address : bytes
        20 bytes.
    kind : str
        ``storage``, ``balance``, ``nonce`` or ``code``; or ``generation``, the number of the account's storage.
    slot : int
        The storage slot; 0 for the other kinds.
    generation : int
        Of a slot: which of the storages that the account has had one after the other it belongs to.
    """

    address: bytes
    kind: str
    slot: int
    generation: int = 0

    def __str__(self) -> str:
        name = f"0x{self.address.hex()} {self.kind}"
        return f"{name}[{self.slot:#x}]" if self.kind == "storage" else name


_LARGEST = (1 << 256) - 1


def location_key(address: bytes, kind: int, slot: int = 0, generation: int = 0) -> Words:
    """Key of a location: seven words, as kernels compare it."""
    return np.frombuffer(_key_bytes(address, kind, slot, generation), dtype=np.uint64)


def _key_bytes(address: bytes, kind: int, slot: int, generation: int = 0) -> bytes:
    above = (kind << layout.KIND_SHIFT | generation << layout.GENERATION_SHIFT) << 128
    head = (int.from_bytes(address, "big") | above).to_bytes(24, "little")
    return head + (slot & _LARGEST).to_bytes(32, "little")


def key_tuple(key: Words) -> tuple[np.uint64, ...]:
    """A key as kernels take it."""
    return tuple(np.ascontiguousarray(key))


def location_of(key: Words) -> Location:
    """The location that a key stands for."""
    a0, a1, a2, *slot = (int(word) for word in key)
    address = a0 | a1 << 64 | (a2 & 0xFFFFFFFF) << 128
    number = sum(limb << (64 * i) for i, limb in enumerate(slot))
    kind = a2 >> layout.KIND_SHIFT & layout.KIND_MASK
    name = "generation" if kind == layout.KIND_GENERATION else layout.KIND_NAMES[kind]
    return Location(address.to_bytes(20, "big"), name, number, a2 >> layout.GENERATION_SHIFT)


def word_to_int(row: npt.NDArray[np.uint64]) -> int:
    """The integer that four limbs stand for."""
    return int.from_bytes(np.ascontiguousarray(row).tobytes(), "little")


@dataclass(frozen=True)
class Changes:
    """Locations with words, in canonical order: by kind, address, slot.

    Attributes
    ----------
    keys : ndarray of uint64, shape (m, 7)
    words : ndarray of uint64, shape (m, 4)
    """

    keys: Words
    words: Words

    @classmethod
    def sorted(cls, keys: Words, words: Words) -> Changes:
        """From rows in any order."""
        order = np.lexsort((*(keys[:, i] for i in (3, 4, 5, 6)), *(keys[:, i] for i in (0, 1, 2))))
        return cls(keys[order], words[order])

    @property
    def digest(self) -> str:
        """Digest of all rows, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(np.ascontiguousarray(self.keys).tobytes())
        digest.update(np.ascontiguousarray(self.words).tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[tuple[Location, int]]:
        for key, word in zip(self.keys, self.words, strict=True):
            yield location_of(key), word_to_int(word)


@dataclass(frozen=True)
class Snapshot:
    """A state at one moment. Restoring it brings the intern table back too, so that every run starts as cold."""

    count: int
    keys: Words
    values: Words
    table: Words
    has_generations: bool


def _zeros_at_pair(count: int) -> Words:
    """Zeros that begin where a pair of cache lines does, so that neither a row nor a group of slots lies across."""
    room = np.zeros(count + LOCATION.words, np.uint64)
    skip = (-room.ctypes.data // WORD_BYTES) % LOCATION.words
    return room[skip : skip + count]


class State:
    """A map from location to word; what is absent is zero.

    Parameters
    ----------
    capacity : int
        Locations that fit before the state must grow (`reserve`). Kernels never grow it.
    """

    def __init__(self, capacity: int = 1 << 14, codes: CodeDirectory | None = None) -> None:
        self.codes = codes if codes is not None else CodeDirectory()
        self._header = STATE.zeros()
        self._header_at = int(self._header.ctypes.data)
        self._counter = COUNTER.zeros()
        # Where a key is written for kernels to take: seven words as arguments take Python longer than all the rest.
        named = np.zeros(layout.KEY_WORDS, np.uint64)
        self._named_bytes, self._named_at = named.data.cast("B"), int(named.ctypes.data)
        self._see_rows(_zeros_at_pair(0).view(LOCATION.dtype))
        self._table = np.zeros(0, np.uint64)
        self._settled = True
        self._allocate(capacity)

    def _allocate(self, capacity: int) -> None:
        count = self.count
        rows = _zeros_at_pair(capacity * LOCATION.words).view(LOCATION.dtype)
        rows[:count] = self._rows[:count]
        table = _zeros_at_pair(1 << (2 * capacity - 1).bit_length())
        header = self._header
        header["locations"], header["table"] = rows.ctypes.data, table.ctypes.data
        header["table_mask"], header["capacity"] = len(table) - 1, capacity
        header["count_address"] = self._counter.ctypes.data
        _rehash(self.address, self._table, table)
        self._see_rows(rows)
        self._table = table

    def _see_rows(self, rows: Any) -> None:
        self._rows = rows
        self._keys: Words = rows["key"]
        self._values: Words = rows["value"]
        self._arrivals: npt.NDArray[np.uint64] = rows["arrival"]

    @property
    def address(self) -> int:
        """Address of the state's header, for kernels. It stays the same as the state grows."""
        return self._header_at

    @property
    def count(self) -> int:
        """Interned locations."""
        return int(self._counter["count"][0])

    @property
    def capacity(self) -> int:
        """Locations that fit."""
        return len(self._rows)

    @property
    def keys(self) -> Words:
        """Keys by location number, shape (count, 7)."""
        return self._keys[: self.count]

    @property
    def values(self) -> Words:
        """Words by location number, shape (count, 4)."""
        return self._values[: self.count]

    @property
    def arrivals(self) -> npt.NDArray[np.uint64]:
        """What is known of each word's arrival, also of locations that are not interned yet, shape (capacity,).

        Zero for a word that is in memory; all are where nothing lies behind the state (`evm.layout.COLD`).
        """
        return self._arrivals

    def reserve(self, capacity: int) -> None:
        """Make room for at least `capacity` locations."""
        if capacity > self.capacity:
            self._allocate(1 << (capacity - 1).bit_length())

    def _number(self, address: bytes, kind: int, slot: int, adds: bool) -> int:
        self._named_bytes[:] = _key_bytes(address, kind, slot)
        return int(_number_at(self.address, self._named_at, adds))

    def _get(self, address: bytes, kind: int, slot: int = 0) -> int:
        number = self._number(address, kind, slot, False)
        return 0 if number < 0 else word_to_int(self._values[number])

    def _set(self, address: bytes, kind: int, slot: int, value: int) -> None:
        if not 0 <= value < 1 << 256:
            raise ValueError(f"{location_of(location_key(address, kind, slot))}: {value} is not a 256-bit word")
        if self.count >= self.capacity:
            self._allocate(2 * self.capacity)
        self._values[self._number(address, kind, slot, True)] = limbs(value)

    def balance(self, address: bytes) -> int:
        """Wei that an account has."""
        return self._get(address, layout.KIND_BALANCE)

    def nonce(self, address: bytes) -> int:
        """Nonce of an account."""
        return self._get(address, layout.KIND_NONCE)

    def code(self, address: bytes) -> bytes:
        """Code of an account, empty where there is none."""
        code_hash = self._get(address, layout.KIND_CODE)
        return bytes(self.codes[self.codes.number_of(code_hash.to_bytes(32, "big"))].code) if code_hash else b""

    def storage(self, address: bytes, slot: int) -> int:
        """Word in a storage slot."""
        return self._get(address, layout.KIND_STORAGE, slot)

    def generation(self, address: bytes) -> int:
        """Storage generation of an account: how often it was destroyed since generations were settled."""
        return self._get(address, layout.KIND_GENERATION)

    def set_balance(self, address: bytes, value: int) -> None:
        """Set an account's balance in wei."""
        self._set(address, layout.KIND_BALANCE, 0, value)

    def set_nonce(self, address: bytes, value: int) -> None:
        """Set an account's nonce."""
        self._set(address, layout.KIND_NONCE, 0, value)

    def set_code(self, address: bytes, code: bytes) -> None:
        """Set an account's code; its word is the code's hash, or zero for none."""
        number = self.codes.add(code)
        self._set(address, layout.KIND_CODE, 0, int.from_bytes(self.codes[number].hash, "big") if code else 0)

    def mark_storage(self, address: bytes) -> None:
        """Say that an account without code has storage; see `evm.code.directory.EMPTY_HASH`."""
        self._set(address, layout.KIND_CODE, 0, int.from_bytes(EMPTY_HASH, "big"))

    def delete_if_empty(self, address: bytes) -> None:
        """Delete an account that has storage and nothing else, which becomes of it when it is touched (EIP-161).

        All others that are empty are none. It takes as long as the state is large, and such accounts are in no state
        of a chain (EIP-7523).
        """
        marked = self._get(address, layout.KIND_CODE) == int.from_bytes(EMPTY_HASH, "big")
        if not marked or self.balance(address) or self.nonce(address):
            return
        self._set(address, layout.KIND_CODE, 0, 0)
        first, second, third, *_ = (int(word) for word in location_key(address, layout.KIND_STORAGE))
        keys = self.keys
        low = keys[:, 2] & ~np.uint64((1 << 64) - (1 << layout.GENERATION_SHIFT))
        self.values[(keys[:, 0] == first) & (keys[:, 1] == second) & (low == third)] = 0

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a storage slot."""
        self._set(address, layout.KIND_STORAGE, slot, value)

    def settle_generations(self, destroys_all: bool) -> bool:
        """Get ready for a block of a fork that destroys all, or not (`evm.vm.storage_generation`).

        Under rules by which no account loses its storage, kernels do not ask which generation it is of. So what is left
        of former rules is settled: the slots of all accounts become those of generation 0, the old ones are emptied.

        Parameters
        ----------
        destroys_all : bool
            Whether SELFDESTRUCT deletes any account.

        Returns
        -------
        bool
            Whether the state was changed by that.
        """
        header = self._header[0]
        if destroys_all:
            header["has_generations"] = bool(self.values[self._kinds() == layout.KIND_GENERATION].any())
            self._settled = False
        elif not self._settled:
            self._settle()
            header["has_generations"], self._settled = 0, True
            return True
        return False

    def _kinds(self) -> npt.NDArray[np.uint64]:
        return self.keys[:, 2] >> U(layout.KIND_SHIFT) & U(layout.KIND_MASK)

    def _settle(self) -> None:
        numbers = np.flatnonzero(self._kinds() == layout.KIND_GENERATION)
        generations = {location_of(self.keys[i]).address: word_to_int(self.values[i]) for i in numbers}
        self.values[numbers] = 0
        moved = []
        for number in np.flatnonzero((self._kinds() == layout.KIND_STORAGE) & self.values.any(axis=1)):
            address, _, slot, generation = location_of(self.keys[number])
            current = generations.get(address, 0)
            if generation == current and generation:
                moved.append((address, slot, word_to_int(self.values[number])))
            if generation != current or generation:
                self.values[number] = 0
        for address, slot, word in moved:
            self.set_storage(address, slot, word)

    def contents(self) -> Changes:
        """Every location with a word other than zero."""
        present = self.values.any(axis=1)
        return Changes.sorted(self.keys[present], self.values[present])

    def digest(self) -> str:
        """Canonical digest: two states are equal exactly when (but for collisions) their digests are."""
        return self.contents().digest

    def snapshot(self) -> Snapshot:
        """Remember the state as it is."""
        return Snapshot(self.count, self.keys.copy(), self.values.copy(), self._table.copy(), not self._settled)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of this state."""
        self._values[: max(self.count, snapshot.count)] = 0
        self._keys[: snapshot.count], self._values[: snapshot.count] = snapshot.keys, snapshot.values
        self._counter["count"] = snapshot.count
        self._settled = not snapshot.has_generations
        if len(snapshot.table) == len(self._table):
            self._table[:] = snapshot.table
        else:
            self._table[:] = 0
            _rehash(self.address, snapshot.table, self._table)

    def changes_since(self, snapshot: Snapshot) -> Changes:
        """Locations whose word is not what it was at the snapshot, with their words of now."""
        before = np.zeros_like(self.values)
        before[: snapshot.count] = snapshot.values
        changed = (before != self.values).any(axis=1)
        return Changes.sorted(self.keys[changed], self.values[changed])

    def apply(self, changes: Changes) -> None:
        """Write the words of `changes`, and make room for them where there is none."""
        self.reserve(self.count + len(changes))
        keys, words = np.ascontiguousarray(changes.keys), np.ascontiguousarray(changes.words)
        _apply(self.address, keys.ctypes.data, words.ctypes.data, len(changes))

    def copy(self) -> State:
        """An independent state with the same contents; it shares the code directory."""
        twin = State(self.capacity, self.codes)
        twin.restore(self.snapshot())
        return twin
