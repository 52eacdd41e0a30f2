"""What comes with a block: its own access list where it has one, and else serial's, outside the time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from adversarial import adversarial_state, hot

from contend.evm.access_list import access_list_content, access_list_of, decode, encode, to_json
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies.given import BLOCK, FULL, INDEXED, LOCATIONS, NONE, READS
from contend.strategies.serial import Serial
from contend.workloads.files.block_export import document_of
from contend.workloads.files.block_file import read_block
from contend.workloads.files.fields import FieldError
from contend.workloads.files.replay import Replay

STATE, SERIAL = adversarial_state(), Serial()
BLOCKS = [hot("counter", 4), hot("chaser", 3)]


def knowledge(kind: str, *own: bytes | None) -> BlockKnowledge:
    return BlockKnowledge(BLOCKS, STATE, SERIAL, kind, own)


@pytest.mark.parametrize("kind", [FULL, LOCATIONS, READS, INDEXED])
def test_serial_makes_what_did_not_come(kind: str) -> None:
    digest = STATE.digest()
    found = knowledge(kind)
    first, second = found.of(0, BLOCK), found.of(1, BLOCK)
    assert (first.list_kind, first.list_maker) == (kind, "serial")
    assert first.access_list == access_list_of(BLOCKS[0], STATE, kind)
    before = STATE.snapshot()
    # Its senders have sent what the first block has of them.
    SERIAL.execute(BLOCKS[0], STATE, 1)
    assert second.access_list == access_list_of(BLOCKS[1], STATE, kind)
    STATE.restore(before)
    assert STATE.digest() == digest
    assert found.of(0, NONE).access_list is None


def test_what_came_is_given_right_or_wrong() -> None:
    for own in (access_list_of(BLOCKS[0], STATE), b"no list"):
        given = knowledge(FULL, own, None).of(0, BLOCK)
        assert (given.access_list, given.list_maker) == (own, None)
    assert knowledge(FULL, b"no list", None).of(1, BLOCK).list_maker == "serial"


def test_what_came_says_less_in_another_kind_and_never_more() -> None:
    own = access_list_of(BLOCKS[0], STATE)
    given = knowledge(LOCATIONS, own).of(0, BLOCK)
    assert (given.access_list, given.list_maker) == (encode(decode(own), LOCATIONS), None)
    assert knowledge(INDEXED, own).of(0, BLOCK).list_maker == "serial"
    assert knowledge(READS, b"no list").of(0, BLOCK).list_maker == "serial"


@pytest.fixture
def document() -> dict[str, Any]:
    receipts = SERIAL.execute(BLOCKS[0], STATE.copy(), 1).receipts
    return document_of(BLOCKS[0], {}, {}, receipts, "a test", access_list_of(BLOCKS[0], STATE))


def test_a_block_file_carries_its_list(tmp_path: Path, document: dict[str, Any]) -> None:
    path = tmp_path / "block.json"
    path.write_text(json.dumps(document))
    assert read_block(path).access_list == access_list_of(BLOCKS[0], STATE)
    (own,) = Replay().build({"file": str(path)}, 1, 1).access_lists
    assert own == access_list_of(BLOCKS[0], STATE)
    document["block_access_list"] = None
    path.write_text(json.dumps(document))
    assert Replay().build({"file": str(path)}, 1, 1).access_lists == [None]


def test_a_client_may_say_it_in_json(tmp_path: Path, document: dict[str, Any]) -> None:
    content = access_list_content(BLOCKS[0], STATE)
    answer = {"block": {**document["header"], "transactions": document["transactions"]}, "pre": {}}
    path = tmp_path / "answer.json"
    for where in (answer, answer["block"]):
        for form in (to_json(content), "0x" + encode(content).hex()):
            path.write_text(
                json.dumps(
                    answer
                    | (
                        {"blockAccessList": form}
                        if where is answer
                        else {"block": {**answer["block"], "blockAccessList": form}}
                    )
                )
            )
            assert read_block(path).access_list == encode(content)


@pytest.mark.parametrize("form", ["0xzz", 5, [{}], [{"address": "0x"}]])
def test_what_is_no_list_is_refused_by_its_field(tmp_path: Path, document: dict[str, Any], form: object) -> None:
    path = tmp_path / "block.json"
    path.write_text(json.dumps(document | {"block_access_list": form}))
    with pytest.raises(FieldError, match="block_access_list"):
        read_block(path)
