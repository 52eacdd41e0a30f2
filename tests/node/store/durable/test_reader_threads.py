"""Reads from a store whose pages the system has forgotten, by several threads."""

from __future__ import annotations

import os
import random
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest

from contend.node.store.base import Store, StoreError
from contend.node.store.durable.page_cache import PAGE_BYTES, forget, pages_in_memory
from contend.node.store.durable.reader_threads import ReaderThreads


class Echo(Store):
    """Gives keys for records, and says how many threads have asked at once."""

    name = "echo"
    facts: dict[str, object] = {}  # noqa: RUF012  # a property of stores

    def __init__(self, at_once: int) -> None:
        self._barrier = threading.Barrier(at_once)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if keys[0] == b"fails":
            raise StoreError("it fails")
        self._barrier.wait(timeout=30)
        return [key if key[0] % 3 else None for key in keys]


@pytest.mark.parametrize(("count", "threads"), [(64, 4), (48, 3)])
def test_threads_read_at_once_and_in_the_order_of_the_keys(count: int, threads: int) -> None:
    keys = [bytes([i]) * 20 for i in range(count)]
    readers = ReaderThreads(Echo(threads), threads)
    assert readers.get_many(keys) == [key if key[0] % 3 else None for key in keys]
    assert readers.get_many([]) == []
    assert readers.cpu_seconds > 0
    with pytest.raises(StoreError, match="it fails"):
        readers.get_many([b"fails"])
    readers.close()


def test_a_store_is_read_by_threads_as_by_one(tmp_path: Path) -> None:
    pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")
    from contend.node.store.durable.changed_records import KINDS
    from contend.node.store.durable.made_state import make_state
    from contend.node.store.durable.mdbx_store import MdbxStore

    deque(make_state(tmp_path / "state", 3000, 1), maxlen=0)
    with MdbxStore(tmp_path / "state") as store:
        records = {key: value for kind in KINDS for key, value in store.rows(kind)}
        keys = [*records, *(bytes(reversed(key)) for key in records)]
        random.Random(1).shuffle(keys)
        readers = ReaderThreads(store, 8)
        assert readers.get_many(keys) == store.get_many(keys) == [records.get(key) for key in keys]
        readers.close()


def test_what_is_forgotten_is_not_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * PAGE_BYTES * 500)
    before = pages_in_memory(path)
    if before is None:
        pytest.skip("this system does not tell what is in memory")
    assert before == 500
    with path.open("r+b") as file:
        os.fsync(file.fileno())
    forget(path)
    # Some file systems keep all of it in memory, whatever they are asked.
    assert pages_in_memory(path) in (0, 500)
    (tmp_path / "empty").touch()
    assert pages_in_memory(tmp_path / "empty") == 0
