"""Costs from measured times: least squares, drawn towards costs that are known.

Each observation says that so much work of each class took so long. Classes that always occur together cannot be told
apart by their times alone; a small pull towards the costs of an earlier table settles how they share what they cost
together. It is a ridge (Hoerl and Kennard, Technometrics 1970) by ratios: for a cost that is x times the earlier one,
x + 1/x - 2. Near the earlier cost that is the ridge's square, twice as much and half as much are equally far, and
nothing comes out as free, as it does under the plain square, where one class of each such group got all. The sum stays
convex, so there is one answer. Relative errors count, so that a short program weighs as much as a long block. Solved by
coordinate descent (Franc, Hlavac and Navara, CAIP 2005), each coordinate by Newton's method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PULL = 0.1
_SWEEPS = 5_000
_ENOUGH = 1e-10
_STEPS = 200


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
        Seconds, above zero: no work is free.
    """
    # In units of the earlier costs everything is of the order of one.
    design = counts * known / seconds[:, None]
    wanted = 1.0 - rest / seconds
    gram, right = design.T @ design, design.T @ wanted
    factors = np.ones(len(known))
    for _ in range(_SWEEPS):
        largest = 0.0
        for j in range(len(known)) if free is None else np.flatnonzero(free):
            slope = right[j] - gram[j] @ factors + gram[j, j] * factors[j]
            after = _minimum(gram[j, j], slope, pull**2, factors[j])
            largest = max(largest, abs(after - factors[j]))
            factors[j] = after
        if largest < _ENOUGH:
            break
    return factors * known


def _minimum(curve: float, slope: float, weight: float, start: float) -> float:
    """The x above zero at which ``curve * x**2 - 2 * slope * x + weight * (x + 1/x)`` is least.

    Half of its derivative is concave and grows, so that Newton's method comes to its root from the left, wherever it
    began; a first step beyond zero is cut.
    """
    x = start
    for _ in range(_STEPS):
        value = curve * x - slope + weight * (1.0 - 1.0 / x**2) / 2.0
        after = max(x - value / (curve + weight / x**3), x / 2.0)
        if abs(after - x) <= _ENOUGH * x:
            return after
        x = after
    return x


def errors(counts: Floats, seconds: Floats, costs: Floats, rest: Floats | float = 0.0) -> Floats:
    """Relative errors of the times that costs give, shape (observations,)."""
    return (counts @ costs + rest) / seconds - 1.0
