"""What machine and which versions a record was measured with."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_DISTRIBUTION = "contend"


def contend_version() -> str:
    """Version of the installed distribution, or ``"unknown"`` in a bare checkout."""
    return _version(_DISTRIBUTION) or "unknown"


def utc_now() -> str:
    """Tell the time in ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()


def describe() -> dict[str, Any]:
    """Describe machine and versions, except for what only a measuring process knows (kernels and their cache).

    Returns
    -------
    dict
        ``contend``, ``python``, ``numpy``, ``numba``, ``llvmlite``, ``platform``, ``cpu``, ``cores`` (those that this
        process may use), ``memory_bytes``, ``git`` (``revision`` and ``dirty``, or None outside a checkout), ``time``.
    """
    return {
        "contend": contend_version(),
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "llvmlite": _version("llvmlite"),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": _cores(),
        "memory_bytes": _memory_bytes(),
        "git": git_state(_ROOT),
        "time": utc_now(),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Revision of the checkout at `folder`, and whether tracked files differ from it.

    Returns
    -------
    dict or None
        ``revision`` (40 hexadecimal digits) and ``dirty``; None if `folder` is not the top of a checkout, has no
        commit, or there is no git.
    """
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    revision = _output(git, folder, "rev-parse", "HEAD")
    changed = _output(git, folder, "status", "--porcelain", "--untracked-files=no")
    if revision is None or changed is None:
        return None
    return {"revision": revision.strip(), "dirty": bool(changed.strip())}


def _output(git: str, folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        # No such file outside Linux: the platform's own word has to do.
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
