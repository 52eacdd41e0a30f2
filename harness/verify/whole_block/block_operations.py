"""What a block does before its transactions, and after them (EIP-4788, 2935, 4895, 6110, 7002, 7251, 7685).

It is done once, on the state, by whoever executes a whole block; strategies execute what lies between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from contend.evm import Environment, Receipts, State
from contend.evm.forks import Fork
from contend.harness.verify.whole_block.block_refusal import BlockRefusedError
from contend.harness.verify.whole_block.header import Header
from contend.harness.verify.whole_block.system_calls import SystemCaller

WEI_PER_GWEI = 10**9
UNCLE_DEPTH = 8
DEPOSIT_CONTRACT = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
DEPOSIT_TOPIC = 0x649BBC62D0E31342AFEA4E5CD82D4049E7E1EE912FC0889AA790803BE39038C5
# The parts of a deposit: where each one's length stands in the log's data, and what it is (EIP-6110).
DEPOSIT_PARTS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
DEPOSIT_BYTES = 576


@dataclass(frozen=True)
class Withdrawal:
    """Ether that comes back from the beacon chain (EIP-4895); `amount` is in Gwei."""

    index: int
    validator: int
    address: bytes
    amount: int


def operate_before(caller: SystemCaller, state: State, environment: Environment, fork: Fork, header: Header) -> None:
    """Do what a block does before its first transaction."""
    for name in fork.system_calls_before:
        told = header.beacon_root if name == "beacon_roots" else header.parent_hash
        # Whether it succeeds is the contract's affair; without code there is nothing to call.
        caller.call(state, environment, name, told or bytes(32))


def operate_after(
    caller: SystemCaller,
    state: State,
    environment: Environment,
    fork: Fork,
    receipts: Receipts,
    withdrawals: Sequence[Withdrawal],
    uncles: Sequence[Header],
) -> bytes | None:
    """Do what a block does after its last transaction.

    Returns
    -------
    bytes or None
        Hash of the requests that it makes; None under a fork that has none.

    Raises
    ------
    BlockRefusedError
        If a system contract is not there, or fails, or a deposit's log is malformed.
    """
    if fork.block_reward:
        _reward(state, environment, fork, uncles)
    for one in withdrawals:
        if one.amount:
            _pay(state, one.address, one.amount * WEI_PER_GWEI)
    if not fork.requests:
        return None
    requests = [_deposits(receipts)]
    for name in fork.system_calls_after:
        answer = caller.call(state, environment, name, b"")
        if answer is None:
            raise BlockRefusedError(f"{name}: the contract has no code", "SYSTEM_CONTRACT_EMPTY")
        if not answer.succeeded:
            raise BlockRefusedError(f"{name}: the call fails", "SYSTEM_CONTRACT_CALL_FAILED")
        requests.append(answer.output)
    return requests_hash(requests)


def requests_hash(requests: Sequence[bytes]) -> bytes:
    """Hash of requests by type, of which empty ones do not count (EIP-7685)."""
    parts = (bytes([kind]) + data for kind, data in enumerate(requests) if data)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _pay(state: State, address: bytes, wei: int) -> None:
    state.set_balance(address, state.balance(address) + wei)


def _reward(state: State, environment: Environment, fork: Fork, uncles: Sequence[Header]) -> None:
    """Pay for a block that was mined, and for uncles by their age (Yellow Paper, section 11.3)."""
    reward, number = fork.block_reward, environment.number
    _pay(state, environment.coinbase, reward + reward * len(uncles) // 32)
    for uncle in uncles:
        _pay(state, uncle.coinbase, reward * (UNCLE_DEPTH + uncle.number - number) // UNCLE_DEPTH)


def _deposits(receipts: Receipts) -> bytes:
    """Deposits of a block, by the logs of their contract (EIP-6110)."""
    found = []
    for index in range(len(receipts)):
        for log in receipts.logs(index):
            if log.address == DEPOSIT_CONTRACT and log.topics[:1] == (DEPOSIT_TOPIC,):
                found.append(_deposit(log.data))
    return b"".join(found)


def _deposit(data: bytes) -> bytes:
    words = [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
    offsets = tuple(at for at, _ in DEPOSIT_PARTS)
    sound = len(data) == DEPOSIT_BYTES and tuple(words[: len(offsets)]) == offsets
    if not sound or any(words[at // 32] != size for at, size in DEPOSIT_PARTS):
        raise BlockRefusedError("a deposit's log is not laid out as one", "INVALID_DEPOSIT_EVENT_LAYOUT")
    return b"".join(data[at + 32 : at + 32 + size] for at, size in DEPOSIT_PARTS)
