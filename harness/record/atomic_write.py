"""Files that are written: the place is checked before any work, the file is there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from contend.harness.errors import BadInputError


def check_folder(folder: Path) -> None:
    """Make sure that `folder` can be made and written, without making it.

    Raises
    ------
    BadInputError
        If it cannot.
    """
    for place in (folder, *folder.absolute().parents):
        if place.exists():
            if not place.is_dir():
                raise BadInputError(f"results folder {folder}: {place} is a file")
            if not os.access(place, os.W_OK | os.X_OK):
                raise BadInputError(
                    f"results folder {folder}: {place} cannot be written; choose another with --results"
                )
            return


def check_file(path: Path, option: str = "--json") -> None:
    """Make sure that `path`, which an option names, can be written, without writing it.

    Raises
    ------
    BadInputError
        If it is a folder, or lies in one that is missing or cannot be written; or is another option, for which the
        file was forgotten.
    """
    if str(path).startswith("-"):
        raise BadInputError(f"{option} {path}: names an option; put a file between, or write ./{path}")
    if path.is_dir():
        raise BadInputError(f"{option} {path}: is a folder; name a file, or - for standard output")
    if not path.absolute().parent.is_dir():
        raise BadInputError(f"{option} {path}: its folder does not exist")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise BadInputError(f"{option} {path}: cannot be written")


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to be written whole: a reader finds the old file or the new one, never half of one.

    Yields
    ------
    file
        It is at `path` once the body has ended well.

    Raises
    ------
    OSError
        If it cannot be written; it names `path`, and nothing is left behind.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # Its user knows no temporary file, and of a full device the error names no file at all.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    with written(path) as file:
        file.write(text.encode())


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def why_not(error: OSError) -> str:
    """Say in one line what could not be written and why."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else reason


@cache
def _umask() -> int:
    # The mask can only be read by setting it; once, before any thread could create a file meanwhile.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
