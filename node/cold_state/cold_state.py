"""Cold state: a store behind the state of a block, and what of it is in memory when the block begins.

The cache holds a share of all records, drawn by their hashes: an account, a slot and a code is there or not, the same
in every run and under every strategy. It is drawn evenly; a cache that has the popular ones would be hit more often.
What earlier blocks in a row have written is in memory, all else of the share's rest is read anew in each block.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm import Snapshot, State
from contend.evm.block_image import BlockImage
from contend.node.store.ahead.read_ahead import ReadAhead
from contend.node.store.base import Opener, Store, StoreError
from contend.node.store.cold_memory import COUNTED, FAULTS, WAITED, ColdMemory
from contend.node.store.disk import Disk
from contend.strategies.backing import Backing, PartBacking, PartRecipe
from contend.strategies.clocks import Clock


@dataclass(frozen=True)
class ColdRecipe(PartRecipe):
    """What a shard's process needs: how to open the store, and what of it is in memory."""

    opener: Opener
    share: float
    seed: int

    def made(self) -> PartBacking:
        """Open the store; see `PartRecipe.made`."""
        kind, arguments = self.opener
        return ColdMemory(kind(*arguments), self.share, None, self.seed)


class ColdState(Backing):
    """A store behind the state.

    Parameters
    ----------
    store : Store
        With the records of the genesis.
    genesis : Snapshot
        Of the state before the first block.
    share : float
        Of the records that are in memory at first, 0 to 1.
    disk : Disk or None
        What a read takes where time is simulated; None for nothing.
    seed : int
        By which the share is drawn.
    ahead : ReadAhead, optional
        Reads before a block is executed.
    machines : int, optional
        That a worker has, under simulated time.
    """

    def __init__(
        self,
        store: Store,
        genesis: Snapshot,
        share: float,
        disk: Disk | None,
        seed: int,
        ahead: ReadAhead | None = None,
        machines: int = 1,
    ) -> None:
        self.store, self._genesis, self._disk, self.ahead = store, genesis, disk, ahead
        self._share, self._seed, self.machines = share, seed, machines
        self._start()

    def _start(self) -> None:
        self._channels = np.zeros(0 if self._disk is None else self._disk.channels, np.int64)
        self._memory = self._part()
        self._counted: dict[str, int] = {}

    def _part(self) -> ColdMemory:
        return ColdMemory(self.store, self._share, self._disk, self._seed, self._channels)

    def again(self, store: Store | None = None) -> ColdState:
        """Another with the same store, or another of the same records, which can be at work at the same time."""
        other = copy(self)
        other.store = self.store if store is None else store
        other.ahead = None if self.ahead is None else self.ahead.again()
        other._start()
        return other

    @property
    def reads_ahead(self) -> bool:
        """Whether anything is read ahead; see `Backing.reads_ahead`."""
        return self.ahead is not None

    def begin(self, image: BlockImage, state: State, clock: Clock) -> None:
        """Take out of memory what is not to be there; see `Backing.begin`."""
        coinbase = image.block.environment.coinbase
        image.put_behind(self._memory.begin(state, self.kept(state), coinbase, (0, 1), clock))

    def kept(self, state: State) -> npt.NDArray[np.bool_]:
        """Locations that have another word than before the first block; see `Backing.kept`."""
        known = self._genesis.count
        if state.count < known or not np.array_equal(state.keys[:known], self._genesis.keys):
            raise StoreError("state: the block is executed on another state than the one that was stored")
        kept = np.zeros(state.count, np.bool_)
        kept[:known] = (state.values[:known] != self._genesis.values).any(axis=1)
        kept[known:] = state.values[known:].any(axis=1)
        return kept if kept.any() else kept[:0]

    def read_ahead(self, image: BlockImage, state: State, workers: int, clock: Clock) -> None:
        """Read what is known to be touched; see `Backing.read_ahead`."""
        if self.ahead is not None:
            self.ahead.run(self._memory.address, image, state, max(workers // self.machines, 1), clock)

    def end(self, image: BlockImage, state: State, before: Snapshot, clock: Clock) -> None:
        """Put back what nobody has asked for; see `Backing.end`.

        Raises
        ------
        CapacityError
            If the state had no room for what was read.
        """
        image.put_behind(0)
        self.note_parts(self._memory.end(state, before), clock)

    def recipe(self) -> PartRecipe:
        """How to open the store once more; see `Backing.recipe`."""
        return ColdRecipe(self.store.opener, self._share, self._seed)

    def part(self) -> PartBacking:
        """Memory for a part, of the same device; see `Backing.part`."""
        return self._part()

    def note_parts(self, counts: dict[str, int], clock: Clock) -> None:
        """Keep what was counted; see `Backing.note_parts`."""
        self._counted = {name: counts.pop(name, 0) for name in COUNTED}
        # Who waits for a device is at no work.
        clock.wait(0, -self._counted[WAITED])

    @property
    def counters(self) -> dict[str, int]:
        """Records that were read in the last attempt, and in how many reads of the device."""
        return {name: self._counted.get(name, 0) for name in COUNTED[:2]}

    def faults(self) -> list[str]:
        """What has gone wrong in the last attempt."""
        count, failure = self._counted.get(FAULTS, 0), self._memory.failure
        why = f": {failure}" if failure is not None else f": {self.store.trouble}"
        return [f"state: {count:,} reads from the store failed{why}"] if count else []
