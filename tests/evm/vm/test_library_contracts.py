"""Contracts that libraries compute: BLS12-381 against `py_ecc`, P-256 by published signatures and the schoolbook."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bls12_381 as bls
from py_ecc.bls import hash_to_curve
from py_ecc.bls.point_compression import compress_G1, decompress_G1
from py_ecc.bls.typing import G1Compressed

from contend.evm.crypto import bls12_381, p256
from contend.evm.vm.precompiles import PRECOMPILES

few = settings(max_examples=15, deadline=None)
multiple = st.integers(0, 50) | st.integers(0, bls.curve_order - 1)
INFINITY = bytes(128)


def first(number: int) -> bytes:
    """A multiple of the first group's generator, by the other library."""
    point = bls.multiply(bls.G1, number)
    if bls.is_inf(point):
        return INFINITY
    return b"".join(int(part).to_bytes(64, "big") for part in bls.normalize(point))


def second(number: int) -> bytes:
    """A multiple of the second group's generator."""
    point = bls.multiply(bls.G2, number)
    if bls.is_inf(point):
        return 2 * INFINITY
    return b"".join(int(part).to_bytes(64, "big") for two in bls.normalize(point) for part in two.coeffs)


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "big")


@few
@given(a=multiple, b=multiple)
def test_sums(a: int, b: int) -> None:
    assert PRECOMPILES[11].run(first(a) + first(b)) == first((a + b) % bls.curve_order)
    assert PRECOMPILES[13].run(second(a) + second(b)) == second((a + b) % bls.curve_order)


@few
@given(parts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2**256 - 1)), min_size=1, max_size=4))
def test_sums_of_multiples(parts: list[tuple[int, int]]) -> None:
    total = sum(a * b for a, b in parts) % bls.curve_order
    assert PRECOMPILES[12].run(b"".join(first(a) + scalar(b) for a, b in parts)) == first(total)
    assert PRECOMPILES[14].run(b"".join(second(a) + scalar(b) for a, b in parts)) == second(total)


@few
@given(a=st.integers(1, 2**200), b=st.integers(1, 50))
def test_pairings(a: int, b: int) -> None:
    inverse = bls.curve_order - a * b % bls.curve_order
    right = first(a) + second(b) + first(inverse) + second(1)
    assert PRECOMPILES[15].run(right) == scalar(1)
    assert PRECOMPILES[15].run(right[:384]) == scalar(0)
    assert PRECOMPILES[15].run(INFINITY + second(b)) == scalar(1)


@pytest.mark.parametrize("number", [11, 12, 13, 14, 15, 16, 17])
def test_what_is_no_input_fails(number: int) -> None:
    good = {
        11: first(1) * 2, 12: first(1) + scalar(1), 13: second(1) * 2, 14: second(1) + scalar(1),
        15: first(1) + second(1), 16: scalar(0) * 2, 17: scalar(0) * 4,
    }[number]  # fmt: skip
    run = PRECOMPILES[number].run
    assert run(good) is not None
    # Other lengths; padding that is none; an element beyond the field; a point that is on no curve.
    modulus = bls12_381.MODULUS.to_bytes(64, "big")
    bad = [b"", good[:-1], good + b"\0", b"\1" + good[1:], modulus + good[64:]]
    for data in bad if number > 15 else [*bad, (5).to_bytes(64, "big") + good[64:]]:
        assert run(data) is None


