"""Keys of accounts: secp256k1 key pairs derived from a seed, and signatures by them.

Where contracts recover signers (EIP-712, EIP-2612), an account's address has to be that of a key which can sign. A
signature's nonce is derived from key and message (RFC 6979), and of its two forms the one with the lower `s` is given
(EIP-2, which OpenZeppelin's contracts insist on), so that the same seed gives the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec

from contend.workloads.building.accounts import ADDRESS_BYTES, Accounts, named_account
from contend.workloads.contracts.keccak_digest import keccak_digest

# Below the order of the group: a hash reduced to it, plus one, is a valid key.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def derived_key(seed: int, name: str) -> bytes:
    """Private key, 32 bytes, of an account by its index or role. Worthless: anybody can derive it."""
    digest = hashlib.blake2b(f"key {seed} {name}".encode(), digest_size=48).digest()
    return (int.from_bytes(digest, "big") % (_ORDER - 1) + 1).to_bytes(32, "big")


def sign_in_python(secret: bytes, digest: bytes) -> bytes:
    """Signature as `sign` gives it, slowly, without a library in C."""
    # First: it keeps the other library from raising the limit of recursion.
    from contend.evm.crypto import curves  # noqa: F401  # isort: skip
    from py_ecc.secp256k1 import ecdsa_raw_sign

    v, r, s = ecdsa_raw_sign(digest, secret)
    return int(r).to_bytes(32, "big") + int(s).to_bytes(32, "big") + bytes([int(v)])


def address_in_python(secret: bytes) -> bytes:
    """Address as `address_of` gives it, slowly, without a library in C."""
    from contend.evm.crypto.curves import address_of_key

    return bytes(address_of_key(secret))


if find_spec("coincurve") is not None:
    from coincurve import PrivateKey

    def sign(secret: bytes, digest: bytes) -> bytes:
        """Signature of a hash of 32 bytes: r and s, 32 bytes each, and v, which is 27 or 28."""
        signature = PrivateKey(secret).sign_recoverable(digest, hasher=None)
        return bytes(signature[:64]) + bytes([27 + signature[64]])

    def address_of(secret: bytes) -> bytes:
        """Address, 20 bytes, of a private key's account."""
        return keccak_digest(PrivateKey(secret).public_key.format(compressed=False)[1:])[-ADDRESS_BYTES:]

else:
    sign, address_of = sign_in_python, address_in_python


class RoleAccounts(Accounts):
    """Accounts of which some have a role besides: those go by a name, and by an index beyond all others.

    Parameters
    ----------
    roles : tuple[str, ...]
        Names of the roles.
    """

    FIRST_ROLE = 1 << 40

    def __init__(self, roles: tuple[str, ...]) -> None:
        super().__init__()
        self.roles = {name: self.FIRST_ROLE + number for number, name in enumerate(roles)}
        self._names = {index: name for name, index in self.roles.items()}

    def __getitem__(self, index: int) -> bytes:
        if index not in self.used:
            self.used[index] = self._address(self._names.get(index, str(index)))
        return self.used[index]

    def _address(self, name: str) -> bytes:
        return named_account(name)


class KeyedAccounts(RoleAccounts):
    """Accounts with keys: their addresses are hashes of public keys, which a seed decides.

    Parameters
    ----------
    roles : tuple[str, ...]
    seed : int
    """

    def __init__(self, roles: tuple[str, ...], seed: int) -> None:
        super().__init__(roles)
        self._seed = seed
        self._secrets: dict[bytes, bytes] = {}

    def _address(self, name: str) -> bytes:
        secret = derived_key(self._seed, name)
        address = address_of(secret)
        self._secrets[address] = secret
        return address

    def sign(self, address: bytes, digest: bytes) -> bytes:
        """Signature (`sign`) by an account in use.

        Raises
        ------
        LookupError
            If there is no such account.
        """
        return sign(self._secrets[address], digest)
