"""`redo` as a strategy."""

from __future__ import annotations

from typing import ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.interpreter import resume
from contend.evm.redo_log.log_memory import LogMemory
from contend.evm.redo_log.logged_run import resume_logged
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.optimistic.occ_window.strategy import OccWindow
from contend.strategies.optimistic.redo.layout import REDO_WORKER
from contend.strategies.optimistic.redo.worker import redo_step


class Redo(OccWindow):
    """Optimistic in a window, in the block's order; what is stale is redone from a log of its operations.

    Attributes
    ----------
    transactions_per_worker, adapts
        As of `OccWindow`.
    compares_values
        Always.
    """

    name: ClassVar[str] = "redo"
    summary: ClassVar[str] = "optimistic in a window; stale operations are redone by a log (ParallelEVM)"
    lists_accesses: ClassVar[bool] = False
    redoes_operations: ClassVar[bool] = True
    step = redo_step
    own_worker = REDO_WORKER

    def __init__(self) -> None:
        super().__init__()
        self._logs: list[LogMemory] = []

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """The workspace for these sizes, whose machines have logs; see `OptimisticStrategy.workspace`."""
        kept, space = self._workspace, super().workspace(image, state, workers, scale)
        if space is not kept:
            self._logs = [LogMemory(machine) for machine in space.machines]
        return space

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Set the window's size, and both interpreters; see `OptimisticStrategy.prepare`."""
        super().prepare(space, image, state)
        space.own_workers["plain"] = resume.address
        space.own_workers["logged"] = resume_logged.address

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, and what was redone."""
        redone = {name: int(space.own_workers[name].sum()) for name in ("redone", "recomputed")}
        return super().counted(space) | redone
