"""Changed records: what a block has changed as records of a store, in the order of their keys.

A state tells the slots of destroyed accounts from later ones by storage generations; a store has none and deletes them.
The order of a block's changes is that of the keys, so that neighbours among them are neighbours in a tree.
"""

from __future__ import annotations

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
    of_account = np.isin(kinds, _ACCOUNT_FIELDS)
    accounts = _accounts_of(changes.keys[of_account])
    nonces, balances, codes = (words_of(state, _named(accounts, kind)) for kind in _ACCOUNT_FIELDS)
    values = np.concatenate((_big_endian(nonces[:, 0]), word_bytes(balances), word_bytes(codes)), axis=1)
    is_there: list[bool] = np.any(nonces | balances | codes, axis=1).tolist()
    names = _pieces(address_bytes(accounts))
    rows = zip(names, _pieces(values), is_there, strict=True)
    found.rows[ACCOUNTS] = [(name, value if there else None) for name, value, there in rows]
    found.rows[SLOTS] = _slot_rows(changes, kinds, state)
    found.rows[CODES] = _code_rows(changes.words[kinds == KIND_CODE], state)
    # An account that is no longer there has no slots; neither has one whose storage was destroyed, but for new ones.
    gone = {name for name, there in zip(names, is_there, strict=True) if not there}
    destroyed = _pieces(address_bytes(changes.keys[kinds == KIND_GENERATION]))
    found.emptied = sorted(gone.union(destroyed))
    return found


def _slot_rows(changes: Changes, kinds: npt.NDArray[np.uint64], state: State) -> list[Row]:
    is_slot = kinds == KIND_STORAGE
    keys, words = changes.keys[is_slot], changes.words[is_slot]
    # Not those of a storage that the account no longer has.
    current = words_of(state, _named(keys, KIND_GENERATION))[:, 0] == keys[:, 2] >> np.uint64(GENERATION_SHIFT)
    keys, words = keys[current], words[current]
    names = np.concatenate((address_bytes(keys), word_bytes(keys[:, 3:])), axis=1)
    is_there: list[bool] = np.any(words, axis=1).tolist()
    rows = zip(_pieces(names), _pieces(word_bytes(words)), is_there, strict=True)
    return [(name, value if there else None) for name, value, there in rows]


def _code_rows(hashes: Words, state: State) -> list[Row]:
    """Codes by the words of accounts; the hash of nothing is a mark, and no code's."""
    names = sorted({name for name in _pieces(word_bytes(hashes)) if any(name) and name != EMPTY_HASH})
    return [(name, bytes(state.codes[state.codes.number_of(name)].code)) for name in names]
