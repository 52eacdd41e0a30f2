"""Tower of extensions of alt_bn128: quadratic by u**2 = -1, sextic by v**3 = 9 + u, twelfth by w**2 = v.

Products by Karatsuba's and Toom's ways with few multiplications (Devegili, O hEigeartaigh, Scott and Dahab,
"Multiplication and squaring on pairing-friendly fields", 2006). An element of the twelfth extension is two of the
sextic, and so the six coefficients of w**0, w**2, w**4, w**1, w**3, w**5.
"""

from __future__ import annotations

from contend.evm.crypto.alt_bn128.field import MODULUS, RADIX, TOWER_SPACE, invert, limbs_of, minus, plus, times
from contend.evm.crypto.alt_bn128.field import ZERO as NOTHING
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import keep_apart
from contend.evm.u256 import get_at, put_at

TWO, SIX, TWELVE = 8, 24, 48
# Places of their own: of the sextic extension's functions and of the twelfth's.
_S, _T = TOWER_SPACE, TOWER_SPACE + 64
# Powers 0 to 5 of the sixth root of 9 + u that the Frobenius map of the squared modulus multiplies by, in the prime
# field: (9 + u)**((p**2 - 1) / 6) is (81 + 1)**((p - 1) / 6), the norm's power.
_ROOT = pow(82, (MODULUS - 1) // 6, MODULUS)
ROOTS = tuple(limbs_of(pow(_ROOT, i, MODULUS) * RADIX % MODULUS) for i in range(6))


@kernel()
def add_2(m, to, a, b):
    """Sum in the quadratic extension."""
    put_at(m, to, plus(get_at(m, a), get_at(m, b)))
    put_at(m, to + 4, plus(get_at(m, a + 4), get_at(m, b + 4)))


@kernel()
def subtract_2(m, to, a, b):
    """Difference in the quadratic extension."""
    put_at(m, to, minus(get_at(m, a), get_at(m, b)))
    put_at(m, to + 4, minus(get_at(m, a + 4), get_at(m, b + 4)))


@kernel()
def negate_2(m, to, a):
    """Negative in the quadratic extension."""
    put_at(m, to, minus(NOTHING, get_at(m, a)))
    put_at(m, to + 4, minus(NOTHING, get_at(m, a + 4)))


@kernel()
def multiply_2(m, to, a, b):
    """Product in the quadratic extension."""
    keep_apart()
    a0, a1, b0, b1 = get_at(m, a), get_at(m, a + 4), get_at(m, b), get_at(m, b + 4)
    reals, imaginaries = times(a0, b0), times(a1, b1)
    mixed = times(plus(a0, a1), plus(b0, b1))
    put_at(m, to, minus(reals, imaginaries))
    put_at(m, to + 4, minus(minus(mixed, reals), imaginaries))


@kernel()
def square_2(m, to, a):
    """Square in the quadratic extension."""
    keep_apart()
    a0, a1 = get_at(m, a), get_at(m, a + 4)
    put_at(m, to + 4, times(plus(a0, a0), a1))
    put_at(m, to, times(plus(a0, a1), minus(a0, a1)))


@kernel()
def scale_2(m, to, a, b):
    """Product of an element of the quadratic extension and one of the prime field."""
    keep_apart()
    factor = get_at(m, b)
    put_at(m, to, times(get_at(m, a), factor))
    put_at(m, to + 4, times(get_at(m, a + 4), factor))


@kernel()
def invert_2(m, to, a):
    """Inverse in the quadratic extension: the conjugate over the norm. Zero of zero."""
    a0, a1 = get_at(m, a), get_at(m, a + 4)
    norm = _S
    put_at(m, norm, plus(times(a0, a0), times(a1, a1)))
    invert(m, norm, norm)
    inverse = get_at(m, norm)
    put_at(m, to, times(a0, inverse))
    put_at(m, to + 4, minus(NOTHING, times(a1, inverse)))


@kernel()
def times_xi(m, to, a):
    """Product with 9 + u in the quadratic extension."""
    keep_apart()
    a0, a1 = get_at(m, a), get_at(m, a + 4)
    eight = plus(a0, a0)
    eight = plus(eight, eight)
    eight = plus(eight, eight)
    other = plus(a1, a1)
    other = plus(other, other)
    other = plus(other, other)
    put_at(m, to, minus(plus(eight, a0), a1))
    put_at(m, to + 4, plus(plus(other, a1), a0))


@kernel()
def add_6(m, to, a, b):
    """Sum in the sextic extension."""
    keep_apart()
    for i in range(0, SIX, TWO):
        add_2(m, to + i, a + i, b + i)


@kernel()
def subtract_6(m, to, a, b):
    """Difference in the sextic extension."""
    keep_apart()
    for i in range(0, SIX, TWO):
        subtract_2(m, to + i, a + i, b + i)


@kernel()
def negate_6(m, to, a):
    """Negative in the sextic extension."""
    keep_apart()
    for i in range(0, SIX, TWO):
        negate_2(m, to + i, a + i)


@kernel()
def _crossed(m, to, a, b, i, j, first, second):
    """``(a_i + a_j) * (b_i + b_j)`` less two products."""
    keep_apart()
    add_2(m, to, a + i * TWO, a + j * TWO)
    add_2(m, _S + 56, b + i * TWO, b + j * TWO)
    multiply_2(m, to, to, _S + 56)
    subtract_2(m, to, to, first)
    subtract_2(m, to, to, second)


@kernel()
def multiply_6(m, to, a, b):
    """Product in the sextic extension."""
    keep_apart()
    p0, p1, p2, c0, c1, c2 = _S, _S + 8, _S + 16, _S + 24, _S + 32, _S + 40
    for i in range(0, SIX, TWO):
        multiply_2(m, _S + i, a + i, b + i)
    _crossed(m, c0, a, b, 1, 2, p1, p2)
    _crossed(m, c1, a, b, 0, 1, p0, p1)
    _crossed(m, c2, a, b, 0, 2, p0, p2)
    times_xi(m, c0, c0)
    add_2(m, to, c0, p0)
    add_2(m, to + 16, c2, p1)
    times_xi(m, p2, p2)
    add_2(m, to + 8, c1, p2)


@kernel()
def multiply_6_by_2(m, to, a, b):
    """Product of an element of the sextic extension and one of the quadratic."""
    for i in range(0, SIX, TWO):
        multiply_2(m, to + i, a + i, b)


@kernel()
def times_v(m, to, a):
    """Product with v in the sextic extension."""
    keep_apart()
    kept = _S
    times_xi(m, kept, a + 16)
    for i in range(TWO):
        m[to + 16 + i] = m[a + 8 + i]
    for i in range(TWO):
        m[to + 8 + i] = m[a + i]
    for i in range(TWO):
        m[to + i] = m[kept + i]


@kernel()
def invert_6(m, to, a):
    """Inverse in the sextic extension, by the norm down to the quadratic one."""
    c0, c1, c2, t, norm = _T, _T + 8, _T + 16, _T + 24, _T + 32
    a0, a1, a2 = a, a + 8, a + 16
    square_2(m, c0, a0)
    multiply_2(m, t, a1, a2)
    times_xi(m, t, t)
    subtract_2(m, c0, c0, t)
    square_2(m, c1, a2)
    times_xi(m, c1, c1)
    multiply_2(m, t, a0, a1)
    subtract_2(m, c1, c1, t)
    square_2(m, c2, a1)
    multiply_2(m, t, a0, a2)
    subtract_2(m, c2, c2, t)
    multiply_2(m, norm, a2, c1)
    multiply_2(m, t, a1, c2)
    add_2(m, norm, norm, t)
    times_xi(m, norm, norm)
    multiply_2(m, t, a0, c0)
    add_2(m, norm, norm, t)
    invert_2(m, norm, norm)
    multiply_6_by_2(m, to, c0, norm)


@kernel()
def multiply_12(m, to, a, b):
    """Product in the twelfth extension."""
    keep_apart()
    low, high, mixed = _T, _T + 24, _T + 48
    add_6(m, low, a, a + SIX)
    add_6(m, high, b, b + SIX)
    multiply_6(m, mixed, low, high)
    multiply_6(m, low, a, b)
    multiply_6(m, high, a + SIX, b + SIX)
    subtract_6(m, mixed, mixed, low)
    subtract_6(m, to + SIX, mixed, high)
    times_v(m, high, high)
    add_6(m, to, low, high)


@kernel()
def conjugate_12(m, to, a):
    """Frobenius map of the sixth power of the modulus: the inverse of what is of norm one."""
    for i in range(SIX):
        m[to + i] = m[a + i]
    negate_6(m, to + SIX, a + SIX)


@kernel()
def invert_12(m, to, a):
    """Inverse in the twelfth extension: the conjugate over the norm."""
    keep_apart()
    low, high = _T + 48, _T + 72
    multiply_6(m, low, a, a)
    multiply_6(m, high, a + SIX, a + SIX)
    times_v(m, high, high)
    subtract_6(m, low, low, high)
    invert_6(m, low, low)
    multiply_6(m, to, a, low)
    multiply_6(m, to + SIX, a + SIX, low)
    negate_6(m, to + SIX, to + SIX)


@kernel()
def frobenius_squared(m, to, a):
    """Frobenius map of the squared modulus: each coefficient times a power of a root."""
    keep_apart()
    root = _S
    for half in range(2):
        for i in range(3):
            power = 2 * i + half
            put_at(m, root, ROOTS[power])
            place = half * SIX + i * TWO
            scale_2(m, to + place, a + place, root)
