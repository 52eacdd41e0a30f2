"""Signed-rank test: how likely pairs of processes differ like this where A and B are the same.

If both versions are the same, the names of A and B may be swapped in any pair of processes without changing anything:
the logarithm of its ratio is as likely to be positive as negative. The test compares what was found with all ways to
choose the signs (Fisher, *The Design of Experiments*, 1935, section 21), on ranks in place of sizes, which makes it
exact at any number of pairs and indifferent to heavy tails (Wilcoxon, *Individual Comparisons by Ranking Methods*,
1945).

A pair of processes is the unit, with the median of its rounds, since runs of one process share its chance: a test over
rounds would take the chance of two processes for a difference of versions, the surer the longer it measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_TWICE = 2  # ranks of ties are halves


def signed_rank(values: Sequence[float]) -> float:
    """Probability of a sum of signed ranks at least as large, where signs are a matter of chance.

    Parameters
    ----------
    values : sequence of float
        One of each independent unit, symmetric around 0 if nothing differs.

    Returns
    -------
    float
        One-sided: small where the values are greater than 0. Not below 2 to the power of minus their number; 1 without
        values.
    """
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    if not len(sizes):
        return 1.0
    # Zeros keep their place in the order, and count for neither side (Pratt, 1959).
    ranks = np.where(sizes > 0.0, np.rint(_TWICE * _midranks(sizes)), 0).astype(np.int64)
    reached = int(ranks[np.asarray(values) > 0.0].sum())
    # Ways to reach each sum, one value after the other.
    ways = np.ones(1)
    for rank in ranks:
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    return float(min(ways[reached:].sum(), 1.0))


def _midranks(sizes: np.ndarray) -> np.ndarray:
    """Rank of each, from 1; equal ones share the mean of theirs."""
    below = (sizes[:, None] > sizes[None, :]).sum(axis=1)
    equal = (sizes[:, None] == sizes[None, :]).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2)
