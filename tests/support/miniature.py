"""A miniature of Contend: the few names that a worker needs of commit 149af5f, in front of made-up times.

It lets a test make versions at will, in a repository of their own, without compiling anything. Times are the same in
every run, so that a verdict does not depend on the machine that runs the test.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from contend.harness.compare.checkout import LOCK_FILE, ROOT

_FILES = {
    "pyproject.toml": "[project]\nname = 'miniature'\n",
    "harness/__init__.py": "",
    "harness/errors.py": "class BadInputError(ValueError):\n    pass\n",
    "harness/request.py": """
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    workloads: tuple = ()
    strategies: tuple = ()
    workers: tuple = (1, 2)
    dials: dict = field(default_factory=dict)
    block_size: int = 10
    repeat: int = 10
    seed: int = 1
    processes: int = 2
    timeout: float = 300.0
    clock: str = "wall"
""",
    "harness/clocks.py": "def clock_maker(request):\n    return lambda: None\n",
    "harness/plan.py": """
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

from harness.errors import BadInputError
from strategies.registry import DIALS, FACTORS


class CellKey(NamedTuple):
    strategy: str
    workers: int


@dataclass(frozen=True)
class WorkloadPlan:
    name: str
    dials: dict


def resolve(request):
    names = request.strategies or tuple(FACTORS)
    for name in names:
        if name not in FACTORS:
            raise BadInputError(f"unknown strategy '{name}'")
    cells = [CellKey(name, 1) for name in names]
    return SimpleNamespace(
        workloads=(WorkloadPlan("counting", DIALS),),
        cells=cells,
        reported=cells,
        kernels_digest="0" * 16,
        cold=False,
        costs_digest=None,
        llvm=None,
    )
""",
    "harness/measuring/__init__.py": "",
    "harness/measuring/kernels.py": """
from contextlib import nullcontext


def turn(strategy):
    return nullcontext()


def compile_natives(strategies):
    pass
""",
    "harness/measuring/bench.py": """
import math
import os
import time
from dataclasses import dataclass

from strategies.registry import BLOCK, BROKEN, DEADLY, FACTORS, LABEL, SLEEPY


@dataclass
class Facts:
    genesis_digest: str
    block_digest: str
    transactions: int
    gas: int = 21000
    failed_transactions: int = 0
    changed_locations: int = 1


@dataclass
class Sample:
    seconds: float
    wall_seconds: float
    cpu_seconds: float
    phases: dict
    counters: dict


class Bench:
    def __init__(self, strategy, workload, turn, clock):
        self.runs = 0

    def prepare(self, plan, seed, block_size):
        return Facts("aa" * 16, BLOCK, block_size)

    def warm_up(self, key):
        self.run(key)

    def run(self, key):
        log = os.environ.get("MINIATURE_LOG")
        if log:
            with open(log, "a") as file:
                file.write(f"{LABEL} {os.getpid()} {key.strategy}\\n")
        self.runs += 1
        if key.strategy == SLEEPY:
            time.sleep(3600)
        if self.runs > 1 and key.strategy == BROKEN:
            raise RuntimeError("differs from the serial result: planted")
        if self.runs > 1 and key.strategy == DEADLY:
            os._exit(7)
        seconds = 0.01 * FACTORS[key.strategy] * (1 + 0.002 * math.sin(self.runs))
        return Sample(seconds, seconds, seconds, {"execute": seconds}, {})

    def close(self):
        pass
""",
    "evm/__init__.py": "",
    "evm/jit.py": """
from contextlib import contextmanager


@contextmanager
def on_compile(tell):
    yield
""",
    "strategies/__init__.py": "",
    "workloads/__init__.py": "",
    "workloads/registry.py": "def get(name):\n    return None\n",
}


def write(
    folder: Path,
    factors: dict[str, float],
    label: str = "",
    block: str = "bb" * 16,
    broken: str = "",
    deadly: str = "",
    sleepy: str = "",
    lock: str | None = None,
    dials: dict[str, int] | None = None,
) -> None:
    """Write the files of a version.

    Parameters
    ----------
    folder : Path
    factors : dict
        Strategies, and how many times ten milliseconds they take.
    label : str
        Left in the file that ``MINIATURE_LOG`` names, at every run.
    block : str
        Digest of its block.
    broken, deadly, sleepy : str
        A strategy that fails the oracle, ends its process, or never returns.
    lock : str, optional
        Its lock file; that of the version that runs the test by default.
    dials : dict, optional
        Of its only workload.
    """
    registry = f"FACTORS = {factors!r}\nLABEL = {label!r}\nBLOCK = {block!r}\nBROKEN = {broken!r}\n"
    registry += f"DEADLY = {deadly!r}\nSLEEPY = {sleepy!r}\n"
    registry += f"DIALS = {dials or {'size': 3}!r}\n\n\ndef get(name):\n    return None\n"
    files = {**_FILES, "strategies/registry.py": registry}
    files[LOCK_FILE] = (ROOT / LOCK_FILE).read_text() if lock is None else lock
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(folder: Path, tag: str) -> str:
    """Commit everything in a repository, made if need be, and tag it; the commit."""
    if not (folder / ".git").exists():
        _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", tag)
    _git(folder, "tag", tag)
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
