"""Numbers drawn inside kernels: a xorshift generator (Marsaglia, Journal of Statistical Software 2003)."""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm.jit import kernel


def seeded(seed: int) -> int:
    """State of a generator that begins at a non-negative seed.

    Never zero, which the generator would stay at; and neighbouring seeds have nothing in common.
    """
    mixed = (2 * seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return mixed ^ (mixed >> 31)


@kernel(inline=True)
def draw(words, at, bound):
    """A number below `bound`; the generator's state is element `at`."""
    x = words[U(at)]
    x ^= x << U(13)
    x ^= x >> U(7)
    x ^= x << U(17)
    words[U(at)] = x
    return np.int64((x >> U(33)) % U(bound))
