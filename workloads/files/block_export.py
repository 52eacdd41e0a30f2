"""Block export: a block with its prestate and the results of a serial run, as `workloads.files.block_file` reads it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contend.workloads.files.around_fields import BEFORE
from contend.workloads.files.authorizations import UNSIGNED
from contend.workloads.files.block_file import FEE_MARKET, FORMAT

if TYPE_CHECKING:
    from contend.evm import Block, Receipts, Transaction
    from contend.evm.accounts import Account
    from contend.evm.block import Authorization, Signature
    from contend.evm.forks import Fork
    from contend.workloads.around_block import AroundBlock


def _hex(data: bytes) -> str:
    """Bytes in hexadecimal, after ``0x``."""
    return "0x" + data.hex()


def _signature(signature: Signature | None) -> dict[str, str]:
    """Signature as clients write one."""
    v, r, s = signature or (0, 0, 0)
    return {"v": hex(v), "r": hex(r), "s": hex(s)}


def _authorization(one: Authorization, signature: Signature | None) -> dict[str, str | None]:
    """Authorisation with its signature, or in place of that with the signer."""
    authority, address, nonce, chain_id = one
    content: dict[str, str | None] = {"chainId": hex(chain_id), "address": _hex(address), "nonce": hex(nonce)}
    if signature is not None:
        v, r, s = signature
        return content | {"yParity": hex(v), "r": hex(r), "s": hex(s)}
    return content | {UNSIGNED: None if authority is None else _hex(authority)}


def _transaction(transaction: Transaction, base_fee: int) -> dict[str, Any]:
    """Transaction as ``eth_getBlockByNumber`` gives it."""
    content: dict[str, Any] = {
        # Nobody asks for the hash. A transaction that was never signed has a signature of zeros.
        "hash": _hex(bytes(32)),
        "type": hex(transaction.type),
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
        **_signature(transaction.signature),
    }
    if transaction.blob_hashes is not None:
        content["maxFeePerBlobGas"] = hex(transaction.max_blob_fee)
        content["blobVersionedHashes"] = [_hex(blob_hash) for blob_hash in transaction.blob_hashes]
    if transaction.authorizations is not None:
        signatures = transaction.authorization_signatures or (None,) * len(transaction.authorizations)
        pairs = zip(transaction.authorizations, signatures, strict=True)
        content["authorizationList"] = [_authorization(one, signature) for one, signature in pairs]
    if transaction.type < FEE_MARKET:
        del content["maxFeePerGas"], content["maxPriorityFeePerGas"]
    return content


def _header(block: Block, gas_used: int, around: AroundBlock | None) -> dict[str, Any]:
    """Header as ``eth_getBlockByNumber`` gives it."""
    from contend.evm.forks import fork_named

    environment = block.environment
    fork = fork_named(environment.fork)
    header = {
        "number": hex(environment.number),
        "timestamp": hex(environment.timestamp),
        "miner": _hex(environment.coinbase),
        "gasLimit": hex(environment.gas_limit),
        "gasUsed": hex(gas_used),
        "difficulty": hex(environment.difficulty if fork.proof_of_work else 0),
        "mixHash": f"0x{environment.prev_randao:064x}",
    }
    if fork.has_base_fee:
        header["baseFeePerGas"] = hex(environment.base_fee)
    if fork.max_blobs:
        header["excessBlobGas"] = hex(_excess(environment.fork, environment.blob_base_fee))
    if around is not None:
        header |= _around_header(around, fork)
    return header


def _around_header(around: AroundBlock, fork: Fork) -> dict[str, Any]:
    """What a header says of operations, and of what came of the block."""
    operations, roots = around.operations, around.roots
    found = {
        "parentHash": operations.parent_hash if "history" in fork.system_calls_before else None,
        "parentBeaconBlockRoot": operations.beacon_root if fork.max_blobs else None,
        "receiptsRoot": roots.receipts,
        "logsBloom": roots.bloom,
        "requestsHash": roots.requests,
        "stateRoot": roots.state,
    }
    return {name: _hex(value) for name, value in found.items() if value is not None}


def _around(around: AroundBlock | None) -> dict[str, Any]:
    """What a block does besides its transactions, and what its state stands for."""
    if around is None:
        return {"withdrawals": []}
    operations = around.operations
    found: dict[str, Any] = {
        "withdrawals": [
            {
                "index": hex(one.index),
                "validatorIndex": hex(one.validator),
                "address": _hex(one.address),
                "amount": hex(one.amount),
            }
            for one in operations.withdrawals
        ]
    }
    if operations.uncles:
        found["uncles"] = [{"miner": _hex(one.beneficiary), "number": hex(one.number)} for one in operations.uncles]
    if around.before is not None:
        found["pre_is"] = BEFORE
    if around.is_whole:
        found["pre_is_whole"] = True
    return found


def _excess(fork: str, fee: int) -> int:
    """Least excess of blob gas that gives this blob base fee, by bisection."""
    from contend.evm.forks import fork_named

    rules, low, high = fork_named(fork), 0, 1
    while rules.blob_base_fee(high) < fee:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if rules.blob_base_fee(middle) >= fee else (middle + 1, high)
    return low


def account_as_json(account: Account, codes: dict[str, str]) -> dict[str, Any]:
    """Account with its code by hash; adds the code to `codes`."""
    from contend.evm.crypto.keccak import keccak256

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
    """Fields of an account that differ; empty where none does. Adds new codes to `codes`."""
    change: dict[str, Any] = {}
    if after.balance != before.balance:
        change["balance"] = hex(after.balance)
    if after.nonce != before.nonce:
        change["nonce"] = after.nonce
    if after.code != before.code:
        change["code_hash"] = account_as_json(after, codes)["code_hash"]
    slots = sorted(
        slot for slot in {*before.storage, *after.storage} if before.storage.get(slot) != after.storage.get(slot)
    )
    if slots:
        change["storage"] = {f"0x{slot:064x}": hex(after.storage.get(slot, 0)) for slot in slots}
    return change


def document_of(
    block: Block,
    before: Mapping[bytes, Account],
    after: Mapping[bytes, Account],
    receipts: Receipts,
    source: str,
    access_list: bytes | None = None,
    around: AroundBlock | None = None,
) -> dict[str, Any]:
    """Content of the file, ready for JSON.

    Parameters
    ----------
    block : Block
    before, after : mapping
        Accounts by address before the block, or before what it does before its transactions where that is told, and
        after its transactions.
    receipts : Receipts
        Of the serial run.
    source : str
        Origin of the block, in words.
    access_list : bytes, optional
        Encoded access list of the block (EIP-7928).
    around : AroundBlock, optional
        What the block does besides its transactions.
    """
    from contend.evm.accounts import Account

    codes: dict[str, str] = {}
    pre = {_hex(address): account_as_json(account, codes) for address, account in sorted(before.items())}
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
        "header": _header(block, int(receipts.gas_used.sum()), around),
        "block_hashes": {str(number): _hex(hash_) for number, hash_ in sorted(environment.block_hashes.items())},
        **_around(around),
        "transactions": [_transaction(transaction, environment.base_fee) for transaction in block],
        "pre": pre,
        "codes": codes,
        "block_access_list": None if access_list is None else _hex(access_list),
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
    """Write the file atomically, as gzip where its name ends in ``.gz``. The same block gives the same bytes."""
    raw = json.dumps(document, separators=(",", ":")).encode()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
