"""A model of a machine's noise, fitted on samples of runs that were all of the same work.

What disturbs a run is taken apart by how it is shared. *Core*: every run for itself, log-normal. *Process*: every
process for itself, the same in all of its runs (where its memory lies). *Bursts*: now and then a run is much longer,
since somebody else had the core. *Drift*: the machine as a whole wanders (its frequency, its neighbours), which
interleaved runs share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from contend.harness.compare.cell_runs import PAIR, A
from contend.harness.compare.ratio import Pair
from contend.harness.record.statistics import Samples

_MAD = 1.4826  # from a median of absolute deviations to a standard deviation, for a normal distribution
_BURST = 4.0  # standard deviations above the process's median
_FLOOR = 1e-4
_FEW = 4


@dataclass(frozen=True)
class Noise:
    """Noise model: how runs of the same work differ; all of it in natural logarithms of seconds.

    Attributes
    ----------
    core : float
        Standard deviation between runs of one process.
    process : float
        Standard deviation between processes.
    burst_share : float
        Share of runs that are much longer.
    burst_size : float
        By how much, on average; exponentially distributed.
    drift : float
        Standard deviation of the machine's step from one round to the next.
    """

    core: float
    process: float
    burst_share: float = 0.0
    burst_size: float = 0.0
    drift: float = 0.0

    def pairs(
        self,
        random: np.random.Generator,
        processes: int,
        rounds: int,
        effect: float = 1.0,
        places: Sequence[int] = PAIR,
        bias: float = 0.0,
    ) -> list[Pair]:
        """Simulate one interleaved measurement.

        Parameters
        ----------
        random : Generator
        processes : int
            Pairs of processes, a multiple of those in `places`.
        rounds : int
            Pairs of runs, in all pairs of processes together.
        effect : float
            How many times longer B takes than A in truth.
        places : sequence of int, optional
            Side of each place in a group of processes, which have their rounds together.
        bias : float, optional
            Share by which whatever is in the second place of a pair takes longer.
        """
        groups = 2 * processes // len(places)
        steps = groups * ceil(rounds / processes)
        machine = np.cumsum(random.normal(0.0, self.drift, steps)) if self.drift else np.zeros(steps)
        found = []
        for group in range(groups):
            for first in places[::2]:
                mine = machine[group::groups]
                one, other = self._process(random, mine), (1.0 + bias) * self._process(random, mine)
                a, b = (one, other) if first == A else (other, one)
                found.append(Pair(a, effect * b))
        return found

    def _process(self, random: np.random.Generator, machine: Samples) -> Samples:
        count = len(machine)
        logs = machine + random.normal(0.0, self.core, count) + random.normal(0.0, self.process)
        logs += (random.random(count) < self.burst_share) * random.exponential(self.burst_size or 1.0, count)
        return np.asarray(np.exp(logs))


def fits(pairs: Sequence[Pair]) -> bool:
    """Whether these are enough for `fit`."""
    return len(_long(pairs)) >= _FEW


def _long(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if len(pair.a) >= _FEW]


def fit(pairs: Sequence[Pair]) -> Noise:
    """Estimate a machine's noise from interleaved runs of the same work.

    What both sides of a pair share is no noise to a comparison, and a machine that is busier in one hour than in the
    next does not change its processes. So core, process and bursts are taken from the ratios of the pairs, to which
    each side contributes half of the variance.

    Parameters
    ----------
    pairs : sequence of Pair
        Each of at least four rounds, in the order of time.

    Raises
    ------
    ValueError
        If there are not at least four.
    """
    logs = [(np.log(pair.a), np.log(pair.b)) for pair in _long(pairs)]
    if len(logs) < _FEW:
        raise ValueError(f"noise is fitted on {_FEW} pairs of processes with {_FEW} runs each, or more")
    ratios = [b - a for a, b in logs]
    medians = np.array([np.median(ratio) for ratio in ratios])
    strays = np.concatenate([np.abs(ratio - middle) for ratio, middle in zip(ratios, medians, strict=True)])
    core = max(_MAD * float(np.median(strays)) / 2**0.5, _FLOOR)
    bursts = strays[strays > _BURST * core * 2**0.5]
    # Medians of so few runs differ by themselves; the spread of processes is what both halves of its runs share.
    halves = [float(np.median(ratio[::2]) * np.median(ratio[1::2])) for ratio in ratios]
    process = (max(float(np.mean(halves)), 0.0) / 2) ** 0.5
    return Noise(
        core,
        process,
        len(bursts) / (2 * len(strays)),
        float(bursts.mean()) if len(bursts) else 0.0,
        _drift([(a + b) / 2 for a, b in logs], core),
    )


def _drift(machine: Sequence[npt.NDArray[np.float64]], core: float) -> float:
    """Step of a random walk, from how far the halves of what both sides share lie apart."""
    halves = [(group[: len(group) // 2], group[len(group) // 2 :]) for group in machine]
    apart = np.array([np.median(second) - np.median(first) for first, second in halves])
    length = float(np.mean([len(group) for group in machine]))
    # A median of n values, each the mean of two runs, and the difference of two such medians.
    own = np.pi / 2 * (core**2 / 2) / (length / 2) * 2
    # The means of the halves of a random walk over n steps differ with a variance of n/3 steps.
    return float((max(float(np.median(apart**2)) - own, 0.0) / max(length / 3, 1.0)) ** 0.5)
