"""Random sampling that gives the same bits on every machine and with every version of numpy.

Three things could make draws differ: numpy does not promise that `Generator`'s methods keep their streams, the C
library's ``pow`` rounds as it likes, and a sum of floats depends on its order. So draws come from the raw output of
PCG64 under a `SeedSequence`, both of which numpy does keep; powers are computed from additions, multiplications and
divisions alone, each a ufunc of its own, which IEEE 754 rounds in one way; and weights are summed as integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_FRACTION_BITS = 53
# The sum of all weights stays below 2**52, so that it and every product with a draw is exact but for one rounding.
_WEIGHT_BITS = 52
_LN2 = 0.6931471805599453


def _log(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Natural logarithm of positive numbers: 2 artanh((m - 1) / (m + 1)) of the mantissa, plus the exponent's share."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < math.sqrt(0.5)
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    exponent = np.where(small, exponent - 1, exponent)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.zeros_like(square)
    for divisor in range(25, 0, -2):
        series = series * square
        series = series + 1.0 / divisor
    return exponent * _LN2 + 2.0 * (ratio * series)


def _exp(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Exponential by Taylor's series around the nearest multiple of ln 2."""
    exponent = np.floor(x / _LN2 + 0.5)
    rest = x - exponent * _LN2
    series = np.ones_like(rest)
    for divisor in range(16, 0, -1):
        series = series * rest
        series = series / divisor
        series = series + 1.0
    return np.ldexp(series, exponent.astype(np.int64))


class Zipf:
    """Zipf distribution: rank k of 0 to n - 1 has a probability proportional to ``(k + 1) ** -exponent``.

    Parameters
    ----------
    n : int
        Ranks, at least 1.
    exponent : float
        0 is uniform. Probabilities below 2**-32 or so are rounded up: no rank is impossible.

    Attributes
    ----------
    cumulative : ndarray of int64, shape (n,)
        Cumulative sums of the integer weights, up to and including each rank.
    """

    def __init__(self, n: int, exponent: float) -> None:
        if n < 1 or exponent < 0.0:
            raise ValueError(f"no Zipf distribution of {n} ranks with exponent {exponent}")
        scale = 2.0 ** (_WEIGHT_BITS - n.bit_length())
        powers = _exp(_log(np.arange(1, n + 1, dtype=np.float64)) * -float(exponent))
        weights = np.maximum(np.floor(powers * scale), 1.0).astype(np.int64)
        self.cumulative: Integers = np.cumsum(weights, dtype=np.int64)

    @property
    def weights(self) -> Integers:
        """Integer weight of each rank, shape (n,)."""
        return np.diff(self.cumulative, prepend=np.int64(0))

    def draw(self, stream: RandomStream, count: int) -> Integers:
        """Draw ranks, shape (count,), dtype int64, by inverting the cumulative distribution."""
        points = stream.below(int(self.cumulative[-1]), count)
        return np.searchsorted(self.cumulative, points, side="right").astype(np.int64)


class RandomStream:
    """Named stream of random draws. Streams of one seed are independent: drawing more of one shifts no other.

    Parameters
    ----------
    seed : int
        Non-negative.
    name : str
        Purpose of the draws, for instance ``payments/senders``.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(name.encode())))

    def raw(self, count: int) -> npt.NDArray[np.uint64]:
        """Uniform 64-bit integers, shape (count,)."""
        drawn: npt.NDArray[np.uint64] = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return drawn

    def below(self, bound: int, count: int) -> Integers:
        """Uniform integers in ``[0, bound)``, shape (count,), for a bound of at most 2**52."""
        if not 1 <= bound <= 1 << _WEIGHT_BITS:
            raise ValueError(f"bound {bound} is not in 1..2**{_WEIGHT_BITS}")
        fractions = (self.raw(count) >> np.uint64(64 - _FRACTION_BITS)).astype(np.float64)
        # The factor is exact (a power of two), so each draw is one multiplication, rounded in one way.
        points = np.floor(fractions * (bound * 2.0**-_FRACTION_BITS)).astype(np.int64)
        return np.minimum(points, bound - 1)

    def chance(self, probability: float, count: int) -> npt.NDArray[np.bool_]:
        """Bernoulli trials with this probability of success, shape (count,), dtype bool."""
        threshold = math.floor(probability * 2.0**_FRACTION_BITS)
        fractions = (self.raw(count) >> np.uint64(64 - _FRACTION_BITS)).astype(np.int64)
        return fractions < threshold

    def permutation(self, n: int) -> Integers:
        """Random permutation of 0 to n - 1, shape (n,): the order in which n draws sort."""
        return np.argsort(self.raw(n), kind="stable").astype(np.int64)


def draw_kinds(stream: RandomStream, weights: Mapping[str, float], count: int) -> list[str]:
    """Draw kinds of operations, each with a probability proportional to its weight.

    Parameters
    ----------
    stream : RandomStream
    weights : mapping
        Weight by kind: non-negative, not all zero; at most a million each.
    count : int

    Returns
    -------
    list[str]
        `count` kinds.
    """
    cumulative = np.cumsum([math.floor(weight * 2.0**24) for weight in weights.values()], dtype=np.int64)
    points = stream.below(int(cumulative[-1]), count)
    kinds = list(weights)
    return [kinds[index] for index in np.searchsorted(cumulative, points, side="right").tolist()]


def draw_pairs(seed: int, name: str, payers: Zipf, payees: Zipf, count: int) -> tuple[Integers, Integers]:
    """Draw pairs of sender and receiver, never the same account in one pair.

    Receivers are ranked in another order than senders: who sends most is not who receives most. Where a draw pairs an
    account with itself, its receiver is drawn again.

    Parameters
    ----------
    seed : int
    name : str
        Name of the workload, with which the names of its random streams begin.
    payers, payees : Zipf
        Distributions of senders and receivers over the same accounts.
    count : int

    Returns
    -------
    senders, receivers : ndarray of int64, shape (count,)
        Account indices.
    """
    ranks = RandomStream(seed, f"{name}/receivers' ranks").permutation(len(payees.cumulative))
    senders = payers.draw(RandomStream(seed, f"{name}/senders"), count)
    stream = RandomStream(seed, f"{name}/receivers")
    receivers = ranks[payees.draw(stream, count)]
    while (same := (senders == receivers).nonzero()[0]).size:
        receivers[same] = ranks[payees.draw(stream, same.size)]
    return senders, receivers
