"""MDBX reader: a durable store as processes of shards read it, while another process has it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import clibmdbx as mdbx

from contend.node.store.base import Store
from contend.node.store.durable.changed_records import KIND_BY_KEY_BYTES, KINDS
from contend.node.store.durable.mdbx_opening import DATA_FILE, MAX_TABLES, plain_errors
from contend.node.store.durable.page_cache import forget


class MdbxReader(Store):
    """Reads records; opens the store when it is first asked.

    Parameters
    ----------
    path : str
    """

    name: ClassVar[str] = "mdbx"

    def __init__(self, path: str) -> None:
        self._path, self._lock = Path(path), Lock()
        self._env: mdbx.Environment | None = None
        self._tables: dict[str, mdbx.Database] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """Nothing that its owner does not say; see `Store.facts`."""
        return {}

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records as of the last block; see `Store.get_many`."""
        with plain_errors(self._path):
            env = self._opened()
            found: list[bytes | None] = []
            with env.read() as transaction:
                for key in keys:
                    found += transaction.get_many([key], db=self._tables[KIND_BY_KEY_BYTES[len(key)]], detached=True)
        return found

    def _opened(self) -> mdbx.Environment:
        with self._lock:
            if self._env is None:
                env = mdbx.Environment(self._path, readonly=True, max_dbs=MAX_TABLES, flags=mdbx.MDBX_NORDAHEAD)
                with env.read() as transaction:
                    self._tables = {kind: transaction.open_db(kind.encode()) for kind in KINDS}
                self._env = env
            return self._env

    def drop_cache(self) -> None:
        """Close it, and have the system forget its pages; see `Store.drop_cache`."""
        self.close()
        forget(self._path / DATA_FILE)

    def close(self) -> None:
        """Close it until it is asked again; see `Store.close`."""
        with self._lock:
            env, self._env = self._env, None
            if env is not None:
                env.close()
