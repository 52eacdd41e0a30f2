"""A model of a machine's noise, fitted on samples of runs that were all of the same work.

What disturbs a run is taken apart by how it is shared. *Core*: every run for itself, log-normal. *Luck*: every process
for itself, the same in all of its runs (where its memory lies). *Bursts*: now and then a run is much longer, since
somebody else had the core. *Drift*: the machine as a whole wanders (its frequency, its neighbours), which interleaved
runs share. The first two and the last are estimated robustly, so that bursts are not counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.comparison.ratio import Pair
from harness.statistics import Samples

_MAD = 1.4826  # from a median of absolute deviations to a standard deviation, for a normal distribution
_BURST = 4.0  # standard deviations above the process's median
_FLOOR = 1e-4


@dataclass(frozen=True)
class Noise:
    """How runs of the same work differ; all of it in natural logarithms of seconds.

    Attributes
    ----------
    core : float
        Standard deviation between runs of one process.
    luck : float
        Standard deviation between processes.
    burst_share : float
        Share of runs that are much longer.
    burst_size : float
        By how much, on average; exponentially distributed.
    drift : float
        Standard deviation of the machine's step from one round to the next.
    """

    core: float
    luck: float
    burst_share: float = 0.0
    burst_size: float = 0.0
    drift: float = 0.0

    def pairs(self, random: np.random.Generator, processes: int, rounds: int, effect: float = 1.0) -> list[Pair]:
        """Simulate one interleaved measurement.

        Parameters
        ----------
        random : Generator
        processes : int
            Pairs of processes.
        rounds : int
            Pairs of runs, in all pairs of processes together.
        effect : float
            How many times longer B takes than A in truth.
        """
        machine = np.cumsum(random.normal(0.0, self.drift, rounds)) if self.drift else np.zeros(rounds)
        found = []
        for place in range(processes):
            mine = machine[place::processes]
            a, b = (self._process(random, mine) for _ in range(2))
            found.append(Pair(a, effect * b))
        return found

    def _process(self, random: np.random.Generator, machine: Samples) -> Samples:
        count = len(machine)
        logs = machine + random.normal(0.0, self.core, count) + random.normal(0.0, self.luck)
        logs += (random.random(count) < self.burst_share) * random.exponential(self.burst_size or 1.0, count)
        return np.asarray(np.exp(logs))


def fit(processes: Sequence[Samples]) -> Noise:
    """Estimate a machine's noise.

    Parameters
    ----------
    processes : sequence of ndarray, each shape (rounds,)
        Seconds of the same work by process, in the order of time.

    Raises
    ------
    ValueError
        If there are not at least two processes with four runs each.
    """
    logs = [np.log(np.asarray(group, dtype=np.float64)) for group in processes if len(group) >= 4]
    if len(logs) < 2:
        raise ValueError("noise is fitted on two processes with four runs each, or more")
    core = max(float(np.median([_core(group) for group in logs])), _FLOOR)
    excess = np.concatenate([group - np.median(group) for group in logs])
    bursts = excess[excess > _BURST * core]
    lengths = np.array([len(group) for group in logs])
    # What the medians of so few runs differ by themselves is no luck of their processes.
    sampling = float(np.mean(np.pi / 2 * core**2 / lengths))
    medians = np.array([np.median(group) for group in logs])
    luck = max(_spread(medians) ** 2 - sampling, 0.0) ** 0.5
    return Noise(
        core,
        luck,
        len(bursts) / len(excess),
        float(bursts.mean()) if len(bursts) else 0.0,
        _drift(logs, core),
    )


def _core(group: npt.NDArray[np.float64]) -> float:
    """Spread of one process's runs, from neighbours in time, so that drift does not count."""
    steps = np.diff(group)
    return _MAD * float(np.median(np.abs(steps - np.median(steps)))) / 2**0.5


def _spread(values: npt.NDArray[np.float64]) -> float:
    if len(values) < 4:
        return float(np.std(values, ddof=1))
    return _MAD * float(np.median(np.abs(values - np.median(values))))


def _drift(logs: Sequence[npt.NDArray[np.float64]], core: float) -> float:
    """Step of a random walk, from how far the halves of each process's runs lie apart."""
    halves = [(group[: len(group) // 2], group[len(group) // 2 :]) for group in logs]
    apart = np.array([np.median(second) - np.median(first) for first, second in halves])
    length = float(np.mean([len(group) for group in logs]))
    own = 2 * np.pi / 2 * core**2 / (length / 2)
    # The means of the halves of a random walk over n steps differ with a variance of n/3 steps. One process's rounds
    # are as many of the machine's as there are processes at a time; that makes the walk's steps larger, not smaller.
    return float((max(float(np.mean(apart**2)) - own, 0.0) / max(length / 3, 1.0)) ** 0.5)
