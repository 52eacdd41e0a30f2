"""Runs transactions from a state given as plain numbers, and says what each did: the tool of most tests here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contend.evm import Block, Environment, Log, Receipts, State, Transaction, errors, layout
from contend.evm.accounts import Account as Account
from contend.evm.accounts import World as World
from contend.evm.accounts import accounts_of, new_state
from contend.evm.block_image import BlockImage
from contend.evm.drivers.serial import credit_beneficiary, run_serially
from contend.evm.interpreter import resume
from contend.evm.receipts import ReceiptTable
from contend.evm.state import Location, intern_location, key_tuple, location_key
from contend.evm.vm.machine import Machine

ARENA_BYTES = 1 << 24
make_state, read_world = new_state, accounts_of


@dataclass(frozen=True)
class Result:
    """What a block did: its receipts, the state after it, and the locations that it changed."""

    receipts: Receipts
    state: State
    changes: dict[Location, int]

    @property
    def status(self) -> int:
        """Status of the first transaction."""
        return int(self.receipts.status[0])

    @property
    def gas_used(self) -> int:
        """Gas of the first transaction."""
        return int(self.receipts.gas_used[0])

    @property
    def error(self) -> str | None:
        """Error of the first transaction."""
        return self.receipts.error(0)

    @property
    def output(self) -> bytes:
        """Output of the first transaction."""
        return self.receipts.output(0)

    @property
    def logs(self) -> list[Log]:
        """Logs of the first transaction."""
        return self.receipts.logs(0)


class MachineFaultError(AssertionError):
    """The driver ended in a fault, which no small test may cause."""


class Runner:
    """Runs blocks with the direct driver, keeping one machine from one to the next."""

    def __init__(self, mode: int = layout.MODE_NORMAL, scale: int = 1) -> None:
        self.mode, self.scale = mode, scale
        self.machine: Machine | None = None
        self._table = ReceiptTable(1, ARENA_BYTES)

    def prepare(self, state: State, block: Block) -> tuple[BlockImage, Machine]:
        """An image of the block and the machine attached to it. The image must outlive the run."""
        image = BlockImage(block)
        if self.machine is None:
            self.machine = Machine(image.address, state.codes.address, self.mode, self.scale)
        self.machine.attach(image.address, state.codes.address)
        return image, self.machine

    def run_block(self, state: State, block: Block) -> Result:
        """Execute all transactions on `state`, then credit the beneficiary; an error where the driver gives up."""
        image, machine = self.prepare(state, block)
        state.reserve(state.count + (1 << 13))
        state.codes.reserve()
        before = state.snapshot()
        coinbase_key = location_key(block.environment.coinbase, layout.KIND_BALANCE)
        coinbase = intern_location(state.address, key_tuple(coinbase_key))
        fees = np.zeros(4, np.uint64)
        self._table.reset(len(block))
        ended = run_serially(
            resume.address,
            machine.address,
            state.address,
            self._table.address,
            self._table.arena_address(0),
            int(fees.ctypes.data),
            coinbase,
            0,
            len(image),
        )
        if ended < 0:
            raise MachineFaultError(f"driver fault {ended}: {errors.describe(machine.error)}")
        credit_beneficiary(state.address, coinbase, int(fees.ctypes.data))
        # Not dict(): Changes has `keys`, so that would take it for a mapping.
        changed = {location: word for location, word in state.changes_since(before)}  # noqa: C416
        return Result(self._table.collect(len(block)), state, changed)

    def run(
        self,
        world: World,
        transactions: Transaction | Sequence[Transaction],
        environment: Environment | None = None,
        alter: Callable[[State], None] | None = None,
    ) -> Result:
        """Execute transactions from a world."""
        if isinstance(transactions, Transaction):
            transactions = (transactions,)
        state = new_state(world)
        if alter is not None:
            alter(state)
        return self.run_block(state, Block(environment or Environment(), tuple(transactions)))


FREE = Environment(base_fee=0)
SENDER = bytes.fromhex("a94f5374fce5edbc8e2a8697c15331677e6ebf0b")
CONTRACT = bytes.fromhex("c0de00000000000000000000000000000000c0de")


def free_call(
    to: bytes = CONTRACT, data: bytes = b"", value: int = 0, gas_limit: int = 1_000_000, nonce: int = 0
) -> Transaction:
    """A transaction by `SENDER` at a gas price of zero, for environments such as `FREE`."""
    return Transaction(SENDER, to, nonce, gas_limit, value, data, max_fee=0, max_priority_fee=0)


def with_code(code: bytes, storage: Mapping[int, int] | None = None, **others: Account) -> dict[bytes, Account]:
    """A rich `SENDER` and a `CONTRACT` with this code."""
    contract = Account(balance=1000, nonce=1, code=code, storage=dict(storage or {}))
    world = {SENDER: Account(balance=10**24), CONTRACT: contract}
    return world | {bytes.fromhex(name): account for name, account in others.items()}


def replaced(account: Account, **changes: object) -> Account:
    """An account with some values changed."""
    return dataclasses.replace(account, **changes)  # type: ignore[arg-type]  # the names are checked at run time
