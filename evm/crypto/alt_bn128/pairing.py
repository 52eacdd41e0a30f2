"""Pairing of alt_bn128: the optimal ate pairing, as far as it takes to say whether a product of pairings is one.

F. Vercauteren, "Optimal pairings" (2010), for the curves of Barreto and Naehrig (2005) with parameter x: Miller's loop
runs over 6x + 2, in non-adjacent form, and ends with two lines through images of the point by the Frobenius map. Points
of the second group are kept affine, and their slopes cost an inversion each; in return lines have three coefficients,
of w**0, w**1 and w**3, and what differs from them by a factor in a subfield disappears in the final exponentiation.
"""

from __future__ import annotations

import numpy as np

from contend.evm.crypto.alt_bn128.field import (
    MODULUS,
    ORDER,
    PAIRING_SPACE,
    RADIX,
    copy,
    limbs_of,
    negate,
    set_one,
)
from contend.evm.crypto.alt_bn128.tower import (
    SIX,
    TWELVE,
    TWO,
    add_2,
    add_6,
    conjugate_12,
    frobenius_squared,
    invert_2,
    invert_12,
    multiply_2,
    multiply_12,
    negate_2,
    scale_2,
    square_2,
    subtract_2,
    times_v,
    times_xi,
)
from contend.evm.runtime.integers import U1, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import keep_apart
from contend.evm.u256 import get_at, put_at

PARAMETER = 4965661367192848881


def _non_adjacent(number: int) -> list[int]:
    """Digits of -1, 0 and 1, the highest first, no two of which that differ from zero are neighbours."""
    digits = []
    while number:
        digit = 2 - number % 4 if number % 2 else 0
        digits.append(digit)
        number = (number - digit) // 2
    return digits[::-1]


def _xi_power(exponent: int) -> tuple[int, int]:
    """Power of 9 + u."""
    result, base = (1, 0), (9, 1)
    while exponent:
        if exponent & 1:
            result = _product(result, base)
        base, exponent = _product(base, base), exponent >> 1
    return result


def _product(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] * b[0] - a[1] * b[1]) % MODULUS, (a[0] * b[1] + a[1] * b[0]) % MODULUS


