"""Signer: keys of accounts derived from a seed, and signatures by them, made when a block is built.

Anybody can derive these keys: they are worth nothing. A signature's nonce is derived from key and hash (RFC 6979), and
`s` is the lower of two (EIP-2), so that a seed gives the same bytes everywhere.
"""

from __future__ import annotations

import hashlib

from coincurve import PrivateKey

from contend.evm.crypto.curves import SECP256K1_ORDER
from contend.evm.crypto.keccak import keccak256

SIGNATURE_BYTES = 65


class Secp256k1Signer:
    """Signs for any account, each by a key of its own.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: dict[bytes, PrivateKey] = {}

    def _key(self, account: bytes) -> PrivateKey:
        if account not in self._keys:
            digest = hashlib.blake2b(b"signer %d " % self._seed + account, digest_size=48).digest()
            secret = int.from_bytes(digest, "big") % (SECP256K1_ORDER - 1) + 1
            self._keys[account] = PrivateKey(secret.to_bytes(32, "big"))
        return self._keys[account]

    def sign(self, account: bytes, payload: bytes) -> bytes:
        """Signature of a payload's hash: r and s, 32 bytes each, and which of two points, 0 or 1."""
        return bytes(self._key(account).sign_recoverable(keccak256(payload), hasher=None))

    def accounts(self) -> dict[bytes, bytes]:
        """All accounts that have signed, by the addresses of their keys."""
        return {
            keccak256(key.public_key.format(compressed=False)[1:])[12:]: account for account, key in self._keys.items()
        }
