"""What all strategies over compiled code share: room that grows on demand, and the image of a block."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from evm import Block, CapacityError, State, layout, precompiles
from evm.image import BlockImage
from evm.state import intern_location, location_key
from strategies.base import Outcome, Strategy
from strategies.clocks import ACT_SCHEDULE

LOCATIONS_PER_TRANSACTION = 12
SPARE_LOCATIONS = 1 << 12
LARGEST_SCALE = 64


class CompiledStrategy(Strategy):
    """A strategy whose kernels work in memory of fixed size.

    Kernels never allocate. When something is full they stop with a fault; the state is put back, everything is made
    twice as large, and the block is executed again. The timed run is the one that fitted, since the room stays for
    the next block.
    """

    clocks: ClassVar[tuple[str, ...]] = ("wall", "virtual")

    def __init__(self) -> None:
        self._scale = 1
        self._image: BlockImage | None = None

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute `block` on `state`; see `Strategy.execute`."""
        if workers < 1:
            raise ValueError(f"workers = {workers}: at least 1 is needed")
        before = state.snapshot()
        if self.clock.costs is not None:
            state.codes.price(self.clock.costs.table)
        if self._image is None or self._image.block is not block:
            self._image = BlockImage(block)
        began = self.clock.mark()
        while True:
            state.codes.reserve(self._scale)
            state.reserve(state.count + self._scale * (LOCATIONS_PER_TRANSACTION * len(block) + SPARE_LOCATIONS))
            try:
                outcome = self.attempt(self._image, state, workers, self._scale)
            except CapacityError:
                precompiles.raise_failure()
                if self._scale >= LARGEST_SCALE:
                    raise
                self._scale *= 2
                state.restore(before)
                self.clock.rewind(began)
                continue
            if outcome.changes is None:
                outcome.changes = state.changes_since(before)
            return outcome

    def spend(self, number: int, amount: int, activity: int = ACT_SCHEDULE) -> None:
        """Let the clock's time pass for so much work of a class of `strategies.costs`, done by one worker alone."""
        if self.clock.costs is not None:
            self.clock.spend(int(self.clock.costs.table[number]) * amount, activity)

    @abstractmethod
    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once with room for `scale` times the usual.

        Returns
        -------
        Outcome
            With ``changes`` None where `state` itself was changed: they are then read off it, outside the time.

        Raises
        ------
        CapacityError
            If something was too small.
        """


def beneficiary_location(image: BlockImage, state: State) -> int:
    """Number of the location that is the beneficiary's balance."""
    key: npt.NDArray[np.uint64] = location_key(image.block.environment.coinbase, layout.KIND_BALANCE)
    return int(intern_location(state.address, key, 0))