def test_only_sums_take_points_outside_of_the_subgroup() -> None:
    # x = 4 is on the curve of the first group, and of another order.
    y = pow(4**3 + 4, (bls12_381.MODULUS + 1) // 4, bls12_381.MODULUS)
    outside = (4).to_bytes(64, "big") + y.to_bytes(64, "big")
    assert PRECOMPILES[11].run(outside + INFINITY) == outside
    assert PRECOMPILES[12].run(outside + scalar(1)) is None
    assert PRECOMPILES[15].run(outside + second(1)) is None


def test_maps_end_in_the_subgroup() -> None:
    point = PRECOMPILES[16].run((7).to_bytes(64, "big"))
    assert point is not None
    assert PRECOMPILES[12].run(point + scalar(bls.curve_order)) == INFINITY
    twisted = PRECOMPILES[17].run((7).to_bytes(128, "big"))
    assert twisted is not None
    assert PRECOMPILES[14].run(twisted + scalar(bls.curve_order)) == 2 * INFINITY


element = st.integers(0, bls12_381.MODULUS - 1)


@few
@given(real=element, imaginary=element)
@example(real=0, imaginary=0)
@example(real=bls12_381.MODULUS - 1, imaginary=1)
def test_maps_of_elements(real: int, imaginary: int) -> None:
    on_first = hash_to_curve.clear_cofactor_G1(hash_to_curve.map_to_curve_G1(bls.FQ(real)))
    assert PRECOMPILES[16].run(real.to_bytes(64, "big")) == encoded(on_first)
    on_second = hash_to_curve.clear_cofactor_G2(hash_to_curve.map_to_curve_G2(bls.FQ2([real, imaginary])))
    assert PRECOMPILES[17].run(real.to_bytes(64, "big") + imaginary.to_bytes(64, "big")) == encoded(on_second)


def encoded(point: Any) -> bytes:
    """A point of the other library."""
    if bls.is_inf(point):
        return INFINITY * (2 if isinstance(point[0], bls.FQ2) else 1)
    parts = [part.coeffs if isinstance(part, bls.FQ2) else [part] for part in bls.normalize(point)]
    return b"".join(int(one).to_bytes(64, "big") for two in parts for one in two)


# The secret of the ceremony of EIP-4844 times the first generator: a commitment to the polynomial X.
SECRET = decompress_G1(
    G1Compressed(0xAD3EB50121139AA34DB1D545093AC9374AB7BCA2C0F3BF28E27C8DCD8FC7CB42D25926FC0C97B336E9F0FB35E5A04C81)
)


@few
@given(a=multiple, b=multiple, z=multiple, off=st.sampled_from([0, 0, 1, 1 << 200]))
def test_evaluations_of_lines(a: int, b: int, z: int, off: int) -> None:
    """Of the polynomial a + bX: it is committed to by the other library, and the proof is b, its quotient."""
    commitment, proof = (
        int(compress_G1(point)).to_bytes(48, "big")
        for point in (bls.add(bls.multiply(bls.G1, a), bls.multiply(SECRET, b)), bls.multiply(bls.G1, b))
    )
    y = (a + b * z + off) % bls.curve_order
    versioned = b"\1" + hashlib.sha256(commitment).digest()[1:]
    found = PRECOMPILES[10].run(versioned + scalar(z) + scalar(y) + commitment + proof)
    assert found == (None if off else scalar(4096) + scalar(bls.curve_order))


def test_gas_by_number_of_inputs() -> None:
    # By the tables of EIP-2537: 1, 2, 128 and more.
    for count, one, other in ((0, 0, 0), (1, 12_000, 22_500), (2, 22_776, 45_000), (128, 797_184, 1_509_120),
                              (200, 1_245_600, 2_358_000)):  # fmt: skip
        assert PRECOMPILES[12].gas(bytes(160 * count)) == one
        assert PRECOMPILES[14].gas(bytes(288 * count)) == other
    assert PRECOMPILES[15].gas(bytes(384 * 2)) == 102_900
    assert [PRECOMPILES[number].gas(b"") for number in (11, 13, 16, 17, 256)] == [375, 600, 5_500, 23_800, 6_900]


# NIST, FIPS 186-4 test vectors of ECDSA, P-256 with SHA-256: the first signature's hash, its parts, and the key.
SIGNED = tuple(
    int(part, 16)
    for part in (
        "44acf6b7e36c1342c2c5897204fe09504e1e2efb1a900377dbc4e7a6a133ec56",
        "f3ac8061b514795b8843e3d6629527ed2afd6b1f6a555a7acabb5e6f79c8c2ac",
        "8bf77819ca05a6b2786c76262bf7371cef97b218e96f175a3ccdda2acc058903",
        "1ccbe91c075fc7f4f033bfa248db8fccd3565de94bbfb12f3c59ff46c271bf83",
        "ce4014c68811f9a21a1fdb2c0e6113e06db7ca93b7404e78dc7ccd5ca89a4ca9",
    )
)


def test_a_published_signature() -> None:
    assert PRECOMPILES[256].run(b"".join(map(scalar, SIGNED))) == scalar(1)
    # The other s is as good.
    twin = (*SIGNED[:2], p256.ORDER - SIGNED[2], *SIGNED[3:])
    assert PRECOMPILES[256].run(b"".join(map(scalar, twin))) == scalar(1)


@settings(max_examples=40, deadline=None)
@given(
    place=st.integers(0, 4),
    value=st.integers(0, 2**256 - 1)
    | st.sampled_from([0, 1, p256.ORDER - 1, p256.ORDER, p256.MODULUS - 1, p256.MODULUS, 2**256 - 1]),
)
def test_anything_else_is_refused(place: int, value: int) -> None:
    if value in (SIGNED[place], p256.ORDER - SIGNED[2] if place == 2 else -1):
        return
    changed = [value if i == place else part for i, part in enumerate(SIGNED)]
    assert PRECOMPILES[256].run(b"".join(map(scalar, changed))) == b""


def test_signatures_are_of_one_length_and_of_a_key_that_is_a_point() -> None:
    good = b"".join(map(scalar, SIGNED))
    assert [PRECOMPILES[256].run(data) for data in (b"", good[:-1], good + b"\0", good[:96] + bytes(64))] == [b""] * 4


Affine = tuple[int, int] | None
P = p256.MODULUS


def sum_of(a: Affine, b: Affine) -> Affine:
    """Sum of two points of P-256, by the schoolbook; None is infinity."""
    if a is None or b is None:
        return b if a is None else a
    (x1, y1), (x2, y2) = a, b
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if a == b else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(number: int, point: Affine) -> Affine:
    """Multiple of a point."""
    found: Affine = None
    for bit in f"{number:b}":
        found = sum_of(found, found)
        if bit == "1":
            found = sum_of(found, point)
    return found


def is_signed(hashed: int, r: int, s: int, key: tuple[int, int]) -> bool:
    """Whether it is a signature of a key that is a point (FIPS 186-5, section 6.4.2)."""
    inverse = pow(s, -1, p256.ORDER)
    found = sum_of(times(hashed * inverse % p256.ORDER, p256.GENERATOR), times(r * inverse % p256.ORDER, key))
    return found is not None and found[0] % p256.ORDER == r


scalars = st.integers(1, p256.ORDER - 1) | st.integers(1, 3)


@few
@given(secret=scalars, nonce=scalars, hashed=st.integers(0, 2**256 - 1), off=st.sampled_from([0, 0, 1]))
@example(secret=1, nonce=1, hashed=0, off=0)
# The hash that makes s zero, and the signature one of the point at infinity.
@example(secret=5, nonce=5, hashed=p256.ORDER - p256.GENERATOR[0] % p256.ORDER * 5 % p256.ORDER, off=1)
def test_signatures_of_ours(secret: int, nonce: int, hashed: int, off: int) -> None:
    key, point = times(secret, p256.GENERATOR), times(nonce, p256.GENERATOR)
    assert key is not None
    assert point is not None
    r = point[0] % p256.ORDER
    s = (pow(nonce, -1, p256.ORDER) * (hashed + r * secret) + off) % p256.ORDER
    right = bool(r and s) and is_signed(hashed, r, s, key)
    assert right or off or not s
    assert PRECOMPILES[256].run(b"".join(map(scalar, (hashed, r, s, *key)))) == (scalar(1) if right else b"")
