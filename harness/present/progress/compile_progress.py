"""Progress of compilation: how much of it is done, and how long the rest takes on this machine.

Which kernels a strategy needs, and how long each took on some machine, is data that is checked in
(`tools/kernel_sizes.py` measures it). Of those seconds only the ratios are used: a kernel that is done stands for its
share of the work, one that compiles for what of its share has gone by, and the rest is what is left at the rate so far.
So the estimate is that of the machine that runs, with as many processes as compile there and whatever else it does.
Before the first kernels are done there is the rate of an earlier time, kept beside the kernels; the first time of all
nothing is promised.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from contend.cache_places import places
from contend.harness.record.atomic_write import write_json

SIZES_FILE = Path(__file__).with_name("kernel_sizes.json")
RATE_FILE = "compile-rate.json"
# A kernel that loads from the cache is announced like one that compiles; it is there before this has passed.
_WORTH_SAYING_SECONDS = 0.3
# A kernel that takes longer than it should is not done before it says so.
_ALMOST = 0.95
# Before so much is done, the rate so far says nothing.
_ENOUGH = 0.04
# What was compiled must be so much of everything for its rate to be kept.
_TELLING = 0.5


class Rate(NamedTuple):
    """How fast kernels compile, in sizes a second.

    Attributes
    ----------
    alone : float
        Of one process, while it compiles.
    together : float
        Of all processes of a run.
    """

    alone: float
    together: float


@cache
def sizes() -> dict[str, dict[str, dict[str, float]]]:
    """Sizes by clock, strategy and kernel; what several strategies need stands with the first of them."""
    content: dict[str, dict[str, dict[str, float]]] = json.loads(SIZES_FILE.read_text(encoding="utf-8"))
    return content


def expected(cold: Iterable[str], simulated: bool) -> dict[str, float]:
    """Sizes of the kernels that strategies are likely to compile, by name.

    Parameters
    ----------
    cold : iterable of str
        Contenders whose kernels are not compiled yet. Of one that is not built in nothing is known, nor of sources.
    simulated : bool
        Whether they run under the virtual clock.
    """
    by_strategy = sizes()["virtual" if simulated else "wall"]
    known = [by_strategy.get(contender.partition("+")[0], {}) for contender in cold]
    return {kernel: size for kernels in known for kernel, size in kernels.items()}


def _rate_file() -> Path | None:
    written = places().written
    return None if written is None else written / RATE_FILE


def earlier_rate() -> Rate | None:
    """The rate of an earlier time on this machine; None where there was none."""
    file = _rate_file()
    with suppress(OSError, ValueError, KeyError, TypeError):
        if file is not None:
            return Rate(*map(float, json.loads(file.read_text())[platform.node()]))
    return None


def keep_rate(rate: Rate) -> None:
    """Keep a rate for the next time, if it can be kept."""
    file = _rate_file()
    with suppress(OSError):
        if file is not None:
            write_json(file, {platform.node(): list(rate)})


class CompileProgress:
    """What of the kernels that a run has to compile is done.

    Parameters
    ----------
    kernels : mapping, optional
        Their sizes by name (`expected`).
    earlier : Rate, optional
        Of an earlier time on this machine.
    clock : callable, optional
        Tells the time in seconds.
    """

    def __init__(
        self,
        kernels: Mapping[str, float] | None = None,
        earlier: Rate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sizes = dict(kernels or {})
        self._earlier = earlier
        self._clock = clock
        self._running: dict[int, tuple[float, str]] = {}
        self._done: set[str] = set()
        self._loaded: set[str] = set()
        self._began: float | None = None
        self._most = 0.0
        # Seconds in which a process compiled a kernel that was expected, summed over processes.
        self._busy = 0.0

    def begin(self, process: int, kernel: str) -> None:
        """A process begins to compile or to load a kernel."""
        now = self._clock()
        self._began = now if self._began is None else self._began
        self._running[process] = now, kernel

    def end(self, process: int) -> None:
        """The process has done so."""
        if process in self._running:
            began, kernel = self._running.pop(process)
            spent = self._clock() - began
            # A kernel that another process has compiled is only loaded, and so is one that was there before: it counts
            # as done, and says nothing about how fast this machine compiles.
            if spent < _WORTH_SAYING_SECONDS:
                self._loaded |= {kernel} - self._done
            elif kernel in self._sizes and kernel not in self._done:
                self._busy += spent
            self._done.add(kernel)

    def lasting(self) -> list[str]:
        """Kernels that are being compiled, as far as that has lasted long enough to be worth saying."""
        now = self._clock()
        return list(
            dict.fromkeys(name for began, name in self._running.values() if now - began > _WORTH_SAYING_SECONDS)
        )

    def share(self) -> float:
        """Share of the work that is done, from 0 to 1; 1 where none was expected."""
        total = sum(self._sizes.values())
        share = min(1.0, (self._finished() + self._under_way()) / total) if total else 1.0
        # It was an estimate, and a bar does not go back.
        self._most = max(self._most, share)
        return self._most

    def text(self) -> str:
        """How far it is, and how long the rest takes; empty where that is not known."""
        share = self.share()
        if share >= 1:
            return ""
        left = self.seconds_left()
        return f"{share:.0%}" if left is None else f"{share:.0%}, about {_rounded(left)} left"

    def seconds_left(self) -> float | None:
        """Seconds until all is compiled; None where it is too early to tell."""
        total = sum(self._sizes.values())
        left, compiled = (1 - self.share()) * total, self._compiled() + self._under_way()
        if self._began is not None and compiled and compiled >= _ENOUGH * total:
            return (self._clock() - self._began) * left / compiled
        return None if self._earlier is None else left / self._earlier.together

    def rate(self) -> Rate | None:
        """How fast it went, once that says something about the machine."""
        compiled = self._compiled()
        if self._began is None or not self._busy or compiled < _TELLING * sum(self._sizes.values()):
            return None
        return Rate(compiled / self._busy, compiled / (self._clock() - self._began))

    def _finished(self) -> float:
        return sum(size for name, size in self._sizes.items() if name in self._done)

    def _compiled(self) -> float:
        """What of that was compiled here, and not loaded."""
        return sum(size for name, size in self._sizes.items() if name in self._done - self._loaded)

    def _under_way(self) -> float:
        """What is done of the kernels that are being compiled, as far as can be told."""
        now, compiled = self._clock(), self._compiled()
        speed = 1.0 if self._earlier is None else self._earlier.alone
        if compiled and self._busy:
            speed = compiled / self._busy
        running = {name: began for began, name in self._running.values() if name not in self._done}
        return sum(min(_ALMOST * self._sizes.get(name, 0.0), (now - began) * speed) for name, began in running.items())


def _rounded(seconds: float) -> str:
    """Seconds as precise as an estimate is."""
    step = 1 if seconds < 10 else 5 if seconds < 100 else 10
    whole = max(1, round(seconds / step) * step)
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} min"


def announcement(cold: Iterable[str], progress: CompileProgress) -> str:
    """What a user should know before kernels are compiled."""
    names, left = ", ".join(cold), progress.seconds_left()
    how_long = "how long it takes shows in a moment" if left is None else f"it takes about {_rounded(left)} here"
    whose = f"Kernels of {names}" if names else "Kernels"
    return f"{whose} are not compiled yet; that is done once, and {how_long}."
