"""Aria as a strategy."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.base import Outcome
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import Locations, Workspace
from contend.strategies.optimistic.aria.batched_words import final_words_step
from contend.strategies.optimistic.aria.layout import ARIA, ARIA_WORKER, PLACE_BITS, PLACE_MASK, RESERVATION
from contend.strategies.optimistic.aria.worker import aria_step
from contend.strategies.optimistic.occ_window.final_words import written_locations

_FIRST_STAMP = 1 << (64 - int(PLACE_BITS) - 1)
_NOBODY = np.uint64((1 << 64) - 1)


class Aria(OptimisticStrategy):
    """Batches executed against one snapshot each, and committed where reservations say that nothing conflicts.

    Attributes
    ----------
    transactions_per_worker : int
        Members of the largest batch, times the workers; the smallest, and the first, has one for each.
    reorders : bool
        Whether a transaction that has only read what a lower one writes is put before it, and committed.
    """

    name: ClassVar[str] = "aria"
    summary: ClassVar[str] = "batches on one snapshot, reservations, an order of its own (Aria, PVLDB 13(11))"
    takes: ClassVar[tuple[str, ...]] = ()
    lists_accesses: ClassVar[bool] = False
    step = aria_step
    commit_step = final_words_step
    own_shared = ARIA
    own_worker = ARIA_WORKER
    wake_counters: ClassVar[tuple[str, ...]] = ("ticket", "fault")
    transactions_per_worker: int = 4
    reorders: bool = True

    def __init__(self) -> None:
        super().__init__()
        self._reservations: Any = RESERVATION.zeros(0)
        self._stamp = _FIRST_STAMP
        self._rows: npt.NDArray[np.int64] = np.zeros((3, 0), np.int64)

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        outcome = super().attempt(image, state, workers, scale)
        order = self._rows[2, : len(image)].copy()
        if not np.array_equal(order, np.arange(len(image))):
            outcome.order = order
        return outcome

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Lay out the first batch; see `OptimisticStrategy.prepare`."""
        size, own = len(image), space.own_shared
        self._fit(size, state.capacity)
        self._stamp -= size + 1  # a batch commits a transaction at least
        for row, name in enumerate(("members", "fates", "order")):
            own[name] = self._rows[row].ctypes.data
        workers = len(space.workers)
        # A single worker gains nothing by executing what it may not commit.
        most = self.transactions_per_worker * workers if workers > 1 else 1
        own["room"], own["least"], own["most"] = self._rows.shape[1], min(workers, most), most
        own["size"] = own["least"]
        own["reservations"], own["locations"] = self._reservations.ctypes.data, len(self._reservations)
        own["reorders"], own["first_conflict"], own["first_deferred"] = self.reorders, PLACE_MASK, PLACE_MASK
        # In another order others would fit into the block.
        own["is_bound"] = image.block.binding_order or image.limits_matter()
        first = min(int(own["size"]), size)
        self._rows[0, :first] = np.arange(first)
        self._rows[1, :size] = 0  # so that runs repeat, whatever was before
        own["count"], own["fresh"], own["stamp"] = first, first, self._stamp + size

    def _fit(self, size: int, locations: int) -> None:
        """Have room for so many transactions and locations."""
        if len(self._reservations) < locations or self._stamp <= size:
            self._reservations = RESERVATION.zeros(max(locations, len(self._reservations)))
            self._reservations[:] = (_NOBODY, _NOBODY)
            self._stamp = _FIRST_STAMP
        if self._rows.shape[1] <= size:
            self._rows = np.zeros((3, size + 1), np.int64)

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, and batches."""
        return space.counted() | {"batches": int(space.own_shared["batches"])}

    def written_locations(self) -> Locations | None:
        """Locations that the last attempt may have changed; see `CompiledStrategy.written_locations`."""
        return None if self._workspace is None else written_locations(self._workspace)


class AriaInPlace(Aria):
    """`Aria` without its reordering: what that is worth, seen beside `Aria`."""

    name: ClassVar[str] = "aria_in_place"
    summary: ClassVar[str] = "aria without its reordering: who has read what a lower one writes is executed again"
    reorders = False
