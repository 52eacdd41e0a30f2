"""Run mark: by which the wall-clock runs of one machine know of each other.

Two runs at the same time take cores, caches and memory bandwidth from each other, and neither's figures are those of
the machine. None of them waits: who waits for whom, and for how long, is the user's affair, and a lock that makes
others wait is one that hangs them. Each says so instead, and its record does.

A mark is a file that its run holds a lock on (`harness.record.lock`), in a folder that all users of the machine share.
The kernel drops the lock with the process, so that what a killed run leaves means nothing and is removed by the next
one. A mark is a mailbox, too: who begins later leaves a line with each run that is under way, so that a run learns of
others that came and went between two looks. Where marks cannot be kept nothing is known, and nothing fails.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

from contend.harness.record.environment import utc_precisely
from contend.harness.record.lock import FileLock, LockHeldError, is_held

_ATTEMPTS = 5
_MOST_BYTES = 1 << 16


class OtherRun(TypedDict):
    """A run of another process, as a record keeps it.

    Attributes
    ----------
    process : int
        Its id.
    began : str
        ISO 8601, UTC.
    ended : str or None
        When it was found to be gone; None while it is not.
    """

    process: int
    began: str
    ended: str | None


def marks_folder() -> Path:
    """Folder of the marks: ``$CONTEND_MARKS_DIR``, or one that all users share in the folder of temporary files."""
    chosen = os.environ.get("CONTEND_MARKS_DIR")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "contend-wall-clock-runs"


def runs_under_way() -> list[OtherRun]:
    """List the wall-clock runs that are under way on this machine."""
    return [run for _, run in _held()]


class RunMark:
    """The mark of a run, from now until `release`.

    It is never waited for, and no error of it is one of the run.
    """

    def __init__(self) -> None:
        self._others: dict[str, OtherRun] = {}
        self._lock = _make()
        if self._lock is None:
            return
        mine = {"process": os.getpid(), "began": utc_precisely()}
        with suppress(OSError):
            os.write(self._lock.descriptor, _line(mine))
        # Looked for only when this mark can be seen: of two runs that begin at once, each finds the other.
        for path, run in _held():
            if path != self._lock.path:
                self._others[path.name] = run
                with suppress(OSError):
                    _append(path, _line({"mark": self._lock.path.name, **mine}))

    def others(self) -> list[OtherRun]:
        """List the runs of other processes that have been under way since this one began, ended ones included."""
        if self._lock is not None:
            for name, run in self._announced():
                self._others.setdefault(name, run)
            for name, run in self._others.items():
                if run["ended"] is None and not is_held(self._lock.path.with_name(name)):
                    run["ended"] = utc_precisely()
        return [run.copy() for run in self._others.values()]

    def _announced(self) -> Iterator[tuple[str, OtherRun]]:
        """Those that have left a line here, behind the first, which is this run's own."""
        assert self._lock is not None
        with suppress(OSError):
            for line in os.pread(self._lock.descriptor, _MOST_BYTES, 0).splitlines()[1:]:
                content = _parsed(line)
                name = content.get("mark")
                if isinstance(name, str) and name == Path(name).name:
                    yield name, _run(content)

    def release(self) -> None:
        """Remove the mark; what it has learned stays."""
        self.others()
        if self._lock is not None:
            with suppress(OSError):
                self._lock.release()
            self._lock = None


def told(run: OtherRun) -> str:
    """Say which run it is: ``process 123, since 08:15:26 UTC``."""
    return f"process {run['process']}, since {run['began'][11:19]} UTC"


def _make() -> FileLock | None:
    folder = marks_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o1777, parents=True, exist_ok=True)
        with suppress(OSError):
            # Whatever the umask, all users keep their marks here. It may be another's, who has done this.
            folder.chmod(0o1777)
        for _ in range(_ATTEMPTS):
            with suppress(LockHeldError):
                # One who looks at it between its making and its locking holds it for a moment.
                lock = FileLock(folder / f"{os.getpid()}-{secrets.token_hex(4)}")
                os.fchmod(lock.descriptor, 0o666)
                return lock
    return None


def _held() -> Iterator[tuple[Path, OtherRun]]:
    """Marks whose processes live; those of others are removed, where that is allowed."""
    try:
        paths = sorted(marks_folder().iterdir())
    except OSError:
        return
    for path in paths:
        if is_held(path):
            content: dict[str, Any] = {}
            with suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                content = _parsed(file.readline(_MOST_BYTES))
            yield path, _run({"process": path.name.partition("-")[0], **content})
        else:
            with suppress(OSError):
                path.unlink()


def _append(path: Path, line: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW), "ab", buffering=0) as file:
        file.write(line)


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it is not one of ours, since anybody may write there."""
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _run(content: dict[str, Any]) -> OtherRun:
    """A run as it is told, with the present where it does not say properly when it began."""
    process, began = str(content.get("process")), str(content.get("began"))
    now = utc_precisely()
    is_time = len(began) == len(now) and began[:4].isdigit() and began.endswith(now[-6:])
    return OtherRun(process=int(process) if process.isdigit() else 0, began=began if is_time else now, ended=None)
