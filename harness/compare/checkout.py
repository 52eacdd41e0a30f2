"""A revision laid out to be measured: its sources in a folder, and an interpreter with what its lock file names.

Sources and environments are kept beside the cache of compiled kernels, so that a second comparison neither exports nor
installs. Every commit has a path of its own: older versions find their compiled kernels again by the path of a source.
Each user of one holds a shared lock; what is used no more is deleted when there are many. Everything there may be
deleted at any time.

An environment is made from the lock file of the revision itself. Where that is the lock file of the version that runs
now, its interpreter is used as it is, plug-ins included.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from contend.cache_places import VARIABLE, places
from contend.harness.compare.targets import Checkout, Revision, is_checkout
from contend.harness.errors import BadInputError, CrashError
from contend.harness.measure.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCK_FILE = "requirements.lock"
_KEPT_TREES = 8
_KEPT_ENVIRONMENTS = 4

Tell = Callable[[str], object]


@contextmanager
def laid_out(side: Checkout | Revision, tell: Tell) -> Iterator[Version]:
    """Lay a side out for as long as the context lasts.

    Parameters
    ----------
    tell : callable
        Told what takes long, one line a time.

    Raises
    ------
    BadInputError
        If the revision does not hold the sources of Contend.
    CrashError
        If its environment cannot be made.
    """
    if isinstance(side, Checkout):
        yield _version(side.label, side.root, side.extra, tell)
        return
    with _held(folder() / "trees", side.commit, _KEPT_TREES) as place:
        _export(side, place)
        yield _version(side.label, place, (), tell)


def folder() -> Path:
    """Folder of sources and environments of revisions: beside the cache of kernels, which clears itself."""
    found = places("-revisions")
    if found.written is None:
        raise CrashError(f"{found.refused}; set {VARIABLE}")
    return found.written


@contextmanager
def _held(room: Path, name: str, kept: int) -> Iterator[Path]:
    """A folder's path, its users counted; makes room for it first."""
    try:
        room.mkdir(parents=True, exist_ok=True)
        lock = _shared_lock(room / f"{name}.lock")
    except OSError as error:
        raise CrashError(f"{room}: cannot be written ({error.strerror}); set {VARIABLE}") from None
    with lock:
        os.utime(lock.fileno())
        _tidy(room, kept)
        yield room / name


def _shared_lock(path: Path) -> IO[str]:
    """Open a file with a lock that others may share; closing it gives the lock back."""
    while True:
        lock = open(path, "a")  # noqa: SIM115  # the caller's
        fcntl.flock(lock, fcntl.LOCK_SH)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(lock.fileno())):
                return lock
        # Tidied away between our two calls: what we have locked is nobody's any more.
        lock.close()


def _tidy(room: Path, kept: int) -> None:
    """Delete what was used longest ago, unless somebody uses it now."""
    for path in sorted(room.glob("*.lock"), key=_last_used, reverse=True)[kept:]:
        with suppress(OSError), open(path, "a") as lock:
            # Raises BlockingIOError, an OSError, where it is in use.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(room / path.stem, ignore_errors=True)
            path.unlink()


def _last_used(path: Path) -> float:
    """Seconds since the epoch; 0 where another process has just tidied it away."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _export(side: Revision, place: Path) -> None:
    """Write the files of a commit, whole or not at all: another process may be doing the same."""
    if place.is_dir():
        return
    command = ["git", "-C", str(side.repository), "archive", "--format=tar", side.commit]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        raise BadInputError(f"{side.label}: git archive fails: {done.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryDirectory(dir=place.parent) as room:
        new = Path(room) / "tree"
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            # The first releases of Python 3.11 do not know filters; the archive is of the user's own repository.
            if hasattr(tarfile, "data_filter"):
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(new)
        if not is_checkout(new):
            raise BadInputError(f"{side.label} ({side.commit[:10]}): holds no sources of Contend to measure")
        with suppress(OSError):
            # Fails where another process was quicker; the files are the same.
            new.rename(place)


def _version(label: str, root: Path, extra: tuple[Path, ...], tell: Tell) -> Version:
    more = tuple(str(path) for path in extra)
    if _lock_digest(root) in (None, _lock_digest(ROOT)):
        ours = tuple(path for path in sys.path if path and not is_checkout(Path(path)))
        return Version(label, root, sys.executable, (str(root), *more, *ours), own_environment=False)
    return Version(label, root, _environment(root, label, tell), (str(root), *more), own_environment=True)


def _lock_digest(root: Path) -> str | None:
    path = root / LOCK_FILE
    if not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _environment(root: Path, label: str, tell: Tell) -> str:
    """Interpreter of an environment with exactly what a lock file names; made where it is not there yet."""
    name = f"{_lock_digest(root)}-{sys.implementation.cache_tag}"
    with _held(folder() / "environments", name, _KEPT_ENVIRONMENTS) as place:
        python = place / "bin" / "python"
        if (place / "complete").exists():
            return str(python)
        # One makes it, others that want the same wait.
        with open(place.with_suffix(".making"), "a") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            if not (place / "complete").exists():
                tell(f"{label}: its lock file is not that of this version; installing it in an environment of its own")
                shutil.rmtree(place, ignore_errors=True)
                # Without a pip of its own, which would take longer to install than many a lock file.
                _run(label, sys.executable, "-m", "venv", "--without-pip", str(place))
                pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
                install = ["install", "--no-input", "--quiet", "--require-hashes", "--only-binary", ":all:"]
                _run(label, *pip, *install, "--requirement", str(root / LOCK_FILE))
                (place / "complete").touch()
        return str(python)


def _run(label: str, *command: str) -> None:
    # What is on this version's import path is not installed in the other one's environment.
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode != 0:
        last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
        raise CrashError(f"{label}: its environment cannot be made: {' '.join(last) or 'no reason was given'}")
