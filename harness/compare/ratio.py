"""Ratio of B's time to A's, with an interval: from pairs of interleaved runs, or from two separate measurements.

Interleaved, the two runs of a pair follow each other within one round, so that what the machine does to one it does to
the other, and the ratio of each pair is a sample. Processes differ by chance (where their memory lies), so that
the interval spans pairs of processes and is never narrower than the spread between them (`harness.record.statistics`).

Separate measurements have no pairs, and the machine may have been another between them (a neighbour, a warmer room).
The serial baseline, measured in every round of both, tells how much of a change it shared: the interval holds the
plain ratio as well as the ratio to the baseline. What slows the machine down, or the EVM as a whole, thus widens the
interval instead of becoming a verdict; only an interleaved measurement can tell these two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contend.harness.compare.measured import MeasuredCell
from contend.harness.record.statistics import Interval, Samples, interval, ratio_of_medians


@dataclass(frozen=True)
class Pair:
    """Interleaved runs of one cell in one process of A and one of B.

    Attributes
    ----------
    a, b : ndarray, shape (rounds,)
        Seconds; equal places ran one after the other.
    """

    a: Samples
    b: Samples


def paired(pairs: Sequence[Pair]) -> Interval:
    """Ratio of B's seconds to A's, by pairs of runs.

    Raises
    ------
    ValueError
        If there is no pair of runs.
    """
    return interval([pair.b / pair.a for pair in pairs])


def unpaired(a: MeasuredCell, b: MeasuredCell) -> Interval:
    """Ratio of B's seconds to A's, from measurements made one after the other.

    Raises
    ------
    ValueError
        If a side has no sample.
    """
    plain = ratio_of_medians(b.seconds, a.seconds)
    if not (a.baseline and b.baseline):
        return plain
    beside = ratio_of_medians(_relative(b), _relative(a))
    return Interval(plain.median, min(plain.low, beside.low), max(plain.high, beside.high), plain.confidence)


def _relative(side: MeasuredCell) -> list[Samples]:
    return [own / base for own, base in zip(side.seconds, side.baseline, strict=True)]
