"""Block of a small chain, executed and traced by our own engine one transaction after the other, as a node has it.

It holds what is easily fetched wrong: an account that gets its first Ether in the block and spends it, contracts that
are created by a transaction and by a contract and then called, a slot that is written before it is first read by
another, a hash of an earlier block, a transaction that fails.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assembler import assemble

from contend.evm import Block, Environment, Receipts, Transaction
from contend.evm.accounts import Account, accounts_of, new_state
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.recorder import record
from contend.evm.state import State, location_of
from contend.harness.verify.full_receipts import receipts_root
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.serial import Serial
from contend.workloads.files.block_export import document_of
from contend.workloads.files.block_file import read_block

NUMBER, TIME = 19_500_000, 1_711_000_000  # of Cancun, on Ethereum's main chain
COINBASE, RICH, FRESH, OTHER = (bytes([n]) * 20 for n in (0xC0, 0x01, 0x0F, 0x02))
COUNTER, HISTORIAN, FAILING, FACTORY = (bytes([n]) * 20 for n in (0x11, 0x12, 0x13, 0x14))
# Writes slot 5, which was 7, and logs what was there.
_COUNTER = assemble("5 SLOAD 0 MSTORE 5 SLOAD 1 ADD 5 SSTORE 9 SLOAD 1 ADD 9 SSTORE 32 0 LOG0 STOP")
# Logs the hash of the block before the last.
_HISTORIAN = assemble("2 NUMBER SUB BLOCKHASH 0 MSTORE 32 0 LOG0 STOP")
_FAILING = assemble("1 0 SSTORE 0 0 REVERT")
# Code of one byte, STOP: from memory that is zero.
_CREATE_STOP = "1 0 RETURN"
_FACTORY = assemble("0x6001600055 216 SHL 0 MSTORE 0x60016000f3 216 SHL 5 MSTORE 10 0 1 CREATE 0 SSTORE STOP")
ETHER = 10**18


@cache
def hash_of(number: int) -> bytes:
    """Hash of a block of the chain."""
    return keccak256(b"block %d" % number)


def created_by(sender: bytes, nonce: int) -> bytes:
    """Address of what an account creates (nonce below 128)."""
    content = b"\x94" + sender + (bytes([nonce]) if nonce else b"\x80")
    return keccak256(bytes([0xC0 + len(content)]) + content)[12:]


@dataclass(frozen=True)
class TracedBlock:
    """The block as a node knows it.

    Attributes
    ----------
    before : dict
        Accounts before it.
    block, receipts : Any
        As ``eth_getBlockByNumber`` and ``eth_getBlockReceipts`` give them.
    steps : list
        Of each transaction: addresses and slots that it touched, accounts before and after it.
    """

    before: dict[bytes, Account]
    block: dict[str, Any]
    receipts: list[dict[str, Any]]
    steps: list[tuple[dict[bytes, set[int]], dict[bytes, Account], dict[bytes, Account]]]

    def traces(self, includes_empty: bool) -> list[dict[str, Any]]:
        """Results of ``prestateTracer``."""
        results = []
        for touched, before, _ in self.steps:
            shown = {}
            for address, slots in touched.items():
                account = before.get(address)
                if account is not None or includes_empty:
                    shown[_hex(address)] = _account(account or Account(), slots)
            results.append(shown)
        return self._wrapped(results)

    def differences(self) -> list[dict[str, Any]]:
        """Results of ``prestateTracer`` with ``diffMode``."""
        results = []
        for _, before, after in self.steps:
            changed = [one for one in {*before, *after} if before.get(one) != after.get(one)]
            results.append(
                {
                    "pre": {_hex(one): _account(before[one], before[one].storage) for one in changed if one in before},
                    "post": {_hex(one): _account(after[one], after[one].storage) for one in changed if one in after},
                }
            )
        return self._wrapped(results)

    def _wrapped(self, results: list[Any]) -> list[dict[str, Any]]:
        hashes = [one["hash"] for one in self.block["transactions"]]
        return [{"txHash": hash_, "result": one} for hash_, one in zip(hashes, results, strict=True)]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _account(account: Account, slots: Any) -> dict[str, Any]:
    """Account as geth's tracer writes it: no field that is zero, but a balance."""
    found: dict[str, Any] = {"balance": hex(account.balance)}
    if account.nonce:
        found["nonce"] = account.nonce
    if account.code:
        found["code"] = _hex(account.code)
    if slots:
        found["storage"] = {f"0x{slot:064x}": f"0x{account.storage.get(slot, 0):064x}" for slot in sorted(slots)}
    return found


