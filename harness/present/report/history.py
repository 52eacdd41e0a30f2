"""A cell along its records, and where its time stepped.

A history is taken as a step function with noise: the times between two steps share one median. Which steps there are is
the piecewise constant fit that minimises the sum of absolute deviations plus a penalty for each step (Friedrich, Kempe,
Liebscher, Winkler, "Complexity penalized M-estimation", J. Comput. Graph. Stat. 17, 2008), found exactly by dynamic
programming over where the last piece begins. Absolute deviations, because a single bad run must not make two steps. The
penalty is Schwarz's criterion for Laplace noise, whose scale comes from neighbouring differences, which a step hardly
changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas

from contend.harness.present.report.selection import CELL

FEWEST = 5
"""Records, below which nothing is said about steps."""
_SMALLEST_STEP = 0.03
_SHORTEST = 2  # records of a level: one that stands alone is a bad run, or not yet a level
_PENALTY = 3.0  # for a step: its place, its height, and what a hostile reader would ask on top


@dataclass(frozen=True)
class Series:
    """One cell along its records.

    Attributes
    ----------
    workload, strategy : str
    workers : int
    clock : str
    records, times : tuple of str
        Ids, and when they were measured.
    seconds : ndarray of float64
        Median seconds of a block, record by record.
    steps : tuple of int
        Places at which another level begins.
    """

    workload: str
    strategy: str
    workers: int
    clock: str
    records: tuple[str, ...]
    times: tuple[str, ...]
    seconds: npt.NDArray[np.float64]
    steps: tuple[int, ...]

    @property
    def levels(self) -> list[float]:
        """Median seconds between steps."""
        return [float(np.median(part)) for part in np.split(self.seconds, list(self.steps))]


def histories(frame: pandas.DataFrame) -> Iterator[Series]:
    """Follow every verified cell that several records have; times of different machines are different cells."""
    good = frame[frame["verified"]]
    good = good.assign(where=good["machine"].where(good["clock"] == "wall", ""))
    for key, part in good.groupby(["clock", "where", *CELL, "block_digest"], sort=False):
        one = part.drop_duplicates("record", keep="last")
        if len(one) < 2:
            continue
        seconds = one["seconds"].to_numpy(np.float64)
        steps = steps_of(seconds) if len(one) >= FEWEST else ()
        records, times = tuple(one["record"].astype(str)), tuple(one["time"].astype(str))
        clock, _, workload, _, strategy, workers, _ = (str(part) for part in key)
        yield Series(workload, strategy, int(workers), clock, records, times, seconds, steps)


def steps_of(values: Sequence[float] | npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Find where a series of positive values steps to another level.

    Parameters
    ----------
    values : sequence of float, shape (n,)

    Returns
    -------
    tuple of int
        Ascending places at which a level begins that differs by at least 3 % from the one before.
    """
    logs = np.log(np.asarray(values, np.float64))
    count = len(logs)
    if count < FEWEST:
        return ()
    # Laplace's scale from absolute differences of neighbours: their median is some 1.68 times the scale. Values that
    # agree to the last digit (simulated time) have none, and any step is one.
    scale = max(float(np.median(np.abs(np.diff(logs)))) / 1.68, 1e-9)
    penalty = _PENALTY * np.log(count)
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    begin = np.zeros(count + 1, np.int64)
    for end in range(_SHORTEST, count + 1):
        costs = best[: end - _SHORTEST + 1] + _deviations(logs[:end])[: end - _SHORTEST + 1] / scale + penalty
        begin[end] = int(np.argmin(costs))
        best[end] = costs[begin[end]]
    places = []
    end = count
    while end > 0:
        end = int(begin[end])
        places.append(end)
    inner = sorted(place for place in places if place > 0)
    return _worth_telling(logs, inner)


def _deviations(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum of the absolute deviations from the median, of the values from each place to the end.

    From the last value to the first, the lower and the upper half are kept in heaps, and the sum of each.
    """
    lower: list[float] = []  # negated, so that the greatest comes first
    upper: list[float] = []  # as many, or one more
    below = above = 0.0
    found = np.zeros(len(values))
    for place in range(len(values) - 1, -1, -1):
        value = float(values[place])
        if len(upper) == len(lower):
            moved = -heapq.heappushpop(lower, -value)
            heapq.heappush(upper, moved)
            below, above = below + value - moved, above + moved
        else:
            moved = heapq.heappushpop(upper, value)
            heapq.heappush(lower, -moved)
            below, above = below + moved, above + value - moved
        found[place] = above - below - (upper[0] if len(upper) > len(lower) else 0.0)
    return found


def _worth_telling(logs: npt.NDArray[np.float64], places: list[int]) -> tuple[int, ...]:
    """Leave out steps that are smaller than 3 %, the smallest first, until none is left that small."""
    while places:
        levels = [float(np.median(part)) for part in np.split(logs, places)]
        heights = np.abs(np.diff(levels))
        smallest = int(np.argmin(heights))
        if heights[smallest] >= np.log1p(_SMALLEST_STEP):
            break
        del places[smallest]
    return tuple(places)
