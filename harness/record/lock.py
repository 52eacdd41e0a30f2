"""Lock of a record that is being measured: it ends with its process, however that ends.

A record that is not complete may be one whose run was killed, or one whose run goes on at this moment; only the first
may be resumed. An advisory lock on a hidden file beside the record tells them apart, since the kernel drops it when its
holder is gone. The record itself cannot be locked: it is replaced at every write.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class RecordLockedError(Exception):
    """Another process is measuring the record."""


class RecordLock:
    """The right to write a record, held until `release`.

    Parameters
    ----------
    record : Path
        Of the record, which need not exist yet.

    Raises
    ------
    RecordLockedError
        If another process holds it.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, record: Path) -> None:
        self._path = record.with_name(f".{record.stem}.lock")
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self._descriptor)
                raise RecordLockedError(str(record)) from error
            except OSError:
                # A file system without locks: nobody can be told apart, and no measurement is to be lost for that.
                return
            if self._is_there():
                return
            # Its holder removed the file between our two calls: what we have locked is nobody's any more.
            os.close(self._descriptor)

    def _is_there(self) -> bool:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))

    def release(self) -> None:
        """Give the record free."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_locked(record: Path) -> bool:
    """Whether a process is measuring the record at this moment."""
    try:
        RecordLock(record).release()
    except RecordLockedError:
        return True
    return False
