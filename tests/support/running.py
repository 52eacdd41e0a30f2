"""Runs in processes of their own, to be interrupted, killed and watched."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Long enough for kernels that are compiled here for the first time, on a machine that is busy besides.
WAIT_SECONDS = 400.0


def until(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for something that must come; the limit only keeps a test that is broken from hanging."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    """Ids of the processes that `pid` has started, in the order of their ids."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            # It has ended since it was listed.
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return sorted(found)


@contextmanager
def contend_run(environment: dict[str, str], folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    popen = subprocess.Popen(
        [sys.executable, "-m", "contend", "run", "--no-charts", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield popen
    finally:
        popen.kill()
        popen.communicate()
