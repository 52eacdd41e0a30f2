"""Locks of files: held by a process until it ends, however that ends.

A record that is not complete may be one whose run was killed, or one whose run goes on at this moment; only the first
may be resumed. An advisory lock on a hidden file beside the record tells them apart, since the kernel drops it when its
holder is gone. The record itself cannot be locked: it is replaced at every write. Wall-clock runs of one machine hold
files of their own, by which they know of each other (`harness.doctor.run_mark`).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class LockHeldError(Exception):
    """Another process holds the lock; for a record, it is measuring it."""


class FileLock:
    """The right to a file, which is made for this, held until `release`.

    Parameters
    ----------
    path : Path
        Of the file, which need not exist yet.

    Attributes
    ----------
    path : Path
    descriptor : int
        Of the open file. No process that is started from here inherits it, so the lock ends with this one.

    Raises
    ------
    LockHeldError
        If another process holds it; nobody waits.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        while True:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self.descriptor)
                raise LockHeldError(str(path)) from error
            except OSError:
                # A file system without locks: nobody can be told apart, and no measurement is to be lost for that.
                return
            if self._is_there():
                return
            # Its holder removed the file between our two calls: what we have locked is nobody's any more.
            os.close(self.descriptor)

    def _is_there(self) -> bool:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self.descriptor))

    def release(self) -> None:
        """Give the file free, and remove it."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


class RecordLock(FileLock):
    """The right to write a record, held until `release`.

    Parameters
    ----------
    record : Path
        Of the record, which need not exist yet.
    """

    def __init__(self, record: Path) -> None:
        super().__init__(record.with_name(f".{record.stem}.lock"))


def is_locked(record: Path) -> bool:
    """Whether a process is measuring the record at this moment."""
    try:
        RecordLock(record).release()
    except LockHeldError:
        return True
    return False


def is_held(path: Path) -> bool:
    """Whether a process holds a `FileLock` on this file; False where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # A file system without locks.
        return False
    finally:
        os.close(descriptor)
    return False
