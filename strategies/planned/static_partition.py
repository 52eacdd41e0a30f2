"""Static partition: groups of transactions that do not touch each other, each group executed in order by one worker.

The hints say who writes before whom; transactions that hang together by that are a component. Components are packed
into lanes, which workers take, the costliest first; one that is too large for a worker is cut, and its transactions are
executed as a dependency graph by all. All workers plan, in kernels (`strategies.planned.partition`). What the hints
missed is found and repaired by the engine of planned strategies.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.planned.access_order import MOST_SHARDS
from contend.strategies.planned.engine import PlanFollower
from contend.strategies.planned.layout import EDGE_SHIFT, PARTITION, PLACED, PLAN
from contend.strategies.planned.partition import partition_step

Words = npt.NDArray[np.uint64]

LAST_EPOCH = (1 << (64 - EDGE_SHIFT)) - 1
# More tasks a stage than workers, so that none waits long for the last one, and not so many that sorting into as many
# shards costs more than it saves.
CHUNKS_PER_WORKER, MOST_CHUNKS = 2, 128
# Workers that may wait for others although something is ready: they keep long paths going. `static_partition` of
# `mixed` gains by it, that of `payments` loses.
WORKERS_PER_WAITING = 16
_WAKE_COUNTERS = ("stage", "fault")


class StaticPartition(PlanFollower):
    """Components of the conflict graph, packed onto workers before execution."""

    name: ClassVar[str] = "static_partition"
    summary: ClassVar[str] = "components of the hinted conflict graph, packed onto workers; large ones cut into a graph"

    wake_counters: ClassVar[tuple[str, ...]] = (*PlanFollower.wake_counters, "advanced")

    def __init__(self) -> None:
        super().__init__()
        self._partition = PARTITION.lines(1)
        self._sizes = (0, 0)
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._accesses: dict[str, npt.NDArray[Any]] = {}
        self._last_writers: Words = np.zeros(0, np.uint64)
        self._epoch = 0

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """The workspace, and room for what grows with block and state; see `OptimisticStrategy.workspace`."""
        size = max(len(image), 1)
        if self._sizes != (size, workers):
            self._sizes = size, workers
            self._arrays = {name: np.zeros(size, np.uint64) for name in _BY_TRANSACTION}
            self._arrays["starts"] = np.zeros(MOST_CHUNKS * (MOST_SHARDS + 1), np.int64)
        if len(self._last_writers) != state.capacity or self._epoch == LAST_EPOCH:
            self._last_writers, self._epoch = np.zeros(state.capacity, np.uint64), 0
        return super().workspace(image, state, workers, scale)

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Gather hints, and have all workers make a plan of them."""
        self.gather_hints(space, image, state)
        self._set_up(space, len(image))
        space.run(partition_step, self.clock, _WAKE_COUNTERS)
        self.begin(space, len(image), len(image))

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, lanes, and components that were cut."""
        return super().counted(space) | {"cut": int(self._partition[0]["cut"])}

    def _set_up(self, space: Workspace, size: int) -> None:
        workers = len(space.workers)
        self._make_room(int(space.hints["count"].sum()))
        self._partition[:] = np.zeros((), PARTITION.dtype)
        self._epoch += 1
        chunk_size = max(-(-size // min(CHUNKS_PER_WORKER * workers, MOST_CHUNKS)), 1)
        for field, value in (
            ("workers", workers),
            ("most_waiting", workers // WORKERS_PER_WAITING),
            ("chunks", max(-(-size // chunk_size), 1)),
            ("chunk_size", chunk_size),
            ("shards", min(1 << (workers - 1).bit_length(), MOST_SHARDS)),
            ("access_room", len(self._accesses["writers"])),
            ("last_writers", self._last_writers.ctypes.data),
            ("location_count", len(self._last_writers)),
            ("epoch", self._epoch),
        ):
            self._partition[0][field] = value
        plan = space.own_shared
        plan["partition"] = self._partition.ctypes.data
        plan["edge_room"] = len(self._accesses["writers"])
        for name, array in (self._arrays | self._accesses).items():
            for struct, memory in ((PARTITION, self._partition[0]), (PLAN, plan)):
                if name in struct.offsets:
                    memory[name] = array.ctypes.data

    def _make_room(self, accesses: int) -> None:
        if not self._accesses or len(self._accesses["writers"]) < accesses:
            room = 1 << max(accesses, 1).bit_length()
            self._accesses = {name: np.zeros(room, np.uint64) for name in ("writers", "edges")}
            self._accesses["placed"] = PLACED.zeros(room)


# Arrays of a word a transaction, by their fields in `PLAN` and `PARTITION`.
_BY_TRANSACTION = (
    "lanes",
    "next_in_lane",
    "waits",
    "successors",
    "ready",
    "places",
    "predecessors",
    "parents",
    "members",
    "weights",
    "tails",
    "lane_links",
)
