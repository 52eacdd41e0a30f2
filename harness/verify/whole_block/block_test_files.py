"""Files of block tests: JSON, alone, in folders, and in tar archives. What is malformed is told, the rest read."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from contend.harness.verify.whole_block.block_test import BlockTest, test_of
from contend.workloads.files.fields import Field, FieldError, load, read

MOST_BYTES = 1 << 28  # of one file; the longest official ones, of blocks of 8 MiB, have some 30 MiB
Found = Iterator[tuple[str, Field | FieldError]]


def _archived(path: Path) -> Found:
    try:
        with tarfile.open(path) as files:
            for member in sorted((m for m in files if m.name.endswith(".json") and m.isfile()), key=lambda m: m.name):
                where = f"{path}:{member.name}"
                if member.size > MOST_BYTES:
                    yield where, FieldError(f"{where}: it has {member.size:,} bytes; at most {MOST_BYTES:,} are read")
                    continue
                stream = files.extractfile(member)
                assert stream is not None  # a regular file
                raw = stream.read()
                try:
                    yield member.name, load(where, raw)
                except FieldError as error:
                    yield member.name, error
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise FieldError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


def _plain(paths: Iterable[Path]) -> Found:
    for path in paths:
        try:
            yield str(path), read(path)
        except FieldError as error:
            yield str(path), error


def _documents(path: Path) -> Found:
    if path.is_dir():
        yield from _plain(sorted(path.rglob("*.json")))
    elif "".join(path.suffixes[-2:]) in {".tar.gz", ".tar"} or path.suffix in {".tar", ".tgz"}:
        yield from _archived(path)
    elif path.exists():
        yield from _plain([path])
    else:
        raise FieldError(f"{path}: there is no such file or folder")


def read_block_tests(path: Path) -> Iterator[BlockTest | FieldError]:
    """All tests at a path, with an error for each file and each test that is malformed.

    Raises
    ------
    FieldError
        If there is nothing at the path, or it is an archive that cannot be read.
    """
    for file, content in _documents(path):
        if isinstance(content, FieldError):
            yield content
            continue
        try:
            tests = list(content.items())
        except FieldError as error:
            yield error
            continue
        for name, one in tests:
            # A leading underscore says that it is about the file.
            if not name.startswith("_"):
                try:
                    yield test_of(name, one, file)
                except FieldError as error:
                    yield error
