"""Make the sample of official vectors that lies beside this file: ``make_sample.py DATA``.

`DATA` is the folder of large test data that is no part of the repository (`tests/support/shared_data.py`). Which
vectors are taken follows from rules alone, so that the same data give the same sample: every state test, byte for byte;
and every test of whole blocks that this version can be held to (`_refusal`), without its fields that repeat others.
``manifest.json`` pins each file by its SHA-256; archives are written without times, owners or modes of their own.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MANIFEST = "manifest.json"
FORKS = ("Shanghai", "Cancun", "ShanghaiToCancunAtTime15k")
SOURCES = {
    "state_tests.tar.gz": (
        {
            "name": "ethereum/tests, GeneralStateTests",
            "version": "4c87ebbf024a3e9ec842bcce90564f629a3bcd82 (2024-10-24)",
            "licence": "LICENSE.ethereum-tests",
            "folder": "state",
        },
    ),
    "block_tests.tar.gz": (
        {
            "name": "ethereum/tests, BlockchainTests (ValidBlocks and InvalidBlocks)",
            "version": "not told by the data they were taken from; `_info` in each names its source",
            "licence": "LICENSE.ethereum-tests",
            "folder": "blocks/ethereum-tests",
        },
        {
            "name": "ethereum/execution-spec-tests, blockchain_tests; now part of ethereum/execution-specs",
            "version": "v5.4.0",
            "licence": "LICENSE.execution-specs",
            "folder": "blocks/eest",
        },
    ),
    "access_lists.tar.gz": (
        {
            "name": "ethereum/execution-specs, blockchain_tests of EIP-7928 at the devnet of Amsterdam",
            "version": "tests-bal@v5.7.0",
            "licence": "LICENSE.execution-specs",
            "folder": "access_lists",
        },
    ),
    "whole_blocks.tar.gz": (
        {
            "name": "ethereum/tests, BlockchainTests (ValidBlocks and InvalidBlocks)",
            "version": "not told by the data they were taken from",
            "licence": "LICENSE.ethereum-tests",
            "folder": "whole/ethereum-tests",
        },
        {
            "name": "ethereum/execution-spec-tests, blockchain_tests; now part of ethereum/execution-specs",
            "version": "v5.4.0, and for Prague and Osaka newer ones",
            "licence": "LICENSE.execution-specs",
            "folder": "whole/eest",
        },
    ),
}
LISTED_FILES = 20
# What a block's test says twice: the block in its transport encoding, and the genesis likewise.
REPEATED = {"rlp", "genesisRLP", "uncleHeaders", "chainname", "rlp_decoded"}


def state_files(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each state test."""
    with tarfile.open(data / "statetests" / "statetests_sample.tar.gz") as files:
        for member in files:
            stream = files.extractfile(member) if member.name.endswith(".json") else None
            if stream is not None:
                yield f"state/{member.name.partition('/')[2]}", stream.read()


