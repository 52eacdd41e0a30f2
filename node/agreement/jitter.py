"""Jitter: latencies of messages, drawn from a log-normal distribution whose mean is the network's latency.

A draw takes one of equally likely quantiles, in the middle of its part of the distribution, from a table of whole
picoseconds: what is drawn is then the same on every machine, whatever its logarithm's last bit is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

_BITS = 12
_QUANTILES = 1 << _BITS
_DIGITS = 9  # of a factor, fewer than those in which two machines' logarithms may differ


@cache
def _factors(sigma: float) -> tuple[float, ...]:
    """Quantiles of the distribution, with a mean of one."""
    normal = NormalDist()
    quantiles = [math.exp(sigma * normal.inv_cdf((place + 0.5) / _QUANTILES)) for place in range(_QUANTILES)]
    mean = math.fsum(quantiles) / _QUANTILES
    return tuple(round(one / mean, _DIGITS) for one in quantiles)


def latencies(latency_ps: int, sigma: float, seed: str) -> Callable[[], int]:
    """What draws the latency of one message after the other.

    Parameters
    ----------
    latency_ps : int
        Their mean, in picoseconds.
    sigma : float
        Standard deviation of the logarithm; 0 for messages that all take as long.
    seed : str
    """
    if sigma == 0:
        return lambda: latency_ps
    table = [round(latency_ps * factor) for factor in _factors(sigma)]
    bits = random.Random(seed).getrandbits
    return lambda: table[bits(_BITS)]
