"""Payloads: the bytes that are signed are those of the chain, for each type of transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rlp

from contend.evm import Transaction
from contend.evm.block import Authorization, Signature
from contend.evm.crypto.keccak import keccak256
from contend.node.signatures.signing_payload import parity_of, signing_payload

# The example of EIP-155.
EXAMPLE = Transaction(
    sender=bytes(20),
    to=bytes([0x35]) * 20,
    nonce=9,
    gas_limit=21_000,
    value=10**18,
    max_fee=20 * 10**9,
    max_priority_fee=20 * 10**9,
    declared_type=0,
)
EIP_155_HASH = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
SLOTS = ((bytes([7]) * 20, (0, 2**255)),)


def test_the_example_of_eip_155_is_signed_as_it_says() -> None:
    assert keccak256(signing_payload(EXAMPLE, 1)).hex() == EIP_155_HASH
    for v, parity in ((37, 0), (38, 1), (39, None), (27, 0), (28, 1), (0, None)):
        assert parity_of(replace(EXAMPLE, signature=Signature(v, 1, 1)), 1) == parity
    old = replace(EXAMPLE, signature=Signature(28, 1, 1))
    assert len(rlp.decode(signing_payload(old, 1))) == 6
    assert len(rlp.decode(signing_payload(EXAMPLE, 1))) == 9


@pytest.mark.parametrize(
    ("changes", "head", "fields"),
    [
        ({"declared_type": 1}, 1, 8),
        ({"declared_type": None}, 2, 9),
        ({"declared_type": None, "blob_hashes": (b"\x01" * 32,)}, 3, 11),
        ({"declared_type": None, "authorizations": ()}, 4, 10),
    ],
)
def test_types_say_themselves_in_front(changes: dict[str, object], head: int, fields: int) -> None:
    one = replace(EXAMPLE, access_list=SLOTS, **changes)  # type: ignore[arg-type]
    payload = signing_payload(one, 5)
    assert payload[0] == head
    decoded = rlp.decode(payload[1:])
    assert len(decoded) == fields
    assert decoded[0] == b"\x05"
    assert [[SLOTS[0][0], [bytes(32), b"\x80" + bytes(31)]]] in decoded


def test_whatever_is_executed_is_signed() -> None:
    given = Authorization(bytes([1]) * 20, bytes([2]) * 20, 3, 4)
    one = replace(EXAMPLE, declared_type=None, authorizations=(given,))
    seen = {signing_payload(one, 1)}
    changes: dict[str, object] = {
        "to": None,
        "nonce": 1,
        "gas_limit": 2,
        "value": 3,
        "data": b"\x04",
        "max_fee": 5,
        "max_priority_fee": 6,
        "access_list": SLOTS,
        "authorizations": (given._replace(authority=bytes([9]) * 20),),
        "authorization_signatures": (Signature(0, 1, 2),),
    }
    for name, value in changes.items():
        payload = signing_payload(replace(one, **{name: value}), 1)  # type: ignore[arg-type]
        assert payload not in seen, name
        seen.add(payload)
    assert signing_payload(one, 2) not in seen
