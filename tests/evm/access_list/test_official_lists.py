"""Official lists of EIP-7928: each has the hash that its block's header names, and is in order."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared_data import sample, shared

from contend.evm import Block, Environment, Transaction
from contend.evm.access_list import (
    AccessList,
    AccountChanges,
    access_list_content,
    decode,
    encode,
    from_json,
    hash_of,
    list_operations,
    to_json,
)
from contend.evm.accounts import Account, new_state
from contend.evm.drivers.block_operations import Operations, Withdrawal

# What rules of forks that are still to come decide: delegated accounts (EIP-7702), other gas (EIP-7981, EIP-8037).
LATER_RULES = ("bal_7702", "bal_create_and_oog", "bal_sstore_and_oog", "warm_target-oog_before_target_access")


def official_tests(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with tarfile.open(path) as files:
        for member in files:
            stream = files.extractfile(member) if member.name.endswith(".json") else None
            if stream is not None:
                yield from json.loads(stream.read()).items()


def listed_blocks(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Blocks with a list that is held to be right, by the name of their test."""
    for name, test in official_tests(path):
        for block in test["blocks"]:
            if "blockAccessList" in block:
                yield name, block


def check(path: Path) -> int:
    """Check every list; how many there are."""
    count = 0
    for name, block in listed_blocks(path):
        content = from_json(block["blockAccessList"])
        encoded = encode(content)
        assert "0x" + hash_of(encoded).hex() == block["blockHeader"]["blockAccessListHash"], name
        assert decode(encoded, transactions=len(block["transactions"])) == content, name
        assert from_json(to_json(content)) == content, name
        content.check_size(int(block["blockHeader"]["gasLimit"], 16))
        count += 1
    return count


def test_the_sample_has_the_hashes_of_its_headers() -> None:
    assert check(sample("access_lists.tar.gz")) == 24


def test_all_lists_have_the_hashes_of_their_headers() -> None:
    assert check(shared("eest/eip7928_blockchain_tests_dev.tar.gz")) == 168


def octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def transaction_of(content: dict[str, Any]) -> Transaction:
    price = content.get("gasPrice", "0x0")
    listed = content.get("accessList", [])
    blobs = content.get("blobVersionedHashes")
    return Transaction(
        octets(content["sender"]),
        octets(content["to"]) or None,
        int(content["nonce"], 16),
        int(content["gasLimit"], 16),
        int(content["value"], 16),
        octets(content["data"]),
        int(content.get("maxFeePerGas", price), 16),
        int(content.get("maxPriorityFeePerGas", price), 16),
        tuple((octets(one["address"]), tuple(int(key, 16) for key in one["storageKeys"])) for one in listed),
        None if blobs is None else tuple(octets(blob) for blob in blobs),
        int(content.get("maxFeePerBlobGas", "0x0"), 16),
    )


def block_of(content: dict[str, Any]) -> Block:
    header = content["blockHeader"]
    number = int(header["number"], 16)
    environment = Environment(
        number=number,
        timestamp=int(header["timestamp"], 16),
        gas_limit=int(header["gasLimit"], 16),
        base_fee=int(header["baseFeePerGas"], 16),
        coinbase=octets(header["coinbase"]),
        prev_randao=int(header["mixHash"], 16),
        block_hashes={number - 1: octets(header["parentHash"])},
        fork="Prague",
    )
    return Block(environment, tuple(transaction_of(one) for one in content["transactions"]))


def number(text: str) -> int:
    return int(text, 16)


def operations_of(content: dict[str, Any]) -> Operations:
    header = content["blockHeader"]
    paid = (
        Withdrawal(number(one["index"]), number(one["validatorIndex"]), octets(one["address"]), number(one["amount"]))
        for one in content.get("withdrawals", ())
    )
    return Operations(octets(header["parentHash"]), octets(header["parentBeaconBlockRoot"]), tuple(paid))


def apart_from_ether(content: AccessList) -> dict[bytes, tuple[object, ...]]:
    """What a list says, apart from how much ether is left: gas has other prices there."""

    def said(account: AccountChanges) -> tuple[object, ...]:
        paid = tuple(index for index, _ in account.balance_changes)
        return account.storage_changes, account.storage_reads, paid, account.nonce_changes, account.code_changes

    return {account.address: said(account) for account in content}


def test_executed_here_official_blocks_touch_what_their_lists_say() -> None:
    compared = 0
    for name, test in official_tests(shared("eest/eip7928_blockchain_tests_dev.tar.gz")):
        content = test["blocks"][0]
        delegates = any("authorizationList" in one for one in content.get("transactions", ()))
        if len(test["blocks"]) > 1 or "blockAccessList" not in content or not content["transactions"] or delegates:
            continue
        if any(rule in name for rule in LATER_RULES):
            continue
        accounts = {
            octets(address): Account(
                int(account["balance"], 16),
                int(account["nonce"], 16),
                octets(account["code"]),
                {int(slot, 16): int(word, 16) for slot, word in account["storage"].items()},
            )
            for address, account in test["pre"].items()
        }
        block = block_of(content)
        operations = list_operations(block, new_state(accounts), operations_of(content))
        found = operations.joined(access_list_content(block, operations.between))
        assert apart_from_ether(found) == apart_from_ether(from_json(content["blockAccessList"])), name
        compared += 1
    assert compared == 95
