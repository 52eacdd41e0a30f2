"""Verdict: B is slower if the effect exceeds the threshold, its interval excludes the threshold, and it repeats.

A single measurement is slower, faster or the same only if its whole interval says so; everything else is inconclusive,
which passes. The first measurement of a cell is a pilot: if its median is nearer to the threshold than to no change,
the cell is measured again by fresh processes, and so thoroughly that its noise allows an answer (`sample_size`). It is
slower if two independent measurements say so, each by its whole interval, and none of those that followed the pilot
says that it is not: the further chances are for noise that hides a slow-down, the replication against noise that looks
like one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from contend.harness.record.content.execution_counts import EXECUTIONS, OF_EXECUTIONS, WASTED, stale
from contend.harness.record.sample import ABORTS_AT
from contend.harness.record.statistics import Interval

REPLICATIONS = 2
MOST_MEASUREMENTS = 4

WASTE = (EXECUTIONS, *WASTED, "incarnations", "validations", "dependencies", "wasted_gas")
"""Counters of which more is worse."""


class Verdict(StrEnum):
    """Verdict of a comparison of one cell."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"
    """It failed in B and did not fail in A."""
    REFUSED = "not comparable"


@dataclass(frozen=True)
class Rule:
    """Thresholds of the verdict.

    Attributes
    ----------
    threshold : float
        Share by which real time must grow to count as slower; 0.05 for 5 %.
    virtual_threshold : float
        The same for simulated time, which has no noise.
    """

    threshold: float = 0.05
    virtual_threshold: float = 0.0

    @property
    def slow(self) -> float:
        """The ratio beyond which B is slower."""
        return 1.0 + self.threshold

    @property
    def suspect(self) -> float:
        """The ratio beyond which a pilot calls for another: halfway, since noise may have hidden the rest."""
        return 1.0 + self.threshold / 2

    @property
    def fast(self) -> float:
        """The ratio below which B is faster: as far from 1 as the other, so that A and B may be swapped."""
        return 1.0 / self.slow

    def single(self, ratio: Interval) -> Verdict:
        """Verdict of one measurement by itself."""
        if ratio.low > self.slow:
            return Verdict.SLOWER
        if ratio.high < self.fast:
            return Verdict.FASTER
        if ratio.low >= self.fast and ratio.high <= self.slow:
            return Verdict.SAME
        return Verdict.INCONCLUSIVE

    def unsettled(self, ratios: Sequence[Interval]) -> bool:
        """Whether these independent measurements call for another one.

        Parameters
        ----------
        ratios : sequence of Interval
            In the order in which they were made.
        """
        pilot, *further = ratios
        wanting = REPLICATIONS - self._replications(ratios)
        if wanting <= 0 or len(ratios) + wanting > MOST_MEASUREMENTS:
            return False
        # A measurement that contradicts ends the series: the slow-down has not repeated.
        return pilot.median > self.suspect and all(ratio.median > self.slow for ratio in further)

    def settle(self, ratios: Sequence[Interval]) -> tuple[Verdict, Interval, str]:
        """Judge a cell by its independent measurements.

        Parameters
        ----------
        ratios : sequence of Interval
            At least one.

        Returns
        -------
        tuple
            The verdict; the interval to show, the less telling one where several agree; and what to know about it.
        """
        slower = [ratio for ratio in ratios if self.single(ratio) is Verdict.SLOWER]
        if len(slower) >= REPLICATIONS:
            note = "" if len(slower) == len(ratios) else f"slower in {len(slower)} of {len(ratios)} measurements"
            return Verdict.SLOWER, min(slower, key=lambda ratio: ratio.low), note
        last = self.single(ratios[-1])
        if len(ratios) == 1:
            if last is Verdict.SLOWER:
                return Verdict.INCONCLUSIVE, ratios[0], "slower, but not measured a second time"
            return last, ratios[0], ""
        if not slower:
            # None says slower, and the last was more thorough than the pilot that called for it.
            borne_out = "it is not" if last in (Verdict.SAME, Verdict.FASTER) else "that could not be shown"
            return last, ratios[-1], f"looked slower; measured again, {borne_out}"
        note = f"slower in {len(slower)} of {len(ratios)} measurements: it does not repeat"
        return Verdict.INCONCLUSIVE, _spanned(ratios), note

    def exact(self, a: int, b: int) -> Verdict:
        """Judge simulated times, in picoseconds."""
        if b > a * (1.0 + self.virtual_threshold):
            return Verdict.SLOWER
        return Verdict.FASTER if b < a / (1.0 + self.virtual_threshold) else Verdict.SAME

    def _replications(self, ratios: Sequence[Interval]) -> int:
        return sum(self.single(ratio) is Verdict.SLOWER for ratio in ratios)


def _spanned(ratios: Sequence[Interval]) -> Interval:
    """All that several measurements leave possible."""
    middle = float(np.median([ratio.median for ratio in ratios]))
    ends = min(ratio.low for ratio in ratios), max(ratio.high for ratio in ratios)
    return Interval(middle, *ends, ratios[0].confidence)


def changes(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Counters that differ, each with both values; one that a side lacks is 0 there.

    What became of executions, and classes of aborts, count only where both sides tell them: older versions do not.
    """
    names = [*a, *(name for name in b if name not in a)]
    names = [name for name in names if name not in OF_EXECUTIONS or (name in a and name in b)]
    if not (_tells_classes(a) and _tells_classes(b)):
        names = [name for name in names if not name.startswith(ABORTS_AT)]
    return {name: (a.get(name, 0), b.get(name, 0)) for name in names if a.get(name, 0) != b.get(name, 0)}


def _tells_classes(counters: Mapping[str, float]) -> bool:
    return not stale(counters) or any(name.startswith(ABORTS_AT) for name in counters)


def wasteful(counters: Mapping[str, tuple[float, float]]) -> bool:
    """Whether among changed counters one is worse."""
    return any(counters[name][1] > counters[name][0] for name in WASTE if name in counters)
