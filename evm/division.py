"""Division of 256-bit words, and what is made of it: DIV to SMOD, ADDMOD, MULMOD (Yellow Paper, appendix H.2).

Schoolbook division in base 2**64 (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D), with the
estimate of each limb by a multiplication: the divisor is shifted until its top bit is set, and the reciprocal of its
two highest limbs is computed once (Möller and Granlund, Improved division by invariant integers, IEEE Transactions on
Computers 60, 2011; the algorithms are named where they stand). An estimate by three limbs over two is wrong, by one,
in hardly any case.

Divisors of three limbs are shifted by one limb more, so that there is one case for three and for four. Then the rest
has the size of a word, and stays in registers from one limb of the quotient to the next.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import count_leading_zeros, multiply_wide, stack_buffer
from contend.evm.u256 import (
    ALL_ONES,
    ZERO,
    add,
    add_carry,
    add_overflow,
    bit_and,
    bit_length,
    fits_u64,
    get,
    is_negative,
    is_zero,
    less,
    multiply_add,
    put_at,
    shift_right,
    subtract,
    subtract_borrow,
    subtract_underflow,
)

U63 = U(63)
# Zero limbs below and above a dividend in its buffer: what comes in when it is shifted. Sizes of buffers are literals.
BELOW, ABOVE = 2, 1


@kernel(inline=True)
def reciprocal(divisor):
    """``(2**128 - 1) // divisor - 2**64`` for a divisor with its top bit set (algorithm 3; its table is a division)."""
    low_bit = divisor & U1
    top_9, top_40, top_63 = divisor >> U(55), (divisor >> U(24)) + U1, (divisor >> U1) + low_bit
    v0 = U((1 << 19) - 3 * (1 << 8)) // top_9
    v1 = (v0 << U(11)) - ((v0 * v0 * top_40) >> U(40)) - U1
    v2 = (v1 << U(13)) + ((v1 * (U(1 << 60) - v1 * top_40)) >> U(47))
    error = ((v2 >> U1) & (U0 - low_bit)) - v2 * top_63
    _, high = multiply_wide(v2, error)
    v3 = (v2 << U(31)) + (high >> U1)
    _, high = multiply_add(v3, divisor, divisor, U0)
    return v3 - high - divisor


@kernel(inline=True)
def reciprocal_of_two(d1, d0):
    """Reciprocal of ``d1:d0``, the top bit of which is set, for `divide_three` (algorithm 6)."""
    v = reciprocal(d1)
    p = d1 * v + d0
    if p < d0:
        v -= U1
        if p >= d1:
            v -= U1
            p -= d1
        p -= d1
    low, high = multiply_wide(v, d0)
    p += high
    if p < high:
        v -= U1
        if p > d1 or (p == d1 and low >= d0):
            v -= U1
    return v


@kernel(inline=True)
def divide_two(u1, u0, divisor, v):
    """Quotient and remainder of ``u1:u0`` by a divisor above `u1`, of which `v` is the reciprocal (algorithm 4)."""
    low, high = multiply_wide(v, u1)
    low, carry = add_carry(low, u0, U0)
    high += u1 + carry + U1
    rest = u0 - high * divisor
    if rest > low:
        high -= U1
        rest += divisor
    if rest >= divisor:
        high += U1
        rest -= divisor
    return high, rest


@kernel(inline=True)
def divide_three(u2, u1, u0, d1, d0, v):
    """Quotient and remainder (high, low) of ``u2:u1:u0`` by ``d1:d0``, which is above ``u2:u1`` (algorithm 5)."""
    low, high = multiply_wide(v, u2)
    low, carry = add_carry(low, u1, U0)
    high += u2 + carry
    r1 = u1 - high * d1
    t0, t1 = multiply_wide(d0, high)
    r0, borrow = subtract_borrow(u0, t0, U0)
    r1 = r1 - t1 - borrow
    r0, borrow = subtract_borrow(r0, d0, U0)
    r1 = r1 - d1 - borrow
    high += U1
    if r1 >= low:
        high -= U1
        r0, carry = add_carry(r0, d0, U0)
        r1 += d1 + carry
    if r1 > d1 or (r1 == d1 and r0 >= d0):
        high += U1
        r0, borrow = subtract_borrow(r0, d0, U0)
        r1 = r1 - d1 - borrow
    return high, r1, r0


