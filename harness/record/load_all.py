"""Records from files and folders, the bad ones named and skipped."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError, RecordWarning
from contend.harness.record.load import read
from contend.harness.record.store import Store

Skip = Callable[[str], object]


def warn(text: str) -> None:
    """Give a `RecordWarning`."""
    warnings.warn(text, RecordWarning, stacklevel=2)


def record_files(place: str | Path) -> list[Path]:
    """Find the records that a path stands for.

    Parameters
    ----------
    place : str or Path
        A file; a folder of records; or a results folder, which has one.

    Returns
    -------
    list of Path
        In the order of their names, which is the order of time.

    Raises
    ------
    BadInputError
        If there is no such file or folder.
    """
    path = Path(place)
    if not path.exists():
        raise BadInputError(
            f"{path}: no such file or folder; give a record, or a results folder that `contend run` has written to"
        )
    if not path.is_dir():
        return [path]
    inside = Store(path).records
    return sorted((inside if inside.is_dir() else path).glob("*.json"))


def read_all(places: Iterable[str | Path], skip: Skip = warn) -> Iterator[dict[str, Any]]:
    """Read every record that the paths stand for, each file once.

    Parameters
    ----------
    places : iterable of path
        As for `record_files`.
    skip : callable, optional
        Given one line about each file of a folder that is damaged or newer than this version of Contend, which is then
        left out. By default it becomes a `RecordWarning`.

    Yields
    ------
    dict
        As `harness.records.read` gives it.

    Raises
    ------
    BadInputError
        If a path does not exist, or a file that is named itself cannot be read.
    """
    seen: set[Path] = set()
    for place in places:
        for file in record_files(place):
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                yield read(file)
            except BadInputError as error:
                if file == Path(place):
                    raise
                skip(f"skipped {error}")
