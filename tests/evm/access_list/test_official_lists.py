"""Official lists of EIP-7928: each has the hash that its block's header names, and is in order."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared_data import sample, shared

from contend.evm.access_list import decode, encode, from_json, hash_of, to_json


def listed_blocks(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Blocks with a list that is held to be right, by the name of their test."""
    with tarfile.open(path) as files:
        for member in files:
            stream = files.extractfile(member) if member.name.endswith(".json") else None
            for name, test in json.loads(stream.read()).items() if stream is not None else ():
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
