"""Points of alt_bn128's two groups, in Jacobian coordinates: x, y, z, each of `n` words.

An `n` of 4 means the first group, of 8 the second. Infinity has a z of zero. Formulas for curves without a linear term
(Bernstein and Lange, Explicit-Formulas Database, "dbl-2009-l" and "add-1998-cmo-2"); multiples by windows of four bits.
"""

from __future__ import annotations

from contend.evm.crypto.alt_bn128.field import (
    MODULUS,
    ORDER,
    POINT_SPACE,
    RADIX,
    all_zero,
    clear,
    copy,
    invert,
    limbs_of,
    minus,
    multiply,
    plus,
    same,
    set_one,
)
from contend.evm.crypto.alt_bn128.tower import add_2, invert_2, multiply_2, subtract_2
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import keep_apart
from contend.evm.u256 import get_at, put_at

FIRST, SECOND = 4, 8
ORDER_LIMBS = limbs_of(ORDER)
_TABLE, _WINDOW = POINT_SPACE + 88, 4
# Constant terms of the two equations: 3, and 3 / (9 + u).
THREE = limbs_of(3 * RADIX % MODULUS)
_TWIST = 3 * pow(82, -1, MODULUS) * RADIX
TWIST_REAL, TWIST_IMAGINARY = limbs_of(_TWIST * 9 % MODULUS), limbs_of(-_TWIST % MODULUS)


@kernel()
def _times(m, n, to, a, b):
    keep_apart()
    if n == FIRST:
        multiply(m, to, a, b)
    else:
        multiply_2(m, to, a, b)


@kernel()
def _plus(m, n, to, a, b):
    keep_apart()
    if n == FIRST:
        put_at(m, to, plus(get_at(m, a), get_at(m, b)))
    else:
        add_2(m, to, a, b)


@kernel()
def _minus(m, n, to, a, b):
    keep_apart()
    if n == FIRST:
        put_at(m, to, minus(get_at(m, a), get_at(m, b)))
    else:
        subtract_2(m, to, a, b)


@kernel()
def double(m, n, to, a):
    """Twice a point."""
    keep_apart()
    x, y, z = a, a + n, a + 2 * n
    xx, yy, yyyy, d, e, t = (POINT_SPACE, POINT_SPACE + 8, POINT_SPACE + 16, POINT_SPACE + 24, POINT_SPACE + 32,
                             POINT_SPACE + 40)  # fmt: skip
    _times(m, n, xx, x, x)
    _times(m, n, yy, y, y)
    _times(m, n, yyyy, yy, yy)
    _plus(m, n, d, x, yy)
    _times(m, n, d, d, d)
    _minus(m, n, d, d, xx)
    _minus(m, n, d, d, yyyy)
    _plus(m, n, d, d, d)
    _plus(m, n, e, xx, xx)
    _plus(m, n, e, e, xx)
    _times(m, n, t, y, z)
    _plus(m, n, to + 2 * n, t, t)
    _times(m, n, t, e, e)
    _minus(m, n, t, t, d)
    _minus(m, n, to, t, d)
    _minus(m, n, t, d, to)
    _times(m, n, t, t, e)
    for _ in range(3):
        _plus(m, n, yyyy, yyyy, yyyy)
    _minus(m, n, to + n, t, yyyy)


@kernel()
def add(m, n, to, a, b):
    """Sum of two points."""
    keep_apart()
    if all_zero(m, a + 2 * n, n):
        copy(m, to, b, 3 * n)
        return
    if all_zero(m, b + 2 * n, n):
        copy(m, to, a, 3 * n)
        return
    u, s, h, r, t, hh, z = (POINT_SPACE, POINT_SPACE + 8, POINT_SPACE + 16, POINT_SPACE + 24, POINT_SPACE + 32,
                            POINT_SPACE + 40, POINT_SPACE + 48)  # fmt: skip
    _times(m, n, t, b + 2 * n, b + 2 * n)
    _times(m, n, u, a, t)
    _times(m, n, t, t, b + 2 * n)
    _times(m, n, s, a + n, t)
    _times(m, n, t, a + 2 * n, a + 2 * n)
    _times(m, n, h, b, t)
    _minus(m, n, h, h, u)
    _times(m, n, t, t, a + 2 * n)
    _times(m, n, r, b + n, t)
    _minus(m, n, r, r, s)
    if all_zero(m, h, n):
        if all_zero(m, r, n):
            double(m, n, to, a)
        else:
            clear(m, to, 3 * n)
        return
    _times(m, n, z, a + 2 * n, b + 2 * n)
    _times(m, n, to + 2 * n, z, h)
    _times(m, n, hh, h, h)
    _times(m, n, h, h, hh)
    _times(m, n, u, u, hh)
    _times(m, n, t, r, r)
    _minus(m, n, t, t, h)
    _minus(m, n, t, t, u)
    _minus(m, n, to, t, u)
    _minus(m, n, t, u, to)
    _times(m, n, t, t, r)
    _times(m, n, s, s, h)
    _minus(m, n, to + n, t, s)


@kernel()
def multiple(m, n, to, a, scalar):
    """Multiple of a point, by a number of 256 bits; the result lies elsewhere than the point and the number."""
    clear(m, _TABLE, 3 * n)
    for i in range(1, 1 << _WINDOW):
        add(m, n, _TABLE + 3 * n * i, _TABLE + 3 * n * (i - 1), a)
    clear(m, to, 3 * n)
    for i in range(256 - _WINDOW, -1, -_WINDOW):
        for _ in range(_WINDOW):
            double(m, n, to, to)
        digit = I((m[scalar + (i >> 6)] >> U(i & 63)) & U((1 << _WINDOW) - 1))
        add(m, n, to, to, _TABLE + 3 * n * digit)


@kernel()
def make_affine(m, n, a):
    """Make a point's z one, or all of it zero where it is infinity, in its place."""
    t = POINT_SPACE
    z = a + 2 * n
    if n == FIRST:
        invert(m, t, z)
    else:
        invert_2(m, t, z)
    _times(m, n, t + 8, t, t)
    _times(m, n, a, a, t + 8)
    _times(m, n, t + 8, t + 8, t)
    _times(m, n, a + n, a + n, t + 8)
    if not all_zero(m, z, n):
        set_one(m, z, n)


@kernel()
def on_curve(m, n, a):
    """Whether a point with a z of one fulfils its group's equation."""
    t = POINT_SPACE
    _times(m, n, t, a, a)
    _times(m, n, t, t, a)
    if n == FIRST:
        put_at(m, t + 8, THREE)
    else:
        put_at(m, t + 8, TWIST_REAL)
        put_at(m, t + 12, TWIST_IMAGINARY)
    _plus(m, n, t, t, t + 8)
    _times(m, n, t + 8, a + n, a + n)
    return same(m, t, t + 8, n)


@kernel()
def in_subgroup(m, a, to, scalar):
    """Whether a point of the second group's curve, whose order is a multiple, has the order of the pairing's groups.

    The multiple goes to `to`, and the order to `scalar`.
    """
    put_at(m, scalar, ORDER_LIMBS)
    multiple(m, SECOND, to, a, scalar)
    return all_zero(m, to + 2 * SECOND, SECOND)
