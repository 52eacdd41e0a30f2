"""System calls: what a block calls by itself, free of charge, before its transactions and after them.

The parent's beacon root (EIP-4788) and hash (EIP-2935) are told to contracts before; requests of validators are
fetched from others afterwards (EIP-7002, EIP-7251). The caller is an address that nobody has the key of; it has 30
million gas, which are no part of the block's, pays nothing, and its nonce stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from contend.evm import errors, layout
from contend.evm.block import Block, Environment, Transaction
from contend.evm.block_image import BlockImage
from contend.evm.drivers.serial import run_serially
from contend.evm.errors import CapacityError
from contend.evm.interpreter import resume
from contend.evm.receipts import ReceiptTable
from contend.evm.state import State, intern_location, key_tuple, location_key
from contend.evm.vm.machine import Machine
from contend.evm.vm.precompiles import raise_failure

SYSTEM = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
SYSTEM_GAS = 30_000_000
# By the names that forks have for them (`evm.forks.fork.Fork.system_calls_before`).
CONTRACTS = {
    "beacon_roots": bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02"),
    "history": bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935"),
    "withdrawal_requests": bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002"),
    "consolidation_requests": bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251"),
}
_NOBODY = Transaction(SYSTEM, None, 0)
# The largest machine: 30 million gas cannot fill it.
LARGEST_SCALE = 64
# Room for a receipt is that for all logs and all output of a machine, so that receipts are never what is too small.
_RECEIPT_BYTES = (1 << 24) + (1 << 22) + (1 << 12)
_SPARE_LOCATIONS = 1 << 12
Observer = Callable[[Machine], None]


@dataclass(frozen=True)
class Answer:
    """What a system call came to."""

    succeeded: bool
    output: bytes


class SystemCaller:
    """Makes system calls, on one machine.

    Parameters
    ----------
    observe : callable, optional
        Given the machine after each call, as the call left it.

    Attributes
    ----------
    work_ps : int
        What the calls cost so far, by the cost table that the state's codes have.
    """

    def __init__(self, observe: Observer | None = None) -> None:
        self.work_ps = 0
        self._observe = observe
        self._scale = 1
        self._machine: Machine | None = None
        self._receipts = ReceiptTable(1, _RECEIPT_BYTES)
        self._fees = np.zeros(4, np.uint64)

    def call(self, state: State, environment: Environment, name: str, data: bytes) -> Answer | None:
        """Call a contract and keep what it writes; None, and nothing done, where it has no code.

        Raises
        ------
        CapacityError
            If it needs more room than the largest machine has.
        """
        target = CONTRACTS[name]
        if not state.code(target):
            return None
        nonce = state.nonce(SYSTEM)
        # Its gas is no part of the block's: it stands behind a transaction that is never executed, with a limit free.
        call = Transaction(SYSTEM, target, nonce, SYSTEM_GAS + _intrinsic(data), 0, data, 0, 0)
        image = BlockImage(Block(replace(environment, gas_limit=(1 << 63) - 1), (_NOBODY, call)))
        row = image.rows[1]
        for field in ("gas_price", "tip", "max_fee"):
            row[field] = 0
        row["flaw"] = errors.NONE
        while not self._attempt(state, environment, image):
            raise_failure()
            # A call that did not end wrote nothing: it is made again, with more room.
            if self._scale >= LARGEST_SCALE:
                assert self._machine is not None
                raise CapacityError(f"system call of {name}: {errors.describe(self._machine.error) or 'no room'}")
            self._scale *= 2
            self._machine, self._receipts = None, ReceiptTable(1, self._scale * _RECEIPT_BYTES)
        state.set_nonce(SYSTEM, nonce)
        receipts = self._receipts.collect(2)
        return Answer(int(receipts.status[1]) == errors.STATUS_SUCCESS, receipts.output(1))

    def _attempt(self, state: State, environment: Environment, image: BlockImage) -> bool:
        """Make a call; whether there was room for it."""
        state.codes.reserve(self._scale)
        state.reserve(state.count + self._scale * _SPARE_LOCATIONS)
        if self._machine is None:
            self._machine = Machine(image.address, state.codes.address, layout.MODE_GENESIS, self._scale)
        machine = self._machine
        machine.attach(image.address, state.codes.address)
        machine.header["gas_before"] = machine.header["blobs_before"] = machine.header["work_done_ps"] = 0
        self._receipts.reset(2)
        coinbase = intern_location(state.address, key_tuple(location_key(environment.coinbase, layout.KIND_BALANCE)))
        table, arena = self._receipts.address, self._receipts.arena_address(0)
        fees = int(self._fees.ctypes.data)
        ended = run_serially(resume.address, machine.address, state.address, table, arena, fees, coinbase, 1, 2)
        if ended < 0:
            return False
        self.work_ps += int(machine.header["work_done_ps"])
        if self._observe is not None:
            self._observe(machine)
        return True


def _intrinsic(data: bytes) -> int:
    """Gas that a transaction takes before its first instruction, which a system call does not."""
    return 21_000 + sum(16 if byte else 4 for byte in data)
