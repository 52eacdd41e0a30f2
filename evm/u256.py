"""Arithmetic on 256-bit words.

A word is a tuple of four uint64 limbs, the least significant first. Tuples of constants-size dissolve into registers
once a function is inlined, so these functions are written as if words were values. Semantics are those of the EVM
(Yellow Paper, appendix H): everything modulo 2**256, division by zero gives zero, signed operations in two's
complement.
"""

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import count_leading_zeros, multiply_wide, stack_buffer

U8, U31, U32, U63, U64, U255, U256 = U(8), U(31), U(32), U(63), U(64), U(255), U(256)
LOW_32 = U(0xFFFFFFFF)
ALL_ONES = U(0xFFFFFFFFFFFFFFFF)
SIGN_BIT = U(1 << 63)
ZERO = (U0, U0, U0, U0)


@kernel(inline=True)
def get(array, k):
    """The k-th word of a uint64 array."""
    i = U(k * 4)
    return array[i], array[i + U(1)], array[i + U(2)], array[i + U(3)]


@kernel(inline=True)
def put(array, k, a):
    """Write the k-th word of a uint64 array."""
    i = U(k * 4)
    array[i] = a[0]
    array[i + U(1)] = a[1]
    array[i + U(2)] = a[2]
    array[i + U(3)] = a[3]


@kernel(inline=True)
def get_at(array, k):
    """The word whose limbs begin at element k of a uint64 array."""
    i = U(k)
    return array[i], array[i + U(1)], array[i + U(2)], array[i + U(3)]


@kernel(inline=True)
def put_at(array, k, a):
    """Write the word whose limbs begin at element k of a uint64 array."""
    i = U(k)
    array[i] = a[0]
    array[i + U(1)] = a[1]
    array[i + U(2)] = a[2]
    array[i + U(3)] = a[3]


@kernel(inline=True)
def from_u64(a):
    """Widen a uint64."""
    return U(a), U0, U0, U0


@kernel(inline=True)
def from_bool(a):
    """One or zero."""
    return U(a), U0, U0, U0


@kernel(inline=True)
def is_zero(a):
    """Whether all bits are clear."""
    return (a[0] | a[1] | a[2] | a[3]) == U0


@kernel(inline=True)
def fits_u64(a):
    """Whether the word is below 2**64."""
    return (a[1] | a[2] | a[3]) == U0


@kernel(inline=True)
def equal(a, b):
    """Whether two words are the same."""
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == U0


@kernel(inline=True)
def add_carry(a, b, carry):
    """``a + b + carry`` of two limbs and a bit: the limb, and the carry out of it."""
    total = a + b
    carry_out = U(total < a)
    total_2 = total + carry
    return total_2, carry_out | U(total_2 < total)


@kernel(inline=True)
def subtract_borrow(a, b, borrow):
    """``a - b - borrow`` of two limbs and a bit: the limb, and the borrow out of it."""
    difference = a - b
    borrow_out = U(a < b)
    difference_2 = difference - borrow
    return difference_2, borrow_out | U(difference < borrow)


@kernel(inline=True)
def add_overflow(a, b):
    """Sum, and the carry out of it as 0 or 1."""
    r0, c = add_carry(a[0], b[0], U0)
    r1, c = add_carry(a[1], b[1], c)
    r2, c = add_carry(a[2], b[2], c)
    r3, c = add_carry(a[3], b[3], c)
    return (r0, r1, r2, r3), c


@kernel(inline=True)
def add(a, b):
    """ADD."""
    total, _ = add_overflow(a, b)
    return total


@kernel(inline=True)
def subtract_underflow(a, b):
    """Difference, and the borrow out of it as 0 or 1."""
    r0, c = subtract_borrow(a[0], b[0], U0)
    r1, c = subtract_borrow(a[1], b[1], c)
    r2, c = subtract_borrow(a[2], b[2], c)
    r3, c = subtract_borrow(a[3], b[3], c)
    return (r0, r1, r2, r3), c


@kernel(inline=True)
def subtract(a, b):
    """SUB."""
    difference, _ = subtract_underflow(a, b)
    return difference


@kernel(inline=True)
def less(a, b):
    """LT, as a boolean."""
    _, borrow = subtract_underflow(a, b)
    return borrow != U0


@kernel(inline=True)
def less_signed(a, b):
    """SLT, as a boolean."""
    flipped_a = (a[0], a[1], a[2], a[3] ^ SIGN_BIT)
    flipped_b = (b[0], b[1], b[2], b[3] ^ SIGN_BIT)
    return less(flipped_a, flipped_b)


@kernel(inline=True)
def is_negative(a):
    """Whether the sign bit is set."""
    return (a[3] >> U63) != U0


