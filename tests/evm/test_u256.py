"""256-bit arithmetic against Python's integers, with operands biased to the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contend.evm import division, u256
from contend.evm.block import limbs

SIZE = 1 << 256
TOP = SIZE - 1
SIGN = 1 << 255
TOP_LIMB = (1 << 64) - 1
SIGN_LIMB = 1 << 63


def native(value: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64(limb) for limb in limbs(value))


def whole(limbs_of: Any) -> int:
    return sum(int(limb) << (64 * i) for i, limb in enumerate(limbs_of))


def signed(value: int) -> int:
    return value - SIZE if value & SIGN else value


# Division goes wrong at estimates that are one or two too large: limbs of all ones, of a lone top bit, and of zero
# beside each other make those.
LIMBS = st.one_of(
    st.sampled_from(
        [0, 1, 2, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 2, (1 << 64) - 1]
    ),
    st.integers(0, (1 << 64) - 1),
)
FROM_LIMBS = st.tuples(LIMBS, LIMBS, LIMBS, LIMBS).map(whole)
NEAR_POWERS = st.builds(lambda bit, by: ((1 << bit) + by) % SIZE, st.integers(0, 256), st.integers(-3, 3))
WORDS = st.one_of(FROM_LIMBS, NEAR_POWERS, st.integers(0, 300), st.integers(0, TOP))


def truncated(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


BINARY: dict[str, tuple[Callable[..., Any], Callable[[int, int], int]]] = {
    "add": (u256.add, lambda a, b: a + b),
    "subtract": (u256.subtract, lambda a, b: a - b),
    "multiply": (u256.multiply, lambda a, b: a * b),
    "divide": (lambda a, b: division.divide_remainder(a, b)[0], lambda a, b: a // b if b else 0),
    "remainder": (lambda a, b: division.divide_remainder(a, b)[1], lambda a, b: a % b if b else 0),
    "divide_signed": (division.divide_signed, lambda a, b: truncated(signed(a), signed(b)) if b else 0),
    "remainder_signed": (
        division.remainder_signed,
        lambda a, b: signed(a) - truncated(signed(a), signed(b)) * signed(b) if b else 0,
    ),
    "power": (u256.power, lambda a, b: pow(a, b, SIZE)),
    "bit_and": (u256.bit_and, lambda a, b: a & b),
    "bit_or": (u256.bit_or, lambda a, b: a | b),
    "bit_xor": (u256.bit_xor, lambda a, b: a ^ b),
    "shift_left": (u256.shift_left, lambda a, b: b << a if a < 256 else 0),
    "shift_right": (u256.shift_right, lambda a, b: b >> a if a < 256 else 0),
    "shift_right_signed": (u256.shift_right_signed, lambda a, b: signed(b) >> min(a, 256)),
    "byte_at": (u256.byte_at, lambda a, b: (b >> (8 * (31 - a))) & 0xFF if a < 32 else 0),
    "sign_extend": (
        u256.sign_extend,
        lambda a, b: b if a > 30 else ((b & ((1 << (8 * a + 8)) - 1)) ^ (1 << (8 * a + 7))) - (1 << (8 * a + 7)),
    ),
}
COMPARISONS: dict[str, tuple[Callable[..., Any], Callable[[int, int], bool]]] = {
    "less": (u256.less, lambda a, b: a < b),
    "less_signed": (u256.less_signed, lambda a, b: signed(a) < signed(b)),
    "equal": (u256.equal, lambda a, b: a == b),
}
UNARY: dict[str, tuple[Callable[..., Any], Callable[[int], int]]] = {
    "negate": (u256.negate, lambda a: -a),
    "bit_not": (u256.bit_not, lambda a: ~a),
}
TERNARY: dict[str, tuple[Callable[..., Any], Callable[[int, int, int], int]]] = {
    "add_modulo": (division.add_modulo, lambda a, b, n: (a + b) % n if n else 0),
    "multiply_modulo": (division.multiply_modulo, lambda a, b, n: a * b % n if n else 0),
}
SHIFTS = st.one_of(st.integers(0, 260), WORDS)


@pytest.mark.bounds
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_binary_operation(name: str, data: st.DataObject) -> None:
    ours, theirs = BINARY[name]
    first = SHIFTS if name in {"shift_left", "shift_right", "shift_right_signed", "byte_at", "sign_extend"} else WORDS
    a, b = data.draw(first), data.draw(WORDS)
    assert whole(ours(native(a), native(b))) == theirs(a, b) % SIZE
    assert whole(ours(native(a), native(a))) == theirs(a, a) % SIZE


@pytest.mark.bounds
@pytest.mark.parametrize("name", COMPARISONS)
@given(a=WORDS, b=WORDS)
def test_comparison(name: str, a: int, b: int) -> None:
    ours, theirs = COMPARISONS[name]
    assert bool(ours(native(a), native(b))) is theirs(a, b)
    assert bool(ours(native(a), native(a))) is theirs(a, a)


@pytest.mark.bounds
@pytest.mark.parametrize("name", UNARY)
@given(a=WORDS)
def test_unary_operation(name: str, a: int) -> None:
    ours, theirs = UNARY[name]
    assert whole(ours(native(a))) == theirs(a) % SIZE


@pytest.mark.bounds
@pytest.mark.parametrize("name", TERNARY)
@given(a=WORDS, b=WORDS, n=WORDS)
@example(a=TOP, b=TOP, n=TOP)
@example(a=TOP, b=TOP, n=1)
@example(a=TOP, b=1, n=SIGN)
def test_modular_operation(name: str, a: int, b: int, n: int) -> None:
    ours, theirs = TERNARY[name]
    assert whole(ours(native(a), native(b), native(n))) == theirs(a, b, n) % SIZE


@given(a=WORDS, b=WORDS)
def test_overflow_and_underflow_are_told(a: int, b: int) -> None:
    total, carry = u256.add_overflow(native(a), native(b))
    assert (whole(total), int(carry)) == ((a + b) % SIZE, (a + b) >> 256)
    difference, borrow = u256.subtract_underflow(native(a), native(b))
    assert (whole(difference), bool(borrow)) == ((a - b) % SIZE, a < b)


@given(a=WORDS)
def test_bit_length_and_tests_of_one_word(a: int) -> None:
    assert int(u256.bit_length(native(a))) == a.bit_length()
    assert bool(u256.is_zero(native(a))) is (a == 0)
    assert bool(u256.fits_u64(native(a))) is (a < 1 << 64)
    assert bool(u256.is_negative(native(a))) is (a >= SIGN)


@pytest.mark.bounds
@given(a=WORDS, b=WORDS)
def test_full_product(a: int, b: int) -> None:
    low, high = division.multiply_full(native(a), native(b))
    assert whole((*low, *high)) == a * b


@given(quotient=LIMBS, divisor=LIMBS, rest=LIMBS)
def test_division_of_two_limbs_by_one(quotient: int, divisor: int, rest: int) -> None:
    divisor |= 1 << 63
    rest %= divisor
    high, low = divmod(quotient * divisor + rest, 1 << 64)
    found = u256.divide_wide(np.uint64(high), np.uint64(low), np.uint64(divisor))
    assert tuple(int(x) for x in found) == (quotient, rest)


@given(divisor=LIMBS, low=LIMBS)
@example(divisor=0, low=0)
@example(divisor=TOP_LIMB, low=TOP_LIMB)
def test_reciprocals_of_one_limb_and_of_two(divisor: int, low: int) -> None:
    high = divisor | SIGN_LIMB
    assert int(division.reciprocal(np.uint64(high))) == ((1 << 128) - 1) // high - (1 << 64)
    found = division.reciprocal_of_two(np.uint64(high), np.uint64(low))
    assert int(found) == ((1 << 192) - 1) // (high << 64 | low) - (1 << 64)


@given(quotient=LIMBS, d1=LIMBS, d0=LIMBS, rest=st.integers(0, (1 << 128) - 1))
def test_division_by_a_reciprocal(quotient: int, d1: int, d0: int, rest: int) -> None:
    d1 |= SIGN_LIMB
    two = d1 << 64 | d0
    given_limbs = [np.uint64(limb) for limb in limbs(quotient * two + rest % two)[2::-1]]
    v = np.uint64(division.reciprocal_of_two(np.uint64(d1), np.uint64(d0)))
    found = [int(x) for x in division.divide_three(*given_limbs, np.uint64(d1), np.uint64(d0), v)]
    assert found == [quotient, rest % two >> 64, rest % two & TOP_LIMB]
    dividend = quotient * d1 + rest % d1
    v = np.uint64(division.reciprocal(np.uint64(d1)))
    pair = division.divide_two(np.uint64(dividend >> 64), np.uint64(dividend & TOP_LIMB), np.uint64(d1), v)
    assert [int(x) for x in pair] == [quotient, rest % d1]


@pytest.mark.bounds
@given(a=WORDS, bit=st.integers(0, 255))
def test_division_by_a_power_of_two(a: int, bit: int) -> None:
    found = division.divide_remainder(native(a), native(1 << bit))
    assert (whole(found[0]), whole(found[1])) == divmod(a, 1 << bit)


@pytest.mark.bounds
@given(quotient=WORDS, divisor=WORDS, rest=WORDS)
def test_division_whose_quotient_is_known(quotient: int, divisor: int, rest: int) -> None:
    # Quotients with limbs of all ones and of zero, which dividends that are drawn hardly have.
    divisor = max(divisor, 1)
    quotient %= max(1, SIZE // divisor)
    rest %= divisor
    a = quotient * divisor + rest
    if a < SIZE:
        found = division.divide_remainder(native(a), native(divisor))
        assert (whole(found[0]), whole(found[1])) == (quotient, rest)


@pytest.mark.bounds
@given(a=WORDS, b=WORDS)
def test_words_in_arrays(a: int, b: int) -> None:
    array = np.zeros(12, np.uint64)
    u256.put(array, 1, native(a))
    u256.put_at(array, 8, native(b))
    assert (whole(u256.get(array, 1)), whole(u256.get_at(array, 8))) == (a, b)
    assert not array[:4].any()
