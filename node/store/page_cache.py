"""Page cache: what of a file the system still has in memory, and having it forget that.

Only the file's owner can ask for it, one file at a time; the system forgets clean pages that nobody has mapped. So a
database is synchronised and closed first. Whether it has forgotten is looked at by reads that must not wait.
"""

from __future__ import annotations

import os
from pathlib import Path

PAGE_BYTES = 4096
_PAGES_LOOKED_AT = 64
_BLOCK_BYTES = 512  # in which the system counts what a file takes on the disk


def forget(path: Path) -> None:
    """Ask the system to drop a file's pages, where it can be asked."""
    if not hasattr(os, "posix_fadvise"):
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def share_in_memory(path: Path) -> float | None:
    """Share of a file's pages that are in memory, of some spread evenly over it; None where nobody can tell.

    What a file was lengthened by and has not been written yet lies on no disk, and is left out.
    """
    if not hasattr(os, "RWF_NOWAIT"):
        return None
    status = path.stat()
    pages = min(status.st_size, status.st_blocks * _BLOCK_BYTES) // PAGE_BYTES
    if not pages:
        return 0.0
    count = min(pages, _PAGES_LOOKED_AT)
    file, found, buffer = os.open(path, os.O_RDONLY), 0, bytearray(1)
    try:
        for i in range(count):
            try:
                found += os.preadv(file, [buffer], (i * pages // count) * PAGE_BYTES, os.RWF_NOWAIT) == 1
            except BlockingIOError:
                continue
            except OSError:
                return None
    finally:
        os.close(file)
    return found / count
