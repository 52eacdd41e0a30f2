"""Owner's lock: of all processes that have a store open one may write, the one that has this lock.

Others may read meanwhile, such as processes of shards. A lock of a record of the file is the process's own: children
do not inherit it, and it is gone with the process however that ends. Processes of one measurement take turns: each
writes into the file whose child it is, and who finds a sibling there waits for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from contend.node.store.base import StoreError

_FILE = "owner"
_POLL_SECONDS = 0.01
_GRACE_S = 0.5
_DIGITS = 20  # of the number of a process, with blanks behind it
# Folders that this process has: who closes a file of which another lock is held loses that one, too.
_TAKEN: set[tuple[int, int]] = set()


class OwnerLock:
    """The lock of a folder, taken.

    Parameters
    ----------
    folder : Path
    patience_s : float, optional
        Seconds to wait for a process of the same parent.

    Raises
    ------
    StoreError
        If another process has it, or it cannot be had.
    """

    def __init__(self, folder: Path, patience_s: float = 0.0) -> None:
        status = folder.stat()
        self._folder = status.st_dev, status.st_ino
        if self._folder in _TAKEN:
            raise StoreError(f"{folder}: in use by this process")
        try:
            self._file = os.open(folder / _FILE, os.O_CREAT | os.O_RDWR, 0o666)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be opened or written ({error.strerror})") from error
        parent = str(os.getppid()).encode().ljust(_DIGITS)
        last = began = time.monotonic()  # when a sibling, or perhaps one, was last seen to have it
        try:
            while not self._is_taken():
                now = time.monotonic()
                if os.pread(self._file, _DIGITS, 0) == parent:
                    last = now
                # Who has just taken it may not yet have written whose child it is.
                if now - began >= patience_s or now - last >= _GRACE_S:
                    raise StoreError(f"{folder}: in use by another process")
                time.sleep(_POLL_SECONDS)
            os.pwrite(self._file, parent, 0)
            _TAKEN.add(self._folder)
        except BaseException as error:
            os.close(self._file)
            if isinstance(error, OSError):
                raise StoreError(f"{folder}: cannot be opened or written ({error.strerror})") from error
            raise

    def _is_taken(self) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def release(self) -> None:
        """Let others have it."""
        _TAKEN.discard(self._folder)
        os.close(self._file)
