"""The window as a strategy."""

from __future__ import annotations

from typing import ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import Locations, Workspace
from contend.strategies.optimistic.occ_window.final_words import final_words_step, written_locations
from contend.strategies.optimistic.occ_window.layout import ONE, WINDOW, WINDOW_WORKER
from contend.strategies.optimistic.occ_window.worker import window_step


class OccWindow(OptimisticStrategy):
    """Optimistic concurrency in a window ahead of the commit point, committed in the block's order.

    Attributes
    ----------
    transactions_per_worker : int
        The largest window: so many transactions from the commit point on may be executed, times the workers.
    adapts : bool
        Whether the window's size follows what is found at transactions' turns, or is always the largest.
    compares_values : bool
        Whether a read is stale only where the word has changed, as Monad describes it, or wherever anyone has written.
    """

    name: ClassVar[str] = "occ_window"
    summary: ClassVar[str] = "optimistic in a window, validated and committed in order, two executions at most (Monad)"
    takes: ClassVar[tuple[str, ...]] = ()
    step = window_step
    commit_step = final_words_step
    own_shared = WINDOW
    own_worker = WINDOW_WORKER
    wake_counters: ClassVar[tuple[str, ...]] = ("committed", "fault")
    transactions_per_worker: int = 4
    adapts: bool = True
    compares_values: bool = True

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Set the window's size; see `OptimisticStrategy.prepare`."""
        workers, own = len(space.workers), space.own_shared
        own["most"] = max(int(self.transactions_per_worker * workers), 1) * int(ONE)
        own["size"] = min(own["most"], workers * int(ONE)) if self.adapts else own["most"]
        own["adapts"] = self.adapts
        own["compares_values"] = self.compares_values

    def written_locations(self) -> Locations | None:
        """Locations that the last attempt may have changed; see `CompiledStrategy.written_locations`."""
        return None if self._workspace is None else written_locations(self._workspace)
