"""Files of official tests: JSON, alone, in folders, and in tar archives. What is malformed is told, the rest read."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contend.outside_files import MOST_BYTES, STANDARD_INPUT, opened, reason, unpacking
from contend.workloads.files.fields import Field, FieldError, load, read


class OfficialFile(NamedTuple):
    """A file of tests.

    Attributes
    ----------
    name : str
        Where it lies in its folder or archive, without its ending.
    content : Field or FieldError
        What it holds, or what is wrong with it.
    """

    name: str
    content: Field | FieldError


class OfficialTest(NamedTuple):
    """A test of a file, or a file that holds none.

    Attributes
    ----------
    file : str
        Name of the file.
    name : str
        Of the test in it; empty where the file is malformed.
    is_only : bool
        Whether the file has no other.
    content : Field or FieldError
        What it says, or what is wrong with the file.
    """

    file: str
    name: str
    is_only: bool
    content: Field | FieldError


def official_tests(path: Path) -> Iterator[OfficialTest]:
    """All tests at a path, file by file.

    Raises
    ------
    FieldError
        As `official_files`.
    """
    for file, content in official_files(path):
        yield from tests_of(file, content)


def tests_of(file: str, content: Field | FieldError) -> Iterator[OfficialTest]:
    """All tests of a file."""
    if isinstance(content, FieldError):
        yield OfficialTest(file, "", True, content)
        return
    try:
        # A leading underscore says that it is about the file.
        tests = [(name, one) for name, one in content.items() if not name.startswith("_")]
    except FieldError as error:
        yield OfficialTest(file, "", True, error)
        return
    for name, one in tests:
        yield OfficialTest(file, name, len(tests) == 1, one)


def official_files(path: Path) -> Iterator[OfficialFile]:
    """All files at a path, in the order of their names; ``-`` is standard input.

    Raises
    ------
    FieldError
        If there is nothing at the path, or it is an archive that cannot be read.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield _plain(file, str(file.relative_to(path).with_suffix("")))
    elif "".join(path.suffixes[-2:]) in {".tar.gz", ".tar"} or path.suffix in {".tar", ".tgz"}:
        yield from _archived(path)
    elif path.exists() or str(path) == STANDARD_INPUT:
        yield _plain(path, path.name.removesuffix(".gz").removesuffix(".json"))
    else:
        raise FieldError(f"{path}: there is no such file or folder")


def _plain(path: Path, name: str) -> OfficialFile:
    try:
        return OfficialFile(name, read(path))
    except FieldError as error:
        return OfficialFile(name, error)


def _archived(path: Path) -> Iterator[OfficialFile]:
    try:
        with opened(path) as packed, tarfile.open(fileobj=unpacking(packed), mode="r:") as files:
            for member in sorted((m for m in files if m.name.endswith(".json") and m.isfile()), key=lambda m: m.name):
                yield OfficialFile(
                    member.name.partition("/")[2].removesuffix(".json"), _member(files, member, f"{path}:{member.name}")
                )
    # A plain ValueError comes of extended headers that are no numbers.
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise FieldError(f"{path}: cannot be read: {reason(error)}") from None


def _member(files: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> Field | FieldError:
    if member.size > MOST_BYTES:
        return FieldError(f"{where}: it has {member.size:,} bytes; at most {MOST_BYTES:,} are read")
    stream = files.extractfile(member)
    assert stream is not None  # a regular file
    try:
        return load(where, stream.read())
    except FieldError as error:
        return error
