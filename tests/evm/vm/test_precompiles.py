"""Precompiled contracts: outputs, gas and failures by published vectors and by second implementations."""

from __future__ import annotations

import hashlib
import threading
from random import Random

import pytest

from contend.evm import Environment, errors
from contend.evm.crypto import curves
from contend.evm.vm import precompiles
from tests.evm.assembly import assemble, call
from tests.evm.runner import FREE, SENDER, Account, Runner, free_call, with_code


def run(runner: Runner, number: int, data: bytes, gas: int = 1_000_000) -> tuple[bool, bytes, int]:
    """Success, output and gas of a transaction to a precompiled contract, without the intrinsic gas."""
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
    to = number.to_bytes(20, "big")
    result = runner.run({SENDER: Account(balance=10**24)}, free_call(to, data, gas_limit=intrinsic + gas), FREE)
    return result.status == errors.STATUS_SUCCESS, result.output, result.gas_used - intrinsic


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


# From EIP-152, tests 4 and 5.
BLAKE2_STATE = bytes.fromhex(
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)
BLAKE2_ABC = b"abc".ljust(128, b"\0") + (3).to_bytes(8, "little") + bytes(8)

FIXED = [
    (2, b"abc", hashlib.sha256(b"abc").digest(), 72),
    (2, b"", hashlib.sha256(b"").digest(), 60),
    (3, b"abc", bytes(12) + bytes.fromhex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"), 720),
    (4, b"", b"", 15),
    (4, bytes(range(65)), bytes(range(65)), 24),
    (5, words(1, 1, 1) + bytes([3, 5, 7]), bytes([3**5 % 7]), 200),
    (5, b"", b"", 200),
    (5, words(0, 0, 5), bytes(5), 200),
    # The exponent is cut off and so ends in zeros.
    (5, words(1, 2, 1) + bytes([2, 1]), bytes([0]), 200),
    (
        6,
        words(1, 2, 1, 2),
        words(*map(int, curves.bn.normalize(curves.bn.double(curves.bn.G1)))),
        150,
    ),
    (6, b"", bytes(64), 150),
    (7, words(1, 2, 0), bytes(64), 6000),
    (7, words(1, 2, 1), words(1, 2), 6000),
    (7, words(1, 2, curves.bn.curve_order), bytes(64), 6000),
    (8, b"", words(1), 45_000),
    (
        9,
        (12).to_bytes(4, "big") + BLAKE2_STATE + BLAKE2_ABC + b"\1",
        hashlib.blake2b(b"abc").digest(),
        12,
    ),
]


@pytest.mark.bounds
@pytest.mark.parametrize(("number", "data", "output", "gas"), FIXED)
def test_known_values(runner: Runner, number: int, data: bytes, output: bytes, gas: int) -> None:
    assert run(runner, number, data) == (True, output, gas)
    assert run(runner, number, data, gas)[0]
    assert run(runner, number, data, gas - 1) == (False, b"", gas - 1)


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("number", "data"),
    [
        (6, words(1, 1)),
        (6, words(curves.bn.field_modulus, 0)),
        (7, words(1, 3, 1)),
        (8, bytes(191)),
        (8, words(1, 2, 1, 1, 1, 1)),
        (9, bytes(212)),
        (9, bytes(212) + b"\2"),
        (9, bytes(214)),
        (10, bytes(192)),
        (10, b""),
    ],
)
def test_what_fails_takes_all_gas(runner: Runner, number: int, data: bytes) -> None:
    assert run(runner, number, data, 200_000) == (False, b"", 200_000)


def signed(random: Random) -> tuple[bytes, bytes]:
    """Input of ecrecover and the signer's address, made by the pure Python implementation."""
    from py_ecc.secp256k1 import ecdsa_raw_sign

    secret, message = random.randbytes(32), random.randbytes(32)
    v, r, s = ecdsa_raw_sign(message, secret)
    return message + words(v, r, s), curves.address_of_key(secret)


def test_ecrecover_finds_the_signer_and_nothing_else(runner: Runner) -> None:
    random = Random(1)
    for _ in range(5):
        data, address = signed(random)
        assert run(runner, 1, data) == (True, bytes(12) + address, 3000)
        # The other s is as good (EIP-2 is about transactions); the other v names another key.
        v, r, s = (int.from_bytes(data[i : i + 32], "big") for i in (32, 64, 96))
        twin = data[:32] + words(55 - v, r, curves.SECP256K1_ORDER - s)
        assert run(runner, 1, twin)[1] == bytes(12) + address
        assert run(runner, 1, data[:32] + words(55 - v, r, s))[1] != bytes(12) + address
    for bad in (
        b"",
        data[:32] + words(26, r, s),
        data[:32] + words(27 + (1 << 8), r, s),
        data[:32] + words(v, 0, s),
        data[:32] + words(v, r, 0),
        data[:32] + words(v, curves.SECP256K1_ORDER, s),
        data[:32] + words(v, r, curves.SECP256K1_ORDER),
    ):
        assert run(runner, 1, bad) == (True, b"", 3000)


