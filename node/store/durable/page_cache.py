"""Page cache: what of a file the system still has in memory, and having it forget that.

Only the file's owner can ask for it, one file at a time; the system forgets clean pages that nobody has mapped. So a
database is synchronised and closed first. Whether it has forgotten is asked of a map of the file (mincore(2)): reads
that must not wait would bring in pages themselves.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import numpy as np

PAGE_BYTES = mmap.PAGESIZE


def forget(path: Path) -> None:
    """Ask the system to drop a file's pages, where it can be asked."""
    if not hasattr(os, "posix_fadvise"):
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def pages_in_memory(path: Path) -> int | None:
    """How many of a file's pages are in memory; None where nobody can tell."""
    mincore = getattr(ctypes.CDLL(None), "mincore", None)
    size = path.stat().st_size
    if mincore is None or not size:
        return None if mincore is None else 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped:
        data = np.frombuffer(mapped, np.uint8)
        found = np.zeros(-(-size // PAGE_BYTES), np.uint8)
        failed = mincore(ctypes.c_void_p(data.ctypes.data), ctypes.c_size_t(size), ctypes.c_void_p(found.ctypes.data))
        # The map cannot be closed while something looks at it.
        del data
    return None if failed else int((found & 1).sum())