@kernel(inline=True)
def _divide_five(r, u, d, v):
    """Quotient and remainder of the word `r` with the limb `u` below it by `d`, which is above `r`.

    The top bit of `d` is set, and `v` is the reciprocal of its two highest limbs.
    """
    if r[3] == U0:
        rest = (u, r[0], r[1], r[2])
        difference, borrow = subtract_underflow(rest, d)
        if borrow != U0:
            return U0, rest
        return U1, difference
    if r[3] == d[3] and r[2] == d[2]:
        # The estimate would not fit: it is the largest limb, or one less.
        quotient, s1, s0 = ALL_ONES, r[2], r[1]
        low, high = multiply_add(quotient, d[0], U0, U0)
        n0, borrow = subtract_borrow(u, low, U0)
        low, high = multiply_add(quotient, d[1], high, U0)
        n1, borrow = subtract_borrow(r[0], low, borrow)
        low, high = multiply_add(quotient, d[2], high, U0)
        n2, borrow = subtract_borrow(r[1], low, borrow)
        low, high = multiply_add(quotient, d[3], high, U0)
        n3, borrow = subtract_borrow(r[2], low, borrow)
        _, borrow = subtract_borrow(r[3], high, borrow)
    else:
        quotient, s1, s0 = divide_three(r[3], r[2], r[1], d[3], d[2], v)
        low, high = multiply_add(quotient, d[0], U0, U0)
        n0, borrow = subtract_borrow(u, low, U0)
        low, high = multiply_add(quotient, d[1], high, U0)
        n1, borrow = subtract_borrow(r[0], low, borrow)
        n2, borrow = subtract_borrow(s0, high, borrow)
        n3, borrow = subtract_borrow(s1, U0, borrow)
    rest = (n0, n1, n2, n3)
    if borrow != U0:
        return quotient - U1, add(rest, d)
    return quotient, rest


@kernel(inline=True)
def _shifted(dividend, i, shift):
    """The i-th limb of a dividend that is shifted to the left, by less than a limb."""
    at = i + I(BELOW)
    return (dividend[U(at)] << shift) | ((dividend[U(at - 1)] >> U1) >> (U63 - shift))


@kernel(inline=True)
def _shift_word_left(a, shift):
    """A word shifted to the left by less than a limb."""
    back = U63 - shift
    return (
        a[0] << shift,
        (a[1] << shift) | ((a[0] >> U1) >> back),
        (a[2] << shift) | ((a[1] >> U1) >> back),
        (a[3] << shift) | ((a[2] >> U1) >> back),
    )


@kernel(inline=True)
def _shift_word_right(a, shift):
    """A word shifted to the right by less than a limb."""
    back = U63 - shift
    return (
        (a[0] >> shift) | ((a[1] << U1) << back),
        (a[1] >> shift) | ((a[2] << U1) << back),
        (a[2] >> shift) | ((a[3] << U1) << back),
        a[3] >> shift,
    )


@kernel(inline=True)
def _lay_out(dividend, size):
    """Put the zeros around a dividend of `size` limbs."""
    for i in range(BELOW):
        dividend[U(i)] = U0
    dividend[U(size + BELOW)] = U0


