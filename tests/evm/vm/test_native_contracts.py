"""Native contracts: each held against its other implementation, in Python on libraries, over inputs of all kinds."""

from __future__ import annotations

import hashlib
import math
import struct
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.secp256k1 import ecdsa_raw_sign

from contend.evm import errors
from contend.evm.crypto import curves
from contend.evm.crypto.curves import SECP256K1_ORDER
from contend.evm.crypto.keccak import keccak256
from contend.evm.crypto.secp256k1 import library_functions
from contend.evm.vm.native_contracts import NATIVES, TABLE_WORDS
from contend.evm.vm.precompiles import FUNCTIONS, PRECOMPILES
from contend.harness.verify.precompile_call import PrecompileCall

bn = curves.bn
MODULUS, ORDER = bn.field_modulus, bn.curve_order
word = st.integers(0, 2**256 - 1) | st.sampled_from([0, 1, 2, 3, MODULUS - 1, MODULUS, ORDER, ORDER - 1, 2**256 - 1])
few = settings(max_examples=30, deadline=None)


def words(*values: int) -> bytes:
    return b"".join(int(value).to_bytes(32, "big") for value in values)


def check(number: int, data: bytes, gas: int = 1 << 40, eip: int = 2565) -> bytes:
    """Both ways give the same output, gas and outcome. The output."""
    native = PrecompileCall(number, data, gas, modexp=eip).answer()
    assert native == PrecompileCall(number, data, gas, in_python=True, modexp=eip).answer(), (number, data.hex())
    return native.output


def first(multiple: int) -> tuple[int, int]:
    """Coordinates of a multiple of the first group's generator."""
    if multiple % ORDER == 0:
        return 0, 0
    x, y = bn.normalize(bn.multiply(bn.G1, multiple % ORDER))
    return int(x.n), int(y.n)


def second(multiple: int) -> tuple[int, ...]:
    """Coordinates of a multiple of the second group's generator, imaginary parts first."""
    if multiple % ORDER == 0:
        return 0, 0, 0, 0
    return tuple(int(part) for point in bn.normalize(bn.multiply(bn.G2, multiple)) for part in reversed(point.coeffs))


any_point = st.integers(0, 40).map(first) | st.tuples(word, word)


def test_the_table_has_room_for_all() -> None:
    assert TABLE_WORDS == FUNCTIONS
    assert set(NATIVES) <= set(PRECOMPILES)


def test_keys_are_recovered_in_python_where_the_library_lacks_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    binding = pytest.importorskip("coincurve._libsecp256k1")
    assert library_functions() is not None
    for without in (SimpleNamespace(), SimpleNamespace(secp256k1_context_static=binding.ffi.NULL)):
        monkeypatch.setattr(binding, "lib", without)
        assert library_functions() is None


@few
@given(a=any_point, b=any_point, cut=st.integers(0, 130), gas=st.integers(0, 300))
def test_sums_of_points(a: tuple[int, int], b: tuple[int, int], cut: int, gas: int) -> None:
    data = words(*a, *b)
    for given_data in (data, data[:cut], data + b"\1"):
        check(6, given_data)
    check(6, data, gas)


@few
@given(a=any_point, scalar=word)
def test_multiples_of_points(a: tuple[int, int], scalar: int) -> None:
    check(7, words(*a, scalar))


def test_points_of_every_pair_of_small_multiples() -> None:
    for a in range(4):
        for b in (0, 1, 2, 3, ORDER - 1, ORDER - 2):
            assert check(6, words(*first(a), *first(b))) == words(*first(a + b))


@settings(max_examples=2, deadline=None)
@given(a=st.integers(1, ORDER - 1), b=st.integers(1, 1 << 60))
def test_pairings(a: int, b: int) -> None:
    minus = MODULUS - first(b)[1]
    right = words(*first(a * b), *second(1), first(b)[0], minus, *second(a))
    assert check(8, right) == words(1)
    assert check(8, right[:192]) == words(0)


def test_inputs_that_pairings_refuse() -> None:
    good = words(*first(1), *second(1))
    # On the twist's curve, and of another order: x = 0 or 1, ... until there is a y.
    off = next(
        (x, y)
        for x in range(1, 20)
        if (y := _root(bn.FQ2([x, 0]) ** 3 + bn.b2)) is not None
        and not bn.is_inf(bn.multiply((bn.FQ2([x, 0]), y, bn.FQ2.one()), ORDER))
    )
    outside = words(0, off[0], *reversed([int(c) for c in off[1].coeffs]))
    for data in (
        b"", good, good[:191], good + good[:100], words(0, 0) + outside, words(1, 2) + outside, words(1, 3) + good[64:],
        words(0, 0, *second(1)), words(1, 2, 0, 0, 0, 0), words(1, 2, MODULUS, 0, 0, 0), words(1, 2, 1, 1, 1, 1),
    ):  # fmt: skip
        check(8, data)
    assert PrecompileCall(8, words(0, 0) + outside).answer().error == errors.PRECOMPILE_FAILED


