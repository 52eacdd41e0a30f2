"""Undo rows: what records were before a block, written with the block so that it can be taken back.

Chains revert blocks, and nodes keep for that what each block has overwritten (the change sets of Erigon and reth). So
does a store here; a run that was killed between two blocks is undone by them, and so is a block before the next run of
the same. Rows are packed into values that fit into a leaf of the tree, and appended in order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from contend.node.store.changed_records import KINDS

# Of a key of the table: the block, and the value's place among those of the block.
_KEY = struct.Struct(">QI")
# Of a row: the record's kind, whether there was one, how long its key is and how long its value.
_ROW = struct.Struct(">BBBI")
_MOST_BYTES = 1800  # of a value, unless one row alone is longer
Undone = tuple[str, bytes, bytes | None]


def undo_key(block: int, place: int) -> bytes:
    """Key of a value of the table; those of a block follow each other."""
    return _KEY.pack(block, place)


def pack(rows: Iterable[Undone]) -> Iterator[bytes]:
    """Values that hold the rows, of kind, key and what the record was."""
    parts: list[bytes] = []
    size = 0
    for kind, key, old in rows:
        value = old or b""
        row = _ROW.pack(KINDS.index(kind), old is not None, len(key), len(value)) + key + value
        if size and size + len(row) > _MOST_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
        parts.append(row)
        size += len(row)
    if parts:
        yield b"".join(parts)


def unpack(value: bytes) -> Iterator[Undone]:
    """Rows of a value."""
    at = 0
    while at < len(value):
        kind, was_there, key_size, size = _ROW.unpack_from(value, at)
        at += _ROW.size
        key, old = value[at : at + key_size], value[at + key_size : at + key_size + size]
        at += key_size + size
        yield KINDS[kind], key, old if was_there else None
