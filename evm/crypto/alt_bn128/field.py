"""Prime field of alt_bn128: four limbs in Montgomery form, and the space that computations on the curve work in.

Montgomery multiplication (P. Montgomery, "Modular multiplication without trial division", 1985) by rows: a limb of one
factor times the other, and as much of the modulus as clears the lowest limb (Koc, Acar and Kaliski, "Analyzing and
comparing Montgomery multiplication algorithms", 1996, "CIOS"). The modulus leaves two bits of the highest limb free, so
no row has a carry beyond four limbs.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import keep_apart, multiply_add_wide
from contend.evm.u256 import add, get_at, is_zero, put_at, subtract, subtract_underflow

MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583
ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
RADIX = 1 << 256


def limbs_of(number: int) -> tuple[U, U, U, U]:
    """Limbs of a number below 2**256, the lowest first."""
    a, b, c, d = (U(number >> (64 * i) & (2**64 - 1)) for i in range(4))
    return a, b, c, d


P = limbs_of(MODULUS)
P0, P1, P2, P3 = P
# What a lowest limb is multiplied by to find how often the modulus clears it.
CLEARS = U(-pow(MODULUS, -1, 1 << 64) % (1 << 64))
ONE = limbs_of(RADIX % MODULUS)
SQUARED_RADIX = limbs_of(RADIX * RADIX % MODULUS)
PLAIN_ONE = limbs_of(1)
ZERO = limbs_of(0)
INVERTS = limbs_of(MODULUS - 2)

# Places in a space, in words: what the functions of each file need for themselves.
TOWER_SPACE, POINT_SPACE, PAIRING_SPACE, OWN_SPACE = 0, 160, 640, 960
SPACE_WORDS = 1200


@kernel(inline=True)
def reduced(a):
    """A number below twice the modulus, below the modulus."""
    difference, borrow = subtract_underflow(a, P)
    return a if borrow != U0 else difference


@kernel(inline=True)
def plus(a, b):
    """Sum of two elements."""
    return reduced(add(a, b))


@kernel(inline=True)
def minus(a, b):
    """Difference of two elements."""
    difference, borrow = subtract_underflow(a, b)
    return difference if borrow == U0 else add(difference, P)


@kernel(inline=True)
def _row(t, a, b):
    low, carry = multiply_add_wide(a[0], b, t[0], U0)
    factor = low * CLEARS
    _, cleared = multiply_add_wide(factor, P0, low, U0)
    t1, carry = multiply_add_wide(a[1], b, t[1], carry)
    r0, cleared = multiply_add_wide(factor, P1, t1, cleared)
    t2, carry = multiply_add_wide(a[2], b, t[2], carry)
    r1, cleared = multiply_add_wide(factor, P2, t2, cleared)
    t3, carry = multiply_add_wide(a[3], b, t[3], carry)
    r2, cleared = multiply_add_wide(factor, P3, t3, cleared)
    return r0, r1, r2, carry + cleared


@kernel(inline=True)
def times(a, b):
    """Product of two elements in Montgomery form."""
    t = _row(ZERO, a, b[0])
    t = _row(t, a, b[1])
    t = _row(t, a, b[2])
    return reduced(_row(t, a, b[3]))


@kernel()
def multiply(m, to, a, b):
    """Product of two elements in a space."""
    keep_apart()
    put_at(m, to, times(get_at(m, a), get_at(m, b)))


@kernel()
def invert(m, to, a):
    """Inverse of an element, by Fermat's little theorem; zero of zero."""
    keep_apart()
    base, result = get_at(m, a), ONE
    for i in range(255, -1, -1):
        result = times(result, result)
        if (INVERTS[i >> 6] >> U(i & 63)) & U(1) != U0:
            result = times(result, base)
    put_at(m, to, result)


@kernel()
def to_montgomery(m, at):
    """Take an element to Montgomery form, in its place."""
    put_at(m, at, times(get_at(m, at), SQUARED_RADIX))


@kernel()
def from_montgomery(m, at):
    """Take an element out of Montgomery form, in its place."""
    put_at(m, at, times(get_at(m, at), PLAIN_ONE))


@kernel()
def copy(m, to, a, words):
    """Copy words within a space."""
    for i in range(words):
        m[to + i] = m[a + i]


@kernel()
def clear(m, to, words):
    """Zero words of a space."""
    for i in range(words):
        m[to + i] = U0


@kernel()
def set_one(m, to, words):
    """Make an element of `words` words one."""
    clear(m, to, words)
    put_at(m, to, ONE)


@kernel()
def all_zero(m, a, words):
    """Whether all words are zero, and so an element of that size is."""
    found = U0
    for i in range(words):
        found |= m[a + i]
    return found == U0


@kernel()
def same(m, a, b, words):
    """Whether two elements are the same."""
    found = U0
    for i in range(words):
        found |= m[a + i] ^ m[b + i]
    return found == U0


@kernel()
def negate(m, to, a):
    """Negative of an element."""
    found = get_at(m, a)
    put_at(m, to, found if is_zero(found) else subtract(P, found))


@kernel()
def is_element(m, a):
    """Whether a number is below the modulus."""
    _, borrow = subtract_underflow(get_at(m, a), P)
    return borrow != U0


@kernel()
def put_number(m, to, data, size, at):
    """Big-endian number of 32 bytes from `at`; what lies beyond the data is zero."""
    for limb in range(4):
        found = U0
        for i in range(8):
            place = at + (I(3) - limb) * 8 + i
            found = (found << U(8)) | (U(data[place]) if place < size else U0)
        m[to + limb] = found


@kernel()
def take_number(data, at, m, a):
    """Write a number in 32 bytes, big-endian."""
    for limb in range(4):
        word = m[a + limb]
        for i in range(8):
            data[at + (I(3) - limb) * 8 + I(7) - i] = word & U(255)
            word >>= U(8)