def test_the_two_ways_to_recover_a_key_agree() -> None:
    random = Random(2)
    for _ in range(30):
        message, parity = random.randbytes(32), random.randrange(2)
        r, s = (random.randrange(1, curves.SECP256K1_ORDER) for _ in range(2))
        assert curves._public_key(message, parity, r, s) == curves.public_key_in_python(message, parity, r, s)


def test_pairings_of_inverse_points_cancel(runner: Runner) -> None:
    bn = curves.bn
    q = [int(part) for point in bn.normalize(bn.G2) for part in reversed(point.coeffs)]
    minus = [int(part) for part in bn.normalize(bn.neg(bn.G1))]
    assert run(runner, 8, words(1, 2, *q) + words(*minus, *q)) == (True, words(1), 113_000)
    assert run(runner, 8, words(1, 2, *q)) == (True, words(0), 79_000)
    assert run(runner, 8, words(0, 0, *q)) == (True, words(1), 79_000)


# The secret of the ceremony of EIP-4844 times the first generator: a commitment to the polynomial X.
COMMITMENT_TO_X = bytes.fromhex(
    "ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81"
)


def kzg_input(commitment: bytes, z: int, y: int, quotient: bytes) -> bytes:
    versioned = b"\1" + hashlib.sha256(commitment).digest()[1:]
    return versioned + words(z, y) + commitment + quotient


def times(scalar: int) -> bytes:
    """A multiple of the first generator of BLS12-381, computed by another library and compressed."""
    from py_ecc import optimized_bls12_381 as bls
    from py_ecc.bls.point_compression import compress_G1

    return int(compress_G1(bls.multiply(bls.G1, scalar))).to_bytes(48, "big")


def test_point_evaluation_of_a_constant_and_of_a_line(runner: Runner) -> None:
    order, infinity = curves.BLS_ORDER, b"\xc0" + bytes(47)
    good = (4096).to_bytes(32, "big") + order.to_bytes(32, "big")
    constant = kzg_input(times(7), 3, 7, infinity)
    line = kzg_input(COMMITMENT_TO_X, 11, 11, times(1))
    for right in (constant, line, kzg_input(infinity, 3, 0, infinity), kzg_input(COMMITMENT_TO_X, 0, 0, times(1))):
        assert run(runner, 10, right) == (True, good, 50_000)
    for wrong in (
        kzg_input(times(7), 3, 8, infinity),
        kzg_input(times(7), order, 7, infinity),
        kzg_input(times(7), 3, 7 + order, infinity),
        kzg_input(COMMITMENT_TO_X, 11, 11, times(2)),
        kzg_input(COMMITMENT_TO_X, 11, 12, times(1)),
        b"\2" + constant[1:],
        constant + b"\0",
        b"",
    ):
        assert run(runner, 10, wrong, 60_000) == (False, b"", 60_000)


def test_a_compressed_point_has_one_encoding_and_lies_in_the_subgroup(runner: Runner) -> None:
    # x = 4 is on the curve and of another order.
    off_subgroup = b"\x80" + bytes(46) + b"\4"
    modulus = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
    beyond = ((0x80 << 376) | modulus).to_bytes(48, "big")
    for odd in (
        off_subgroup, beyond, bytes(48), b"\xff" * 48, b"\xc0" + bytes(46) + b"\1", b"\xe0" + bytes(47),
        b"\x40" + bytes(47), b"\x80" + bytes(46) + b"\1",
    ):  # fmt: skip
        assert run(runner, 10, kzg_input(odd, 3, 0, b"\xc0" + bytes(47)), 60_000) == (False, b"", 60_000)
        assert run(runner, 10, kzg_input(times(7), 3, 7, odd), 60_000) == (False, b"", 60_000)


