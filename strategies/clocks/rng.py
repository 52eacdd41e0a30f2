"""Random numbers inside kernels: a xorshift generator (Marsaglia, Journal of Statistical Software 2003)."""

from __future__ import annotations

from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel


def seeded(seed: int) -> int:
    """State of a generator that begins at a non-negative seed.

    Never zero, which the generator would stay at; and neighbouring seeds have nothing in common.
    """
    mixed = (2 * seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return mixed ^ (mixed >> 31)


@kernel(inline=True)
def next_state(x):
    """State of the generator after a state; not zero, where that one is not."""
    x ^= x << U(13)
    x ^= x >> U(7)
    x ^= x << U(17)
    return x


@kernel(inline=True)
def draw(generator, bound):
    """Draw a number below `bound` from the generator in the field `random` of a struct."""
    generator.random = next_state(generator.random)
    return I((generator.random >> U(33)) % U(bound))
