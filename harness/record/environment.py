"""Environment of a measurement: the machine and the versions that a record was measured with."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_DISTRIBUTION = "contend"
# What decides how long the same kernels take, as far as a program can know it.
MACHINE = ("cpu", "cores", "memory_bytes", "platform", "python", "numba", "llvmlite")
_GIB = 1 << 30
_REVISION = re.compile(r"[0-9a-f]{40,64}")


def contend_version() -> str:
    """Version of the installed distribution, or ``"unknown"`` in a bare checkout."""
    return _version(_DISTRIBUTION) or "unknown"


def utc_now() -> str:
    """Tell the time in ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()


def utc_precisely() -> str:
    """Tell the time in ISO 8601, UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def describe(pinned: Collection[int] = ()) -> dict[str, Any]:
    """Describe machine and versions, except for what only a measuring process knows (kernels and their cache).

    Parameters
    ----------
    pinned : collection of int, optional
        Cores to which measuring processes are pinned; by default they may use those that this process may.

    Returns
    -------
    dict
        ``contend``, ``python``, ``numpy``, ``numba``, ``llvmlite``, ``platform``, ``cpu``, ``cores`` (those that
        measuring processes may use), ``memory_bytes``, ``governor`` (of the cores' frequency, None where the system
        does not say), ``settings`` (variables that change what numba compiles), ``git`` (``revision`` and ``dirty``, or
        None outside a checkout and an installation from one), ``time``, ``machine`` (`machine_id`).
    """
    found = {
        "contend": contend_version(),
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "llvmlite": _version("llvmlite"),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": len(pinned or usable_cores()),
        "memory_bytes": _memory_bytes(),
        "governor": _governor(),
        "settings": _settings(),
        "git": git_state(_ROOT) or _installed_state(),
        "time": utc_now(),
    }
    return {**found, "machine": machine_id(found)}


def version_lines(environment: Mapping[str, Any]) -> list[str]:
    """What to write into a report of a fault, in three lines: Contend and its commit, its versions, the machine.

    Parameters
    ----------
    environment : mapping
        As `describe` gives it.
    """
    git = environment["git"]
    commit = f"commit {git['revision'][:12]}{', with changes' * git['dirty']}" if git else "of no checkout"
    cores = environment["cores"]
    memory = f", {_machine_fact(environment, 'memory_bytes')}" if environment["memory_bytes"] is not None else ""
    versions = (f"{name} {environment[name]}" for name in ("numba", "numpy", "llvmlite"))
    return [
        f"contend {environment['contend']} ({commit})",
        f"Python {environment['python']}, {', '.join(versions)}",
        f"{environment['cpu']}, {cores} core{'s' * (cores > 1)}{memory}, {environment['platform']}; "
        f"machine {environment['machine']}",
    ]


def machine_id(environment: Mapping[str, Any]) -> str:
    """Digest of all that makes wall-clock times comparable: two records with the same one may be held side by side.

    The processor's model, the cores that the run may use, memory in whole GiB (kernels keep a little more or less of it
    from boot to boot), operating system with its version, and the versions of Python, numba and LLVM's binding. Not the
    name of the host: a machine that was renamed, or an equal one of a fleet, is the same machine. Not what changes from
    hour to hour either, such as load and governor: a record names them, and statistics have to deal with them.

    Parameters
    ----------
    environment : mapping
        Of a record of any version, or as `describe` gives it.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    text = json.dumps([_machine_fact(environment, name) for name in MACHINE])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def machine_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List what tells two machines apart, ``name: value here, value there``; empty if `machine_id` is the same."""
    pairs = ((name, _machine_fact(one, name), _machine_fact(other, name)) for name in MACHINE)
    return [f"{name}: {here}, {there}" for name, here, there in pairs if here != there]


def _machine_fact(environment: Mapping[str, Any], name: str) -> str:
    value = environment.get(name)
    if name == "memory_bytes" and value is not None:
        return f"{round(value / _GIB)} GiB"
    return str(value)


def load_average() -> float | None:
    """Average number of processes that ran or waited for a core in the last minute; None where nobody counts it."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def git_state(folder: Path) -> dict[str, Any] | None:
    """Revision of the checkout at `folder`, and whether tracked files differ from it.

    Returns
    -------
    dict or None
        ``revision`` (40 hexadecimal digits) and ``dirty``; None if `folder` is not the top of a checkout, has no
        commit, or there is no git.
    """
    if not (folder / ".git").exists():
        return None
    revision = git_output(folder, "rev-parse", "HEAD")
    changed = git_output(folder, "status", "--porcelain", "--untracked-files=no")
    if revision is None or changed is None:
        return None
    return {"revision": revision.strip(), "dirty": bool(changed.strip())}


def git_output(folder: Path, *arguments: str) -> str | None:
    """What git says in `folder`; None if it refuses, is not there, or takes too long."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def vcs_revision(distribution: metadata.Distribution) -> str | None:
    """Commit that a distribution was installed from, where it was from a Git address (PEP 610); else None."""
    text = distribution.read_text("direct_url.json")
    try:
        revision = (json.loads(text) if text else {}).get("vcs_info", {}).get("commit_id")
    except (ValueError, AttributeError):
        return None
    return revision if isinstance(revision, str) and _REVISION.fullmatch(revision) else None


def _installed_state() -> dict[str, Any] | None:
    """Commit of an installation from a Git address, if it is what runs."""
    try:
        distribution = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
    if Path(str(distribution.locate_file(_DISTRIBUTION))).resolve() != _ROOT:
        return None
    revision = vcs_revision(distribution)
    return None if revision is None else {"revision": revision, "dirty": False}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def usable_cores() -> frozenset[int]:
    """Numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


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


def _governor() -> str | None:
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip() or None
    except OSError:
        # Virtual machines and systems other than Linux do not say.
        return None


def _settings() -> dict[str, str]:
    # Folders say nothing about figures, and something about whose machine it is.
    names = sorted(name for name in os.environ if name.startswith("NUMBA_") and not name.endswith("_DIR"))
    return {name: os.environ[name] for name in names}
