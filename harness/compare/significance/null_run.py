"""Null run: a version against itself, in exchanged places; it gives the floor below which no difference is claimed.

Two pairs of processes run side by side, and the second has its places exchanged: A B | B A. So each version has a
process in the first and one in the second place of a pair, and what the second took in relation to the first, run by
run of the same round, is a comparison of a version with itself: same code, same block, other place. In each round the
four take turns so that each place in the round is had by each of them equally often (`interleaved_runner`), and A comes
before B as often as after it; what the later took in relation to the earlier is the second half of the null run. This
is the crossover design (Jones and Kenward, *Design and Analysis of Cross-Over Trials*, 2014) with the 2 x 2 layout of
versions and places: the difference of versions and that of places are orthogonal, so that the same runs give both.

A floor is the furthest end of these intervals from no change. A bias for a place or a turn moves them away from 1, and
processes that differ by chance widen them; either raises the floor. The bias itself cancels between the pairs of
processes, which it pulls apart, so that it widens the interval of the difference, too, and is never taken for one.

A pilot has two processes of each version, by whose chance a cell may look quieter than it is: with fewer than
`MANY_PROCESSES` comparisons of its own, its floor is not below that of all cells of the workload together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from contend.harness.record.statistics import CONFIDENCE, MANY_PROCESSES, Interval, Samples, interval

SURE = 0.99
"""Confidence of what is said of all cells together: a bias that is none would be looked for in vain."""
_NEGLIGIBLE = 0.01
"""A bias below this share is not worth a sentence."""


@dataclass(frozen=True)
class NullSamples:
    """Ratios of a version to itself, of one cell.

    Attributes
    ----------
    places : tuple of ndarray, each shape (rounds,)
        By two processes of one version: seconds in the second place of a pair to those in the first.
    turns : tuple of ndarray, each shape (rounds / 2,)
        By pair of processes: seconds of what ran second to those of what ran first, both versions having been both.
    """

    places: tuple[Samples, ...] = ()
    turns: tuple[Samples, ...] = ()


@dataclass(frozen=True)
class NullRun:
    """What a version against itself gave.

    Attributes
    ----------
    places, turns : Interval
        Second place to first, and second turn to first.
    floor : float
        Share below which no difference is claimed; 0.02 for 2 %.
    """

    places: Interval
    turns: Interval
    floor: float

    def biases(self) -> list[tuple[str, Interval]]:
        """Where a version was not itself: the places or turns that took longer, and by how much."""
        found = (("second place of a pair of processes", self.places), ("second turn of a pair of runs", self.turns))
        return [(where, ratio) for where, ratio in found if _biased(ratio)]


def pooled(samples: Iterable[NullSamples]) -> NullSamples:
    """All cells' comparisons side by side, each by its median: cells of many runs count no more than those of few."""
    every = list(samples)
    return NullSamples(_medians(one.places for one in every), _medians(one.turns for one in every))


def _medians(groups: Iterable[Iterable[Samples]]) -> tuple[Samples, ...]:
    return tuple(np.array([np.median(group)]) for some in groups for group in some if len(group))


def null_run(own: NullSamples, least: float = 0.0, confidence: float = CONFIDENCE) -> NullRun | None:
    """Null run of a cell, or of several together.

    Parameters
    ----------
    own : NullSamples
        Of the cell.
    least : float, optional
        Floor of all cells of its workload together.
    confidence : float, optional
        Of the intervals.

    Returns
    -------
    NullRun or None
        None without samples.
    """
    places, turns = _interval(own.places, confidence), _interval(own.turns, confidence)
    if places is None:
        return None
    # A single run has no turn to be exchanged with.
    turns = turns or Interval(1.0, 1.0, 1.0)
    few = len(own.places) < MANY_PROCESSES
    return NullRun(places, turns, max(floor_of(places), floor_of(turns), least if few else 0.0))


def floor_of(ratio: Interval) -> float:
    """Distance of an interval's further end from no change, as a share: of 0.9 to 1.05 it is 0.11."""
    return max(ratio.high, 1.0 / ratio.low) - 1.0


def _interval(groups: Sequence[Samples], confidence: float) -> Interval | None:
    """Interval over processes and rounds; over many processes the medians of their rounds tell as much."""
    kept = [group for group in groups if len(group)]
    if not kept:
        return None
    return interval(kept if len(kept) < MANY_PROCESSES else _medians([kept]), confidence=confidence)


def _biased(ratio: Interval) -> bool:
    beyond = ratio.low > 1.0 or ratio.high < 1.0
    return beyond and abs(float(np.log(ratio.median))) > _NEGLIGIBLE
