"""MDBX store: records in the B+ tree that reth and Erigon keep theirs in, embedded.

Everything that belongs to a block is one transaction: its records, its codes, what they were before, and the head that
names the block and its root. Whenever the process ends, the next one finds all of it or nothing. libmdbx copies the
pages that it changes and writes the root of the tree last, so that there is no log to replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import clibmdbx as mdbx

from contend.node.store.base import Store, StoreError
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, KIND_BY_KEY_BYTES, KINDS, SLOTS, Records
from contend.node.store.durable.head import Head, decode_head
from contend.node.store.durable.mdbx_opening import (
    DATA_FILE,
    HEAD_KEY,
    check_is_store,
    create,
    open_store,
    plain_errors,
    read_head,
)
from contend.node.store.durable.owner_lock import OwnerLock
from contend.node.store.durable.undo_rows import Undone, pack, undo_key, unpack
from contend.node.store.file_systems import check_place

_UNDO = b"undo"
_END = b"\xff"
SYNCS = ("block", "none")
"""When what is committed is on the disk: with each block, or when the system likes."""


class MdbxStore(Store):
    """Records of a state, and the block that they are of. One process at a time has it.

    Parameters
    ----------
    path : Path
        A folder that `make` has made.
    syncs : bool, optional
        Whether `commit` returns when the block is on the disk; else the system writes it when it likes, and after a
        loss of power the store is at an earlier block. A killed process loses nothing either way.
    patience_s : float, optional
        Seconds to wait for a process of the same measurement that has it.

    Attributes
    ----------
    head : Head
        Of the last block that was committed.

    Raises
    ------
    StoreError
        If it cannot be opened; see `mdbx_opening.open_store`. So do the methods, if they fail.
    """

    name: ClassVar[str] = "mdbx"

    def __init__(self, path: Path, syncs: bool = True, patience_s: float = 0.0) -> None:
        self.path = path
        self._syncs = syncs
        check_is_store(path)
        self._lock = OwnerLock(path, patience_s)
        try:
            self._env, self.head = open_store(path, syncs)
        except BaseException:
            self._lock.release()
            raise
        try:
            with plain_errors(path), self._env.read() as transaction:
                self._undo = transaction.open_db(_UNDO)
                self._tables = {kind: transaction.open_db(kind.encode()) for kind in KINDS}
                counts = {kind: transaction.stat(db=table)["entries"] for kind, table in self._tables.items()}
            if counts != self.head.counts:
                raise StoreError(f"{path}: damaged; its head names other numbers of records than there are")
        except BaseException:
            self.close()
            raise

    @classmethod
    def make(cls, path: Path, head: Head) -> None:
        """Make a store without records, closed."""
        with plain_errors(path), create(path) as env, env.write() as transaction:
            for name in (*map(str.encode, KINDS), _UNDO):
                transaction.open_db(name, create=True)
            transaction.put(HEAD_KEY, head.encode())

    def close(self) -> None:
        """Close it; what was committed is written to the disk."""
        with plain_errors(self.path):
            self._env.close()
        self._lock.release()

    def __enter__(self) -> MdbxStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def facts(self) -> dict[str, Any]:
        """Records, bytes of the file, and how durable they are."""
        size = (self.path / DATA_FILE).stat().st_size
        return {"records": sum(self.head.counts.values()), "bytes": size, "sync": SYNCS[not self._syncs]}

    def sync(self) -> None:
        """Have everything on the disk that was committed."""
        with plain_errors(self.path):
            self._env.sync(force=True)

    def copy_to(self, path: Path) -> None:
        """Copy all that was committed to a path where nothing is, without the room between."""
        check_place(path)
        with plain_errors(path):
            path.mkdir()
            self._env.copy(path / DATA_FILE, flags=mdbx.MDBX_CP_COMPACT)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records of keys of any kind, all as of one block; other threads go on meanwhile. See `Store.get_many`.

        In ascending order of keys it is fastest.
        """
        if len(keys) == 1:
            with plain_errors(self.path, nullcontext()), self._env.read() as transaction:
                return transaction.get_many(keys, db=self._tables[KIND_BY_KEY_BYTES[len(keys[0])]], detached=True)
        found: list[bytes | None] = [None] * len(keys)
        places: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(KIND_BY_KEY_BYTES[len(key)], []).append(place)
        with plain_errors(self.path, nullcontext()), self._env.read() as transaction:
            for kind, own in places.items():
                table = self._tables[kind]
                values = transaction.get_many([keys[place] for place in own], db=table, detached=True)
                for place, value in zip(own, values, strict=True):
                    found[place] = value
        return found

    def rows(self, kind: str, at_once: int = 10_000) -> Iterator[tuple[bytes, bytes]]:
        """All records of a kind in the order of their keys."""
        table, start = self._tables[kind], b""
        while True:
            with plain_errors(self.path), self._env.read() as transaction, transaction.cursor(table) as cursor:
                found = cursor.items(start=start, limit=at_once) if start else cursor.items(limit=at_once)
            yield from found
            if len(found) < at_once:
                return
            start = found[-1][0] + b"\0"

    def append(self, rows: dict[str, list[tuple[bytes, bytes]]], head: Head) -> None:
        """Add records to a store that is being made, by kind, each behind all that are there; and set the head."""
        with plain_errors(self.path), self._env.write() as transaction:
            for kind, own in rows.items():
                transaction.put_many(own, db=self._tables[kind], flags=mdbx.MDBX_APPEND, detached=True)
            transaction.put(HEAD_KEY, head.encode())
        self.head = head

    def commit(self, records: Records, root: bytes | None = None, began_with: bytes | None = None) -> None:
        """Write what the next block has changed, in one transaction.

        Parameters
        ----------
        records : Records
        root : bytes, optional
            State root after it.
        began_with : bytes, optional
            New `Head.began_with`, where the records are what a run begins with.
        """
        before = self.head
        with plain_errors(self.path), self._env.write() as transaction:
            undone, counts = self._change(transaction, records)
            head = replace(
                before,
                block=before.block + 1,
                root=root or bytes(32),
                began_with=before.began_with if began_with is None else began_with,
                accounts=counts[ACCOUNTS],
                slots=counts[SLOTS],
                codes=counts[CODES],
            )
            values = [(undo_key(head.block, 0), before.encode())]
            values += ((undo_key(head.block, place), value) for place, value in enumerate(pack(undone), 1))
            transaction.put_many(values, db=self._undo, flags=mdbx.MDBX_APPEND, detached=True)
            transaction.put(HEAD_KEY, head.encode())
        self.head = head

    def _change(self, transaction: mdbx.Transaction, records: Records) -> tuple[Undone, dict[str, int]]:
        """Write records; what they were, and how many there are of each kind then."""
        undone, counts = Undone(), self.head.counts
        for kind, table in self._tables.items():
            rows = records.rows[kind]
            if kind == SLOTS and records.emptied:
                rows = sorted({**self._slots_of(transaction, records.emptied), **dict(rows)}.items())
            if not rows:
                continue
            was = transaction.get_many([key for key, _ in rows], db=table, detached=True)
            changed = [(key, new, old) for (key, new), old in zip(rows, was, strict=True) if new != old]
            undone.old[kind] = [(key, old) for key, _, old in changed if old is not None]
            undone.new[kind] = [key for key, _, old in changed if old is None]
            gone = [key for key, new, _ in changed if new is None]
            put = [(key, new) for key, new, _ in changed if new is not None] if gone else [row[:2] for row in changed]
            transaction.put_many(put, db=table, detached=True)
            transaction.delete_many(gone, db=table, detached=True)
            counts[kind] += len(undone.new[kind]) - len(gone)
        return undone, counts

    def _slots_of(self, transaction: mdbx.Transaction, addresses: Iterable[bytes]) -> dict[bytes, None]:
        """Keys of all slots of accounts, each with nothing."""
        found: dict[bytes, None] = {}
        for address in addresses:
            with transaction.cursor(self._tables[SLOTS]) as cursor:
                rows = cursor.items(start=address, stop=address + _END * (1 + len(address)))
                found.update((key, None) for key, _ in rows)
        return found

    def rewind(self, block: int) -> list[bytes]:
        """Take back all blocks after one, the last first, each in a transaction of its own.

        Returns
        -------
        list of bytes
            Keys of the records that were changed by that.
        """
        changed: dict[bytes, None] = {}
        while self.head.block > block:
            with plain_errors(self.path), self._env.write() as transaction:
                before, undone, keys = self._undone(transaction)
                for kind, table in self._tables.items():
                    transaction.put_many(undone.old[kind], db=table, detached=True)
                    transaction.delete_many(undone.new[kind], db=table, detached=True)
                transaction.delete_many(keys, db=self._undo, detached=True)
                transaction.put(HEAD_KEY, before.encode())
            self.head = before
            changed.update(dict.fromkeys(undone.keys))
        return list(changed)

    def _undone(self, transaction: mdbx.Transaction) -> tuple[Head, Undone, list[bytes]]:
        """Head before the last block, what that has overwritten, and the keys under which it is written down."""
        last = self.head.block
        with transaction.cursor(self._undo) as cursor:
            found = cursor.items(start=undo_key(last, 0), stop=undo_key(last + 1, 0))
        if not found:
            raise StoreError(f"{self.path}: damaged; what block {last} has overwritten is not there")
        before = decode_head(found[0][1], str(self.path))
        return before, unpack([value for _, value in found[1:]]), [key for key, _ in found]

    def read_head(self) -> Head:
        """The head as it is in the database."""
        return read_head(self._env, self.path)
