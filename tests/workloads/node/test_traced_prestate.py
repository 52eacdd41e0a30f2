"""State before a block out of the states before its transactions, and codes that ask for hashes."""

from __future__ import annotations

from typing import Any

import pytest

from contend.evm.accounts import Account
from contend.harness.verify.schedule_fuzzer.assembler import assemble
from contend.workloads.files.fields import Field, FieldError
from contend.workloads.node.block_hash_use import may_ask_for_hashes
from contend.workloads.node.node_error import NodeError
from contend.workloads.node.traced_prestate import codes_made, options, results_of, state_before

A, B = (bytes([n]) * 20 for n in (0xAA, 0xBB))
HASHES = [bytes([n]) * 32 for n in (1, 2)]


def _named(accounts: dict[bytes, dict[str, Any]]) -> dict[str, Any]:
    return {f"0x{address.hex()}": account for address, account in accounts.items()}


def before(*steps: tuple[dict[bytes, dict[str, Any]], dict[bytes, dict[str, Any]]]) -> dict[bytes, Account]:
    """State before a block of these transactions: of each what the tracer shows, and what it leaves behind."""
    traces = [Field("trace", _named(shown), strict=True) for shown, _ in steps]
    return state_before(traces, [Field("diff", {"pre": {}, "post": _named(left)}, strict=True) for _, left in steps])


def slot(number: int, word: int) -> dict[str, str]:
    return {f"0x{number:064x}": f"0x{word:064x}"}


def test_the_first_appearance_counts() -> None:
    found = before(
        ({A: {"balance": "0x5", "nonce": 1, "storage": slot(1, 7)}}, {A: {"balance": "0x4"}}),
        ({A: {"balance": "0x4", "nonce": 2, "storage": slot(1, 8) | slot(2, 9)}, B: {"balance": "0x1"}}, {}),
    )
    assert found == {A: Account(5, 1, b"", {1: 7, 2: 9}), B: Account(1)}


def test_who_comes_to_be_in_the_block_was_nothing_before() -> None:
    made = {"balance": "0x1", "nonce": 1, "code": "0x00", "storage": slot(3, 7)}
    # Left out where it was empty, or shown as empty.
    for shown in ({}, {B: {"balance": "0x0"}}, {B: {"balance": "0x0", "storage": slot(3, 0)}}):
        assert before((shown, {B: made}), ({B: made | {"storage": slot(4, 8)}}, {})) == {}


def test_a_fresh_account_is_told_from_one_that_is_seen_late() -> None:
    assert before(({}, {}), ({B: {"balance": "0x1"}}, {})) == {B: Account(1)}
    assert before(({}, {B: {"balance": "0x1"}}), ({B: {"balance": "0x1"}}, {})) == {}


def test_an_account_that_is_destroyed_was_there() -> None:
    assert before(({B: {"balance": "0x1", "code": "0xff"}}, {}), ({}, {})) == {B: Account(1, 0, b"\xff")}


def test_two_names_of_one_account_are_refused() -> None:
    with pytest.raises(FieldError, match="stands twice"):
        state_before([Field("trace", {"0x" + "aB" * 20: {}, "0x" + "Ab" * 20: {}}, strict=True)], [Field("diff", {})])


def _results(*elements: Any) -> list[Field]:
    return results_of(Field("answer", list(elements), strict=True), HASHES)


def test_results_are_those_of_the_block_s_transactions() -> None:
    named = [{"txHash": f"0x{hash_.hex()}", "result": {"n": n}} for n, hash_ in enumerate(HASHES)]
    assert [one.value for one in _results(*named)] == [{"n": 0}, {"n": 1}]
    # Older nodes do not name transactions.
    assert [one.value for one in _results({"result": 1}, {"result": 2})] == [1, 2]
    with pytest.raises(NodeError, match="reorganised"):
        _results(*named[::-1])
    with pytest.raises(NodeError, match="traced 1 of 2"):
        _results(named[0])
    with pytest.raises(NodeError, match="could not trace transaction 1"):
        _results(named[0], {"error": "execution timeout"})
    with pytest.raises(FieldError, match="'result' is missing"):
        _results(named[0], {})


def test_the_tracer_is_asked_for_all_it_can_show() -> None:
    assert options(differences=False, timeout_s=90.0) == {
        "tracer": "prestateTracer", "tracerConfig": {"includeEmpty": True}, "timeout": "90s"
    }  # fmt: skip
    assert options(differences=True, timeout_s=0.5)["tracerConfig"] == {"diffMode": True}


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        (b"", False),
        (assemble("1 NUMBER SUB BLOCKHASH STOP"), True),
        (assemble("0x40 MLOAD STOP"), False),
        (b"\x5f\x40", True),  # PUSH0 has no data
        (b"\x7f" + b"\x40" * 32, False),
        (b"\x7f" + b"\x40" * 33, True),
        (b"\x61\x40", False),  # push data beyond the end
    ],
)
def test_who_may_ask_for_hashes(code: bytes, asks: bool) -> None:
    assert may_ask_for_hashes([b"\x00", code]) is asks


def test_codes_that_are_left_behind() -> None:
    left = Field("diff", {"post": _named({A: {"code": "0x40"}, B: {"balance": "0x1"}})}, strict=True)
    assert codes_made([left]) == [b"\x40"]
