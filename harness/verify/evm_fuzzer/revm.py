"""The same transaction on revm, through pyrevm 0.3.7, for comparison.

Its `message_call` charges intrinsic gas and refunds but neither checks the nonce nor takes a fee, and never finalises
its journal: so every comparison has an EVM of its own, a gas price of zero, and reads what it needs right after.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyrevm

from contend.evm import Environment, Log, Transaction
from contend.evm.accounts import Account

# Its forks by our names. It takes any other word for its newest, which has rules that never came.
SPECIFICATIONS = {"Berlin": "Berlin", "London": "London", "Paris": "Merge", "Shanghai": "Shanghai", "Cancun": "Cancun"}
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")


def text(address: bytes) -> str:
    """An address as pyrevm takes it."""
    return "0x" + address.hex()


@dataclass(frozen=True)
class RevmResult:
    """Result of a transaction on revm."""

    success: bool
    reverted: bool
    reason: str
    gas_used: int
    output: bytes
    logs: list[Log]
    storage: dict[tuple[bytes, int], int]
    balances: dict[bytes, int]
    code_hashes: dict[bytes, bytes]


def execute(
    world: Mapping[bytes, Account],
    transaction: Transaction,
    environment: Environment,
    slots: Iterable[tuple[bytes, int]] = (),
    created: Iterable[bytes] = (),
) -> RevmResult | None:
    """Execute a transaction with a gas price of zero, and read `slots`, codes and all balances afterwards.

    Returns
    -------
    RevmResult or None
        None where revm refuses the transaction as invalid.
    """
    if transaction.to is None or transaction.max_fee or environment.base_fee:
        raise ValueError("only calls at a gas price of zero can be compared")
    block = pyrevm.BlockEnv(
        number=environment.number,
        coinbase=text(environment.coinbase),
        timestamp=environment.timestamp,
        prevrandao=environment.prev_randao.to_bytes(32, "big"),
        basefee=0,
        gas_limit=environment.gas_limit,
        excess_blob_gas=0,
    )
    env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=environment.chain_id), block=block)
    evm = pyrevm.EVM(env=env, spec_id=SPECIFICATIONS[environment.fork], gas_limit=environment.gas_limit)
    for address, account in world.items():
        values: dict[str, Any] = {"balance": account.balance, "nonce": account.nonce, "code": account.code or None}
        evm.insert_account_info(text(address), pyrevm.AccountInfo(**values))  # its stub lacks `balance`
        for slot, value in account.storage.items():
            # Inserting touches the journal, and what is in the journal is never written to the database.
            moment = evm.snapshot()
            evm.insert_account_storage(text(address), slot, value)
            evm.revert(moment)
    try:
        output = bytes(
            evm.message_call(
                caller=text(transaction.sender),
                to=text(transaction.to),
                calldata=transaction.data,
                value=transaction.value,
                gas=transaction.gas_limit,
                gas_price=0,
            )
        )
    except RuntimeError as error:
        if "Transaction(" in str(error):
            return None
        found = _OUTPUT.search(str(error))
        output = bytes.fromhex(found[1]) if found else b""
    result = evm.result
    if result is None:
        raise ValueError("revm gave no result")
    logs = []
    if result.is_success:
        for entry in result.logs:
            topics, data = entry.data
            logs.append(
                Log(
                    bytes.fromhex(entry.address.removeprefix("0x")),
                    tuple(int.from_bytes(topic, "big") for topic in topics),
                    bytes(data),
                )
            )
    return RevmResult(
        result.is_success,
        not result.is_success and not result.is_halt,
        result.reason,
        result.gas_used,
        output,
        logs,
        {(address, slot): evm.storage(text(address), slot) for address, slot in slots},
        {address: evm.get_balance(text(address)) for address in world},
        # Not the code itself: `get_code` pads what was created.
        {address: evm.basic(text(address)).code_hash or b"" for address in created},
    )