_DIGITS = np.array(_non_adjacent(6 * PARAMETER + 2)[1:], np.int64)
# What the two coordinates of a point of the second group are multiplied by in its image by the Frobenius map.
_MAPS = tuple(limbs_of(part * RADIX % MODULUS) for e in (3, 2) for part in _xi_power((MODULUS - 1) // e))
# The final exponentiation but for what is done by conjugates and Frobenius maps.
_HARD = (MODULUS**4 - MODULUS**2 + 1) // ORDER
_HARD_BITS = _HARD.bit_length()
_HARD_LIMBS = np.array([_HARD >> (64 * i) & (2**64 - 1) for i in range(12)], np.uint64)

_T, _Q, _SLOPE, _A, _B, _LINE = (PAIRING_SPACE, PAIRING_SPACE + 16, PAIRING_SPACE + 32, PAIRING_SPACE + 40,
                                 PAIRING_SPACE + 48, PAIRING_SPACE + 56)  # fmt: skip
_WIDE, _KEPT = PAIRING_SPACE + 80, PAIRING_SPACE + 180


@kernel()
def _by_line(m, to, a):
    """Product of an element of the sextic extension and the line's coefficients of w and w**3."""
    keep_apart()
    b0, b1, t = _LINE + 8, _LINE + 16, _A
    multiply_2(m, to, a + 16, b1)
    times_xi(m, to, to)
    multiply_2(m, t, a, b0)
    add_2(m, to, to, t)
    multiply_2(m, to + 8, a + 8, b0)
    multiply_2(m, t, a, b1)
    add_2(m, to + 8, to + 8, t)
    multiply_2(m, to + 16, a + 16, b0)
    multiply_2(m, t, a + 8, b1)
    add_2(m, to + 16, to + 16, t)


@kernel()
def _multiply_by_line(m, f):
    """Multiply an element of the twelfth extension by the line: w**0, w**1 and w**3."""
    keep_apart()
    low, high = _WIDE, _WIDE + SIX
    _by_line(m, low, f + SIX)
    times_v(m, low, low)
    _by_line(m, high, f)
    for i in range(0, TWELVE, TWO):
        scale_2(m, f + i, f + i, _LINE)
    add_6(m, f, f, low)
    add_6(m, f + SIX, f + SIX, high)


@kernel()
def _draw_line(m, f, p):
    """Multiply by the line through T with the slope, at the point p of the first group; T then is the third point.

    The other point that the line goes through is at `_B`, its x alone.
    """
    keep_apart()
    scale_2(m, _LINE + 8, _SLOPE, p)
    negate_2(m, _LINE + 8, _LINE + 8)
    multiply_2(m, _LINE + 16, _SLOPE, _T)
    subtract_2(m, _LINE + 16, _LINE + 16, _T + 8)
    put_at(m, _LINE, get_at(m, p + 4))
    square_2(m, _A, _SLOPE)
    subtract_2(m, _A, _A, _T)
    subtract_2(m, _B, _A, _B)
    subtract_2(m, _A, _T, _B)
    multiply_2(m, _A, _A, _SLOPE)
    subtract_2(m, _T + 8, _A, _T + 8)
    copy(m, _T, _B, TWO)
    _multiply_by_line(m, f)


@kernel()
def _tangent(m, f, p):
    """Double T, and multiply by the tangent."""
    square_2(m, _A, _T)
    add_2(m, _SLOPE, _A, _A)
    add_2(m, _SLOPE, _SLOPE, _A)
    add_2(m, _A, _T + 8, _T + 8)
    invert_2(m, _A, _A)
    multiply_2(m, _SLOPE, _SLOPE, _A)
    copy(m, _B, _T, TWO)
    _draw_line(m, f, p)


@kernel()
def _chord(m, f, p):
    """Add Q to T, and multiply by the line through the two."""
    subtract_2(m, _A, _Q, _T)
    invert_2(m, _A, _A)
    subtract_2(m, _SLOPE, _Q + 8, _T + 8)
    multiply_2(m, _SLOPE, _SLOPE, _A)
    copy(m, _B, _Q, TWO)
    _draw_line(m, f, p)


@kernel()
def _map_point(m, at):
    """Image of a point of the second group by the Frobenius map, in its place."""
    for i in range(2):
        place = at + 8 * i
        negate(m, place + 4, place + 4)
        put_at(m, _A, _MAPS[2 * i])
        put_at(m, _A + 4, _MAPS[2 * i + 1])
        multiply_2(m, place, place, _A)


@kernel()
def multiply_by_miller(m, f, p, q):
    """Multiply by Miller's function of two points, which are affine and not infinity, before final exponentiation."""
    own = _KEPT
    set_one(m, own, TWELVE)
    copy(m, _T, q, 2 * TWO)
    for i in range(len(_DIGITS)):
        multiply_12(m, own, own, own)
        _tangent(m, own, p)
        if _DIGITS[i] != 0:
            copy(m, _Q, q, 2 * TWO)
            if _DIGITS[i] < 0:
                negate_2(m, _Q + 8, _Q + 8)
            _chord(m, own, p)
    copy(m, _Q, q, 2 * TWO)
    _map_point(m, _Q)
    _chord(m, own, p)
    # The image of the image, with its sign changed.
    _map_point(m, _Q)
    negate_2(m, _Q + 8, _Q + 8)
    _chord(m, own, p)
    multiply_12(m, f, f, own)


@kernel()
def is_one_after_exponentiation(m, f):
    """Whether the final exponentiation of a product of Miller's functions gives one; the product is lost."""
    other = _WIDE
    invert_12(m, other, f)
    conjugate_12(m, f, f)
    multiply_12(m, f, f, other)
    frobenius_squared(m, other, f)
    multiply_12(m, f, f, other)
    copy(m, other, f, TWELVE)
    for i in range(_HARD_BITS - 2, -1, -1):
        multiply_12(m, other, other, other)
        if (_HARD_LIMBS[i >> 6] >> U(i & 63)) & U1 != U(0):
            multiply_12(m, other, other, f)
    set_one(m, f, TWELVE)
    found = True
    for i in range(TWELVE):
        found = found and m[f + i] == m[other + i]
    return found
