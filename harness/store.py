"""Where a run leaves its results: a folder with ``records/`` and ``charts/``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import BadInputError
from harness.records import write_json


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
        If it is a folder, or lies in one that is missing or cannot be written.
    """
    if path.is_dir():
        raise BadInputError(f"{option} {path}: is a folder; name a file, or - for standard output")
    if not path.absolute().parent.is_dir():
        raise BadInputError(f"{option} {path}: its folder does not exist")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise BadInputError(f"{option} {path}: cannot be written")


class Store:
    """A results folder.

    Parameters
    ----------
    folder : Path
        Made by `open`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> None:
        """Make the folder of the records.

        Raises
        ------
        BadInputError
            If it cannot be made or written.
        """
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.records):
                pass
        except OSError as error:
            raise BadInputError(
                f"results folder {self.folder}: {error.strerror or error}; choose another with --results"
            ) from error

    @property
    def records(self) -> Path:
        """Folder of the records."""
        return self.folder / "records"

    @property
    def charts(self) -> Path:
        """Folder of the charts."""
        return self.folder / "charts"

    def write(self, record: Mapping[str, Any]) -> Path:
        """Write a record, or write it again with what has been measured since."""
        path = self.records / f"{record['id']}.json"
        write_json(path, record)
        return path
