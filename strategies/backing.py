"""Backing: what lies behind the state of a block where not all of it is in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from contend.evm import Snapshot, State
from contend.evm.block_image import BlockImage
from contend.strategies.clocks import Clock


class Backing(ABC):
    """What lies behind a state, and brings a part of it into memory when that is first asked for.

    Machines ask by the block's image (`evm.block_image.BlockImage.put_behind`); strategies need not know, unless they
    divide the state among shards (`CompiledStrategy.divides_state`): then each part has a backing of its own.
    """

    machines: int = 1
    """Machines a worker, of which one is at work while the others wait for what lies behind the state."""

    @property
    def reads_ahead(self) -> bool:
        """Whether `read_ahead` does anything, so that outcomes have a phase of it."""
        return False

    @abstractmethod
    def begin(self, image: BlockImage, state: State, clock: Clock) -> None:
        """Take out of memory what is not to be there. Outside the time, before each attempt at a block."""

    @abstractmethod
    def read_ahead(self, image: BlockImage, state: State, workers: int, clock: Clock) -> None:
        """Read what is asked for before the block is executed, within the time."""

    @abstractmethod
    def end(self, image: BlockImage, state: State, before: Snapshot, clock: Clock) -> None:
        """Put back what is not in memory yet, and is as it was before the block. Outside the time."""

    @abstractmethod
    def kept(self, state: State) -> npt.NDArray[np.bool_]:
        """Which locations of the state are in memory because an earlier block has changed them; empty for none."""

    @abstractmethod
    def recipe(self) -> PartRecipe:
        """How a process of a shard makes what is behind its part."""

    @abstractmethod
    def part(self) -> PartBacking:
        """What is behind the part of a shard in this process: of the same device."""

    @abstractmethod
    def note_parts(self, counts: dict[str, int], clock: Clock) -> None:
        """Take note of what all parts have counted, which is taken out of `counts`."""


class PartBacking(ABC):
    """What lies behind a shard's part of a state."""

    @abstractmethod
    def begin(
        self, state: State, kept: npt.NDArray[np.bool_], coinbase: bytes, place: tuple[int, int], clock: Clock
    ) -> int:
        """Take out of memory what is not to be there.

        Parameters
        ----------
        state : State
            The part.
        kept : ndarray of bool
            As of `Backing.kept`, of the part's locations.
        coinbase : bytes
            The beneficiary.
        place : tuple of two ints
            Which shard, of how many.
        clock : Clock

        Returns
        -------
        int
            Address of a `evm.layout.COLD`.
        """

    @abstractmethod
    def end(self, state: State, before: Snapshot) -> dict[str, int]:
        """Put back what is not in memory yet; what was counted.

        Raises
        ------
        CapacityError
            If the state had no room for what was read.
        """


class PartRecipe(ABC):
    """What a process needs to make a `PartBacking`: it can be pickled."""

    @abstractmethod
    def made(self) -> PartBacking:
        """Make it."""