@kernel()
def divide_limbs(dividend, size, divisor, quotient):
    """Divide a number of `size` limbs by a word that is not zero; the remainder, a word.

    Parameters
    ----------
    dividend : array of uint64
        `BELOW` zeros, the limbs, `ABOVE` zeros.
    quotient : array of uint64
        Gets `size` limbs.
    """
    for i in range(size):
        quotient[U(i)] = U0
    least = 4 if divisor[3] != U0 else (3 if divisor[2] != U0 else (2 if divisor[1] != U0 else 1))
    n = I(size)
    while n > least and dividend[U(n + BELOW - 1)] == U0:
        n -= I(1)
    if least == 1:
        shift = count_leading_zeros(divisor[0])
        d0 = divisor[0] << shift
        v = reciprocal(d0)
        rest_0 = _shifted(dividend, n, shift)
        for i in range(n - 1, -1, -1):
            quotient[U(i)], rest_0 = divide_two(rest_0, _shifted(dividend, i, shift), d0, v)
        return rest_0 >> shift, U0, U0, U0
    if least == 2:
        shift = count_leading_zeros(divisor[1])
        d = _shift_word_left(divisor, shift)
        v = reciprocal_of_two(d[1], d[0])
        rest_1, rest_0 = U0, _shifted(dividend, n, shift)
        for i in range(n - 1, -1, -1):
            limb = _shifted(dividend, i, shift)
            quotient[U(i)], rest_1, rest_0 = divide_three(rest_1, rest_0, limb, d[1], d[0], v)
        return _shift_word_right((rest_0, rest_1, U0, U0), shift)
    # Limbs of the quotient are as many as are left below the first three: one more where all is shifted by a limb.
    moved = I(4 - least)
    shift = count_leading_zeros(divisor[3] if moved == 0 else divisor[2])
    d = _shift_word_left(divisor, shift)
    if moved != 0:
        d = (U0, d[0], d[1], d[2])
    v = reciprocal_of_two(d[3], d[2])
    rest = (_shifted(dividend, n - 2, shift), _shifted(dividend, n - 1, shift), _shifted(dividend, n, shift), U0)
    for i in range(n - 3 + moved, -1, -1):
        quotient[U(i)], rest = _divide_five(rest, _shifted(dividend, i - moved, shift), d, v)
    if moved != 0:
        rest = (rest[1], rest[2], rest[3], U0)
    return _shift_word_right(rest, shift)


@kernel(inline=True)
def _divide_by_limb(a, b):
    """Quotient and remainder of a word by a limb that is not zero. Most dividends have two limbs at most."""
    shift = count_leading_zeros(b)
    divisor, u = b << shift, _shift_word_left(a, shift)
    v = reciprocal(divisor)
    q3, q2, rest = U0, U0, u[2]
    if (a[2] | a[3]) != U0:
        q3, rest = divide_two((a[3] >> U1) >> (U63 - shift), u[3], divisor, v)
        q2, rest = divide_two(rest, u[2], divisor, v)
    q1, rest = divide_two(rest, u[1], divisor, v)
    q0, rest = divide_two(rest, u[0], divisor, v)
    return (q0, q1, q2, q3), (rest >> shift, U0, U0, U0)


@kernel(inline=True)
def _divide_by_two_limbs(a, b):
    """Quotient and remainder of a word by another that has two limbs."""
    shift = count_leading_zeros(b[1])
    d, u = _shift_word_left(b, shift), _shift_word_left(a, shift)
    v = reciprocal_of_two(d[1], d[0])
    q2, r1, r0 = divide_three((a[3] >> U1) >> (U63 - shift), u[3], u[2], d[1], d[0], v)
    q1, r1, r0 = divide_three(r1, r0, u[1], d[1], d[0], v)
    q0, r1, r0 = divide_three(r1, r0, u[0], d[1], d[0], v)
    return (q0, q1, q2, U0), _shift_word_right((r0, r1, U0, U0), shift)


@kernel()
def divide_remainder(a, b):
    """DIV and MOD together; both zero when `b` is zero. Compilers divide by powers of two where they mean to shift."""
    if fits_u64(a) and fits_u64(b):
        if b[0] == U0:
            return ZERO, ZERO
        quotient_64 = a[0] // b[0]
        return (quotient_64, U0, U0, U0), (a[0] - quotient_64 * b[0], U0, U0, U0)
    below = subtract(b, (U1, U0, U0, U0))
    if is_zero(bit_and(b, below)):
        if is_zero(b):
            return ZERO, ZERO
        return shift_right((U(bit_length(below)), U0, U0, U0), a), bit_and(a, below)
    if fits_u64(b):
        return _divide_by_limb(a, b[0])
    if less(a, b):
        return ZERO, a
    if (b[2] | b[3]) == U0:
        return _divide_by_two_limbs(a, b)
    dividend, quotient = stack_buffer(7), stack_buffer(4)
    _lay_out(dividend, 4)
    put_at(dividend, BELOW, a)
    rest = divide_limbs(dividend, 4, b, quotient)
    return get(quotient, 0), rest


