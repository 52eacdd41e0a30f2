"""Opening of an MDBX database as a store: what is refused before anything is written to it.

libmdbx takes a file that it does not understand for one that is yet to be made: opened for writing, whatever shorter
file lies under the name is overwritten. So a database is opened for reading first, which alters nothing, and its head
is read; only what says that it is a store is opened for writing. A database that was not closed cannot be opened for
reading only; one whose file is too short is found out when it is recovered, and gets its former length back.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

import clibmdbx as mdbx

from contend.node.store.base import StoreError
from contend.node.store.durable.head import Head, decode_head
from contend.node.store.file_systems import check_place

DATA_FILE = "mdbx.dat"
PAGE_BYTES = 4096
MOST_BYTES = 1 << 38
GROWTH_BYTES = 1 << 24
HEAD_KEY = b"head"
MAX_TABLES = 8
# Geometry: least, present and most bytes, growth, shrinkage, page.
_GEOMETRY = (-1, -1, MOST_BYTES, GROWTH_BYTES, -1, PAGE_BYTES)
# Neighbours of a page that is read are not read with it; freed pages are used again soon, so that a store to which the
# same blocks are committed again and again does not grow.
_FLAGS = mdbx.MDBX_NORDAHEAD | mdbx.MDBX_LIFORECLAIM
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TAKEN = frozenset({errno.EAGAIN, errno.EBUSY, errno.EACCES})
_DAMAGED = (mdbx.CorruptedError, mdbx.PageNotFoundError, mdbx.PanicError, mdbx.BadValueSizeError)


class _Quiet:
    """Keeps lines off standard error that libmdbx writes there by itself: the error that it returns says the same.

    Standard error is the process's, and several threads may be at it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._kept = -1

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._kept = os.dup(2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)


_QUIET = _Quiet()


@contextmanager
def plain_errors(path: Path, quiet: AbstractContextManager[None] = _QUIET) -> Iterator[None]:
    """Turn what libmdbx and the file system raise into one line.

    Parameters
    ----------
    path : Path
        Of the database.
    quiet : context manager, optional
        What keeps libmdbx from saying it as well; `nullcontext` for reads, which are too many for that.
    """
    try:
        with quiet:
            yield
    except (mdbx.Error, OSError) as error:
        raise StoreError(f"{path}: {_what(error, path)}") from error


def _what(error: Exception, path: Path) -> str:
    code = error.errno if isinstance(error, OSError) else getattr(error, "code", 0)
    if code in _FULL or isinstance(error, mdbx.MapFullError | mdbx.UnableExtendMapError):
        return "the disk is full; nothing of this block has been written"
    if isinstance(error, mdbx.VersionMismatchError):
        return "a database of another version of MDBX"
    if isinstance(error, mdbx.InvalidError) or code == errno.ENODATA:
        return "no MDBX database, or one whose head is damaged"
    if isinstance(error, _DAMAGED):
        return "the database is damaged, or its file is too short"
    if isinstance(error, mdbx.BusyError) or (code in _TAKEN and os.access(path, os.W_OK)):
        return "in use by another process"
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return f"cannot be opened or written ({reason})"


def create(path: Path) -> mdbx.Environment:
    """A new database, without a head yet.

    Raises
    ------
    StoreError
        If there is something of that name, or the place will not do.
    """
    check_place(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise StoreError(f"{path}: is there already; name another path, or delete it")
    with plain_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        return _opened(path, mdbx.MDBX_ENV_DEFAULTS)


def check_is_store(path: Path) -> None:
    """Refuse a path where no store can be, before anything is written there.

    Raises
    ------
    StoreError
        If there is none, or in a place that will not do.
    """
    check_place(path)
    if not (path / DATA_FILE).is_file():
        raise StoreError(f"{path}: no store of Contend; `contend make-state` makes one")


def open_store(path: Path, syncs: bool) -> tuple[mdbx.Environment, Head]:
    """Open a store for reading and writing.

    Parameters
    ----------
    path : Path
    syncs : bool
        Whether each transaction is on the disk when it is committed.

    Raises
    ------
    StoreError
        If it is no store, of a later version, damaged or in use. It is left as it was.
    """
    check_is_store(path)
    data = path / DATA_FILE
    size = data.stat().st_size
    with plain_errors(path):
        try:
            env = mdbx.Environment(path, readonly=True, max_dbs=MAX_TABLES, flags=mdbx.MDBX_NORDAHEAD)
        except mdbx.WannaRecoveryError:
            pass
        else:
            with env:
                read_head(env, path)
        try:
            env = _opened(path, mdbx.MDBX_ENV_DEFAULTS if syncs else mdbx.MDBX_SAFE_NOSYNC)
        except mdbx.CorruptedError:
            os.truncate(data, size)
            raise
    try:
        return env, read_head(env, path)
    except BaseException:
        env.close()
        raise


def _opened(path: Path, flags: int) -> mdbx.Environment:
    return mdbx.Environment(path, flags=_FLAGS | flags, max_dbs=MAX_TABLES, geometry=_GEOMETRY)


def read_head(env: mdbx.Environment, path: Path) -> Head:
    """Read the head of a database.

    Raises
    ------
    StoreError
        As `decode_head` does.
    """
    with plain_errors(path), env.read() as transaction:
        data = transaction.get(HEAD_KEY)
    return decode_head(data, str(path))
