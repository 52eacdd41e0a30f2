"""Bytes of what is given, and what is known of a contender before it has run."""

from __future__ import annotations

from typing import ClassVar

import rlp
from hypothesis import given
from hypothesis import strategies as st

from contend.evm import Block, Environment, Transaction
from contend.harness.analysis.contender_facts import bytes_per_transaction, declared_bytes, given_by_name
from contend.strategies.given import BLOCK, DECLARED, TRUTH, Knowledge
from contend.strategies.registry import get
from contend.strategies.serial import Serial

slots = st.lists(st.integers(0, 2**256 - 1), max_size=9)
lists = st.lists(st.tuples(st.binary(min_size=20, max_size=20), slots.map(tuple)), max_size=4).map(tuple)


def block_of(*declared: tuple[tuple[bytes, tuple[int, ...]], ...]) -> Block:
    return Block(
        Environment(), tuple(Transaction(b"\1" * 20, b"\2" * 20, i, access_list=one) for i, one in enumerate(declared))
    )


@given(lists)
def test_bytes_of_a_declared_list_are_those_of_its_encoding(
    declared: tuple[tuple[bytes, tuple[int, ...]], ...],
) -> None:
    encoded = rlp.encode([[address, [slot.to_bytes(32, "big") for slot in own]] for address, own in declared])
    assert declared_bytes(block_of(declared)) == (len(encoded) if declared else 0)


def test_only_what_has_to_come_with_the_block_has_bytes() -> None:
    blocks = [block_of((), ((b"\3" * 20, (1,)),)), block_of((), ())]
    known = [Knowledge(access_list=b"x" * 30), Knowledge(access_list=b"x" * 10)]
    assert bytes_per_transaction(BLOCK, blocks, known) == 10.0
    # A list of an address and a slot: 33 + 1, 21 + 34 + 1, 56 + 2.
    assert bytes_per_transaction(DECLARED, blocks, known) == 58 / 4
    assert bytes_per_transaction(TRUTH, blocks, known) == 0.0


def test_values_are_had_by_who_uses_them_and_is_given_a_list_that_has_them() -> None:
    class Valued(Serial):
        takes: ClassVar[tuple[str, ...]] = (BLOCK,)
        uses_values: ClassVar[bool] = True

    told = {
        kind: given_by_name("valued", Valued(), kind)["values"] for kind in ("full", "indexed", "locations", "reads")
    }
    assert told == {"full": True, "indexed": True, "locations": False, "reads": False}


def test_who_uses_locations_only_has_no_values() -> None:
    class Listed(Serial):
        takes: ClassVar[tuple[str, ...]] = (BLOCK,)

    assert not given_by_name("listed", Listed(), "full")["values"]


def test_a_contender_is_told_by_strategy_source_and_role() -> None:
    told = given_by_name("static_partition+truth", get("static_partition+truth")(), "full")
    assert told == {
        "strategy": "static_partition",
        "source": "truth",
        "role": "ceiling",
        "list_kind": None,
        "values": False,
    }
    assert given_by_name("serial", Serial(), "full")["source"] == "nothing"
