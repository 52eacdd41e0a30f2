"""Changed records: what a block has changed as records of a store, in the order of their keys.

A state tells the slots of destroyed accounts from later ones by storage generations; a store has none and deletes them.
The order of a block's changes is that of the keys, so that neighbours among them are neighbours in a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contend.evm.block import Words
from contend.evm.code.directory import EMPTY_HASH
from contend.evm.layout import (
    GENERATION_SHIFT,
    KEY_WORDS,
    KIND_BALANCE,
    KIND_CODE,
    KIND_GENERATION,
    KIND_MASK,
    KIND_NONCE,
    KIND_SHIFT,
    KIND_STORAGE,
)
from contend.evm.state import Changes, State
from contend.node.state_root.words_of_state import words_of
from contend.node.store.base import ADDRESS_BYTES, HASH_BYTES, SLOT_KEY_BYTES, WORD_BYTES

ACCOUNTS, SLOTS, CODES = "accounts", "slots", "codes"
KINDS = (ACCOUNTS, SLOTS, CODES)
KIND_BY_KEY_BYTES = {ADDRESS_BYTES: ACCOUNTS, SLOT_KEY_BYTES: SLOTS, HASH_BYTES: CODES}
"""Which kind a record is of, by how long its key is."""
Bytes = npt.NDArray[np.uint8]
Row = tuple[bytes, bytes | None]
_ACCOUNT_FIELDS = (KIND_NONCE, KIND_BALANCE, KIND_CODE)


@dataclass
class Records:
    """Records of a state, or of what was changed in it.

    Attributes
    ----------
    rows : dict
        By kind the keys in ascending order, each with its value; None for a record that is no longer there.
    emptied : list of bytes
        Addresses whose slots are all gone but for those in `rows`.
    """

    rows: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    emptied: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))


def address_bytes(keys: Words) -> Bytes:
    """Addresses of locations, shape (n, 20)."""
    found = np.empty((len(keys), ADDRESS_BYTES), np.uint8)
    found[:, :4] = _big_endian(keys[:, 2])[:, 4:]
    found[:, 4:12] = _big_endian(keys[:, 1])
    found[:, 12:] = _big_endian(keys[:, 0])
    return found


def _big_endian(words: npt.NDArray[np.uint64]) -> Bytes:
    return np.ascontiguousarray(words).astype(">u8").view(np.uint8).reshape(len(words), 8)


def word_bytes(words: Words) -> Bytes:
    """Words of four limbs as they are written down, shape (n, 32)."""
    return np.ascontiguousarray(words[:, ::-1]).astype(">u8").view(np.uint8).reshape(len(words), WORD_BYTES)


def _pieces(rows: Bytes) -> list[bytes]:
    data, size = rows.tobytes(), rows.shape[1]
    return [data[at : at + size] for at in range(0, len(data), size)]


def _kinds(keys: Words) -> npt.NDArray[np.uint64]:
    kinds: npt.NDArray[np.uint64] = keys[:, 2] >> np.uint64(KIND_SHIFT) & np.uint64(KIND_MASK)
    return kinds


def _named(keys: Words, kind: int) -> Words:
    """Keys of the field of that kind of the same accounts."""
    named = np.zeros((len(keys), KEY_WORDS), np.uint64)
    named[:, :2] = keys[:, :2]
    named[:, 2] = keys[:, 2] & np.uint64(0xFFFFFFFF) | np.uint64(kind << KIND_SHIFT)
    return named


def _accounts_of(keys: Words) -> Words:
    """Keys of the accounts that locations belong to, each once and in ascending order."""
    named = _named(keys, KIND_BALANCE)
    named = named[np.lexsort((named[:, 0], named[:, 1], named[:, 2]))]
    first = np.ones(len(named), bool)
    first[1:] = (named[1:, :3] != named[:-1, :3]).any(axis=1)
    return named[first]


def changed_records(changes: Changes, state: State) -> Records:
    """Records that hold what was changed, as they are in a state.

    Parameters
    ----------
    changes : Changes
        In canonical order.
    state : State
        After the changes; of accounts also the fields that did not change.
    """
    found = Records()
    kinds = _kinds(changes.keys)
    accounts = _accounts_of(changes.keys[np.isin(kinds, _ACCOUNT_FIELDS)])
    found.rows[ACCOUNTS] = list(zip(_pieces(address_bytes(accounts)), _account_records(accounts, state), strict=True))
    slots = changes.keys[kinds == KIND_STORAGE]
    # Not those of a storage that the account no longer has.
    slots = slots[_generations(slots, state) == slots[:, 2] >> np.uint64(GENERATION_SHIFT)]
    names = np.concatenate((address_bytes(slots), word_bytes(slots[:, 3:])), axis=1)
    found.rows[SLOTS] = list(zip(_pieces(names), _words(slots, state), strict=True))
    found.rows[CODES] = _code_rows(changes.words[kinds == KIND_CODE], state)
    # An account that is no longer there has no slots; neither has one whose storage was destroyed, but for new ones.
    gone = {name for name, record in found.rows[ACCOUNTS] if record is None}
    found.emptied = sorted(gone.union(_pieces(address_bytes(changes.keys[kinds == KIND_GENERATION]))))
    return found


def records_at(names: Sequence[bytes], state: State) -> list[bytes | None]:
    """Records of accounts and slots as they are in a state, by their keys; None for those that are not there.

    What is under the key of a code is left out, as if it were not there.
    """
    found: list[bytes | None] = [None] * len(names)
    for size, records in ((ADDRESS_BYTES, _account_records), (SLOT_KEY_BYTES, _slot_records)):
        own = [place for place, name in enumerate(names) if len(name) == size]
        data = np.frombuffer(b"".join(names[place] for place in own), np.uint8).reshape(len(own), size)
        for place, record in zip(own, records(_location_keys(data), state), strict=True):
            found[place] = record
    return found


def _location_keys(names: Bytes) -> Words:
    """Keys of the balances, or of the slots of generation 0, that keys of records name."""
    keys = np.zeros((len(names), KEY_WORDS), np.uint64)
    padded = np.zeros((len(names), 24), np.uint8)
    padded[:, 4:] = names[:, :ADDRESS_BYTES]
    keys[:, 2::-1] = padded.view(">u8")
    if names.shape[1] == SLOT_KEY_BYTES:
        keys[:, :2:-1] = np.ascontiguousarray(names[:, ADDRESS_BYTES:]).view(">u8")
        keys[:, 2] |= np.uint64(KIND_STORAGE << KIND_SHIFT)
    return keys


def _generations(slots: Words, state: State) -> npt.NDArray[np.uint64]:
    """Storage generations of the accounts that slots belong to, as they are in a state."""
    generations: npt.NDArray[np.uint64] = words_of(state, _named(slots, KIND_GENERATION))[:, 0]
    return generations


def _slot_records(slots: Words, state: State) -> list[bytes | None]:
    """Records of slots, by keys that name no generation."""
    slots = slots.copy()
    slots[:, 2] |= _generations(slots, state) << np.uint64(GENERATION_SHIFT)
    return _words(slots, state)


def _words(slots: Words, state: State) -> list[bytes | None]:
    words = words_of(state, slots)
    return _present(_pieces(word_bytes(words)), np.any(words, axis=1))


def _account_records(accounts: Words, state: State) -> list[bytes | None]:
    nonces, balances, codes = (words_of(state, _named(accounts, kind)) for kind in _ACCOUNT_FIELDS)
    records = np.concatenate((_big_endian(nonces[:, 0]), word_bytes(balances), word_bytes(codes)), axis=1)
    return _present(_pieces(records), np.any(nonces | balances | codes, axis=1))


def _present(records: list[bytes], are_there: npt.NDArray[np.bool_]) -> list[bytes | None]:
    return [record if is_there else None for record, is_there in zip(records, are_there.tolist(), strict=True)]


def _code_rows(hashes: Words, state: State) -> list[Row]:
    """Codes by the words of accounts; the hash of nothing is a mark, and no code's."""
    names = sorted({name for name in _pieces(word_bytes(hashes)) if any(name) and name != EMPTY_HASH})
    return [(name, bytes(state.codes[state.codes.number_of(name)].code)) for name in names]
