"""Writing a block as a file that others can run: the form of `workloads.blockfile`, with what a serial run gave."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.blockfile import FORMAT

if TYPE_CHECKING:
    from evm import Block, Receipts, Transaction
    from evm.accounts import Account


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _transaction(transaction: Transaction, base_fee: int) -> dict[str, Any]:
    kind = 3 if transaction.blob_hashes is not None else 2
    content: dict[str, Any] = {
        # These transactions were never signed: there is no hash, and no signature.
        "hash": _hex(bytes(32)),
        "type": hex(kind),
        "from": _hex(transaction.sender),
        "to": None if transaction.to is None else _hex(transaction.to),
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas_limit),
        "value": hex(transaction.value),
        "input": _hex(transaction.data),
        "gasPrice": hex(min(transaction.max_fee, base_fee + transaction.max_priority_fee)),
        "maxFeePerGas": hex(transaction.max_fee),
        "maxPriorityFeePerGas": hex(transaction.max_priority_fee),
        "accessList": [
            {"address": _hex(address), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in transaction.access_list
        ],
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }
    if transaction.blob_hashes is not None:
        content["maxFeePerBlobGas"] = hex(transaction.max_blob_fee)
        content["blobVersionedHashes"] = [_hex(one) for one in transaction.blob_hashes]
    return content


def _header(block: Block, gas_used: int) -> dict[str, Any]:
    environment = block.environment
    header = {
        "number": hex(environment.number),
        "timestamp": hex(environment.timestamp),
        "miner": _hex(environment.coinbase),
        "gasLimit": hex(environment.gas_limit),
        "gasUsed": hex(gas_used),
        "baseFeePerGas": hex(environment.base_fee),
        "difficulty": "0x0",
        "mixHash": f"0x{environment.prev_randao:064x}",
    }
    if environment.fork != "Shanghai":
        header["excessBlobGas"] = hex(_excess(environment.fork, environment.blob_base_fee))
    return header


def _excess(fork: str, fee: int) -> int:
    """The least excess of blob gas that makes this blob base fee."""
    from evm.forks import fork_named

    rules, low, high = fork_named(fork), 0, 1
    while rules.blob_base_fee(high) < fee:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if rules.blob_base_fee(middle) >= fee else (middle + 1, high)
    return low


def _account(account: Account, codes: dict[str, str]) -> dict[str, Any]:
    from evm.keccak import keccak256

    name = None
    if account.code:
        name = _hex(keccak256(account.code))
        codes[name] = _hex(account.code)
    return {
        "balance": hex(account.balance),
        "nonce": account.nonce,
        "code_hash": name,
        "storage": {f"0x{slot:064x}": hex(word) for slot, word in sorted(account.storage.items())},
    }


def _changed(before: Account, after: Account, codes: dict[str, str]) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if after.balance != before.balance:
        change["balance"] = hex(after.balance)
    if after.nonce != before.nonce:
        change["nonce"] = after.nonce
    if after.code != before.code:
        change["code_hash"] = _account(after, codes)["code_hash"]
    slots = sorted(
        slot for slot in {*before.storage, *after.storage} if before.storage.get(slot) != after.storage.get(slot)
    )
    if slots:
        change["storage"] = {f"0x{slot:064x}": hex(after.storage.get(slot, 0)) for slot in slots}
    return change


def document_of(
    block: Block, before: Mapping[bytes, Account], after: Mapping[bytes, Account], receipts: Receipts, source: str
) -> dict[str, Any]:
    """Everything that the file holds."""
    from evm.accounts import Account

    codes: dict[str, str] = {}
    pre = {_hex(address): _account(account, codes) for address, account in sorted(before.items())}
    difference: dict[str, Any] = {}
    for address in sorted({*before, *after}):
        if address not in after:
            difference[_hex(address)] = None
        elif change := _changed(before.get(address, Account()), after[address], codes):
            difference[_hex(address)] = change
    environment = block.environment
    return {
        "format": FORMAT,
        "source": source,
        "number": environment.number,
        "fork": environment.fork.lower(),
        "chain_id": environment.chain_id,
        "header": _header(block, int(receipts.gas_used.sum())),
        "block_hashes": {str(number): _hex(one) for number, one in sorted(environment.block_hashes.items())},
        "withdrawals": [],
        "transactions": [_transaction(one, environment.base_fee) for one in block],
        "pre": pre,
        "codes": codes,
        "expected": {
            "receipts": [
                {
                    "i": i,
                    "gas_used": int(receipts.gas_used[i]),
                    "status": int(receipts.status[i]),
                    "logs": [
                        {
                            "address": _hex(log.address),
                            "topics": [f"0x{topic:064x}" for topic in log.topics],
                            "data": _hex(log.data),
                        }
                        for log in receipts.logs(i)
                    ],
                }
                for i in range(len(block))
            ],
            "post_diff_before_withdrawals": difference,
        },
    }


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file, all at once; as gzip where its name ends so. The same block gives the same bytes."""
    raw = json.dumps(document, separators=(",", ":")).encode()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
