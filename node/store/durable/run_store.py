"""Run's store: a durable store as a measurement uses it, with the state before its first block.

What a run begins with lies over what the store was made of, as block 1; the blocks of the run come behind. Blocks of
an earlier run, one that was killed too, are taken back by what the store has kept of them. It is closed behind the last
block, because the processes of a measurement take turns at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from contend.evm import State
from contend.node.store.base import HASH_BYTES, Opener, Store, StoreError
from contend.node.store.durable.changed_records import changed_records, records_at
from contend.node.store.durable.head import Head
from contend.node.store.durable.mdbx_opening import DATA_FILE
from contend.node.store.durable.mdbx_reader import MdbxReader
from contend.node.store.durable.mdbx_store import SYNCS, MdbxStore
from contend.node.store.durable.page_cache import PAGE_BYTES, forget, pages_in_memory
from contend.node.store.durable.private_place import PrivatePlace

BLOCK, NONE = SYNCS
_BEGINNING = 1  # number of the block that a run's first state is
_PAGES_OF_OPENING, _FORGOTTEN = 64, 0.05  # pages, and the share of all, that may stay in memory
# As long as another process may take to compile and to execute the blocks in a row.
_PATIENCE_S = 600.0
_AT_ONCE = 50_000  # records that are held against a state


class RunStore(Store):
    """A store, and a run's first state in it.

    Parameters
    ----------
    genesis : State
        Before the first block.
    path : Path
        A store that is there.
    sync : str
        One of `mdbx_store.SYNCS`.
    private : PrivatePlace, optional
        What the path lies in, if it is gone with this object.

    Attributes
    ----------
    is_warm : bool
        Whether the system had kept the store's pages when it was last asked to drop them.

    Raises
    ------
    StoreError
        If it cannot be had. So do the methods, if they fail.
    """

    name: ClassVar[str] = "mdbx"

    def __init__(self, genesis: State, path: Path, sync: str, private: PrivatePlace | None = None) -> None:
        self._genesis, self._path, self._sync, self._private = genesis.copy(), path, sync, private
        self._store: MdbxStore | None = None
        self.is_warm = False
        self._begin()
        self._counts = self.store.head.counts
        self.close()

    @classmethod
    def new(cls, genesis: State, sync: str) -> RunStore:
        """A store with nothing else in it, which is gone afterwards."""
        place = PrivatePlace()
        MdbxStore.make(place.path, Head())
        return cls(genesis, place.path, sync, place)

    def again(self) -> RunStore:
        """Another of the same records, which is gone afterwards."""
        place = PrivatePlace()
        self.store.copy_to(place.path)
        self.close()
        return RunStore(self._genesis, place.path, self._sync, place)

    @property
    def facts(self) -> dict[str, Any]:
        """Records before the first block, and when blocks are on the disk; see `Store.facts`."""
        return {**self._counts, "sync": self._sync}

    @property
    def opener(self) -> Opener:
        """What reads the store beside this process; see `Store.opener`."""
        return MdbxReader, (str(self._path),)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records as they are in the store now; see `Store.get_many`."""
        return self.store.get_many(keys)

    def drop_cache(self) -> None:
        """Have none of the store in memory, as far as the system forgets, and have it open; see `Store.drop_cache`."""
        self.store.sync()
        self.close()
        file = self._path / DATA_FILE
        forget(file)
        left = pages_in_memory(file)
        self.is_warm = left is None or left > max(_PAGES_OF_OPENING, _FORGOTTEN * file.stat().st_size / PAGE_BYTES)
        _ = self.store

    @property
    def store(self) -> MdbxStore:
        """The store, open."""
        if self._store is None:
            self._store = MdbxStore(self._path, self._sync == BLOCK, _PATIENCE_S)
        return self._store

    def close(self) -> None:
        """Let others have the store."""
        if self._store is not None:
            store, self._store = self._store, None
            store.close()

    def _begin(self) -> None:
        """Have the state before the first block in the store, and nothing after it."""
        digest = bytes.fromhex(self._genesis.digest())
        head = self.store.head
        if head.block >= _BEGINNING and head.began_with == digest:
            self.store.rewind(_BEGINNING)
        else:
            self.store.rewind(0)
            self.store.commit(changed_records(self._genesis.contents(), self._genesis), began_with=digest)
        self.store.sync()
        records = changed_records(self._genesis.contents(), self._genesis)
        self._check([key for rows in records.rows.values() for key, _ in rows], self._genesis)

    def go_to(self, place: int, state: State) -> None:
        """Take back what comes after the blocks before one, and hold what that has changed against the state.

        Parameters
        ----------
        place : int
            Of the block among those of the run.
        state : State
            Before it.
        """
        block, store = _BEGINNING + place, self.store
        if store.head.block < block:
            raise StoreError(f"{self._path}: is at block {store.head.block}, and not at block {block} of this run")
        if store.head.block > block:
            changed = store.rewind(block)
            store.sync()
            self._check(changed, state)

    def _check(self, keys: Sequence[bytes], state: State) -> None:
        keys = sorted(key for key in keys if len(key) != HASH_BYTES)
        for begin in range(0, len(keys), _AT_ONCE):
            own = keys[begin : begin + _AT_ONCE]
            for key, found, expected in zip(own, self.store.get_many(own), records_at(own, state), strict=True):
                if found != expected:
                    raise StoreError(f"{self._path}: record 0x{key.hex()} is not what the state before the block has")
