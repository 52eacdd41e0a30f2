"""Signer by ML-DSA (FIPS 204): keys of accounts derived from a seed, and signatures by them.

Anybody can derive these keys: they are worth nothing. The library draws a part of each signature at random, so that
signatures differ from run to run; nothing that is measured depends on their bytes. Signing takes half a millisecond to
one, so that all cores do it: the library gives the GIL back meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa

from contend.evm.crypto.keccak import keccak256

_KINDS: dict[str, tuple[Any, Any]] = {
    "mldsa44": (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    "mldsa65": (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
}


class MldsaSigner:
    """Signs for any account, each by a key of its own.

    Parameters
    ----------
    scheme : str
        ``mldsa44`` or ``mldsa65``.
    seed : int
    """

    def __init__(self, scheme: str, seed: int) -> None:
        self._private, self._public = _KINDS[scheme]
        self._seed = seed
        self._keys: dict[bytes, Any] = {}

    def _key(self, account: bytes) -> Any:
        if account not in self._keys:
            digest = hashlib.blake2b(b"signer %d " % self._seed + account, digest_size=32).digest()
            self._keys[account] = self._private.from_seed_bytes(digest)
        return self._keys[account]

    def sign_all(self, accounts: Sequence[bytes], payloads: Sequence[bytes]) -> list[bytes]:
        """Signatures of payloads, each by an account."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._key, dict.fromkeys(accounts)))
            return list(pool.map(lambda account, payload: bytes(self._keys[account].sign(payload)), accounts, payloads))

    def key_of(self, account: bytes) -> bytes:
        """Public key of an account, encoded."""
        return bytes(self._key(account).public_key().public_bytes_raw())

    def read_key(self, encoded: bytes) -> Any:
        """A public key read from its bytes, for `is_right`."""
        return self._public.from_public_bytes(encoded)

    def accounts(self) -> dict[bytes, bytes]:
        """All accounts that have signed, by the addresses of their keys."""
        return {keccak256(self.key_of(account))[12:]: account for account in self._keys}

    @staticmethod
    def is_right(key: Any, signature: bytes, payload: bytes) -> bool:
        """Whether a signature of a payload is the key's."""
        try:
            key.verify(signature, payload)
        # The library raises a ValueError for a signature of another length.
        except (InvalidSignature, ValueError):
            return False
        return True
