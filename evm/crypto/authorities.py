"""Who signed an authorisation (EIP-7702)."""

from __future__ import annotations

from contend.evm.crypto.curves import SECP256K1_ORDER, recover
from contend.evm.crypto.keccak import keccak256

_MAGIC = b"\x05"  # in front of what is signed


def _integer(value: int) -> bytes:
    """Integer in RLP, of at most 55 bytes."""
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return data if len(data) == 1 and data[0] < 0x80 else bytes([0x80 + len(data)]) + data


def authority_of(chain_id: int, address: bytes, nonce: int, y_parity: int, r: int, s: int) -> bytes | None:
    """Account whose key signed; None where no key can have, or the signature is not the one of its two that counts."""
    if y_parity > 1 or s > SECP256K1_ORDER // 2:
        return None
    body = _integer(chain_id) + b"\x94" + address + _integer(nonce)
    head = bytes([0xC0 + len(body)]) if len(body) < 56 else bytes([0xF8, len(body)])
    message = keccak256(_MAGIC + head + body)
    found = recover(message + b"".join(value.to_bytes(32, "big") for value in (27 + y_parity, r, s)))
    return found[12:] if found else None
