"""Blocks and their transactions: what a workload makes and a strategy executes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

ADDRESS_BYTES = 20
AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


class Authorization(NamedTuple):
    """An account's word that another account's code is to run in its stead (EIP-7702).

    Attributes
    ----------
    authority : bytes or None
        Who signed it, 20 bytes, already recovered from the signature; None where nobody can have.
    address : bytes
        Whose code, 20 bytes; zeros for none.
    nonce : int
        That the authority must have.
    chain_id : int
        Chain that it is for; 0 for any.
    """

    authority: bytes | None
    address: bytes
    nonce: int
    chain_id: int = 0


class Signature(NamedTuple):
    """A signature of secp256k1 as a transaction has it: `v` says which of two points, and for legacy transactions more.

    Attributes
    ----------
    v : int
        0 or 1; of a legacy transaction 27 or 28, or 35 or 36 more than twice the chain's number (EIP-155).
    r, s : int
    """

    v: int
    r: int
    s: int


_LIMBS = {count: Struct(f"<{count}Q").unpack for count in (3, 4)}


def limbs(value: int, count: int = 4) -> tuple[int, ...]:
    """The lowest limbs of a number, 64 bits each, least significant first.

    Parameters
    ----------
    value : int
        Taken modulo 2^(64 `count`).
    count : int
        3 or 4.
    """
    return _LIMBS[count]((value & ((1 << 64 * count) - 1)).to_bytes(8 * count, "little"))


@dataclass(frozen=True)
class Environment:
    """Block environment: what a block's header says to its transactions.

    Attributes
    ----------
    coinbase : bytes
        The beneficiary, 20 bytes. Credited with priority fees lazily, at the end of the block.
    base_fee : int
        Wei per gas burned (EIP-1559).
    prev_randao : int
        Word that PREVRANDAO gives (EIP-4399).
    difficulty : int
        Word that the same instruction gives before Paris, when it is DIFFICULTY.
    blob_base_fee : int
        Wei per blob gas burned (EIP-4844), and the word that BLOBBASEFEE gives (EIP-7516).
    block_hashes : dict[int, bytes]
        Hash by number, for BLOCKHASH; a number that is absent gives zero.
    fork : str
        Name of the rule set, see `evm.forks`.
    """

    number: int = 20_000_000
    timestamp: int = 1_717_000_000
    gas_limit: int = 2**63 - 1
    base_fee: int = 7 * 10**9
    coinbase: bytes = bytes.fromhex("c0ffee00000000000000000000000000c01ba5e0")
    chain_id: int = 1
    prev_randao: int = 0x5EED
    blob_base_fee: int = 1
    block_hashes: dict[int, bytes] = field(default_factory=dict)
    fork: str = field(default="Cancun", repr=False)
    difficulty: int = field(default=0, repr=False)


@dataclass(frozen=True)
class Transaction:
    """One transaction, its sender already recovered from the signature.

    Attributes
    ----------
    to : bytes or None
        20 bytes; None creates a contract.
    max_fee, max_priority_fee : int
        Wei per gas, EIP-1559. The price paid is ``min(max_fee, base_fee + max_priority_fee)``.
    access_list : tuple of (bytes, tuple of int)
        Addresses, each with storage slots, that count as accessed from the start (EIP-2930).
    blob_hashes : tuple of bytes, or None
        Versioned hashes of the blobs of a blob transaction (EIP-4844); None for other transactions.
    max_blob_fee : int
        Wei per blob gas.
    authorizations : tuple of Authorization, or None
        Delegations to be made (EIP-7702); None for transactions of other types.
    declared_type : int or None
        Type by EIP-2718, where what it holds does not tell it: 0 and 1 are executed as 2 is.
    signature : Signature or None
        By its sender, where it came with one; no part of what is executed.
    authorization_signatures : tuple of Signature
        By the authorities, of a transaction that came with a signature.
    """

    sender: bytes
    to: bytes | None
    nonce: int
    gas_limit: int = 300_000
    value: int = 0
    data: bytes = b""
    max_fee: int = 20 * 10**9
    max_priority_fee: int = 10**9
    access_list: AccessList = ()
    blob_hashes: tuple[bytes, ...] | None = None
    max_blob_fee: int = 0
    authorizations: tuple[Authorization, ...] | None = None
    declared_type: int | None = None
    signature: Signature | None = field(default=None, repr=False, compare=False)
    authorization_signatures: tuple[Signature, ...] = field(default=(), repr=False, compare=False)

    @property
    def type(self) -> int:
        """Type by EIP-2718: the declared one, or what it holds; 2 where nothing tells."""
        if self.declared_type is not None:
            return self.declared_type
        if self.authorizations is not None:
            return 4
        return 2 if self.blob_hashes is None else 3


@dataclass(frozen=True)
class Block:
    """An environment and transactions in their order.

    Attributes
    ----------
    environment : Environment
    transactions : tuple[Transaction, ...]
    binding_order : bool
        Whether its transactions must be serialised as they stand here, also by a strategy that otherwise commits in an
        order of its own: true of a block of a chain, where others depend on the result. It says nothing about what is
        executed, and the digest does not cover it.
    """

    environment: Environment
    transactions: tuple[Transaction, ...]
    binding_order: bool = False

    def __len__(self) -> int:
        return len(self.transactions)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self.transactions)

    @cached_property
    def digest(self) -> str:
        """Digest of every field of the environment and of every transaction, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr(self.environment).encode())
        # Said only where it is another one: digests are older than forks.
        if self.environment.fork != "Cancun":
            digest.update(self.environment.fork.encode())
        if self.environment.difficulty:
            digest.update(f"difficulty {self.environment.difficulty}".encode())
        for t in self.transactions:
            to = b"-" if t.to is None else t.to
            numbers = f"{t.nonce},{t.gas_limit},{t.value},{t.max_fee},{t.max_priority_fee},{len(t.data)}"
            digest.update(t.sender + to + numbers.encode() + t.data)
            if t.access_list or t.blob_hashes is not None:
                digest.update(repr((t.access_list, t.blob_hashes, t.max_blob_fee)).encode())
            if t.authorizations is not None:
                digest.update(repr(t.authorizations).encode())
        return digest.hexdigest()

    def reordered(self, order: npt.NDArray[np.int64]) -> Block:
        """The same transactions in another order (to check a strategy that serialises in its own)."""
        return Block(self.environment, tuple(self.transactions[i] for i in order))
