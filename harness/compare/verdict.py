"""Verdict: B is slower if the effect exceeds the threshold, its interval excludes the threshold, and it repeats.

A single measurement is slower, faster or the same only if its whole interval says so; everything else is inconclusive,
which passes. Where a null run was made, its floor takes the place of a threshold that is lower: what a version differs
by from itself is no difference of versions, and no sameness can be told more finely (`significance.null_run`). The
first measurement of a cell is a pilot: if its median is nearer to the threshold than to no change, or its interval says
faster, the cell is measured again by fresh processes, and so thoroughly that its noise allows an answer
(`sample_size`). It is slower if two independent measurements say so, each by its whole interval, and none of those that
followed the pilot says that it is not: the further chances are for noise that hides a slow-down, the replication
against noise that looks like one. It is faster if two say so; a speed-up is confirmed, but not searched for where noise
may hide it. What has repeated must stand out among all cells of the comparison, too (`family`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from contend.harness.compare.significance.false_discovery import RATE
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
    false_discovery_rate : float
        Share of the differences claimed over all cells of a comparison that may be none, on average.
    """

    threshold: float = 0.05
    virtual_threshold: float = 0.0
    false_discovery_rate: float = RATE

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

    def single(self, ratio: Interval, floor: float = 0.0) -> Verdict:
        """Verdict of one measurement by itself.

        Parameters
        ----------
        ratio : Interval
        floor : float, optional
            Share by which a version differed from itself in this measurement.
        """
        beyond = 1.0 + max(self.threshold, floor)
        if ratio.low > beyond:
            return Verdict.SLOWER
        if ratio.high < 1.0 / beyond:
            return Verdict.FASTER
        if ratio.low >= self.fast and ratio.high <= self.slow and floor <= self.threshold:
            return Verdict.SAME
        return Verdict.INCONCLUSIVE

    def unsettled(self, ratios: Sequence[Interval], floors: Sequence[float] = ()) -> bool:
        """Whether these independent measurements call for another one.

        Parameters
        ----------
        ratios : sequence of Interval
            In the order in which they were made.
        floors : sequence of float, optional
            Of each, where there was a null run.
        """
        verdicts = self._verdicts(ratios, floors)
        pilot, *further = ratios
        if verdicts[0] is Verdict.FASTER and verdicts.count(Verdict.FASTER) < REPLICATIONS:
            return not further
        wanting = REPLICATIONS - verdicts.count(Verdict.SLOWER)
        if wanting <= 0 or len(ratios) + wanting > MOST_MEASUREMENTS:
            return False
        # A measurement that contradicts ends the series: the slow-down has not repeated.
        return pilot.median > self.suspect and all(ratio.median > self.slow for ratio in further)

    def settle(self, ratios: Sequence[Interval], floors: Sequence[float] = ()) -> tuple[Verdict, Interval, str]:
        """Judge a cell by its independent measurements.

        Parameters
        ----------
        ratios : sequence of Interval
            At least one.
        floors : sequence of float, optional
            Of each, where there was a null run.

        Returns
        -------
        tuple
            The verdict; the interval to show, the less telling one where several agree; and what to know about it.
        """
        verdicts = self._verdicts(ratios, floors)
        for claim in (Verdict.SLOWER, Verdict.FASTER):
            agreeing = [ratio for ratio, verdict in zip(ratios, verdicts, strict=True) if verdict is claim]
            count = f"{claim.value} in {len(agreeing)} of {len(ratios)} measurements"
            if len(agreeing) >= REPLICATIONS:
                note = "" if len(agreeing) == len(ratios) else count
                return claim, min(agreeing, key=_distance), note
            if agreeing and len(ratios) == 1:
                return Verdict.INCONCLUSIVE, ratios[0], f"{claim.value}, but not measured a second time"
            if agreeing:
                return Verdict.INCONCLUSIVE, _spanned(ratios), f"{count}: it does not repeat"
        last = verdicts[-1]
        hidden = self._hidden(ratios[-1], floors[-1]) if floors and last is Verdict.INCONCLUSIVE else ""
        if len(ratios) == 1:
            return last, ratios[0], hidden
        # None makes a claim, and the last was more thorough than the pilot that called for it.
        borne_out = "it is not" if last is Verdict.SAME else "that could not be shown"
        looked = f"looked slower; measured again, {borne_out}"
        return last, ratios[-1], f"{looked}; {hidden}" if hidden else looked

    def _verdicts(self, ratios: Sequence[Interval], floors: Sequence[float]) -> list[Verdict]:
        return [self.single(*one) for one in zip(ratios, floors or [0.0] * len(ratios), strict=True)]

    def _hidden(self, ratio: Interval, floor: float) -> str:
        """What the floor hides: a verdict that the interval alone would have given."""
        bare = self.single(ratio)
        if bare is Verdict.INCONCLUSIVE:
            return ""
        return f"{bare.value} by its interval, but a version differs from itself by up to {100 * floor:.2g} %"

    def exact(self, a: int, b: int) -> Verdict:
        """Judge simulated times, in picoseconds."""
        if b > a * (1.0 + self.virtual_threshold):
            return Verdict.SLOWER
        return Verdict.FASTER if b < a / (1.0 + self.virtual_threshold) else Verdict.SAME


def _distance(ratio: Interval) -> float:
    """How far beyond no change the nearer end of an interval is."""
    return max(ratio.low, 1.0 / ratio.high)


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
