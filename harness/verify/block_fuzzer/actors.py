"""Accounts of generated blocks that have keys, and their transactions signed as a chain has them."""

from __future__ import annotations

from typing import Any

import rlp

from contend.evm import Transaction
from contend.evm.block import Authorization
from contend.evm.crypto.curves import SECP256K1_ORDER
from contend.evm.crypto.keccak import keccak256
from contend.workloads.building.keys import address_of, derived_key, sign

ACTOR_COUNT = 7
_SECRETS = {address_of(key): key for key in (derived_key(0, f"actor {number}") for number in range(ACTOR_COUNT))}
ACTORS = tuple(_SECRETS)
# A signature by nobody: of its two forms the one that does not count (EIP-2).
_NOBODYS = (0, 1, SECP256K1_ORDER - 1)


def has_key(address: bytes) -> bool:
    """Whether an account can sign."""
    return address in _SECRETS


def _signature(signer: bytes, message: bytes) -> tuple[int, int, int]:
    """Parity of a signature's point, r and s."""
    signature = sign(_SECRETS[signer], keccak256(message))
    return signature[64] - 27, int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


def _authorization(one: Authorization) -> list[Any]:
    signed = [one.chain_id, one.address, one.nonce]
    if one.authority is None:
        return [*signed, *_NOBODYS]
    return [*signed, *_signature(one.authority, b"\x05" + bytes(rlp.encode(signed)))]


def _octets(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")


def signed_item(one: Transaction, chain_id: int) -> bytes | list[bytes]:
    """A transaction as whoever decodes a block finds it: its fields, or type and list encoded (EIP-2718)."""
    kind, to = one.type, one.to or b""
    if kind == 0:
        fields: list[Any] = [one.nonce, one.max_fee, one.gas_limit, to, one.value, one.data]
        parity, r, s = _signature(one.sender, bytes(rlp.encode([*fields, chain_id, 0, 0])))
        return [_octets(each) for each in (*fields, 35 + 2 * chain_id + parity, r, s)]
    prices = [one.max_fee] if kind == 1 else [one.max_priority_fee, one.max_fee]
    listed = [[address, [slot.to_bytes(32, "big") for slot in slots]] for address, slots in one.access_list]
    fields = [chain_id, one.nonce, *prices, one.gas_limit, to, one.value, one.data, listed]
    if kind == 3:
        fields += [one.max_blob_fee, list(one.blob_hashes or ())]
    if kind == 4:
        fields.append([_authorization(each) for each in one.authorizations or ()])
    head = bytes([kind])
    return head + bytes(rlp.encode([*fields, *_signature(one.sender, head + bytes(rlp.encode(fields)))]))
