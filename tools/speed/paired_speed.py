"""Paired speed: both versions do the same work in turns, and each figure is a ratio of pairs.

A machine that others share changes from minute to minute, and both sides of a pair alike. So each version has a process
that stays, and they are asked in turns; who is first changes from pair to pair. Times are of the processor, of all
threads: with one worker nobody waits.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from contend.cache_places import VARIABLE
from contend.harness.errors import CrashError
from contend.harness.measure.version import Version
from tools.middle_half import middle_half

CHILD = Path(__file__).with_name("version_child.py")
COLD = "contend run -w payments -s serial,block_stm --workers 1,2 --block-size 1000 --repeat 1"
# Of the first versions, whose packages lay at the top.
_MAIN = """
import importlib, sys
sys.path.insert(0, {root!r})
try:
    cli = importlib.import_module("contend.harness.cli")
except ModuleNotFoundError:
    cli = importlib.import_module("harness.cli")
sys.argv = {arguments!r}
cli.main()
"""


@dataclass(frozen=True)
class Figure:
    """One figure of both versions.

    Attributes
    ----------
    what : str
    unit : str
        Of `before` and `after`.
    before, after : tuple of float
        By pair.
    is_ratio : bool
        Whether more is better; of times, less is.
    """

    what: str
    unit: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    is_ratio: bool = False

    @property
    def gains(self) -> list[float]:
        """How many times as good it is after as before, by pair, the least first."""
        pairs = zip(self.before, self.after, strict=True)
        return sorted(after / before if self.is_ratio else before / after for before, after in pairs)

    @property
    def gain(self) -> float:
        """The median of the pairs."""
        return statistics.median(self.gains)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which the middle half of the pairs lies."""
        return middle_half(self.gains)


class Child:
    """A version's process that does what it is asked."""

    def __init__(self, version: Version) -> None:
        environment = dict(version.environment() or os.environ)
        environment["PYTHONPATH"] = str(version.root)
        self._label = version.label
        self._process = subprocess.Popen(
            [version.interpreter, str(CHILD)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *request: object) -> float:
        """Seconds of processor time that it took.

        Raises
        ------
        CrashError
            If the process has ended.
        """
        into, out = _piped(self._process.stdin), _piped(self._process.stdout)
        try:
            into.write(json.dumps(request) + "\n")
            into.flush()
            answer = out.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise CrashError(f"{self._label}: the process that measures has ended: {' '.join(map(str, request))}")
        return float(json.loads(answer))

    def close(self) -> None:
        """End it."""
        with suppress(BrokenPipeError):
            _piped(self._process.stdin).close()
        self._process.wait()
        _piped(self._process.stdout).close()


def _piped(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


@contextmanager
def children(before: Version, after: Version) -> Iterator[tuple[Child, Child]]:
    """A process of each version, for as long as the context lasts."""
    both = Child(before), Child(after)
    try:
        yield both
    finally:
        for child in both:
            child.close()


def in_turns(pairs: int, measures: Sequence[Callable[[], float]]) -> list[tuple[float, ...]]:
    """Measure each so many times, in rounds; whoever was first in a round is last in the next. Times, by measure."""
    found: list[list[float]] = [[] for _ in measures]
    for number in range(pairs):
        places = range(len(measures)) if number % 2 == 0 else range(len(measures) - 1, -1, -1)
        for place in places:
            found[place].append(measures[place]())
    return [tuple(times) for times in found]


def serial_and_alone(both: tuple[Child, Child], workload: str, size: int, pairs: int) -> list[Figure]:
    """Serial execution of a block, and `block_stm` with one worker, of which serial's time is the denominator."""

    def execution(child: Child, strategy: str) -> Callable[[], float]:
        return lambda: child.ask("execute", workload, size, strategy, 1)

    measures = [execution(child, strategy) for strategy in ("serial", "block_stm") for child in both]
    for measure in measures:
        measure()
    first, second, alone_first, alone_second = in_turns(pairs, measures)
    shares = [
        tuple(serial / alone for serial, alone in zip(*times, strict=True))
        for times in ((first, alone_first), (second, alone_second))
    ]
    each = 1e6 / size
    return [
        Figure(f"serial, {workload}", "µs a transaction", scaled(first, each), scaled(second, each)),
        Figure(f"block_stm with one worker, {workload}", "of serial", shares[0], shares[1], is_ratio=True),
    ]


def scaled(times: Sequence[float], factor: float) -> tuple[float, ...]:
    """Times in another unit."""
    return tuple(time * factor for time in times)


def building(both: tuple[Child, Child], workload: str, size: int, pairs: int) -> Figure:
    """Building of a workload's genesis and block."""
    measures = [lambda child=child: child.ask("build", workload, size) for child in both]
    first, second = in_turns(pairs, measures)
    return Figure(f"building, {workload}", f"s for {size:,} transactions", first, second)


def compilation(before: Version, after: Version, pairs: int) -> Figure:
    """A first run, with nothing compiled."""
    first, second = in_turns(pairs, [lambda: _cold(before), lambda: _cold(after)])
    return Figure("a first run, nothing compiled", "s of all processes", first, second)


def _cold(version: Version) -> float:
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(version.environment() or os.environ) | {VARIABLE: f"{folder}/cache"}
        environment.pop("PYTHONPATH", None)
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = _MAIN.format(root=str(version.root), arguments=COLD.split())
        done = subprocess.run(
            [version.interpreter or sys.executable, "-c", code],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CrashError(f"{version.label}: {COLD}: {done.stderr.strip().splitlines()[-1:]}")
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
