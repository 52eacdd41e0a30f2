"""Costs from measured times: non-negative least squares, drawn towards costs that are known.

Each observation says that so much work of each class took so long. Classes that always occur together cannot be told
apart by their times alone; a small pull towards the costs of an earlier table settles how they share what they cost
together (ridge regression: Hoerl and Kennard, Technometrics 1970). Relative errors count, so that a short program
weighs as much as a long block. Solved by coordinate descent (Franc, Hlavac and Navara, CAIP 2005).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PULL = 0.1
_SWEEPS = 5_000
_ENOUGH = 1e-10
_SMALLEST_SHARE = 0.01


def fit(
    counts: Floats,
    seconds: Floats,
    known: Floats,
    pull: float = PULL,
    rest: Floats | float = 0.0,
    free: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Find costs under which each observation takes as long as it took.

    Parameters
    ----------
    counts : ndarray, shape (observations, classes)
        How much work of each class there was.
    seconds : ndarray, shape (observations,)
        How long it took; above zero.
    known : ndarray, shape (classes,)
        Earlier costs in seconds; above zero.
    pull : float
        Weight of a relative deviation from an earlier cost against one from a measured time.
    rest : ndarray, shape (observations,), optional
        Seconds that work takes that is not counted.
    free : ndarray of bool, shape (classes,), optional
        Classes to fit; the others keep their earlier costs. By default all.

    Returns
    -------
    ndarray, shape (classes,)
        Seconds, never below a hundredth of the earlier cost: no work is free.
    """
    # In units of the earlier costs everything is of the order of one.
    design = counts * known / seconds[:, None]
    wanted = 1.0 - rest / seconds
    gram = design.T @ design + pull**2 * np.eye(len(known))
    right = design.T @ wanted + pull**2
    factors = np.ones(len(known))
    for _ in range(_SWEEPS):
        largest = 0.0
        for j in range(len(known)) if free is None else np.flatnonzero(free):
            step = (right[j] - gram[j] @ factors) / gram[j, j]
            after = max(factors[j] + step, _SMALLEST_SHARE)
            largest = max(largest, abs(after - factors[j]))
            factors[j] = after
        if largest < _ENOUGH:
            break
    return factors * known


def errors(counts: Floats, seconds: Floats, costs: Floats, rest: Floats | float = 0.0) -> Floats:
    """Relative errors of the times that costs give, shape (observations,)."""
    return (counts @ costs + rest) / seconds - 1.0