def test_two_libraries_read_the_same_points() -> None:
    from py_ecc import optimized_bls12_381 as bls
    from py_ecc.bls.point_compression import decompress_G1

    random, seen = Random(4), set()
    flags = (0x80, 0xA0, 0xC0, 0xE0, 0x00, 0x60)
    for _ in range(60):
        body = random.choice([bytes(47), bytes(46) + random.randbytes(1), random.randbytes(47)])
        data = bytes([random.choice(flags) | random.choice([0, random.randrange(0x1B)])]) + body
        if random.random() < 0.3:
            data = times(random.randrange(1, 1 << 20))
        try:
            point = decompress_G1(int.from_bytes(data, "big"))  # type: ignore[arg-type]  # plain integers are right
            expected = bls.is_inf(bls.multiply(point, bls.curve_order))
        except ValueError:
            expected = False
        assert (curves._bls_point(data) is not None) == expected, data.hex()
        seen.add(expected)
    assert seen == {True, False}


def test_the_set_up_belongs_to_one_secret() -> None:
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    first = G1Point.from_compressed_bytes(COMMITMENT_TO_X)
    assert GT.pairing_check([first, -G1Point()], [G2Point(), curves._kzg_setup()])


@pytest.mark.bounds
def test_modexp_gass() -> None:
    # From EIP-2565: nagydani-1-square and -pow0x10001.
    assert precompiles.modexp_gas(words(64, 1, 64) + bytes(64) + b"\2" + bytes(64)) == 200
    assert precompiles.modexp_gas(words(64, 3, 64) + bytes(64) + b"\1\0\1" + bytes(64)) == 341
    assert precompiles.modexp_gas(words(128, 3, 128) + bytes(128) + b"\1\0\1" + bytes(128)) == 1365
    assert precompiles.modexp_gas(words(0, 1 << 255, 0)) == 200
    assert precompiles.modexp_gas(words(1 << 255, 0, 1)) > 1 << 256


def test_huge_sizes_cost_more_than_there_is(runner: Runner) -> None:
    for sizes in ((1 << 255, 0, 1), (0, 1 << 255, 1), (0, 0, 1 << 200), ((1 << 256) - 1,) * 3):
        assert run(runner, 5, words(*sizes), 1 << 40) == (False, b"", 1 << 40)


@pytest.mark.bounds
def test_shanghai_has_no_point_evaluation(runner: Runner) -> None:
    before = Environment(base_fee=0, fork="Shanghai")
    result = runner.run({SENDER: Account(balance=10**24)}, free_call((10).to_bytes(20, "big"), b"x"), before)
    assert (result.status, result.gas_used) == (errors.STATUS_SUCCESS, 21_016)


@pytest.mark.bounds
def test_a_call_gives_output_and_return_data(runner: Runner) -> None:
    hashed = call("STATICCALL", (2).to_bytes(20, "big"), data=(0, 3), into=(32, 32))
    code = assemble(int.from_bytes(b"abc".ljust(32, b"\0"), "big"), "PUSH0 MSTORE", hashed)
    code += assemble("RETURNDATASIZE", "ADD", 64, "MSTORE", 64, 32, "RETURN")
    result = runner.run(with_code(code), free_call(), FREE)
    assert result.output == hashlib.sha256(b"abc").digest() + (33).to_bytes(32, "big")


def test_what_goes_wrong_in_python_is_not_lost(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    from contend.evm import Block, State
    from contend.evm.drivers.recorder import record
    from contend.strategies.clocks.cost_table import default_costs
    from contend.strategies.serial import Serial

    def broken(data: bytes) -> bytes:
        raise ZeroDivisionError("planted")

    monkeypatch.setitem(precompiles.PRECOMPILES, 10, precompiles.Precompile(lambda data: 60, broken))
    state = State()
    state.set_balance(SENDER, 10**24)
    block = Block(FREE, (free_call((10).to_bytes(20, "big")),))
    with pytest.raises(ZeroDivisionError, match="planted"):
        Serial().execute(block, state, 1)
    with pytest.raises(ZeroDivisionError, match="planted"):
        record(block, state, default_costs().table)
    # Several workers meet it at once. What none of them raised would be raised in a later block that is only large.
    precompiles._failures += [ZeroDivisionError("one"), ZeroDivisionError("another")]
    with pytest.raises(ZeroDivisionError, match="one"):
        precompiles.raise_failure()
    precompiles.raise_failure()


@pytest.mark.stress
def test_many_threads_compute_at_once() -> None:
    failures: list[str] = []

    def work(seed: int) -> None:
        runner, random = Runner(), Random(seed)
        for _ in range(60):
            data = random.randbytes(random.randrange(200))
            if run(runner, 2, data)[1] != hashlib.sha256(data).digest():
                failures.append(data.hex())

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
