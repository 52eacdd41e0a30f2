"""What a block file says of what its block does besides its transactions, and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contend.evm.drivers.block_operations import Uncle, Withdrawal
from contend.workloads.around_block import HeaderRoots
from contend.workloads.files.around_fields import AFTER, BEFORE, AroundFields
from contend.workloads.files.block_file import read_block
from contend.workloads.files.fields import FieldError

WORD = "0x" + "07" * 32
ADDRESS = "0x" + "a1" * 20
PAID = {"index": "0x1", "validatorIndex": 2, "address": ADDRESS, "amount": "0x3"}
TRANSACTION = {
    "type": "0x2", "from": ADDRESS, "to": None, "nonce": "0x0", "gas": "0xffff", "value": "0x0", "input": "0x",
    "maxFeePerGas": "0x7", "maxPriorityFeePerGas": "0x0",
}  # fmt: skip
HEADER = {
    "number": "0x9", "timestamp": "0x68000000", "miner": ADDRESS, "gasLimit": "0xfffff", "baseFeePerGas": "0x7",
    "parentHash": WORD, "parentBeaconBlockRoot": WORD, "receiptsRoot": WORD, "stateRoot": WORD, "requestsHash": WORD,
    "logsBloom": "0x" + "00" * 256,
}  # fmt: skip


def around(tmp_path: Path, header: dict[str, Any] | None = None, **fields: Any) -> AroundFields:
    """What is read of a file of another chain, in both forms alike."""
    header = HEADER | (header or {})
    common = {"fork": "Prague", "withdrawals": [PAID]} | fields
    transactions = common.pop("transactions", [TRANSACTION])
    replay = {"format": "evm-block-replay/1", "chain_id": 5, "header": header, "codes": {}, "pre": {}}
    path = tmp_path / "block.json"
    path.write_text(json.dumps(replay | common | {"transactions": transactions}))
    found = read_block(path).around
    client = dict(common)
    for name, other in (("pre_is", "preIs"), ("pre_is_whole", "preIsWhole")):
        if name in client:
            client[other] = client.pop(name)
    block = header | {"transactions": transactions, "withdrawals": client.pop("withdrawals")}
    path.write_text(json.dumps({"block": block, "pre": {}, "chainId": "0x5"} | client))
    assert read_block(path).around == found
    return found


def test_the_state_is_after_system_calls_where_nothing_says_otherwise(tmp_path: Path) -> None:
    found = around(tmp_path)
    assert (found.is_before, found.is_whole, found.executes) == (False, False, False)
    assert found.operations.withdrawals == (Withdrawal(1, 2, b"\xa1" * 20, 3),)
    assert found.operations.parent_hash == found.operations.beacon_root == b"\7" * 32
    assert found.roots == HeaderRoots(b"\7" * 32, bytes(256), b"\7" * 32, b"\7" * 32)
    assert around(tmp_path, pre_is=AFTER) == found
    assert around(tmp_path, pre_is=BEFORE).is_before
    assert around(tmp_path, pre_is_whole=True).executes


def test_roots_are_held_against_nothing_under_other_rules_or_without_types(tmp_path: Path) -> None:
    untyped = {name: value for name, value in TRANSACTION.items() if name != "type"}
    assert around(tmp_path, transactions=[untyped]).roots.receipts is None
    path = tmp_path / "block.json"
    content = {"block": HEADER | {"transactions": [TRANSACTION]}, "pre": {}, "chainId": "0x1", "fork": "Osaka"}
    path.write_text(json.dumps(content))
    assert read_block(path).around.roots == HeaderRoots()


@pytest.mark.parametrize(
    ("header", "fields", "words"),
    [
        ({}, {"pre_is": "before"}, "'before system calls' or 'after system calls'"),
        ({}, {"pre_is": [BEFORE]}, "'before system calls' or 'after system calls'"),
        ({}, {"pre_is_whole": 1}, "true or false"),
        ({}, {"withdrawals": {}}, "is not an array"),
        ({}, {"withdrawals": [PAID | {"amount": "0x0" + "f" * 16}]}, "amount"),
        ({}, {"withdrawals": [PAID | {"amount": "0x1" + "0" * 16}]}, "at most 64 bits"),
        ({}, {"withdrawals": [PAID | {"address": "0xa1"}]}, "has 1 bytes, not 20"),
        ({}, {"withdrawals": [{**PAID, "validatorIndex": None}]}, "'validatorIndex' is missing"),
        ({"parentBeaconBlockRoot": None}, {"pre_is": BEFORE}, "'parentBeaconBlockRoot' is missing"),
        ({"parentHash": None}, {"pre_is": BEFORE}, "'parentHash' is missing"),
        ({"parentBeaconBlockRoot": "0x07"}, {}, "has 1 bytes, not 32"),
        ({"receiptsRoot": "0x07"}, {}, "has 1 bytes, not 32"),
        ({"logsBloom": WORD}, {}, "has 32 bytes, not 256"),
        ({}, {"pre_is": BEFORE, "uncles": [{"miner": ADDRESS, "number": "0x8"}]}, "blocks of Prague have none"),
        ({}, {"uncles": [{"miner": ADDRESS, "number": "0x9"}]}, "not within the 7 blocks before 9"),
        ({}, {"uncles": [{"miner": ADDRESS, "number": "0x1"}]}, "not within the 7 blocks before 9"),
        ({}, {"block_hashes": {"5": WORD, "0x5": WORD}}, "stands twice"),
        ({}, {"transactions": [TRANSACTION | {"type": "0x0", "gasPrice": "0x7", "maxFeePerGas": None,
            "accessList": [{"address": ADDRESS, "storageKeys": []}]}]}, "transactions of type 0 have none"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused(
    tmp_path: Path, header: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(FieldError, match=words):
        around(tmp_path, header, **fields)


def test_operations_that_a_fork_has_not_are_refused_where_they_are_executed(tmp_path: Path) -> None:
    header = {"requestsHash": None, "parentBeaconBlockRoot": None}
    mined = {"fork": "London", "withdrawals": [], "uncles": [{"miner": ADDRESS, "number": "0x8"}]}
    assert around(tmp_path, header, **mined, pre_is=BEFORE).operations.uncles == (Uncle(b"\xa1" * 20, 8),)
    around(tmp_path, header, **mined | {"withdrawals": [PAID]})
    with pytest.raises(FieldError, match="blocks of London have none"):
        around(tmp_path, header, **mined | {"withdrawals": [PAID]}, pre_is=BEFORE)


def test_a_client_s_transaction_says_where_it_goes_and_its_uncles_say_whom_to_pay(tmp_path: Path) -> None:
    path = tmp_path / "block.json"
    lost = {name: value for name, value in TRANSACTION.items() if name != "to"}
    path.write_text(json.dumps({"block": HEADER | {"transactions": [lost]}, "pre": {}, "fork": "Prague"}))
    with pytest.raises(FieldError, match="the field 'to' is missing"):
        read_block(path)
    header = {name: value for name, value in HEADER.items() if name not in ("requestsHash", "parentBeaconBlockRoot")}
    content = {"block": header | {"transactions": [TRANSACTION], "uncles": [WORD]}, "pre": {}, "fork": "London"}
    path.write_text(json.dumps(content))
    assert not read_block(path).around.operations.uncles
    path.write_text(json.dumps(content | {"preIs": BEFORE}))
    with pytest.raises(FieldError, match="hashes do not say whom to pay"):
        read_block(path)
