"""Undo rows: what records were before a block, written with the block so that it can be taken back.

Chains revert blocks, and nodes keep for that what each block has overwritten (the change sets of Erigon and reth). So
does a store here; a run that was killed between two blocks is undone by them, and so is a block before the next run of
the same. Records of a kind are all of a length, and codes are never overwritten, so rows need no lengths: a value holds
rows of one sort, as many as fit into a leaf of the tree, and values are appended in order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from contend.node.store.base import ACCOUNT_BYTES, ADDRESS_BYTES, HASH_BYTES, SLOT_KEY_BYTES, WORD_BYTES
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, KINDS, SLOTS

# Of a key of the table: the block, and the value's place among those of the block.
_KEY = struct.Struct(">QI")
_MOST_BYTES = 1800  # of a value
# Of a value: the kind of its records, and whether they were there.
_BEGIN = struct.Struct(">BB")
_SIZES = {
    ACCOUNTS: (ADDRESS_BYTES, ACCOUNT_BYTES),
    SLOTS: (SLOT_KEY_BYTES, WORD_BYTES),
    CODES: (HASH_BYTES, 0),
}


@dataclass
class Undone:
    """What a block has overwritten.

    Attributes
    ----------
    old : dict
        By kind the records that were there, with their keys; none of codes.
    new : dict
        By kind the keys of records that were not there.
    """

    old: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    new: dict[str, list[bytes]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def keys(self) -> list[bytes]:
        """Keys of all records."""
        return [
            *(key for rows in self.old.values() for key, _ in rows),
            *(key for keys in self.new.values() for key in keys),
        ]


def undo_key(block: int, place: int) -> bytes:
    """Key of a value of the table; those of a block follow each other."""
    return _KEY.pack(block, place)


def pack(undone: Undone) -> Iterator[bytes]:
    """Values that hold what a block has overwritten."""
    for number, (kind, (key_size, size)) in enumerate(_SIZES.items()):
        yield from _packed(_BEGIN.pack(number, 1), [key + old for key, old in undone.old[kind]], key_size + size)
        yield from _packed(_BEGIN.pack(number, 0), undone.new[kind], key_size)


def _packed(begin: bytes, rows: list[bytes], size: int) -> Iterator[bytes]:
    at_once = _MOST_BYTES // size
    for at in range(0, len(rows), at_once):
        yield begin + b"".join(rows[at : at + at_once])


def unpack(values: list[bytes]) -> Undone:
    """What a block has overwritten, from all values that hold it."""
    found, kinds = Undone(), list(_SIZES)
    for value in values:
        number, were_there = _BEGIN.unpack_from(value)
        kind = kinds[number]
        key_size, size = _SIZES[kind]
        step = key_size + size if were_there else key_size
        for at in range(_BEGIN.size, len(value), step):
            key = value[at : at + key_size]
            if were_there:
                found.old[kind].append((key, value[at + key_size : at + step]))
            else:
                found.new[kind].append(key)
    return found
