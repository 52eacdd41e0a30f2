"""False discovery rate: of the differences that a comparison claims, the share that are none, held over all its cells.

A rule that is wrong once in a hundred cells is wrong in every other comparison of fifty. The step-up procedure of
Benjamini and Hochberg (*Controlling the False Discovery Rate*, 1995) keeps the expected share of false ones among the
claims below a rate. It holds for independent tests and for those that depend on each other positively (Benjamini and
Yekutieli, *The Control of the False Discovery Rate in Multiple Testing under Dependency*, 2001), as cells do that the
same processes measured: what disturbs one disturbs others the same way. Yekutieli's correction for any dependence would
cost a factor of five at a hundred cells and guard against what does not happen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

RATE = 0.05


@dataclass(frozen=True)
class Family:
    """The cells of a comparison that were tested together.

    Attributes
    ----------
    tested : int
        Cells; those that nothing called for measuring again are among them, with a probability of 1.
    rate : float
    withdrawn : int
        Claims that their own measurements bear out, but not among so many cells.
    """

    tested: int
    rate: float
    withdrawn: int = 0


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """The least rate at which each would be claimed.

    Parameters
    ----------
    probabilities : sequence of float
        Of every cell of the family, whether it is claimed or not.

    Returns
    -------
    list of float
        In the same order; none below the probability itself.
    """
    count = len(probabilities)
    found, least = [1.0] * count, 1.0
    for rank, place in reversed(list(enumerate(sorted(range(count), key=lambda one: probabilities[one]), 1))):
        least = min(least, probabilities[place] * count / rank)
        found[place] = least
    return found


def least_pairs(tested: int, rate: float) -> int:
    """Pairs of processes without which no cell can be claimed alone: as many as the signed-rank test needs for it."""
    return ceil(log2(max(tested, 1) / rate))
