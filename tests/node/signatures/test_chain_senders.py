"""Senders of blocks that came signed: those of real blocks, of generated ones of all types, of files and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared

pytest.importorskip("coincurve", reason="libsecp256k1 comes with coincurve")

from contend.evm import Block, Environment, State, Transaction
from contend.evm.accounts import accounts_of, new_state
from contend.evm.block import Authorization, Signature
from contend.evm.block_image import BlockImage
from contend.evm.forks import fork_named
from contend.harness.verify.block_fuzzer.actors import ACTORS, signed_item
from contend.harness.verify.whole_block.signed_transaction import transaction_of
from contend.node.base import BlockRun, StageError
from contend.node.signatures.stage import Recovery
from contend.strategies.clocks import WALL
from contend.strategies.serial import Serial
from contend.workloads.files.block_export import document_of
from contend.workloads.files.block_file import read_block

FORK = "Osaka"
addresses = st.sampled_from([*ACTORS, bytes(20), bytes([9]) * 20])
numbers = st.sampled_from([0, 1, 127, 128, 255, 256, 2**64 - 2])
lists = st.lists(st.tuples(addresses, st.lists(st.integers(0, 2**256 - 1), max_size=2).map(tuple)), max_size=2).map(
    tuple
)
authorizations = st.builds(
    Authorization, st.sampled_from([*ACTORS, None]), addresses, numbers, st.sampled_from([0, 1, 2**255])
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Any transaction of any type, as whoever decodes it finds it."""
    kind = draw(st.integers(0, 4))
    price = draw(numbers)
    return Transaction(
        sender=draw(st.sampled_from(ACTORS)),
        to=draw(addresses if kind >= 3 else addresses | st.none()),
        nonce=draw(numbers),
        gas_limit=draw(st.integers(0, 2**63 - 1)),
        value=draw(st.integers(0, 2**256 - 1)),
        data=draw(st.binary(max_size=200)),
        max_fee=price,
        max_priority_fee=price if kind < 2 else draw(numbers),
        access_list=draw(lists) if kind else (),
        blob_hashes=tuple(draw(st.lists(st.binary(min_size=32, max_size=32), max_size=2))) if kind == 3 else None,
        max_blob_fee=draw(numbers) if kind == 3 else 0,
        authorizations=tuple(draw(st.lists(authorizations, max_size=2))) if kind == 4 else None,
        declared_type=kind,
    )


def as_decoded(one: Transaction, chain_id: int) -> Transaction:
    """Signed, encoded, and decoded again."""
    item = signed_item(one, chain_id)
    return transaction_of(rlp.decode(rlp.encode(item)), fork_named(FORK), chain_id, "transaction")


def recovered(block: Block) -> list[bytes]:
    run = BlockRun(0, BlockImage(block), State(), 2, WALL)
    stage = Recovery([block], 1)
    stage.make_ready(run)
    stage.work(run)
    rows = run.image.rows["sender"]
    return [sum(int(limb) << 64 * i for i, limb in enumerate(row)).to_bytes(20, "big") for row in rows]


@settings(max_examples=40, deadline=None)
@given(made=st.lists(transactions(), min_size=1, max_size=6), chain_id=st.sampled_from([1, 5, 11155111]))
def test_senders_of_all_types_are_those_who_signed(made: list[Transaction], chain_id: int) -> None:
    block = Block(Environment(chain_id=chain_id, fork=FORK), tuple(as_decoded(one, chain_id) for one in made))
    assert [one.signature is not None for one in block] == [True] * len(made)
    assert recovered(block) == [one.sender for one in made]


@settings(max_examples=40, deadline=None)
@given(one=transactions(), other=transactions())
def test_a_signature_is_refused_for_anything_else_that_is_executed(one: Transaction, other: Transaction) -> None:
    signed = as_decoded(one, 1)
    for name in ("to", "nonce", "gas_limit", "value", "data", "max_fee", "access_list", "authorizations"):
        changed = replace(signed, **{name: getattr(other, name)})
        is_signed = {"access_list": one.type > 0, "authorizations": one.type == other.type == 4}.get(name, True)
        if is_signed and getattr(other, name) != getattr(one, name):
            if name == "authorizations":
                changed = replace(changed, authorization_signatures=as_decoded(other, 1).authorization_signatures)
            with pytest.raises(StageError, match="transaction 0: its signature is"):
                Recovery([Block(Environment(fork=FORK), (changed,))], 1)


def test_signatures_come_back_from_a_file(tmp_path: Path) -> None:
    made = [
        Transaction(ACTORS[0], ACTORS[1], 0, 30_000, 1, b"", 10, 10, declared_type=0),
        Transaction(ACTORS[0], ACTORS[1], 1, 30_000, 1, b"", 10, 10, ((ACTORS[1], (1,)),), declared_type=1),
        Transaction(ACTORS[0], ACTORS[1], 2, 30_000, 1, b"", 10, 2),
        Transaction(ACTORS[0], ACTORS[1], 3, 30_000, 1, b"", 10, 2, (), (b"\1" + bytes(31),), 5),
        Transaction(
            ACTORS[0], ACTORS[1], 4, 90_000, 1, b"", 10, 2, authorizations=(Authorization(ACTORS[2], ACTORS[3], 0, 1),)
        ),
    ]
    environment = Environment(number=5, base_fee=7, fork=FORK)
    block = Block(environment, tuple(as_decoded(one, 1) for one in made), binding_order=True)
    state = State()
    state.set_balance(ACTORS[0], 10**18)
    before = accounts_of(state)
    receipts = Serial().execute(block, new_state(before), 1).receipts
    path = tmp_path / "block.json"
    path.write_text(json.dumps(document_of(block, before, before, receipts, "a test")))
    back = read_block(path).block
    assert [one.signature for one in back] == [one.signature for one in block]
    assert [one.authorization_signatures for one in back] == [one.authorization_signatures for one in block]
    assert back.transactions[4].authorizations == made[4].authorizations
    assert recovered(back) == [ACTORS[0]] * 5
    # What was never signed comes back so.
    bare = Block(environment, tuple(made), binding_order=True)
    path.write_text(json.dumps(document_of(bare, before, before, receipts, "a test")))
    assert {one.signature for one in read_block(path).block} == {None}


def test_real_blocks_give_the_chain_s_own_senders() -> None:
    files = sorted(shared("mainnet").glob("*.json.gz"))
    assert files
    for path in files:
        block = read_block(path).block
        assert all(isinstance(one.signature, Signature) for one in block), path.name
        assert recovered(block) == [one.sender for one in block], path.name
