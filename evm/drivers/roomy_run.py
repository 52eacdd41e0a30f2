"""A block's serial run for what it shows, outside the time: its memory, and more of that where it was too small."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from contend.evm import errors, layout
from contend.evm.block import Block
from contend.evm.block_image import BlockImage
from contend.evm.drivers.serial import FAULT_MACHINE, FAULT_RECEIPTS
from contend.evm.errors import CapacityError
from contend.evm.forks import fork_named
from contend.evm.interpreter import resume
from contend.evm.receipts import ReceiptTable
from contend.evm.state import State, intern_location, key_tuple, location_key
from contend.evm.vm.machine import Machine
from contend.evm.vm.precompiles import raise_failure

LOCATIONS_PER_TRANSACTION, SPARE_LOCATIONS = 24, 1 << 14
ARENA_BYTES_PER_TRANSACTION, SPARE_ARENA_BYTES = 1 << 11, 1 << 20
LARGEST_SCALE = 64
Made = TypeVar("Made")


class RoomyRun:
    """The memory of a serial run of one block.

    Parameters
    ----------
    image : BlockImage
    state : State
        Before the block; gets room for the locations that the block adds.
    scale : int
        Multiplies the usual room.

    Attributes
    ----------
    machine : Machine
    table : ReceiptTable
    fees : int
        Address of the word to which fees are added.
    coinbase : int
        Number of the beneficiary's balance.
    """

    def __init__(self, image: BlockImage, state: State, scale: int) -> None:
        count = len(image)
        state.codes.reserve(scale)
        state.reserve(state.count + scale * (LOCATIONS_PER_TRANSACTION * count + SPARE_LOCATIONS))
        self.machine = Machine(image.address, state.codes.address, scale=scale)
        self.table = ReceiptTable(1, scale * (count * ARENA_BYTES_PER_TRANSACTION + SPARE_ARENA_BYTES))
        self.table.reset(count)
        self._fees = np.zeros(4, np.uint64)
        self.fees = int(self._fees.ctypes.data)
        coinbase_key = key_tuple(location_key(image.block.environment.coinbase, layout.KIND_BALANCE))
        self.coinbase = int(intern_location(state.address, coinbase_key))
        self._state = state

    @property
    def arguments(self) -> tuple[int, ...]:
        """The first arguments of `evm.drivers.serial.run_serially`, up to the beneficiary."""
        table = self.table
        return (
            resume.address,
            self.machine.address,
            self._state.address,
            table.address,
            table.arena_address(0),
            self.fees,
            self.coinbase,
        )

    def refuse_fault(self, ended: int, purpose: str, others: dict[int, str]) -> None:
        """Raise where the run ended with a fault.

        Parameters
        ----------
        ended : int
            What the run's kernel returned; negative for a fault.
        purpose : str
            What it was for.
        others : dict
            Reasons for faults beyond those of `run_serially`.

        Raises
        ------
        CapacityError
            That names the reason.
        """
        if ended >= 0:
            return
        known = {FAULT_MACHINE: errors.describe(self.machine.error), FAULT_RECEIPTS: "receipts are full"} | others
        raise CapacityError(f"{purpose}: {known.get(ended, 'the state is full')}")


def with_enough_room(
    block: Block, state: State, attempt: Callable[[BlockImage, int], Made], keep: bool = False
) -> Made:
    """What an attempt at a run gives, each with twice the room of the one before, until one succeeds.

    Parameters
    ----------
    block : Block
    state : State
        Before the block; put back, if not kept.
    attempt : callable
        Given the block's image and a scale for the room.
    keep : bool
        Leave the state as the attempt that succeeded left it.

    Raises
    ------
    CapacityError
        If a transaction needs more room than the largest machine has.
    """
    image, before, destroys_all = BlockImage(block), state.snapshot(), fork_named(block.environment.fork).destroys_all
    scale, done = 1, False
    while True:
        # Behind the snapshot, and anew each time: to settle changes the state, which is put back as it was.
        state.settle_generations(destroys_all)
        try:
            made = attempt(image, scale)
            done = True
            return made
        except CapacityError:
            raise_failure()
            if scale >= LARGEST_SCALE:
                raise
            scale *= 2
        finally:
            if not (done and keep):
                state.restore(before)