@kernel(inline=True)
def negate(a):
    """Two's complement."""
    return subtract(ZERO, a)


@kernel(inline=True)
def bit_and(a, b):
    """AND."""
    return a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]


@kernel(inline=True)
def bit_or(a, b):
    """OR."""
    return a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]


@kernel(inline=True)
def bit_xor(a, b):
    """XOR."""
    return a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]


@kernel(inline=True)
def bit_not(a):
    """NOT."""
    return ~a[0], ~a[1], ~a[2], ~a[3]


@kernel(inline=True)
def multiply_add(a, b, c, d):
    """``a * b + c + d`` as (low, high); it cannot overflow two limbs."""
    low, high = multiply_wide(a, b)
    low_2 = low + c
    high += U(low_2 < low)
    low_3 = low_2 + d
    high += U(low_3 < low_2)
    return low_3, high


@kernel()
def _multiply_long(a, b):
    r0, c = multiply_add(a[0], b[0], U0, U0)
    r1, c = multiply_add(a[0], b[1], U0, c)
    r2, c = multiply_add(a[0], b[2], U0, c)
    r3 = a[0] * b[3] + c
    r1, c = multiply_add(a[1], b[0], r1, U0)
    r2, c = multiply_add(a[1], b[1], r2, c)
    r3 += a[1] * b[2] + c
    r2, c = multiply_add(a[2], b[0], r2, U0)
    r3 += a[2] * b[1] + c
    r3 += a[3] * b[0]
    return r0, r1, r2, r3


@kernel(inline=True)
def multiply(a, b):
    """MUL. Most factors in contracts fit one limb."""
    if fits_u64(a) and fits_u64(b):
        low, high = multiply_wide(a[0], b[0])
        return low, high, U0, U0
    return _multiply_long(a, b)


@kernel()
def divide_wide(high, low, divisor):
    """Quotient and remainder of ``high:low / divisor`` for a divisor with its top bit set and ``high < divisor``.

    Two steps in base 2**32 (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D).
    """
    d1, d0 = divisor >> U32, divisor & LOW_32
    l1, l0 = low >> U32, low & LOW_32
    q1 = high // d1
    r = high - q1 * d1
    while q1 >> U32 != U0 or q1 * d0 > ((r << U32) | l1):
        q1 -= U1
        r += d1
        if r >> U32 != U0:
            break
    middle = ((high << U32) | l1) - q1 * divisor
    q0 = middle // d1
    r = middle - q0 * d1
    while q0 >> U32 != U0 or q0 * d0 > ((r << U32) | l0):
        q0 -= U1
        r += d1
        if r >> U32 != U0:
            break
    return (q1 << U32) | q0, ((middle << U32) | l0) - q0 * divisor


@kernel()
def divide_long(numerator, n, denominator, size, quotient):
    """Divide `n` limbs of `numerator`, which has one limb more, by `size` of `denominator`, which is not zero.

    Knuth's algorithm D in base 2**64. `numerator` is left holding the remainder, `denominator` shifted;
    `quotient` gets `n` limbs.
    """
    m = I(size)
    while denominator[U(m - 1)] == U0:
        m -= 1
    shift = count_leading_zeros(denominator[U(m - 1)])
    numerator[U(n)] = U0
    if shift != U0:
        back = U64 - shift
        numerator[U(n)] = numerator[U(n - 1)] >> back
        for i in range(n - 1, 0, -1):
            numerator[U(i)] = (numerator[U(i)] << shift) | (numerator[U(i - 1)] >> back)
        numerator[U0] = numerator[U0] << shift
        for i in range(m - 1, 0, -1):
            denominator[U(i)] = (denominator[U(i)] << shift) | (denominator[U(i - 1)] >> back)
        denominator[U0] = denominator[U0] << shift
    for i in range(n):
        quotient[U(i)] = U0
    top = denominator[U(m - 1)]
    for j in range(n - m, -1, -1):
        high, low = numerator[U(j + m)], numerator[U(j + m - 1)]
        overflow = False
        if high >= top:
            estimate, rest = ALL_ONES, low + top
            overflow = rest < top
        else:
            estimate, rest = divide_wide(high, low, top)
        if m > 1:
            while not overflow:
                product_low, product_high = multiply_wide(estimate, denominator[U(m - 2)])
                if product_high < rest or (product_high == rest and product_low <= numerator[U(j + m - 2)]):
                    break
                estimate -= U1
                rest += top
                overflow = rest < top
        carry, borrow = U0, U0
        for i in range(m):
            product, carry = multiply_add(estimate, denominator[U(i)], carry, U0)
            numerator[U(i + j)], borrow = subtract_borrow(numerator[U(i + j)], product, borrow)
        numerator[U(j + m)], borrow = subtract_borrow(numerator[U(j + m)], carry, borrow)
        if borrow != U0:
            estimate -= U1
            carry = U0
            for i in range(m):
                numerator[U(i + j)], carry = add_carry(numerator[U(i + j)], denominator[U(i)], carry)
            numerator[U(j + m)] += carry
        quotient[U(j)] = estimate
    if shift != U0:
        back = U64 - shift
        for i in range(m):
            numerator[U(i)] = (numerator[U(i)] >> shift) | (numerator[U(i + 1)] << back)
    for i in range(m, size):
        numerator[U(i)] = U0


