"""Signatures by ECDSA on P-256 as a precompiled contract (EIP-7951), on the points of pycryptodome."""

from __future__ import annotations

from Crypto.PublicKey.ECC import EccPoint

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MODULUS = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def verify(data: bytes) -> bytes:
    """One as a word where a signature of a hash is that of a key; nothing where it is not, or the input is none.

    The input is hash, r, s, and the key's two coordinates (FIPS 186-5, section 6.4.2). A hash of any value counts.
    """
    if len(data) != 160:
        return b""
    hashed, r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in range(0, 160, 32))
    if not (0 < r < ORDER and 0 < s < ORDER and x < MODULUS and y < MODULUS) or (x, y) == (0, 0):
        return b""
    try:
        key = EccPoint(x, y, "p256")
    except ValueError:
        return b""
    inverse = pow(s, -1, ORDER)
    found = EccPoint(*GENERATOR, "p256") * (hashed * inverse % ORDER) + key * (r * inverse % ORDER)
    if found.is_point_at_infinity() or int(found.x) % ORDER != r:
        return b""
    return (1).to_bytes(32, "big")
