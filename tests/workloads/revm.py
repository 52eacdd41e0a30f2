"""Whole blocks on revm (by pyrevm), as an independent judge of the EVM here.

pyrevm 0.3.7 offers message calls, not transactions, and keeps one journal for the life of an EVM: slots stay warm and
original values stay those of the first call. So each transaction runs between a snapshot and a revert, which also
unloads the accounts that it loaded; what it wrote is read before the revert and put into the database after it. Nothing
may be asked of the EVM outside a snapshot, or the account stays loaded and later writes miss the database.

What a transaction is beyond its message call is done here: nonce, prepayment, refund, burned base fee, tip. GASPRICE
and BASEFEE are zero inside a call; no workload's contract reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pyrevm

from contend.evm import Block, Environment, Log, Receipts, State, Transaction

INVALID = 2
TRANSACTION_GAS, ZERO_BYTE_GAS, BYTE_GAS = 21_000, 4, 16
SPEC = "Cancun"
_CHANGE = re.compile(r"StorageChange\w* \{ address: 0x([0-9a-f]{40}), key: (\w+)")
_OUTPUT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*)")


@dataclass(frozen=True)
class Result:
    """A receipt: status 1 success, 0 failure, 2 invalid."""

    status: int
    gas_used: int
    logs: tuple[Log, ...] = ()
    output: bytes = b""


@dataclass
class Revm:
    """A state in revm's database.

    Parameters
    ----------
    state : State
        Copied; not altered.
    environment : Environment
        Of the next block.
    """

    state: State
    environment: Environment
    balances: dict[bytes, int] = field(default_factory=dict)
    nonces: dict[bytes, int] = field(default_factory=dict)
    storage: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._evm = pyrevm.EVM(env=pyrevm.Env(block=_block_env(self.environment)), spec_id=SPEC)
        codes: dict[bytes, bytes] = {}
        for location, word in self.state.contents():
            if location.kind == "storage":
                self.storage[location.address, location.slot] = word
            elif location.kind == "code":
                codes[location.address] = self.state.code(location.address)
            else:
                {"balance": self.balances, "nonce": self.nonces}[location.kind][location.address] = word
        self._codes = codes
        self._tips = 0
        for address in {*self.balances, *self.nonces, *codes}:
            self._put_account(address)
        for (address, slot), word in self.storage.items():
            self._put_storage(address, slot, word)

    def execute(self, block: Block) -> list[Result]:
        """Execute a block and keep its effects."""
        self._evm.set_block_env(_block_env(block.environment))
        self._tips = 0
        results = [self._transact(transaction, block.environment) for transaction in block]
        coinbase = block.environment.coinbase
        self.balances[coinbase] = self.balances.get(coinbase, 0) + self._tips
        self._put_account(coinbase)
        return results

    def _transact(self, transaction: Transaction, header: Environment) -> Result:
        sender, to = transaction.sender, transaction.to
        assert to is not None
        balance = self.balances.get(sender, 0)
        zeros = transaction.data.count(0)
        intrinsic = TRANSACTION_GAS + ZERO_BYTE_GAS * zeros + BYTE_GAS * (len(transaction.data) - zeros)
        if (
            transaction.nonce != self.nonces.get(sender, 0)
            or balance < transaction.gas_limit * transaction.max_fee + transaction.value
            or transaction.gas_limit < intrinsic
            or transaction.max_fee < header.base_fee
        ):
            return Result(INVALID, 0)
        tip = min(transaction.max_fee - header.base_fee, transaction.max_priority_fee)
        price = header.base_fee + tip
        self.balances[sender] = balance - transaction.gas_limit * price
        self.nonces[sender] = transaction.nonce + 1
        self._put_account(sender)

        evm = self._evm
        evm.reset_transient_storage()
        checkpoint = evm.snapshot()
        output, failure = b"", ""
        try:
            output = evm.message_call(
                caller=_hex(sender),
                to=_hex(to),
                calldata=transaction.data,
                value=transaction.value,
                gas=transaction.gas_limit,
                gas_price=0,
            )
        except RuntimeError as error:
            failure = str(error)
        outcome = evm.result
        assert outcome is not None
        if not outcome.is_success and (found := _OUTPUT.search(failure)):
            output = bytes.fromhex(found[1])
        logs = tuple(_log(entry) for entry in outcome.logs) if outcome.is_success else ()
        touched = evm.journal_state if outcome.is_success else {}
        changed = {(bytes.fromhex(a), int(k, 0)) for a, k in _CHANGE.findall(evm.journal_str)}
        written = {(address, slot): evm.storage(_hex(address), slot) for address, slot in changed}
        evm.revert(checkpoint)

        for (address, slot), word in written.items():
            self.storage[address, slot] = word
            self._put_storage(address, slot, word)
        for text, info in touched.items():
            address = bytes.fromhex(text[2:])
            if info.balance != self.balances.get(address, 0):
                self.balances[address] = info.balance
                self._put_account(address)
        self.balances[sender] += (transaction.gas_limit - outcome.gas_used) * price
        self._put_account(sender)
        self._tips += outcome.gas_used * tip
        return Result(int(outcome.is_success), outcome.gas_used, logs, output)

    def _put_account(self, address: bytes) -> None:
        info = pyrevm.AccountInfo(  # type: ignore[call-arg]  # pyrevm's stub lacks the balance
            balance=self.balances.get(address, 0),
            nonce=self.nonces.get(address, 0),
            code=self._codes.get(address, b""),
        )
        self._evm.insert_account_info(_hex(address), info)

    def _put_storage(self, address: bytes, slot: int, word: int) -> None:
        checkpoint = self._evm.snapshot()
        self._evm.insert_account_storage(_hex(address), slot, word)
        self._evm.revert(checkpoint)


def differences(revm: Revm, results: list[Result], receipts: Receipts, state: State) -> list[str]:
    """Where receipts and the state after the last block differ from revm's; empty when they are the same."""
    found = []
    for i, expected in enumerate(results):
        ours = Result(int(receipts.status[i]), int(receipts.gas_used[i]), tuple(receipts.logs(i)), receipts.output(i))
        if ours != expected:
            found.append(f"transaction {i}: {ours} here, {expected} on revm")
    theirs = {("storage", address, slot): word for (address, slot), word in revm.storage.items()}
    theirs |= {("balance", address, 0): word for address, word in revm.balances.items()}
    theirs |= {("nonce", address, 0): word for address, word in revm.nonces.items()}
    here = {(place.kind, place.address, place.slot): word for place, word in state.contents() if place.kind != "code"}
    for key in sorted({*here, *theirs}):
        if here.get(key, 0) != theirs.get(key, 0):
            kind, address, slot = key
            found.append(f"{kind} 0x{address.hex()}[{slot:#x}]: {here.get(key, 0)} here, {theirs.get(key, 0)} on revm")
    return found


def _block_env(header: Environment) -> Any:
    return pyrevm.BlockEnv(
        number=header.number,
        timestamp=header.timestamp,
        coinbase=_hex(header.coinbase),
        prevrandao=header.prev_randao.to_bytes(32, "big"),
        gas_limit=header.gas_limit,
    )


def _hex(address: bytes) -> str:
    return f"0x{address.hex()}"


def _log(entry: Any) -> Log:
    _, data = entry.data
    return Log(bytes.fromhex(entry.address[2:]), tuple(int(topic, 16) for topic in entry.topics), bytes(data))