def _root(a: bn.FQ2) -> bn.FQ2 | None:
    """Square root in the quadratic extension, or None (Adj and Rodriguez-Henriquez, 2012, for 3 modulo 4)."""
    power = a ** ((MODULUS - 3) // 4)
    candidate, sign = power * a, power * power * a
    if sign == bn.FQ2([MODULUS - 1, 0]):
        candidate = candidate * bn.FQ2([0, 1])
    else:
        candidate = candidate * (bn.FQ2.one() + sign) ** ((MODULUS - 1) // 2)
    return candidate if candidate * candidate == a else None


@few
@given(data=st.binary(max_size=300), gas=st.integers(0, 2000))
def test_hashes(data: bytes, gas: int) -> None:
    assert check(2, data) == hashlib.sha256(data).digest()
    check(3, data)
    check(2, data, gas)
    check(3, data, gas)


@pytest.mark.parametrize("size", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])
def test_hashes_of_all_paddings(size: int) -> None:
    check(2, bytes(range(256)) * 4 if size == 1000 else b"a" * size)
    check(3, bytes(range(256)) * 4 if size == 1000 else b"a" * size)


def compressed(data: bytes) -> bytes:
    """The same in plain Python, word by word as RFC 7693 (sections 2.7, 3.1 and 3.2) says it."""
    state, message, offset = (
        list(struct.unpack_from(f"<{count}Q", data, at)) for count, at in ((8, 4), (16, 68), (2, 196))
    )
    v = [*state, *(math.isqrt(prime << 128) % 2**64 for prime in (2, 3, 5, 7, 11, 13, 17, 19))]
    v[12], v[13], v[14] = v[12] ^ offset[0], v[13] ^ offset[1], v[14] ^ (2**64 - 1) * data[212]
    for number in range(int.from_bytes(data[:4], "big")):
        order = ORDERS[number % 10]
        for i in range(8):
            a, b, c, d = (4 * row + (i + row * (i >= 4)) % 4 for row in range(4))
            for word_at, turns in ((order[2 * i], (32, 24)), (order[2 * i + 1], (16, 63))):
                v[a] = (v[a] + v[b] + message[word_at]) % 2**64
                v[d] = turned(v[d] ^ v[a], turns[0])
                v[c] = (v[c] + v[d]) % 2**64
                v[b] = turned(v[b] ^ v[c], turns[1])
    return struct.pack("<8Q", *(state[i] ^ v[i] ^ v[8 + i] for i in range(8)))


def turned(value: int, by: int) -> int:
    return (value >> by | value << (64 - by)) % 2**64


ORDERS = [
    [int(digit, 16) for digit in line]
    for line in (
        "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "9057fbc4a1d2e863",
        "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
    )
]  # fmt: skip


def test_the_plain_compression_is_that_of_the_library() -> None:
    begin = bytes([64, 0, 1, 1]) + bytes(60)
    state = [math.isqrt(prime << 128) % 2**64 for prime in (2, 3, 5, 7, 11, 13, 17, 19)]
    parameters = struct.unpack("<8Q", begin)
    head = (12).to_bytes(4, "big") + struct.pack("<8Q", *(a ^ b for a, b in zip(state, parameters, strict=True)))
    data = head + b"abc".ljust(128, b"\0") + (3).to_bytes(8, "little") + bytes(8) + b"\1"
    assert compressed(data) == hashlib.blake2b(b"abc").digest()


@few
@given(secret=st.integers(1, SECP256K1_ORDER - 1), message=st.binary(min_size=32, max_size=32), other=st.booleans())
def test_recovery_of_signers(secret: int, message: bytes, other: bool) -> None:
    v, r, s = ecdsa_raw_sign(message, secret.to_bytes(32, "big"))
    found = check(1, message + words(v ^ 7 if other else v, r, s))
    key = curves.public_key_in_python(message, v - 27 ^ other, r, s)
    assert found == (b"" if key is None else bytes(12) + keccak256(key)[12:])
    assert (found[12:] == curves.address_of_key(secret.to_bytes(32, "big"))) != other


@few
@given(data=st.binary(min_size=32, max_size=32), v=st.sampled_from([0, 26, 27, 28, 29, 283, 2**255]), r=word, s=word)
def test_recovery_of_keys(data: bytes, v: int, r: int, s: int) -> None:
    check(1, data + words(v, r, s))
    check(1, (data + words(v, r, s))[:100])
    check(1, data, 2999)


@settings(max_examples=100, deadline=None)
@given(
    base=st.binary(max_size=80) | st.sampled_from([b"\xff" * 1024, bytes(40)]),
    exponent=st.binary(max_size=40) | st.sampled_from([b"\1", b"\2", bytes(31) + b"\3"]),
    modulus=st.binary(max_size=80) | st.sampled_from([b"\xff" * 256, b"\0" * 8 + b"\2", b"\1" + bytes(64), bytes(9)]),
    eip=st.sampled_from([2565, 7883]),
    cut=st.integers(0, 60),
    gas=st.integers(0, 3000),
)
def test_modular_powers(base: bytes, exponent: bytes, modulus: bytes, eip: int, cut: int, gas: int) -> None:
    data = words(len(base), len(exponent), len(modulus)) + base + exponent + modulus
    found = check(5, data, eip=eip)
    number = int.from_bytes(modulus, "big")
    right = pow(int.from_bytes(base, "big"), int.from_bytes(exponent, "big"), number) if number else 0
    assert found == right.to_bytes(len(modulus), "big")
    check(5, data[: len(data) - cut], eip=eip)
    check(5, data, gas, eip)


@pytest.mark.parametrize("eip", [2565, 7883])
@pytest.mark.parametrize("sizes", [(0, 0, 0), (1024, 1, 1024), (1025, 1, 1), (1, 1025, 1), (0, 0, 1025), (0, 2000, 1),
                                   (2**255, 0, 0), (0, 2**255, 0), (0, 0, 2**64), (2**64, 2**64, 2**64)])  # fmt: skip
def test_lengths_of_modular_powers(sizes: tuple[int, int, int], eip: int) -> None:
    check(5, words(*sizes) + b"\2" * 300, 1 << 30, eip)
