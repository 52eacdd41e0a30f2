"""Signed transactions as they are encoded (EIP-155, 2718, 2930, 1559, 4844, 7702), and who signed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp

from contend.evm import Transaction
from contend.evm.block import Authorization, Signature
from contend.evm.crypto.authorities import authority_of
from contend.evm.crypto.curves import SECP256K1_ORDER, recover
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import Fork
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.rlp_fields import BAD_RLP, decoded, integer, items, octets

# Items of each type, signature included.
_COUNTS = {0: 9, 1: 11, 2: 12, 3: 14, 4: 13}
_WRONG_SIGNATURE = ("INVALID_SIGNATURE_VRS", "INVALID_TX_SIGNATURE")


def encoding_of(item: Any) -> bytes:
    """What a transaction of a block is hashed as: its list in RLP, or the bytes of a typed one."""
    return item if isinstance(item, bytes) else bytes(rlp.encode(item))


def transaction_of(item: Any, fork: Fork, chain_id: int, what: str) -> Transaction:
    """Read a transaction of a block that is decoded.

    Raises
    ------
    BlockRefusedError
        If it is malformed, of a type that the fork does not have, or signed by nobody.
    """
    kind, fields = 0, item
    if isinstance(item, bytes):
        if not item or item[0] > 0x7F:
            raise BlockRefusedError(f"{what}: no type of a transaction", *BAD_RLP)
        kind = item[0]
        # A transaction of type 0 is a list: as an envelope there is none (EIP-2718).
        if kind == 0 or kind not in fork.transaction_types or kind not in _COUNTS:
            raise BlockRefusedError(f"{what}: type {kind} under {fork.name}", f"TYPE_{kind}_TX_PRE_FORK", *BAD_RLP)
        fields = decoded(item[1:], what)
    fields = items(fields, what, _COUNTS[kind])
    return _legacy(fields, chain_id, what) if kind == 0 else _typed(kind, fields, chain_id, what)


def _to(value: Any, what: str) -> bytes | None:
    return octets(value, f"{what}: recipient", 20, 0) or None


def _sender(message: bytes, parity: int, fields: Sequence[Any], what: str) -> bytes:
    """Who signed; `fields` are the last two items."""
    r, s = (integer(value, f"{what}: signature") for value in fields)
    if s > SECP256K1_ORDER // 2:
        raise BlockRefusedError(f"{what}: the other one of two signatures", *_WRONG_SIGNATURE)
    data = keccak256(message) + b"".join(value.to_bytes(32, "big") for value in (27 + parity, r, s))
    found = recover(data)
    if not found:
        raise BlockRefusedError(f"{what}: nobody signed it", *_WRONG_SIGNATURE)
    return found[12:]


def _signature(fields: Sequence[Any], what: str) -> Signature:
    """Of the last three items."""
    v, r, s = (integer(value, f"{what}: signature") for value in fields[-3:])
    return Signature(v, r, s)


def _legacy(fields: Sequence[Any], chain_id: int, what: str) -> Transaction:
    v, signed = integer(fields[6], f"{what}: signature"), list(fields[:6])
    if v in (27, 28):
        parity = v - 27
    elif v in (35 + 2 * chain_id, 36 + 2 * chain_id):
        parity = v - 35 - 2 * chain_id
        signed += [chain_id, 0, 0]
    else:
        raise BlockRefusedError(f"{what}: signature for another chain", "INVALID_CHAINID", *_WRONG_SIGNATURE)
    price = integer(fields[1], f"{what}: gas price")
    return Transaction(
        sender=_sender(bytes(rlp.encode(signed)), parity, fields[7:], what),
        to=_to(fields[3], what),
        nonce=integer(fields[0], f"{what}: nonce", 64),
        gas_limit=_gas(fields[2], what),
        value=integer(fields[4], f"{what}: value"),
        data=octets(fields[5], f"{what}: data"),
        max_fee=price,
        max_priority_fee=price,
        declared_type=0,
        signature=_signature(fields, what),
    )


def _gas(value: Any, what: str) -> int:
    found = integer(value, f"{what}: gas limit", 64)
    if found >= 1 << 63:
        raise BlockRefusedError(
            f"{what}: gas limit {found}", "GAS_ALLOWANCE_EXCEEDED", "GASLIMIT_PRICE_PRODUCT_OVERFLOW"
        )
    return found


def _typed(kind: int, fields: Sequence[Any], chain_id: int, what: str) -> Transaction:
    if integer(fields[0], f"{what}: chain") != chain_id:
        raise BlockRefusedError(f"{what}: for another chain", "INVALID_CHAINID")
    # The first type has one price, the others a tip and the most that is paid.
    prices = 1 if kind == 1 else 2
    rest = fields[2 + prices :]
    most = integer(fields[1 + prices], f"{what}: price")
    parity = integer(fields[-3], f"{what}: signature", 64)
    if parity > 1:
        raise BlockRefusedError(f"{what}: signature of no parity", *_WRONG_SIGNATURE)
    signed = bytes([kind]) + bytes(rlp.encode(list(fields[:-3])))
    return Transaction(
        sender=_sender(signed, parity, fields[-2:], what),
        to=_to(rest[1], what),
        nonce=integer(fields[1], f"{what}: nonce", 64),
        gas_limit=_gas(rest[0], what),
        value=integer(rest[2], f"{what}: value"),
        data=octets(rest[3], f"{what}: data"),
        max_fee=most,
        max_priority_fee=integer(fields[2], f"{what}: tip"),
        access_list=_access_list(rest[4], what),
        blob_hashes=None if kind != 3 else _blob_hashes(rest[6], what),
        max_blob_fee=0 if kind != 3 else integer(rest[5], f"{what}: blob fee"),
        authorizations=None if kind != 4 else _authorizations(rest[5], what),
        declared_type=kind,
        signature=_signature(fields, what),
        authorization_signatures=tuple(_signature(one, what) for one in rest[5]) if kind == 4 else (),
    )


def _access_list(value: Any, what: str) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    found = []
    for entry in items(value, f"{what}: access list"):
        address, slots = items(entry, f"{what}: access list", 2)
        words = (octets(slot, f"{what}: slot", 32) for slot in items(slots, f"{what}: slots"))
        found.append(
            (octets(address, f"{what}: access list", 20), tuple(int.from_bytes(word, "big") for word in words))
        )
    return tuple(found)


def _authorizations(value: Any, what: str) -> tuple[Authorization, ...]:
    found = []
    for entry in items(value, f"{what}: authorisations"):
        fields = items(entry, f"{what}: authorisation", 6)
        chain_id, nonce = integer(fields[0], f"{what}: chain"), integer(fields[2], f"{what}: nonce", 64)
        address, parity = octets(fields[1], f"{what}: delegate", 20), integer(fields[3], f"{what}: signature", 8)
        r, s = (integer(one, f"{what}: signature") for one in fields[4:])
        found.append(Authorization(authority_of(chain_id, address, nonce, parity, r, s), address, nonce, chain_id))
    return tuple(found)


def _blob_hashes(value: Any, what: str) -> tuple[bytes, ...]:
    return tuple(octets(one, f"{what}: blob hash", 32) for one in items(value, f"{what}: blob hashes"))
