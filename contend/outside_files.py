"""Outside files: what somebody gave a path for is opened, bounded, unpacked and parsed here, and nowhere else.

Below all rooms: blocks, tests, records, tables of costs and settings are all read by this.

Of a file from outside nothing is known yet. It may be a pipe that nobody writes to, a device without an end, or gzip of
nothing but padding; its JSON may name a member twice, and its nesting go deeper than the process's stack. So it is
never waited for, never read beyond a bound, and what is wrong with it is a plain `OSError` or `ValueError` whose text
fits into one line.
"""

from __future__ import annotations

import atexit
import gzip
import io
import json
import os
import stat
import sys
import tempfile
import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

# The name of standard input.
STANDARD_INPUT = "-"
# The largest block that Contend exports, a hundred thousand transactions with the state before them, has about 100 MB.
MOST_BYTES = 1 << 30
# Settings, suites, schedules, tables of costs.
MOST_TEXT = 1 << 24
# JSON of a block shrinks to a tenth or a thirtieth; that of nothing but spaces to a thousandth. A small file may do as
# it likes.
MOST_UNPACKED, FREELY_UNPACKED = 200, 1 << 24
# All files of an archive together: the largest public suites have some gigabytes.
MOST_ARCHIVED = 1 << 36
# Levels of lists and objects in JSON. Blocks have some ten of them, compilers' output some fifty.
MOST_LEVELS = 400
# Bytes that a list or an object of JSON has on the average at least: with fewer, memory would be many times the file.
BYTES_A_CONTAINER, FREE_CONTAINERS = 20, 1 << 20
_GZIP = b"\x1f\x8b"
_NEITHER_QUOTE_NOR_BRACKET = bytes(set(range(256)) - set(b'"[]{}'))
# Levels that are taken away by whole passes, before those that are left are counted one by one.
_LEVELS_OF_MOST = 12


def opened(path: Path | str) -> BinaryIO:
    """Open a regular file.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file: of a pipe nobody knows when it ends, and a second process would
        find it empty.
    """
    if "\0" in str(path):
        raise OSError("a path has no null byte")
    file = open(path, "rb", opener=_opener)  # noqa: SIM115  # the caller's
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise OSError(f"it is {_kind(mode)}, not a regular file")
    return file


def content_of(path: Path | str, most: int = MOST_BYTES) -> bytes:
    """Content of a file, or of standard input where the path is ``-``, unpacked where it is gzip.

    Raises
    ------
    OSError, EOFError
        As `opened`, and if it is larger than anything that is meant, or damaged.
    """
    raw = _standard_input() if str(path) == STANDARD_INPUT else _bounded(path, most)
    return unpacked(raw, most) if raw[:2] == _GZIP else raw


def text_of(path: Path | str, most: int = MOST_TEXT) -> str:
    """Text of a file in UTF-8.

    Raises
    ------
    OSError
        As `content_of`.
    ValueError
        If it is no UTF-8.
    """
    return _bounded(path, most).decode()


def unpacked(raw: bytes, most: int = MOST_BYTES) -> bytes:
    """Content of gzip.

    Raises
    ------
    OSError, EOFError
        If it is damaged, or unpacks to more than anything that is meant.
    """
    most = min(max(FREELY_UNPACKED, MOST_UNPACKED * len(raw)), most)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            found = file.read(most + 1)
    except zlib.error as error:
        raise OSError(str(error)) from None
    if len(found) > most:
        raise OSError(f"{len(raw):,} bytes unpack to more than {most:,}: nothing but padding does that")
    return found