def block_files(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of block tests of which at least one is taken."""
    with tarfile.open(data / "eest" / "blocktests_dev.tar.gz") as files:
        for member in files:
            stream = files.extractfile(member) if member.name.endswith(".json") else None
            if stream is None:
                continue
            tests = json.loads(stream.read())
            taken = {name: _trimmed(test) for name, test in tests.items() if _refusal(test) is None}
            if taken:
                content = json.dumps(taken, sort_keys=True, separators=(",", ":")) + "\n"
                name = member.name.partition("/")[2].replace("-invalid/", "/").replace("BlockchainTests/", "")
                yield f"blocks/{name.replace('blockchain_tests/', '')}", content.encode()


def _refusal(test: dict[str, Any]) -> str | None:
    """Why a test of whole blocks is not taken; None if it is."""
    if test.get("network") not in FORKS:
        return "another fork"
    if any(name.startswith("expectException") for block in test["blocks"] for name in block):
        return "a block that is to be refused: what a block's header may hold is not this project's"
    if any(block.get("withdrawals") for block in test["blocks"]):
        return "withdrawals, which are no transactions"
    if any("sender" not in one for block in test["blocks"] for one in block["transactions"]):
        return "a sender that only its signature tells; transactions here have senders"
    if "postState" not in test and "postStateHash" not in test:
        return "no state after it"
    return None


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trimmed(one) for name, one in value.items() if name not in REPEATED}
    return [_trimmed(one) for one in value] if isinstance(value, list) else value


def list_files(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the longest files of blocks with access lists, cut to the first test with its lists."""
    found = {}
    with tarfile.open(data / "eest" / "eip7928_blockchain_tests_dev.tar.gz") as files:
        for member in files:
            stream = files.extractfile(member) if member.name.endswith(".json") else None
            if stream is None:
                continue
            taken = {}
            for name, test in json.loads(stream.read()).items():
                blocks = [_listed(block) for block in test["blocks"] if "blockAccessList" in block]
                if blocks:
                    taken[name] = {"network": test["network"], "blocks": blocks}
                    break
            content = json.dumps(taken, sort_keys=True, separators=(",", ":")) + "\n"
            if taken:
                found[f"access_lists/{Path(member.name).name}"] = content.encode()
    yield from sorted(found.items(), key=lambda one: (len(one[1]), one[0]))[-LISTED_FILES:]


def _listed(block: dict[str, Any]) -> dict[str, Any]:
    """What shows that a list is encoded right, and its transactions, for their number."""
    return {name: block[name] for name in ("blockHeader", "blockAccessList", "transactions")}


def whole_files(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the smallest test of whole blocks for each network and for each reason to refuse a block."""
    found: dict[tuple[str, ...], tuple[int, str, bytes]] = {}
    for archived in ("blocktests_dev.tar.gz", "blockchain_prague_osaka_dev.tar.gz"):
        with tarfile.open(data / "eest" / archived) as files:
            for member in files:
                stream = files.extractfile(member) if member.name.endswith(".json") else None
                if stream is None:
                    continue
                folder = "ethereum-tests" if "/ethereum-tests" in member.name else "eest"
                for name, test in json.loads(stream.read()).items():
                    whole = _whole(test)
                    reasons = {block["expectException"] for block in whole["blocks"] if "expectException" in block}
                    content = (json.dumps({name: whole}, sort_keys=True, separators=(",", ":")) + "\n").encode()
                    one = len(content), f"whole/{folder}/{Path(member.name).name}", content
                    for key in [("network", test["network"])] + [("reason", reason) for reason in sorted(reasons)]:
                        found[key] = min(found.get(key, one), one)
    yield from sorted({name: content for _, name, content in found.values()}.items())


def _whole(test: dict[str, Any]) -> dict[str, Any]:
    """What a test of whole blocks does not say twice."""
    kept = {name: test[name] for name in ("network", "pre", "genesisRLP", "lastblockhash")}
    blocks = [{name: block[name] for name in ("rlp", "expectException") if name in block} for block in test["blocks"]]
    return kept | {"blocks": blocks, "postState": test.get("postState")}


def archive(files: dict[str, bytes]) -> bytes:
    """Pack files into a compressed archive that depends on their names and contents only."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as target:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            target.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), 9, mtime=0)


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of each file of an archive."""
    found = {}
    with tarfile.open(path) as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                found[member.name] = hashlib.sha256(stream.read()).hexdigest()
    return found


def main(data: Path) -> None:
    """Write the archives and the manifest."""
    contents = {
        "state_tests.tar.gz": dict(state_files(data)),
        "block_tests.tar.gz": dict(block_files(data)),
        "access_lists.tar.gz": dict(list_files(data)),
        "whole_blocks.tar.gz": dict(whole_files(data)),
    }
    manifest = {}
    for name, files in contents.items():
        (HERE / name).write_bytes(archive(files))
        manifest[name] = {"sources": SOURCES[name], "sha256": digests(HERE / name)}
        print(f"{name}: {len(files)} files, {(HERE / name).stat().st_size} bytes")
    (HERE / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DATA")
    main(Path(sys.argv[1]))
