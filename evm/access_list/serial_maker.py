"""Block access list made by a serial run of the block, for who needs one outside the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from contend.evm import errors
from contend.evm.access_list.assembly import assemble
from contend.evm.access_list.building.access_log import LOG, AccessLog, log_accesses
from contend.evm.access_list.building.builder import ListBuilder, build_list
from contend.evm.access_list.encoding import FULL, encode
from contend.evm.access_list.list_content import AccessList
from contend.evm.block import Block
from contend.evm.block_image import BlockImage
from contend.evm.drivers.roomy_run import RoomyRun, with_enough_room
from contend.evm.drivers.serial import run_serially
from contend.evm.receipts import ReceiptTable
from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel
from contend.evm.state import State, word_to_int
from contend.evm.vm.transaction import open_machine

FAULT_LOG = -4  # beside the faults of `run_serially`
Made = TypeVar("Made")


@kernel()
def run_and_log(resume, machine_address, state, table, arena, fees, coinbase, count, rows, log):
    """As `evm.drivers.serial.run_serially` for so many transactions, with all accesses logged."""
    machine = open_machine(machine_address)
    for index in range(count):
        ended = run_serially(resume, machine_address, state, table, arena, fees, coinbase, index, index + 1)
        if ended < 0:
            return I(ended)
        if not log_accesses(machine, rows, index + 1, count + 2, LOG.at(log)):
            return I(FAULT_LOG)
    return I(count)


def access_list_of(block: Block, state: State, kind: str = FULL) -> bytes:
    """Encoded access list of a block.

    Parameters
    ----------
    block : Block
    state : State
        Before the block; put back.
    kind : str
        One of `evm.access_list.encoding.KINDS`.

    Raises
    ------
    CapacityError
        If a transaction needs more room than the largest machine has.
    """
    if kind == FULL:
        return _made(block, state, _build)
    return encode(access_list_content(block, state), kind)


def access_list_content(block: Block, state: State) -> AccessList:
    """Access list of a block, with readers; see `access_list_of`."""
    return _made(block, state, _assemble)


def _made(block: Block, state: State, make: Callable[[_Run, State], Made]) -> Made:
    return with_enough_room(block, state, lambda image, scale: make(_run(image, state, scale), state))


@dataclass(frozen=True)
class _Run:
    """What a logged run leaves; `balance` is the beneficiary's before it."""

    log: AccessLog
    table: ReceiptTable
    coinbase: bytes
    balance: int


def _build(run: _Run, state: State) -> bytes:
    builder = ListBuilder(run.log)
    builder.reset(state, run.coinbase, run.balance, run.table.address)
    return build_list(builder)


def _assemble(run: _Run, state: State) -> AccessList:
    rows = run.table.rows[: run.log.size - 2]
    invalid = (rows["status"] == errors.STATUS_INVALID).tolist()
    return assemble(run.log, state, run.coinbase, run.balance, [word_to_int(fee) for fee in rows["fee"]], invalid)


def _run(image: BlockImage, state: State, scale: int) -> _Run:
    count, coinbase = len(image), image.block.environment.coinbase
    run, log = RoomyRun(image, state, scale), AccessLog(count, scale=scale)
    balance = state.balance(coinbase)
    ended = int(run_and_log(*run.arguments, count, log.address, log.log_address(0)))
    run.refuse_fault(ended, "making an access list", {FAULT_LOG: "the log of accesses is full"})
    return _Run(log, run.table, coinbase, balance)
