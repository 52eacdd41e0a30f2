"""Cryptography of the precompiled contracts, on well-kept libraries; input checks as the EIPs say.

Every function takes the contract's input and returns its output, or None where the contract fails.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from Crypto.Hash import RIPEMD160
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from contend.evm.crypto.blake2 import compress
from contend.evm.crypto.keccak import keccak256

# py_ecc raises the limit to a hundred thousand when it is imported, for older versions of itself. With that, a deeply
# nested JSON file would overflow the process's stack instead of raising an error.
_LIMIT = sys.getrecursionlimit()
from py_ecc import optimized_bn128 as bn  # noqa: E402
from py_ecc.secp256k1 import ecdsa_raw_recover, privtopub  # noqa: E402

sys.setrecursionlimit(_LIMIT)

__all__ = [
    "BLS_ORDER",
    "SECP256K1_ORDER",
    "address_of_key",
    "blake2_compress",
    "bn",
    "bn128_add",
    "bn128_multiply",
    "bn128_pairing",
    "public_key_in_python",
    "recover",
    "ripemd160",
    "verify_kzg_proof",
]

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BLS_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
KZG_VERSION = 0x01
KZG_FIELD_ELEMENTS = 4096
# The secret times the second generator, from the ceremony of EIP-4844: the one number of it that verifying needs.
KZG_SETUP_G2 = bytes.fromhex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)

Point = tuple[Any, Any, Any]


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32].ljust(32, b"\0"), "big")


def address_of_key(secret: bytes) -> bytes:
    """Address of the account of a private key."""
    x, y = privtopub(secret)
    return keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:]


def public_key_in_python(message: bytes, parity: int, r: int, s: int) -> bytes | None:
    """Both coordinates of the key that signed with secp256k1; None where there is none."""
    try:
        x, y = ecdsa_raw_recover(message, (27 + parity, r, s))
    except ValueError:
        return None
    return None if x == 0 and y == 0 else x.to_bytes(32, "big") + y.to_bytes(32, "big")


def recover(data: bytes) -> bytes:
    """Address that signed a hash with secp256k1; nothing where no key can have (Yellow Paper, appendix E)."""
    recovery, r, s = (_number(data, at) for at in (32, 64, 96))
    if recovery not in (27, 28) or not (0 < r < SECP256K1_ORDER and 0 < s < SECP256K1_ORDER):
        return b""
    key = _public_key(data[:32].ljust(32, b"\0"), recovery - 27, r, s)
    return b"" if key is None else bytes(12) + keccak256(key)[12:]


if find_spec("coincurve") is not None:
    from coincurve import PublicKey

    def _public_key(message: bytes, parity: int, r: int, s: int) -> bytes | None:
        """Both coordinates of the key that signed; None where there is none."""
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
        try:
            key = PublicKey.from_signature_and_message(signature, message, hasher=None)
        # The library raises plain exceptions: there is no such key.
        except Exception:
            return None
        return key.format(compressed=False)[1:]

else:

    def _public_key(message: bytes, parity: int, r: int, s: int) -> bytes | None:
        """As above, slowly, where coincurve publishes no wheel."""
        return public_key_in_python(message, parity, r, s)


def ripemd160(data: bytes) -> bytes:
    """Hash of 20 bytes, padded to a word."""
    return bytes(12) + bytes(RIPEMD160.new(data).digest())


def blake2_compress(data: bytes) -> bytes | None:
    """One compression of BLAKE2b with a free number of rounds (EIP-152)."""
    if len(data) != 213 or data[212] > 1:
        return None
    state = np.frombuffer(data, "<u8", 8, 4).astype(np.uint64)
    message = np.frombuffer(data, "<u8", 16, 68).astype(np.uint64)
    offset = np.frombuffer(data, "<u8", 2, 196).astype(np.uint64)
    rounds = int.from_bytes(data[:4], "big")
    compress(rounds, state, message, offset[0], offset[1], data[212] == 1, np.zeros(16, np.uint64))
    return state.astype("<u8").tobytes()


def _bn_point(data: bytes, at: int) -> Point | None:
    """Read a point of alt_bn128; None where there is none (EIP-196)."""
    x, y = _number(data, at), _number(data, at + 32)
    if x >= bn.field_modulus or y >= bn.field_modulus:
        return None
    if x == 0 and y == 0:
        return (bn.FQ(1), bn.FQ(1), bn.FQ(0))
    point = (bn.FQ(x), bn.FQ(y), bn.FQ(1))
    return point if bn.is_on_curve(point, bn.b) else None


def _bn_bytes(point: Point) -> bytes:
    if bn.is_inf(point):
        return bytes(64)
    x, y = bn.normalize(point)
    return int(x.n).to_bytes(32, "big") + int(y.n).to_bytes(32, "big")


def bn128_add(data: bytes) -> bytes | None:
    """Sum of two points (EIP-196)."""
    a, b = _bn_point(data, 0), _bn_point(data, 64)
    return None if a is None or b is None else _bn_bytes(bn.add(a, b))


def bn128_multiply(data: bytes) -> bytes | None:
    """Multiple of a point (EIP-196)."""
    point = _bn_point(data, 0)
    return None if point is None else _bn_bytes(bn.multiply(point, _number(data, 64)))


def _bn_twist_point(data: bytes, at: int) -> Point | None:
    """Read a point of the second group, imaginary parts first; None where there is none (EIP-197)."""
    x1, x0, y1, y0 = (_number(data, at + 32 * i) for i in range(4))
    if max(x0, x1, y0, y1) >= bn.field_modulus:
        return None
    if not (x0 or x1 or y0 or y1):
        return (bn.FQ2([1, 0]), bn.FQ2([1, 0]), bn.FQ2([0, 0]))
    point = (bn.FQ2([x0, x1]), bn.FQ2([y0, y1]), bn.FQ2([1, 0]))
    if not bn.is_on_curve(point, bn.b2) or not bn.is_inf(bn.multiply(point, bn.curve_order)):
        return None
    return point


def bn128_pairing(data: bytes) -> bytes | None:
    """Whether a product of pairings is one (EIP-197)."""
    if len(data) % 192:
        return None
    pairs = []
    for at in range(0, len(data), 192):
        p, q = _bn_point(data, at), _bn_twist_point(data, at + 64)
        if p is None or q is None:
            return None
        pairs.append((q, p))
    product = bn.FQ12.one()
    for q, p in pairs:
        if not bn.is_inf(p) and not bn.is_inf(q):
            product = product * bn.pairing(q, p, final_exponentiate=False)
    holds = bn.final_exponentiate(product) == bn.FQ12.one()
    return bytes(31) + bytes([holds])


@cache
def _kzg_setup() -> G2Point:
    """The secret times the second generator."""
    return G2Point.from_compressed_bytes(KZG_SETUP_G2)


def _bls_point(data: bytes) -> G1Point | None:
    """Read a compressed point of the first group of BLS12-381, of the subgroup; None where there is none."""
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError:
        return None
    # The library takes any bytes with the flag of infinity for infinity; the encoding has one (EIP-2537).
    return point if bytes(point.to_compressed_bytes()) == data else None


def verify_kzg_proof(data: bytes) -> bytes | None:
    """Whether a blob's polynomial has a value at a point (EIP-4844, point evaluation).

    With P the commitment, y the value at z, and Q the proof: ``e(P - y, -1) * e(Q, secret - z) = 1``.
    """
    if len(data) != 192:
        return None
    versioned_hash, z, y = data[:32], _number(data, 32), _number(data, 64)
    expected = bytes([KZG_VERSION]) + hashlib.sha256(data[96:144]).digest()[1:]
    if versioned_hash != expected or z >= BLS_ORDER or y >= BLS_ORDER:
        return None
    commitment, proof = _bls_point(data[96:144]), _bls_point(data[144:192])
    if commitment is None or proof is None:
        return None
    at, value = (Scalar.from_be_bytes(data[i : i + 32]) for i in (32, 64))
    firsts = [commitment - G1Point() * value, proof]
    seconds = [-G2Point(), _kzg_setup() - G2Point() * at]
    if not GT.pairing_check(firsts, seconds):
        return None
    return KZG_FIELD_ELEMENTS.to_bytes(32, "big") + BLS_ORDER.to_bytes(32, "big")
