"""Sample size: as many pairs of runs of a cell as its own noise calls for.

The number of pairs follows from how much those measured so far differ, and never from their ratio: stopping when an
interval looks right would make it look right too often. This is the two-stage procedure of Stein (*A Two-Sample Test
for a Linear Hypothesis Whose Power is Independent of the Variance*, 1945), with medians for means.

What a pilot is for, and what a further measurement is for, differ. A pilot has to tell whether a cell may be slower,
and every cell gets one. A further measurement has to decide, few cells need one, and processes differ by chance, which
no number of runs averages out: so it has several times the processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from contend.harness.compare.ratio import Pair
from contend.harness.compare.significance.false_discovery import RATE, least_pairs

PILOT_ERROR = 1 / 2
"""Standard error that a pilot may have, in thresholds."""
PILOT_TIMES = 4
"""A pilot has at most so many times the rounds that were asked for."""
AGAIN_ERROR = 1 / 8
"""Standard error that a further measurement may have within its processes, in thresholds."""
AGAIN_PROCESSES = 12
AGAIN_SECONDS = 60.0
"""What a further measurement of one cell may take, unless the rounds that were asked for take longer."""
AGAIN_TOTAL_SECONDS = 600.0
"""What it may take for all cells together, with the same reservation: where everything is slower, each gets less."""

_MAD = 1.4826  # from a median of absolute deviations to a standard deviation, for a normal distribution
_MEDIAN = (np.pi / 2) ** 0.5  # standard error of a median to that of a mean, for the same


@dataclass(frozen=True)
class SampleSize:
    """Limits of a comparison: how much it may measure.

    Attributes
    ----------
    processes : int
        Pairs of processes of the pilot, as asked for.
    rounds : int
        Pairs of runs of each cell, in all pairs of processes together: the least that a pilot has.
    threshold : float
        Share by which time has to grow to count.
    rate : float, optional
        False discovery rate of the comparison.
    """

    processes: int
    rounds: int
    threshold: float
    rate: float = RATE

    @property
    def again_processes(self) -> int:
        """Pairs of processes of a further measurement, unless there are very many cells."""
        return max(AGAIN_PROCESSES, self.processes)

    def again_pairs(self, tested: int) -> int:
        """Pairs of processes of a further measurement where so many cells are compared, an even number.

        Fewer could not single one of so many cells out, however clear it is.
        """
        pairs = max(self.again_processes, least_pairs(tested, self.rate))
        return pairs + pairs % 2

    def pilot(self, pairs: Sequence[Pair]) -> int:
        """Rounds that a pilot needs.

        Parameters
        ----------
        pairs : sequence of Pair
            The rounds that were asked for.
        """
        needed = _rounds(pairs, PILOT_ERROR * self.threshold)
        return ceil(min(max(needed, self.rounds), PILOT_TIMES * self.rounds))

    def again(self, pairs: Sequence[Pair], seconds: float, cells: int = 1, tested: int = 1) -> int:
        """Rounds that each pair of processes of a further measurement has.

        Parameters
        ----------
        pairs : sequence of Pair
            All that has been measured of the cell.
        seconds : float
            What a round of it takes, setting up and verifying included.
        cells : int
            How many are measured again with it.
        tested : int
            How many are compared.
        """
        budget = min(AGAIN_SECONDS, AGAIN_TOTAL_SECONDS / cells)
        most = max(int(budget / max(seconds, 1e-6)), self.rounds)
        needed = max(_rounds(pairs, AGAIN_ERROR * self.threshold), self.rounds)
        return ceil(min(needed, most) / self.again_pairs(tested))


def _rounds(pairs: Sequence[Pair], error: float) -> float:
    """Rounds after which the median of the ratios has this standard error within processes; infinite for an error of 0.

    The spread is that of logarithms, robust against single runs that somebody else held up.
    """
    ratios = [np.log(pair.b / pair.a) for pair in pairs if len(pair.a)]
    strays = np.concatenate([np.abs(ratio - np.median(ratio)) for ratio in ratios])
    spread = _MAD * float(np.median(strays))
    return (_MEDIAN * spread / error) ** 2 if error > 0.0 else np.inf