@kernel(inline=True)
def _negate_if(a, sign):
    """Two's complement where `sign` is all ones, the same word where it is zero."""
    flipped = (a[0] ^ sign, a[1] ^ sign, a[2] ^ sign, a[3] ^ sign)
    return subtract(flipped, (sign, sign, sign, sign))


@kernel(inline=True)
def _sign_of(a):
    """All ones for a negative number, else zero."""
    return U0 - U(is_negative(a))


@kernel()
def divide_signed(a, b):
    """SDIV: truncates towards zero; the least value over minus one gives itself."""
    sign_a, sign_b = _sign_of(a), _sign_of(b)
    quotient, _ = divide_remainder(_negate_if(a, sign_a), _negate_if(b, sign_b))
    return _negate_if(quotient, sign_a ^ sign_b)


@kernel()
def remainder_signed(a, b):
    """SMOD: takes the sign of the dividend."""
    sign_a, sign_b = _sign_of(a), _sign_of(b)
    _, rest = divide_remainder(_negate_if(a, sign_a), _negate_if(b, sign_b))
    return _negate_if(rest, sign_a)


@kernel(inline=True)
def _reduce_once(a, modulus):
    """A number below twice the modulus, modulo it."""
    difference, borrow = subtract_underflow(a, modulus)
    return a if borrow != U0 else difference


@kernel()
def add_modulo(a, b, modulus):
    """ADDMOD: the sum is not cut to 256 bits before it is reduced."""
    if modulus[3] != U0 and a[3] <= modulus[3] and b[3] <= modulus[3]:
        # Both are below twice the modulus, so each has to be reduced once at most, and so has the sum.
        total, carry = add_overflow(_reduce_once(a, modulus), _reduce_once(b, modulus))
        difference, borrow = subtract_underflow(total, modulus)
        return total if borrow > carry else difference
    if is_zero(modulus):
        return ZERO
    total, carry = add_overflow(a, b)
    dividend, quotient = stack_buffer(8), stack_buffer(5)
    _lay_out(dividend, 5)
    put_at(dividend, BELOW, total)
    dividend[U(4 + BELOW)] = carry
    return divide_limbs(dividend, 5, modulus, quotient)


@kernel(inline=True)
def _add_row(a, b, r0, r1, r2, r3):
    """``a * b`` plus four limbs of what was summed before: five limbs."""
    r0, carry = multiply_add(a, b[0], r0, U0)
    r1, carry = multiply_add(a, b[1], r1, carry)
    r2, carry = multiply_add(a, b[2], r2, carry)
    r3, carry = multiply_add(a, b[3], r3, carry)
    return r0, r1, r2, r3, carry


@kernel(inline=True)
def multiply_full(a, b):
    """All eight limbs of ``a * b``, as two words: low and high."""
    p0, r1, r2, r3, r4 = _add_row(a[0], b, U0, U0, U0, U0)
    p1, r2, r3, r4, r5 = _add_row(a[1], b, r1, r2, r3, r4)
    p2, r3, r4, r5, r6 = _add_row(a[2], b, r2, r3, r4, r5)
    p3, r4, r5, r6, r7 = _add_row(a[3], b, r3, r4, r5, r6)
    return (p0, p1, p2, p3), (r4, r5, r6, r7)


@kernel()
def multiply_modulo(a, b, modulus):
    """MULMOD: the product is not cut to 256 bits before it is reduced."""
    if is_zero(modulus):
        return ZERO
    low, high = multiply_full(a, b)
    dividend, quotient = stack_buffer(11), stack_buffer(8)
    _lay_out(dividend, 8)
    put_at(dividend, BELOW, low)
    put_at(dividend, 4 + BELOW, high)
    return divide_limbs(dividend, 8, modulus, quotient)
