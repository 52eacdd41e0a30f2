"""Signed block: payloads and signatures of a block's transactions, laid out for the workers that recover senders.

A block whose transactions came with signatures keeps them, and its accounts are those of the keys that signed. Others
are signed here: their accounts stay what they are, so that blocks and their digests do, and a registry says which
account a key is of. It is what a chain has whose accounts may change their keys, or have keys that no address is made
of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contend.evm import Block
from contend.evm.block import limbs
from contend.evm.crypto.curves import SECP256K1_ORDER, recover
from contend.evm.crypto.keccak import keccak256
from contend.node.base import StageError
from contend.node.signatures.layout import REGISTERED, SIGNED
from contend.node.signatures.secp256k1_signer import Secp256k1Signer
from contend.node.signatures.signing_payload import parity_of, signing_payload


class SignedBlock:
    """What came with a block in place of its senders.

    Parameters
    ----------
    payloads, signatures : sequence of bytes
        Of each transaction.
    keys : sequence of bytes, optional
        That transactions carry; empty where they carry none.
    accounts : sequence of bytes, optional
        That transactions name as their senders, where nothing else tells.

    Attributes
    ----------
    rows : structured array of `SIGNED`
    signature_bytes, key_bytes : int
        Of what comes with the block to tell its senders; a named account is 20 bytes of a key's place.
    """

    def __init__(
        self,
        payloads: Sequence[bytes],
        signatures: Sequence[bytes],
        keys: Sequence[bytes] = (),
        accounts: Sequence[bytes] = (),
    ) -> None:
        self.payloads, self.signatures, self.keys = (
            np.frombuffer(b"".join(parts) + bytes(8), np.uint8) for parts in (payloads, signatures, keys)
        )
        self.rows: Any = SIGNED.zeros(max(len(payloads), 1))
        for place, account in enumerate(accounts):
            self.rows[place]["account"] = limbs(int.from_bytes(account, "big"), 3)
        for name, parts in (("payload", payloads), ("signature", signatures), ("key", keys)):
            sizes = np.array([len(part) for part in parts], np.int64)
            self.rows[f"{name}_size"][: len(parts)] = sizes
            self.rows[f"{name}_at"][: len(parts)] = np.cumsum(sizes) - sizes
        self.signature_bytes = sum(map(len, signatures))
        self.key_bytes = sum(map(len, keys)) + sum(map(len, accounts))


def has_signatures(block: Block) -> bool:
    """Whether a block came with signatures.

    Raises
    ------
    StageError
        If some of its transactions did, and others did not.
    """
    missing = [index for index, one in enumerate(block) if one.signature is None]
    if missing and len(missing) < len(block):
        raise StageError(f"block {block.environment.number}: transaction {missing[0]} has no signature, others have")
    return not missing


def as_it_came(block: Block) -> SignedBlock:
    """A block with the signatures that it came with.

    Raises
    ------
    StageError
        If a signature is not of the sender that the block names: what its transactions do would be other things.
    """
    environment = block.environment
    payloads, signatures = [], []
    for index, one in enumerate(block):
        assert one.signature is not None
        parity = parity_of(one, environment.chain_id)
        numbers = b"".join(value.to_bytes(32, "big") for value in (one.signature.r, one.signature.s))
        payload = signing_payload(one, environment.chain_id)
        found = b"" if parity is None else recover(keccak256(payload) + (27 + parity).to_bytes(32, "big") + numbers)
        if found[12:] != one.sender or one.signature.s > SECP256K1_ORDER // 2:
            whose = f"of 0x{found[12:].hex()}, not of 0x{one.sender.hex()}" if found else "nobody's"
            raise StageError(f"block {environment.number}: transaction {index}: its signature is {whose}")
        payloads.append(payload)
        signatures.append(numbers + bytes([parity or 0]))
    return SignedBlock(payloads, signatures)


def signed_by(signer: Secp256k1Signer, block: Block) -> SignedBlock:
    """A block that is signed here, for the accounts that sent its transactions."""
    payloads = [signing_payload(one, block.environment.chain_id) for one in block]
    return SignedBlock(payloads, [signer.sign(one.sender, each) for one, each in zip(block, payloads, strict=True)])


def registry_of(accounts: Mapping[bytes, bytes]) -> Any:
    """Table of accounts by the addresses of their keys: rows of `REGISTERED`, a power of two; empty for none."""
    if not accounts:
        return REGISTERED.zeros(0)
    size = 1 << (2 * len(accounts) - 1).bit_length()
    table = REGISTERED.zeros(size)
    for key, account in accounts.items():
        words = limbs(int.from_bytes(key, "big"), 3)
        place = words[0] & (size - 1)
        while table[place]["is_used"]:
            place = (place + 1) & (size - 1)
        table[place] = (words, limbs(int.from_bytes(account, "big"), 3), 1, 0)
    return table
