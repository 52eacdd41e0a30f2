"""Reader threads: many reads from a store at once, by threads that hold no GIL while they wait for the device.

A database that is mapped into memory is read by page faults, and a thread that faults sleeps: how many reads the device
has at a time is how many threads there are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from contend.node.store.base import Store

_LEAST_KEYS = 16  # that a thread is given at a time; fewer are not worth it
_PARTS = 4  # in which each thread's share comes, so that who is done early takes more


class ReaderThreads:
    """Threads that read from one store.

    Parameters
    ----------
    store : Store
    count : int
        Threads.

    Attributes
    ----------
    cpu_seconds : float
        Processor time of all threads since they were made.
    """

    def __init__(self, store: Store, count: int) -> None:
        self._store, self._count = store, count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="store-reader")
        self.cpu_seconds = 0.0

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records of some keys in their order; see `Store.get_many`."""
        size = max(_LEAST_KEYS, -(-len(keys) // (self._count * _PARTS)))
        found: list[bytes | None] = []
        for records, seconds in self._pool.map(self._read, [keys[at : at + size] for at in range(0, len(keys), size)]):
            found += records
            self.cpu_seconds += seconds
        return found

    def _read(self, keys: Sequence[bytes]) -> tuple[list[bytes | None], float]:
        began = time.thread_time()
        return self._store.get_many(keys), time.thread_time() - began

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