def unpacking(file: BinaryIO) -> BinaryIO:
    """View of an open archive, unpacked where it is gzip, of which no more is read than an archive may have."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    source = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
    return cast("BinaryIO", _BoundedReader(source))


def file_of(path: str) -> str:
    """Path at which other processes find the content: its own, or that of a copy of standard input.

    Raises
    ------
    OSError
        If there is more on standard input than is read, or no room for it.
    """
    return _copy_of_standard_input() if path == STANDARD_INPUT else path


def json_of(text: bytes | str) -> Any:
    """Parse JSON.

    Raises
    ------
    ValueError
        If it is none, is nested too deeply to be meant, has numbers that JSON does not have, or two members with one
        name in an object, of which only one could be kept.
    """
    # As `json` does it for bytes, so that text is counted and parsed in one form.
    written = text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass")
    _check_containers(written.encode("utf-8", "surrogatepass"))
    try:
        return json.loads(
            written, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_int=_integer_of_digits
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def toml_of(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises
    ------
    ValueError
        If it is none, or nested too deeply to be meant.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def reason(error: BaseException) -> str:
    """What is wrong with a file, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:300]


class _BoundedReader:
    """What `tarfile` needs of a file, and no more of it than `MOST_ARCHIVED` bytes, nor `MOST_BYTES` at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read as a file does."""
        if not 0 <= size <= MOST_BYTES:
            raise OSError(f"a part of it has more than {MOST_BYTES:,} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place from the beginning."""
        if whence != os.SEEK_SET or not 0 <= offset <= MOST_ARCHIVED:
            raise OSError(f"it unpacks to more than {MOST_ARCHIVED:,} bytes")
        return self._file.seek(offset)

    def tell(self) -> int:
        """Place in the file."""
        return self._file.tell()


def shown(value: Any) -> str:
    """Value as it is shown in a message, shortened to 40 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def printable(text: str) -> str:
    """Text for a terminal in one line: what does not print, such as codes that move the cursor, stands escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _bounded(path: Path | str, most: int) -> bytes:
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(f"it has {size:,} bytes; at most {most:,} are read")
        # A file that grows, or one of the kernel's that says it has nothing, is read no further than that either.
        return file.read(most + 1)[:most]


@cache
def _standard_input() -> bytes:
    """All of standard input: there is one, and it can be read once."""
    found = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise OSError(f"standard input: it has more than {MOST_BYTES:,} bytes")
    return found


@cache
def _copy_of_standard_input() -> str:
    content = content_of(STANDARD_INPUT)
    handle, path = tempfile.mkstemp(".json", "standard-input-")
    atexit.register(Path(path).unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path


def _opener(path: str, flags: int) -> int:
    # Without O_NONBLOCK a pipe that nobody writes to would be waited for here, for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _kind(mode: int) -> str:
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        last = {name: place for place, (name, _) in enumerate(pairs)}
        twice = next(name for place, (name, _) in enumerate(pairs) if last[name] != place)
        raise ValueError(f"an object has two members with the name {shown(twice)}")
    return members


def _check_containers(text: bytes) -> None:
    """Refuse lists and objects that are too many or nested too deeply, before any of them is made.

    How deep the parser may go is a setting of the whole process, which a library may have raised so far that the
    process's stack ends first, and which no thread can change for itself alone. So levels are counted here, by passes
    over all bytes at the speed of memory that leave less and less: what is escaped, all that is neither quote nor
    bracket, strings, and pairs of brackets with nothing between them, a level a pass.
    """
    left = text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text
    # Two quotes side by side are a string, or the end of one and the beginning of the next: nothing that is counted
    # changes from inside to outside by their going.
    left = left.translate(None, _NEITHER_QUOTE_NOR_BRACKET).replace(b'""', b"")
    if len(left) > 2 * (FREE_CONTAINERS + len(text) // BYTES_A_CONTAINER):
        raise ValueError("more lists and objects than a text of its length has")
    left = b"".join(left.split(b'"')[::2])
    for _ in range(_LEVELS_OF_MOST):
        left = left.replace(b"[]", b"").replace(b"{}", b"")
    depth = 0
    for character in left:
        depth += 1 if character in b"[{" else -1
        if depth > MOST_LEVELS - _LEVELS_OF_MOST:
            raise ValueError("nested too deeply")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _integer_of_digits(digits: str) -> int | float:
    # To an integer -0 would be 0, and its sign gone.
    return -0.0 if digits == "-0" else int(digits)
