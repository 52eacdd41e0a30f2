"""Private place: a folder of one run's own for a store that nobody has named, gone when the run is.

A run that is killed leaves its folder behind. Each is locked by the process that has it, so that the next run can tell
which belong to nobody, and removes those.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path

from contend.cache_places import VARIABLE, places
from contend.node.store.base import StoreError
from contend.node.store.file_systems import check_place

_SUFFIX = "-states"
_LOCK = "lock"


class PrivatePlace:
    """A folder below the nearest place that can be written.

    Attributes
    ----------
    path : Path
        Where a store can be made; nothing is there yet.

    Raises
    ------
    StoreError
        If there is no such place, or none on a disk.
    """

    def __init__(self) -> None:
        found = places(_SUFFIX)
        if found.written is None:
            raise StoreError(f"no place for a store: {found.refused}; {VARIABLE} or --state-path names another")
        check_place(found.written)
        _remove_left(found.written)
        self._folder = Path(tempfile.mkdtemp(prefix="run-", dir=found.written))
        self._lock = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = self._folder / "state"
        self._finalizer = weakref.finalize(self, _end, self._folder, self._lock)

    def close(self) -> None:
        """Remove the folder."""
        self._finalizer()


def _end(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _remove_left(parent: Path) -> None:
    """Remove folders whose process is gone."""
    for folder in parent.glob("run-*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            # Just being made, or removed.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        finally:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)
