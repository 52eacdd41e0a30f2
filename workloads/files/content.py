"""Content of a file from outside, of which nothing is known yet: bounded, and never waited for."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from pathlib import Path

# The largest block that Contend exports, a hundred thousand transactions with the state before them, has about 100 MB.
MOST_BYTES = 1 << 30
# JSON of a block shrinks to a tenth or a thirtieth; that of nothing but spaces to a thousandth. A small file may do as
# it likes.
MOST_UNPACKED, FREELY_UNPACKED = 200, 1 << 24
_GZIP = b"\x1f\x8b"


def content_of(path: Path) -> bytes:
    """Content of a file, unpacked where it is gzip.

    Raises
    ------
    OSError, EOFError
        If it cannot be read, is no regular file (of a pipe nobody knows when it ends, and a second process would find
        it empty), or is larger than anything that is meant.
    """
    with open(path, "rb", opener=_opener) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError(f"it is {_kind(about.st_mode)}, not a regular file")
        if about.st_size > MOST_BYTES:
            raise OSError(f"it has {about.st_size:,} bytes; at most {MOST_BYTES:,} are read")
        raw = file.read()
    return unpacked(raw) if raw[:2] == _GZIP else raw


def unpacked(raw: bytes) -> bytes:
    """Content of gzip.

    Raises
    ------
    OSError, EOFError
        If it is damaged, or unpacks to more than anything that is meant.
    """
    most = min(max(FREELY_UNPACKED, MOST_UNPACKED * len(raw)), MOST_BYTES)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            found = file.read(most + 1)
    except zlib.error as error:
        raise OSError(str(error)) from None
    if len(found) > most:
        raise OSError(f"{len(raw):,} bytes unpack to more than {most:,}: nothing but padding does that")
    return found


def _opener(path: str, flags: int) -> int:
    # Without O_NONBLOCK a pipe that nobody writes to would be waited for here, for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _kind(mode: int) -> str:
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
