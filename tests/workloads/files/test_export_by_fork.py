"""Blocks of every fork go out and come back: types of transactions, authorisations, and what a header has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contend.evm import Block, Environment, Transaction
from contend.evm.accounts import Account, accounts_of, new_state
from contend.evm.block import Authorization
from contend.evm.forks import FORKS, Fork
from contend.strategies.serial import Serial
from contend.workloads.files.authorizations import read_authorizations
from contend.workloads.files.block_export import document_of
from contend.workloads.files.block_file import read_block
from contend.workloads.files.fields import Field, FieldError

SENDER, TO, AUTHORITY = (bytes([number]) * 20 for number in (1, 2, 3))
# Signed with the key 1, of the account 7e5f4552091a69125d5dfcb7b8c2659029395bdf, for chain 1, address TO and nonce 5.
KEY_OF_ONE = bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")


def block_of(fork: Fork) -> Block:
    environment = Environment(
        number=5,
        base_fee=7 if fork.has_base_fee else 0,
        blob_base_fee=fork.blob_base_fee(0),
        prev_randao=0 if fork.proof_of_work else 9,
        difficulty=9 if fork.proof_of_work else 0,
        fork=fork.name,
    )
    of_type = {
        0: Transaction(SENDER, TO, 0, 30_000, 1, b"", 10, 10, declared_type=0),
        1: Transaction(SENDER, TO, 1, 30_000, 1, b"", 10, 10, ((TO, (1,)),), declared_type=1),
        2: Transaction(SENDER, TO, 2, 30_000, 1, b"", 10, 2),
        3: Transaction(SENDER, TO, 3, 30_000, 1, b"", 10, 2, (), (b"\1" + bytes(31),), 5),
        4: Transaction(
            SENDER, TO, 4, 90_000, 1, b"", 10, 2,
            authorizations=(Authorization(AUTHORITY, TO, 0, 1), Authorization(None, TO, 0)),
        ),
    }  # fmt: skip
    kept = [one for number, one in of_type.items() if number in fork.transaction_types]
    return Block(environment, tuple(kept), binding_order=True)


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS.keys())
def test_a_block_comes_back_as_it_went_out(tmp_path: Path, fork: Fork) -> None:
    block, before = block_of(fork), {SENDER: Account(balance=10**18)}
    state = new_state(before)
    receipts = Serial().execute(block, state, 1).receipts
    assert receipts.status.all()
    path = tmp_path / "block.json"
    path.write_text(json.dumps(document_of(block, before, accounts_of(state), receipts, "a test")))
    back = read_block(path)
    assert back.block.environment == block.environment
    assert back.block.transactions == block.transactions
    assert [one.type for one in back.block] == sorted(fork.transaction_types)
    assert back.poststate == accounts_of(state)


def authorization(**changes: object) -> dict[str, object]:
    from py_ecc.secp256k1.secp256k1 import ecdsa_raw_sign

    from contend.evm.crypto.keccak import keccak256

    message = keccak256(b"\x05" + bytes([0xC0 + 23]) + b"\x01\x94" + TO + b"\x05")
    v, r, s = ecdsa_raw_sign(message, (1).to_bytes(32, "big"))
    content: dict[str, object] = {
        "chainId": "0x1", "address": "0x" + TO.hex(), "nonce": "0x5",
        "yParity": hex(v - 27), "r": hex(r), "s": hex(s),
    }  # fmt: skip
    return content | changes


def read_one(**changes: object) -> bytes | None:
    read = read_authorizations(Field("list", [authorization(**changes)]))
    assert read is not None
    return read[0].authority


def test_who_signed_is_recovered() -> None:
    from contend.evm.crypto.curves import SECP256K1_ORDER

    assert read_authorizations(None) is None
    assert read_one() == KEY_OF_ONE
    assert read_one(nonce="0x6") not in (KEY_OF_ONE, None)
    # The other of the two signatures does not count, nor does a parity that is none.
    signed = authorization()
    other = hex(SECP256K1_ORDER - int(str(signed["s"]), 16))
    flipped = hex(1 - int(str(signed["yParity"]), 16))
    assert read_one(s=other, yParity=flipped) is None
    assert read_one(yParity="0x2") is None
    assert read_one(r="0x0") is None


@pytest.mark.parametrize(
    "changes",
    [{"nonce": hex(1 << 64)}, {"chainId": hex(1 << 256)}, {"address": "0x01"}, {"r": None}, {"yParity": "0x100"}],
)
def test_what_no_authorisation_can_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(FieldError):
        read_one(**changes)
