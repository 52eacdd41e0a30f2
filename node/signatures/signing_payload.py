"""Signing payload: the bytes of a transaction that its sender signs the hash of.

Those of the chain, by type: the fields in RLP, of a legacy transaction with the chain's number behind them (EIP-155)
or, as before that, without; of others behind a byte that is the type (EIP-2930, 1559, 4844, 7702). An authorisation in
a transaction of type 4 carries a signature of its own; where a block came without signatures, the authority stands in
its place, so that all that is executed is signed.
"""

from __future__ import annotations

from typing import Any

import rlp

from contend.evm import Transaction

LEGACY, LISTED, BLOBS, DELEGATIONS = 0, 1, 3, 4


def payload_fields(one: Transaction, chain_id: int) -> list[Any]:
    """Fields of a transaction as its type has them, but for authorisations and what is a signature's.

    Parameters
    ----------
    one : Transaction
    chain_id : int
        Said by all types but the legacy one.
    """
    to, kind = one.to or b"", one.type
    if kind == LEGACY:
        return [one.nonce, one.max_fee, one.gas_limit, to, one.value, one.data]
    prices = [one.max_fee] if kind == LISTED else [one.max_priority_fee, one.max_fee]
    listed = [[address, [slot.to_bytes(32, "big") for slot in slots]] for address, slots in one.access_list]
    fields = [chain_id, one.nonce, *prices, one.gas_limit, to, one.value, one.data, listed]
    return fields + ([one.max_blob_fee, list(one.blob_hashes or ())] if kind == BLOBS else [])


def signing_payload(one: Transaction, chain_id: int) -> bytes:
    """The bytes whose hash the sender signs."""
    fields, v = payload_fields(one, chain_id), None if one.signature is None else one.signature.v
    if one.type == LEGACY:
        is_protected = v is None or v not in (27, 28)
        return bytes(rlp.encode([*fields, chain_id, 0, 0] if is_protected else fields))
    if one.type == DELEGATIONS:
        fields.append(_authorizations(one))
    return bytes([one.type]) + bytes(rlp.encode(fields))


def _authorizations(one: Transaction) -> list[Any]:
    signatures = one.authorization_signatures
    found = []
    for place, each in enumerate(one.authorizations or ()):
        end = list(signatures[place]) if signatures else [each.authority or b""]
        found.append([each.chain_id, each.address, each.nonce, *end])
    return found


def parity_of(one: Transaction, chain_id: int) -> int | None:
    """Which of two points the transaction's own signature names, 0 or 1; None where its `v` cannot be one."""
    assert one.signature is not None
    v = one.signature.v
    if one.type == LEGACY:
        v -= 27 if v in (27, 28) else 35 + 2 * chain_id
    return v if v in (0, 1) else None