@cache
def traced_block() -> TracedBlock:
    """Make the block."""
    environment = Environment(
        number=NUMBER,
        timestamp=TIME,
        gas_limit=30_000_000,
        coinbase=COINBASE,
        block_hashes={number: hash_of(number) for number in range(NUMBER - 256, NUMBER)},
        fork="Cancun",
    )
    made = created_by(RICH, 3)
    transactions = (
        Transaction(RICH, FRESH, 0, value=ETHER),
        Transaction(RICH, COUNTER, 1),
        Transaction(FRESH, OTHER, 0, value=ETHER // 4),
        Transaction(RICH, HISTORIAN, 2),
        Transaction(RICH, None, 3, data=assemble(f"7 3 SSTORE {_CREATE_STOP}"), value=5),
        Transaction(OTHER, made, 0, value=1),
        Transaction(OTHER, COUNTER, 1),
        Transaction(OTHER, FAILING, 2),
        Transaction(OTHER, FACTORY, 3),
        Transaction(RICH, created_by(FACTORY, 1), 4, value=2),
        Transaction(FRESH, RICH, 1, value=1),
    )
    before = {
        RICH: Account(100 * ETHER),
        OTHER: Account(3 * ETHER),
        COUNTER: Account(0, 1, _COUNTER, {5: 7}),
        HISTORIAN: Account(0, 1, _HISTORIAN),
        FAILING: Account(0, 1, _FAILING),
        FACTORY: Account(10, 1, _FACTORY),
    }
    steps, state = [], new_state(before)
    for transaction in transactions:
        steps.append(_step(Block(environment, (transaction,)), state))
    block, whole = Block(environment, transactions), new_state(before)
    receipts = Serial().execute(block, whole, 1).receipts
    assert accounts_of(whole) == accounts_of(state)
    assert list(receipts.status) == [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1]
    return TracedBlock(before, *_answers(block, before, accounts_of(whole), receipts), steps)


def _step(block: Block, state: State) -> tuple[dict[bytes, set[int]], dict[bytes, Account], dict[bytes, Account]]:
    """Execute one transaction on the state, and say what it touched."""
    before = accounts_of(state)
    found = record(block, state, default_costs().table, keep=True)
    # Who begins the transaction, and who is paid for it, are looked at whatever happens.
    touched: dict[bytes, set[int]] = {block.transactions[0].sender: set(), block.environment.coinbase: set()}
    for number in found.locations:
        location = location_of(found.keys[number])
        slots = touched.setdefault(location.address, set())
        if location.kind == "storage":
            slots.add(location.slot)
    return touched, before, accounts_of(state)


def _answers(
    block: Block, before: dict[bytes, Account], after: dict[bytes, Account], receipts: Receipts
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    exported = document_of(block, before, after, receipts, "")
    transactions = [
        {key: value for key, value in one.items() if value is not None or key == "to"} | {"hash": _hex(hash_of(place))}
        for place, one in enumerate(exported["transactions"])
    ]
    answer = exported["header"] | {
        "hash": _hex(hash_of(NUMBER)),
        "parentHash": _hex(hash_of(NUMBER - 1)),
        "parentBeaconBlockRoot": _hex(bytes(32)),
        "receiptsRoot": _hex(receipts_root(receipts, [one.type for one in block])),
        "withdrawals": [{"index": "0x1", "validatorIndex": "0x2", "address": _hex(OTHER), "amount": "0x3"}],
        "size": "0x400",
        "uncles": [],
        "transactions": transactions,
    }
    listed = [
        {
            "transactionHash": transactions[one["i"]]["hash"],
            "blockHash": answer["hash"],
            "gasUsed": hex(one["gas_used"]),
            "status": hex(one["status"]),
            "logs": one["logs"],
        }
        for one in exported["expected"]["receipts"]
    ]
    return answer, listed


def traced_file(path: Path) -> TracedBlock:
    """A chain's own block out of a block file with expected receipts, as a node has it."""
    content, file = json.loads(gzip.decompress(path.read_bytes())), read_block(path)
    state = new_state(file.prestate)
    steps = [_step(Block(file.block.environment, (transaction,)), state) for transaction in file.block]
    hash_ = _hex(hash_of(content["number"]))
    receipts = [
        {
            "transactionHash": sent["hash"],
            "blockHash": hash_,
            "gasUsed": hex(one["gas_used"]),
            "status": hex(one["status"]),
            "logs": one["logs"],
        }
        for sent, one in zip(content["transactions"], content["expected"]["receipts"], strict=True)
    ]
    block = content["header"] | {"hash": hash_, "transactions": content["transactions"]}
    return TracedBlock(dict(file.prestate), block, receipts, steps)
