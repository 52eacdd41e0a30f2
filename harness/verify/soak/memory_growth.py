"""Memory growth: whether what a process holds after the same work gets more and more.

A process that has executed larger blocks than before holds more than before, and so does one that has met new
strategies: memory rises at first, in steps, and then stays. So the first third of the samples is left out, the others
are parted into four, and memory grows if the medians of the parts rise from each to the next, each time by a good part
of what they rise in all, which a late step does not, and by more in all than noise.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

LEAST_SAMPLES = 18
_PARTS = 4
_SHARE, _BYTES = 0.10, 32 << 20
_STEP = 0.15
"""Least share of the whole rise between two parts; a third in even growth."""


def growth(samples: Sequence[int]) -> tuple[float, float] | None:
    """Look for growth.

    Parameters
    ----------
    samples : sequence of int
        Bytes, each after the same work, in the order of time.

    Returns
    -------
    tuple of float or None
        What it has grown from and to; None where it has not, or there are too few samples to say so.
    """
    if len(samples) < LEAST_SAMPLES:
        return None
    late = samples[len(samples) // 3 :]
    ends = [place * len(late) // _PARTS for place in range(_PARTS + 1)]
    medians = [statistics.median(late[one:other]) for one, other in itertools.pairwise(ends)]
    first, last = medians[0], medians[-1]
    least = _STEP * (last - first)
    rises = all(other - one >= least for one, other in itertools.pairwise(medians))
    return (first, last) if rises and last > first * (1 + _SHARE) + _BYTES else None
