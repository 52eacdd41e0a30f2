"""Hashes of earlier blocks: a chain up to the block, asked for once."""

from __future__ import annotations

from typing import Any

import pytest

from contend.workloads.files.fields import Field
from contend.workloads.node.json_rpc import JsonRpc, Question
from contend.workloads.node.node_address import NodeAddress
from contend.workloads.node.node_answers import ANCESTORS, ask_hashes
from contend.workloads.node.node_error import NodeError


def hash_of(number: int, branch: int = 0) -> str:
    return f"0x{branch << 128 | number:064x}"


class Headers(JsonRpc):
    """A node that knows headers; from block `fork` on those of another branch."""

    def __init__(self) -> None:
        super().__init__(NodeAddress("http://localhost"))
        self.asked: list[int] = []
        self.fork = 1 << 62

    def header(self, number: int) -> dict[str, Any]:
        def named(one: int) -> str:
            return hash_of(one, int(one >= self.fork))

        return {"number": hex(number), "hash": named(number), "parentHash": named(number - 1) if number else hash_of(0)}

    def block(self, number: int) -> Field:
        return Field("block", self.header(number), strict=True)

    def ask_all(self, questions: Any) -> list[Field | None]:
        return [self._answer(one) for one in questions]

    def _answer(self, question: Question) -> Field | None:
        method, (number, full) = question
        assert (method, full) == ("eth_getBlockByNumber", False)
        self.asked.append(int(number, 16))
        return self.block(self.asked[-1])


def test_all_that_blockhash_reaches() -> None:
    node, known = Headers(), dict[int, bytes]()
    found = ask_hashes(node, node.block(1_000), known)
    assert list(found) == node.asked == list(range(1_000 - ANCESTORS, 1_000))
    assert found[999] == bytes.fromhex(hash_of(999)[2:])


def test_the_first_blocks_have_fewer() -> None:
    node = Headers()
    assert list(ask_hashes(node, node.block(3), {})) == [0, 1, 2]
    assert ask_hashes(node, node.block(0), {}) == {}


def test_blocks_in_a_row_share_them() -> None:
    node, known = Headers(), dict[int, bytes]()
    ask_hashes(node, node.block(1_000), known)
    node.asked.clear()
    assert len(ask_hashes(node, node.block(1_001), known)) == ANCESTORS
    assert node.asked == []
    assert len(ask_hashes(node, node.block(1_003), known)) == ANCESTORS
    assert node.asked == [1_002]


def test_a_chain_that_was_reorganised_is_asked_for_anew() -> None:
    node, known = Headers(), dict[int, bytes]()
    ask_hashes(node, node.block(1_000), known)
    node.asked.clear()
    node.fork = 990
    found = ask_hashes(node, node.block(1_001), known)
    assert len(node.asked) == ANCESTORS
    assert found[990] == bytes.fromhex(hash_of(990, 1)[2:])


def test_headers_that_are_no_chain_are_refused() -> None:
    node, known = Headers(), dict[int, bytes]()
    ask_hashes(node, node.block(1_000), known)
    node.fork = 990
    # Its parent is not known, and not of the branch that is.
    with pytest.raises(NodeError, match="of two chains"):
        ask_hashes(node, node.block(1_002), known)
