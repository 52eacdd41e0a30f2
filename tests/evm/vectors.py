"""Reads official state tests (the JSON format of ethereum/tests) into worlds and transactions."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evm import Environment, Transaction
from evm.keccak import keccak256
from tests.evm.runner import Account

FORK = "Cancun"


@dataclass(frozen=True)
class Vector:
    """One transaction from a known state, with what must come of it.

    Attributes
    ----------
    outside : str or None
        What the vector needs that Contend's transactions cannot express: it is not run.
    exception : str or None
        The transaction must be refused, for this reason, and the state stays.
    """

    name: str
    world: dict[bytes, Account]
    environment: Environment
    transaction: Transaction
    state_root: bytes
    logs_hash: bytes
    exception: str | None
    outside: str | None


def octets(text: str) -> bytes:
    """Bytes of a hexadecimal string with its prefix."""
    return bytes.fromhex(text.removeprefix("0x"))


def integer(text: str) -> int:
    """An integer of a hexadecimal string; the format marks some as ``0x:bigint 0x...``."""
    return int(text.rpartition(" ")[2] or "0", 16)


def _environment(content: dict[str, str]) -> Environment:
    number = integer(content["currentNumber"])
    return Environment(
        number=number,
        timestamp=integer(content["currentTimestamp"]),
        gas_limit=integer(content["currentGasLimit"]),
        base_fee=integer(content.get("currentBaseFee", "0x0")),
        coinbase=octets(content["currentCoinbase"]),
        chain_id=1,
        prev_randao=integer(content.get("currentRandom", "0x0")),
        # By the convention of these tests.
        block_hashes={n: keccak256(str(n).encode()) for n in range(max(0, number - 256), number)},
    )


def _world(content: dict[str, Any]) -> dict[bytes, Account]:
    return {
        octets(address): Account(
            integer(account["balance"]),
            integer(account["nonce"]),
            octets(account["code"]),
            {integer(slot): integer(value) for slot, value in account["storage"].items()},
        )
        for address, account in content.items()
    }


def _vectors_of(name: str, content: dict[str, Any], fork: str) -> Iterator[Vector]:
    template = content["transaction"]
    environment, world = _environment(content["env"]), _world(content["pre"])
    for expected in content["post"].get(fork, []):
        at = expected["indexes"]
        lists = template.get("accessLists") or []
        access_list = lists[at["data"]] if at["data"] < len(lists) else None
        outside = None
        if template["to"] == "":
            outside = "a transaction that creates a contract"
        elif "blobVersionedHashes" in template:
            outside = "a blob transaction"
        elif access_list:
            outside = "a transaction with an access list"
        price = template.get("gasPrice")
        yield Vector(
            f"{name}[{at['data']}-{at['gas']}-{at['value']}]",
            world,
            environment,
            Transaction(
                octets(template["sender"]),
                octets(template["to"]) or None,
                integer(template["nonce"]),
                integer(template["gasLimit"][at["gas"]]),
                integer(template["value"][at["value"]]),
                octets(template["data"][at["data"]]),
                integer(template["maxFeePerGas"] if price is None else price),
                integer(template["maxPriorityFeePerGas"] if price is None else price),
            ),
            octets(expected["hash"]),
            octets(expected["logs"]),
            expected.get("expectException"),
            outside,
        )


def from_json(name: str, text: bytes | str, fork: str = FORK) -> Iterator[Vector]:
    """All vectors of one file that say what happens at `fork`."""
    for content in json.loads(text).values():
        yield from _vectors_of(name, content, fork)


@cache
def from_archive(archive: Path) -> tuple[Vector, ...]:
    """All vectors of an archive of such files, in the order of their names."""
    found: list[Vector] = []
    with tarfile.open(archive) as files:
        members = sorted((m for m in files if m.name.endswith(".json")), key=lambda m: m.name)
        for member in members:
            stream = files.extractfile(member)
            if stream is not None:
                found += from_json(member.name.partition("/")[2].removesuffix(".json"), stream.read())
    return tuple(found)
