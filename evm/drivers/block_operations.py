"""What a block does before its transactions, and after them (EIP-4788, 2935, 4895, 6110, 7002, 7251, 7685).

Who is paid is touched, by nothing, too: an account that is empty but for its storage is deleted then (EIP-161). All is
done once, on the state, by whoever executes a whole block; strategies execute what lies between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contend.evm.block import Environment
from contend.evm.drivers.system_calls import CONTRACTS, SystemCaller
from contend.evm.errors import STATUS_INVALID
from contend.evm.forks import Fork
from contend.evm.receipts import Receipts
from contend.evm.state import State

WEI_PER_GWEI = 10**9
UNCLE_DEPTH = 8
DEPOSIT_CONTRACT = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
DEPOSIT_TOPIC = 0x649BBC62D0E31342AFEA4E5CD82D4049E7E1EE912FC0889AA790803BE39038C5
# The parts of a deposit: where each one's length stands in the log's data, and what it is (EIP-6110).
DEPOSIT_PARTS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
DEPOSIT_BYTES = 576
# Why a block is wrong that cannot do what it has to (`BlockOperationError.reason`).
NO_CONTRACT, CALL_FAILED, DEPOSIT_LAYOUT = "no contract", "call failed", "layout of a deposit"


class BlockOperationError(Exception):
    """A block cannot do what it has to besides its transactions.

    Attributes
    ----------
    reason : str
        `NO_CONTRACT`, `CALL_FAILED` or `DEPOSIT_LAYOUT`.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Withdrawal:
    """Ether that comes back from the beacon chain (EIP-4895); `amount` is in Gwei."""

    index: int
    validator: int
    address: bytes
    amount: int


class Uncle(NamedTuple):
    """A block beside the chain that another one pays for: its beneficiary and number."""

    beneficiary: bytes
    number: int


@dataclass(frozen=True)
class Operations:
    """What a block says of what it does besides its transactions.

    Attributes
    ----------
    parent_hash, beacon_root : bytes
        Of the parent, 32 bytes each: what is told to the contracts of EIP-2935 and EIP-4788.
    withdrawals : tuple of Withdrawal
    uncles : tuple of Uncle
    """

    parent_hash: bytes = bytes(32)
    beacon_root: bytes = bytes(32)
    withdrawals: tuple[Withdrawal, ...] = ()
    uncles: tuple[Uncle, ...] = ()


# Told of each account that is paid by no transaction: address and wei.
Payee = Callable[[bytes, int], None]


def operate_before(
    caller: SystemCaller, state: State, environment: Environment, fork: Fork, operations: Operations
) -> None:
    """Do what a block does before its first transaction."""
    for name in fork.system_calls_before:
        told = operations.beacon_root if name == "beacon_roots" else operations.parent_hash
        # Whether it succeeds is the contract's affair; without code there is nothing to call.
        caller.call(state, environment, name, told)


def operate_after(
    caller: SystemCaller,
    state: State,
    environment: Environment,
    fork: Fork,
    operations: Operations,
    receipts: Receipts,
    pay: Payee | None = None,
) -> bytes | None:
    """Do what a block does after its last transaction.

    Parameters
    ----------
    receipts : Receipts
        Of its transactions, in whose logs deposits are.
    pay : callable, optional
        Told of each account that is paid, by a withdrawal of nothing, too.

    Returns
    -------
    bytes or None
        Hash of the requests that it makes; None under a fork that has none.

    Raises
    ------
    BlockOperationError
        If a system contract is not there, or fails, or a deposit's log is malformed.
    """
    if (receipts.status != STATUS_INVALID).any():
        # Each transaction that is executed touches the beneficiary, though it pay it nothing.
        state.delete_if_empty(environment.coinbase)
    for address, wei in _payments(environment, fork, operations):
        if wei:
            state.set_balance(address, state.balance(address) + wei)
        else:
            state.delete_if_empty(address)
        if pay is not None:
            pay(address, wei)
    if not fork.requests:
        return None
    requests = [_deposits(receipts)]
    for name in fork.system_calls_after:
        answer = caller.call(state, environment, name, b"")
        if answer is None:
            raise BlockOperationError(f"{name}: no contract is at 0x{CONTRACTS[name].hex()}", NO_CONTRACT)
        if not answer.succeeded:
            raise BlockOperationError(f"{name}: the call fails", CALL_FAILED)
        requests.append(answer.output)
    return requests_hash(requests)


def requests_hash(requests: Sequence[bytes]) -> bytes:
    """Hash of requests by type, of which empty ones do not count (EIP-7685)."""
    parts = (bytes([kind]) + data for kind, data in enumerate(requests) if data)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _payments(environment: Environment, fork: Fork, operations: Operations) -> list[tuple[bytes, int]]:
    """Who is paid by no transaction: who mined the block and its uncles, by their age, and withdrawals.

    Yellow Paper, section 11.3; EIP-4895.
    """
    found, reward, uncles = [], fork.block_reward, operations.uncles
    if reward:
        found.append((environment.coinbase, reward + reward * len(uncles) // 32))
        for uncle in uncles:
            age = environment.number - uncle.number
            found.append((uncle.beneficiary, reward * (UNCLE_DEPTH - age) // UNCLE_DEPTH))
    if fork.withdrawals:
        found += [(one.address, one.amount * WEI_PER_GWEI) for one in operations.withdrawals]
    return found


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
        raise BlockOperationError("a deposit's log is not laid out as one", DEPOSIT_LAYOUT)
    return b"".join(data[at + 32 : at + 32 + size] for at, size in DEPOSIT_PARTS)
