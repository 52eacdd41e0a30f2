"""Store of results: a folder with ``records/`` and ``charts/``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.record.atomic_write import write_json
from contend.harness.record.build import new_id
from contend.harness.record.lock import LockHeldError, RecordLock


class Store:
    """A results folder. What is in it is never overwritten, but for the record that this store has made or adopted.

    Parameters
    ----------
    folder : Path
        Made by `open`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path: Path | None = None
        self._lock: RecordLock | None = None

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

    @property
    def path(self) -> Path | None:
        """Of the record that this store writes, once there is one."""
        return self._path

    def write(self, record: dict[str, Any]) -> Path:
        """Write a record, or write it again with what has been measured since.

        The first time a file of its own is made; should there be one of that name, the record gets another id.
        """
        if self._path is None:
            self._path = self._create(record)
        else:
            write_json(self._path, record)
        return self._path

    def _create(self, record: dict[str, Any]) -> Path:
        while True:
            path = self.records / f"{record['id']}.json"
            try:
                lock = RecordLock(path)
            except LockHeldError:
                record["id"] = new_id()
                continue
            # Only the holder of the lock uses the name, so nothing can come between the check and the write.
            if path.exists():
                lock.release()
                record["id"] = new_id()
                continue
            try:
                write_json(path, record)
            except BaseException:
                lock.release()
                raise
            self._lock = lock
            return path

    def adopt(self, path: Path) -> None:
        """Take over a record whose run has ended: `write` writes it.

        Raises
        ------
        BadInputError
            If it is not there, cannot be written, or another process is measuring it.
        """
        if not path.is_file():
            raise BadInputError(f"{path}: no such record")
        try:
            self._lock = RecordLock(path)
        except LockHeldError:
            raise BadInputError(f"{path}: is being measured at this moment, by another process") from None
        except OSError as error:
            raise BadInputError(f"{path}: its folder cannot be written ({error.strerror or error})") from error
        self._path = path
        # What a killed writer left: the record itself is whole.
        for left in path.parent.glob(f".{path.name}.*"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the record free, for others to resume if it is not complete."""
        if self._lock is not None:
            self._lock.release()
        self._lock = self._path = None