@kernel()
def bit_length(a):
    """Number of bits up to the highest set one; 0 for zero."""
    for i in range(3, -1, -1):
        limb = a[0] if i == 0 else (a[1] if i == 1 else (a[2] if i == 2 else a[3]))
        if limb != U0:
            return 64 * i + 64 - int(count_leading_zeros(limb))
    return 0


@kernel()
def power(base, exponent):
    """EXP by squaring."""
    result = (U1, U0, U0, U0)
    bits = bit_length(exponent)
    limbs = stack_buffer(4)
    put(limbs, 0, exponent)
    for i in range(bits - 1, -1, -1):
        result = multiply(result, result)
        if (limbs[U(i >> 6)] >> U(i & 63)) & U1 != U0:
            result = multiply(result, base)
    return result


@kernel(inline=True)
def _shift_left_small(a, n):
    """Shift by 0 to 63."""
    if n == U0:
        return a
    back = U64 - n
    return a[0] << n, (a[1] << n) | (a[0] >> back), (a[2] << n) | (a[1] >> back), (a[3] << n) | (a[2] >> back)


@kernel(inline=True)
def _shift_right_small(a, n, fill):
    """Shift by 0 to 63, the bits of `fill` coming in from above."""
    if n == U0:
        return a
    back = U64 - n
    return (
        (a[0] >> n) | (a[1] << back),
        (a[1] >> n) | (a[2] << back),
        (a[2] >> n) | (a[3] << back),
        (a[3] >> n) | (fill << back),
    )


@kernel()
def shift_left(shift, a):
    """SHL."""
    if not fits_u64(shift) or shift[0] >= U256:
        return ZERO
    limbs, n = shift[0] >> U(6), shift[0] & U63
    moved = a
    if limbs == U1:
        moved = (U0, a[0], a[1], a[2])
    elif limbs == U(2):
        moved = (U0, U0, a[0], a[1])
    elif limbs == U(3):
        moved = (U0, U0, U0, a[0])
    return _shift_left_small(moved, n)


@kernel()
def _shift_right_filled(shift, a, fill):
    limbs, n = shift >> U(6), shift & U63
    moved = a
    if limbs == U1:
        moved = (a[1], a[2], a[3], fill)
    elif limbs == U(2):
        moved = (a[2], a[3], fill, fill)
    elif limbs == U(3):
        moved = (a[3], fill, fill, fill)
    return _shift_right_small(moved, n, fill)


@kernel(inline=True)
def shift_right(shift, a):
    """SHR."""
    if not fits_u64(shift) or shift[0] >= U256:
        return ZERO
    return _shift_right_filled(shift[0], a, U0)


@kernel()
def shift_right_signed(shift, a):
    """SAR."""
    fill = ALL_ONES if is_negative(a) else U0
    if not fits_u64(shift) or shift[0] >= U256:
        return fill, fill, fill, fill
    return _shift_right_filled(shift[0], a, fill)


@kernel()
def byte_at(index, a):
    """BYTE: the index-th byte from the most significant one."""
    if not fits_u64(index) or index[0] >= U32:
        return ZERO
    bits = (U31 - index[0]) * U8
    limb = bits >> U(6)
    part = a[0] if limb == U0 else (a[1] if limb == U1 else (a[2] if limb == U(2) else a[3]))
    return (part >> (bits & U63)) & U255, U0, U0, U0


@kernel()
def sign_extend(size, a):
    """SIGNEXTEND: `a` is a signed number of ``size + 1`` bytes."""
    if not fits_u64(size) or size[0] >= U31:
        return a
    limb = size[0] >> U(3)
    unused = U(56) - U8 * (size[0] & U(7))
    part = a[0] if limb == U0 else (a[1] if limb == U1 else (a[2] if limb == U(2) else a[3]))
    extended = U(I(part << unused) >> I(unused))
    fill = U(I(extended) >> I(63))
    return (
        extended if limb == U0 else a[0],
        extended if limb == U1 else (fill if limb < U1 else a[1]),
        extended if limb == U(2) else (fill if limb < U(2) else a[2]),
        extended if limb == U(3) else fill,
    )
