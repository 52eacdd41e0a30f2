"""Placeholders as a strategy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime.jit import Native
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.waiters.ready_set import ReadyMemory
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS, Workspace
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, TEMPLATE, TRUTH
from contend.strategies.placeholder.layout import CONTEXT, PLACEHOLDER_WORKER, PLACEHOLDERS
from contend.strategies.placeholder.worker import placeholder_step


class Placeholder(OptimisticStrategy):
    """Versions stand before anything executes; readers wait for their writers, and keep their machines meanwhile."""

    name: ClassVar[str] = "placeholder"
    summary: ClassVar[str] = "versions stand before they are written, and readers wait for them (Bohm, VLDB 2015)"
    takes: ClassVar[tuple[str, ...]] = (BLOCK, TEMPLATE, DRY_RUN, DECLARED, TRUTH)
    step: ClassVar[Native] = placeholder_step
    own_shared = PLACEHOLDERS
    own_worker = PLACEHOLDER_WORKER
    wake_counters: ClassVar[tuple[str, ...]] = (*WAKE_COUNTERS, "news", "readied")
    # Who stands at a read waits for one transaction.
    interchangeable = False
    machines_per_worker: ClassVar[int] = 4
    expects_writes: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._room_of: Workspace | None = None

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """The workspace for these sizes, and what lies beside it; see `OptimisticStrategy.workspace`."""
        space = super().workspace(image, state, workers, scale)
        if self._room_of is not space:
            self._room_of = space
            self._contexts = CONTEXT.zeros(len(space.machines))
            self._contexts["machine"] = [machine.address for machine in space.machines]
            self._contexts["reads"] = [reads.ctypes.data for reads in space.reads]
            self._context_of = np.zeros(max(len(image), 1), np.int64)
            self._ready = ReadyMemory(len(image))
        return space

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Have placeholders stand for all that is expected to be written; see `OptimisticStrategy.prepare`."""
        self.gather_hints(space, image, state)
        self.mark_expected_writes(space)
        own, size, workers, contexts = space.own_shared, len(image), len(space.workers), len(self._contexts)
        self._ready.open(own)
        # Each worker has one of the first contexts in hand; of the others each leads to the one before.
        self._contexts["next"] = np.arange(contexts)
        self._contexts["next"][workers : workers + 1] = 0
        for field, value in (
            ("speculative_step", speculative_step.address),
            ("contexts", self._contexts.ctypes.data),
            ("context_count", contexts),
            ("context_of", self._context_of.ctypes.data),
            ("left", size),
            ("free_contexts", contexts if contexts > workers else 0),
            ("first_doubt", size),
        ):
            own[field] = value
        if size:
            space.shared["num_active_tasks"] = 1
            space.shared["execution_idx"] = space.shared["validation_idx"] = size
            space.own_workers["filling"] = 1
            space.own_workers["context"] = np.arange(1, workers + 1)

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, and the source of the hints; repairs are of what hints got wrong."""
        return space.counted(follows_plan=True) | self.hint_counters()
