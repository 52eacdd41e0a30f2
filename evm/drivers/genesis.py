"""Making a first state by really running init code, and asking a state questions by really calling it."""

from __future__ import annotations

import dataclasses

import numpy as np

from contend.evm import errors, layout
from contend.evm.block import Block, Environment, Transaction
from contend.evm.block_image import BlockImage
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.serial import run_serially
from contend.evm.forks import fork_named
from contend.evm.interpreter import resume
from contend.evm.receipts import Receipts, ReceiptTable
from contend.evm.state import State, intern_location, key_tuple, location_key
from contend.evm.vm.machine import Machine
from contend.evm.vm.precompiles import raise_failure

DEPLOYER = bytes.fromhex("de9107e4000000000000000000000000de9107e4")
GAS_LIMIT = 1_000_000_000
ARENA_BYTES = 1 << 24


class GenesisError(RuntimeError):
    """A deployment or call that genesis needs did not succeed.

    Attributes
    ----------
    reason : str
        What ended it, for instance ``out of gas``.
    output : bytes
        What it returned: of a revert, its reason as the contract encodes it.
    """

    def __init__(self, message: str, reason: str = "", output: bytes = b"") -> None:
        super().__init__(message)
        self.reason = reason
        self.output = output


def _rlp_bytes(data: bytes) -> bytes:
    return data if len(data) == 1 and data[0] < 0x80 else bytes([0x80 + len(data)]) + data


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Address of the contract that `sender` creates with this nonce (Yellow Paper, equation 86)."""
    body = _rlp_bytes(sender) + _rlp_bytes(nonce.to_bytes((nonce.bit_length() + 7) // 8, "big"))
    return keccak256(bytes([0xC0 + len(body)]) + body)[12:]


def mapping_slot(slot: int, *keys: int) -> int:
    """Slot of an element of a Vyper ``HashMap`` declared at `slot`: keccak(slot, key), once for each key.

    Of a Solidity ``mapping``, which hashes key and slot, it is ``mapping_slot(key, slot)``.
    """
    for key in keys:
        slot = int.from_bytes(keccak256(slot.to_bytes(32, "big") + key.to_bytes(32, "big")), "big")
    return slot


class _Runner:
    """One machine that runs transactions free of charge, one at a time."""

    def __init__(self, environment: Environment) -> None:
        self.environment = dataclasses.replace(environment, base_fee=0)
        self._table = ReceiptTable(1, ARENA_BYTES)
        self._machine: Machine | None = None
        self._fees = np.zeros(4, np.uint64)

    def run(self, state: State, transaction: Transaction) -> tuple[Receipts, Machine]:
        fork = fork_named(self.environment.fork)
        cap = fork.gas_cap or self.environment.gas_limit
        limit = min(transaction.gas_limit, self.environment.gas_limit, cap)
        transaction = dataclasses.replace(transaction, gas_limit=limit)
        image = BlockImage(Block(self.environment, (transaction,)))
        if self._machine is None:
            self._machine = Machine(image.address, state.codes.address, layout.MODE_GENESIS)
        machine = self._machine
        machine.attach(image.address, state.codes.address)
        state.settle_generations(fork.destroys_all)
        state.codes.reserve()
        state.reserve(state.count + (1 << 14))
        coinbase_key = location_key(self.environment.coinbase, layout.KIND_BALANCE)
        coinbase = intern_location(state.address, key_tuple(coinbase_key))
        self._table.reset(1)
        ended = run_serially(
            resume.address,
            machine.address,
            state.address,
            self._table.address,
            self._table.arena_address(0),
            int(self._fees.ctypes.data),
            coinbase,
            0,
            1,
        )
        if ended < 0:
            raise_failure()
            reason = errors.describe(machine.error) or "state or receipts full"
            raise GenesisError(f"ran out of room: {reason}")
        return self._table.collect(1), machine


class Genesis:
    """Builds the state before the first block.

    Deployments and calls run as transactions at a gas price of zero, so that nobody pays for them and the
    beneficiary earns nothing; nonces advance as ever.

    Parameters
    ----------
    environment : Environment
        What the code sees of the block it runs in.
    """

    def __init__(self, environment: Environment | None = None) -> None:
        self.environment = environment if environment is not None else Environment()
        self.state = State()
        self._runner = _Runner(self.environment)

    def fund(self, address: bytes, balance: int) -> None:
        """Set an account's balance, in wei."""
        self.state.set_balance(address, balance)

    def deploy(self, init_code: bytes, sender: bytes = DEPLOYER, value: int = 0) -> bytes:
        """Run init code and keep what it returns as a contract's code.

        Parameters
        ----------
        init_code : bytes
            Creation bytecode with the constructor's encoded arguments behind it.

        Returns
        -------
        bytes
            The new contract's address, 20 bytes.

        Raises
        ------
        GenesisError
            If the init code fails, or returns code that the fork refuses (EIP-170, EIP-3541).
        """
        nonce = self.state.nonce(sender)
        transaction = Transaction(sender, None, nonce, GAS_LIMIT, value, init_code, max_fee=0, max_priority_fee=0)
        self._succeed(transaction, f"deployment by 0x{sender.hex()}")
        return contract_address(sender, nonce)

    def call(self, to: bytes, data: bytes, sender: bytes = DEPLOYER, value: int = 0) -> bytes:
        """Execute a transaction and keep its effects.

        Returns
        -------
        bytes
            What it returned.

        Raises
        ------
        GenesisError
            If it fails.
        """
        nonce = self.state.nonce(sender)
        transaction = Transaction(sender, to, nonce, GAS_LIMIT, value, data, max_fee=0, max_priority_fee=0)
        return self._succeed(transaction, f"call of 0x{to.hex()} by 0x{sender.hex()}")

    def _succeed(self, transaction: Transaction, what: str) -> bytes:
        receipts, _ = self._runner.run(self.state, transaction)
        if receipts.status[0] != errors.STATUS_SUCCESS:
            raise _failure(what, receipts)
        return receipts.output(0)


def _failure(what: str, receipts: Receipts) -> GenesisError:
    reason, output = receipts.error(0) or "", receipts.output(0)
    return GenesisError(f"{what} ended with '{reason}', output 0x{output.hex()}", reason, output)


def view_call(state: State, environment: Environment, to: bytes, data: bytes, sender: bytes = b"\0" * 20) -> bytes:
    """Call a contract and leave the state as it is.

    Returns
    -------
    bytes
        What it returned.

    Raises
    ------
    GenesisError
        If the call fails.
    """
    twin = state.copy()
    transaction = Transaction(sender, to, state.nonce(sender), GAS_LIMIT, 0, data, max_fee=0, max_priority_fee=0)
    receipts, _ = _Runner(environment).run(twin, transaction)
    if receipts.status[0] != errors.STATUS_SUCCESS:
        raise _failure(f"view of 0x{to.hex()}", receipts)
    return receipts.output(0)
