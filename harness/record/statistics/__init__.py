"""Medians, bootstrap intervals and warnings, from raw samples only; what two strategies are beside each other.

Samples of one process share its conditions: the memory it was given, the way its pages fell into the cache. The
interval of a ratio is therefore bootstrapped hierarchically: processes are drawn with replacement, then rounds within
each drawn process. Drawn from few processes, resamples differ less than processes do. From six of them on, the interval
is stretched by what is known of that; with fewer, it is widened until it holds the median of every single process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

CONFIDENCE = 0.95
MANY_PROCESSES = 6
"""From so many on, the least and the greatest median of a process lie further apart than a 95 % interval has to."""

_RESAMPLES = 2_000
_UNSTABLE_SPREAD = 0.10
_UNSTABLE_DRIFT = 0.10
_FEW_SAMPLES = 5


@dataclass(frozen=True)
class Interval:
    """A median with its bootstrap interval.

    Attributes
    ----------
    median, low, high : float
        Same unit as the samples; a pure number for ratios.
    confidence : float
        Share of resamples inside, before the interval was made wider for the sake of few processes.
    """

    median: float
    low: float
    high: float
    confidence: float = CONFIDENCE


def interval(processes: Sequence[Samples], seed: int = 0, confidence: float = CONFIDENCE) -> Interval:
    """Median of all samples, with a hierarchical bootstrap interval.

    Parameters
    ----------
    processes : sequence of ndarray, each shape (rounds,)
        Samples by process; a process without samples is left out.
    seed : int
        Of the resampling; the same samples always give the same interval.
    confidence : float
        Between 0 and 1. The percentile interval holds this share of the resampled medians.

    Returns
    -------
    Interval
        Of fewer than `MANY_PROCESSES`: never narrower than the spread between their medians.

    Raises
    ------
    ValueError
        If there is no sample.

    Notes
    -----
    Percentile bootstrap over two levels: Davison and Hinkley, *Bootstrap Methods and their Application* (1997),
    section 3.8. Its stretching: Hesterberg, *What Teachers Should Know About the Bootstrap* (2015), section 3.2.
    """
    groups = [np.asarray(group, dtype=np.float64) for group in processes if len(group)]
    if not groups:
        raise ValueError("an interval needs at least one sample")
    medians = _resampled_medians(groups, np.random.default_rng(seed))
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(medians, [tail, 100.0 - tail])
    own = [float(np.median(group)) for group in groups]
    middle = float(np.median(np.concatenate(groups)))
    if len(groups) < MANY_PROCESSES:
        return Interval(middle, min(float(low), *own, middle), max(float(high), *own, middle), confidence)
    stretch = _stretch(len(groups), confidence)
    below, above = max(middle - float(low), 0.0), max(float(high) - middle, 0.0)
    return Interval(middle, middle - stretch * below, middle + stretch * above, confidence)


def _stretch(count: int, confidence: float) -> float:
    """Factor by which a percentile interval over so many processes is too narrow.

    Resampled, a mean of n values varies as if their variance were divided by n and not by n - 1, and percentiles are
    those of the normal distribution where Student's would be due; the latter by its expansion in powers of 1 / (n - 1)
    (Abramowitz and Stegun 26.7.5).
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    freedom = count - 1
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return float(student / z * (count / freedom) ** 0.5)


def _resampled_medians(groups: list[Samples], random: np.random.Generator) -> Samples:
    count, longest = len(groups), max(len(group) for group in groups)
    table = np.full((count, longest), np.inf)
    for row, group in zip(table, groups, strict=True):
        row[: len(group)] = group
    lengths = np.array([len(group) for group in groups])
    drawn = random.integers(0, count, size=(_RESAMPLES, count))
    rounds = (random.random((_RESAMPLES, count, longest)) * lengths[drawn][:, :, None]).astype(np.int64)
    values = table[drawn[:, :, None], rounds]
    # A short process fills only its own length: what is beyond it goes to the end of the sorted row.
    values[np.arange(longest)[None, None, :] >= lengths[drawn][:, :, None]] = np.inf
    values = np.sort(values.reshape(_RESAMPLES, -1), axis=1)
    sizes = lengths[drawn].sum(axis=1)
    row = np.arange(_RESAMPLES)
    return np.asarray((values[row, (sizes - 1) // 2] + values[row, sizes // 2]) / 2)


def speedup(seconds: Sequence[Samples], baseline: Sequence[Samples], seed: int = 0) -> Interval:
    """Speed-up over the baseline, from pairs of runs of the same round of the same process.

    Parameters
    ----------
    seconds, baseline : sequence of ndarray, each shape (rounds,)
        By process; ``baseline[p][r]`` ran in the same round as ``seconds[p][r]``.

    Returns
    -------
    Interval
        Of the paired ratio ``baseline / seconds``: above 1 is faster than the baseline.
    """
    return interval([base / own for own, base in zip(seconds, baseline, strict=True)], seed)


def ratio_of_medians(above: Sequence[Samples], below: Sequence[Samples], seed: int = 0) -> Interval:
    """Ratio of the medians of two sets of samples that were not taken in pairs, with a hierarchical bootstrap interval.

    Parameters
    ----------
    above, below : sequence of ndarray, each shape (rounds,)
        Samples by process; neither the processes nor the rounds of one belong to those of the other.

    Returns
    -------
    Interval
        Never narrower than the spread between the ratios of any two processes' medians.

    Raises
    ------
    ValueError
        If either has no sample.
    """
    tops = [group for group in above if len(group)]
    bottoms = [group for group in below if len(group)]
    if not (tops and bottoms):
        raise ValueError("an interval needs at least one sample")
    random = np.random.default_rng(seed)
    ratios = _resampled_medians(tops, random) / _resampled_medians(bottoms, random)
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(ratios, [tail, 100.0 - tail])
    medians = [float(np.median(bottom)) for bottom in bottoms]
    own = [float(np.median(top)) / bottom for top in tops for bottom in medians]
    middle = float(np.median(np.concatenate(tops)) / np.median(np.concatenate(bottoms)))
    return Interval(middle, min(float(low), *own, middle), max(float(high), *own, middle))


def spread(values: Samples) -> float:
    """Interquartile range divided by the median, a pure number; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float((high - low) / middle)


def drift(processes: Sequence[Samples]) -> float:
    """Distance between the largest and the smallest process median, divided by the overall median."""
    groups = [group for group in processes if len(group)]
    if len(groups) < 2:
        return 0.0
    medians = [float(np.median(group)) for group in groups]
    return (max(medians) - min(medians)) / float(np.median(np.concatenate(groups)))


def warnings(processes: Sequence[Samples]) -> list[str]:
    """Say what a reader should know before trusting these samples; empty when they are steady.

    Parameters
    ----------
    processes : sequence of ndarray, each shape (rounds,)
        Seconds by process.

    Returns
    -------
    list of str
        Sentences without a full stop: too few samples, one process only, interquartile range above 10% of the
        median, medians of processes more than 10% apart.
    """
    groups = [group for group in processes if len(group)]
    if not groups:
        return []
    every = np.concatenate(groups)
    found = []
    if len(every) < _FEW_SAMPLES:
        found.append(f"only {len(every)} sample{'s' if len(every) > 1 else ''}")
    if len(groups) == 1:
        found.append("samples of one process only: the interval cannot span processes")
    wide = spread(every)
    if wide > _UNSTABLE_SPREAD:
        found.append(f"unstable: interquartile range is {wide:.0%} of the median")
    apart = drift(groups)
    if apart > _UNSTABLE_DRIFT:
        found.append(f"unstable: medians of processes are {apart:.0%} apart")
    return found
