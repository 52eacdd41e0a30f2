"""Batch: the tasks of one workload that are measured together, and the log that they are written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contend.harness.measure.progress_log import ProgressLog
from contend.harness.measure.task import Task
from contend.harness.plan.resolve import CellKey

Rounds = Mapping[CellKey, int]


@dataclass
class Batch:
    """One workload under every version.

    Attributes
    ----------
    log : ProgressLog
    tasks : sequence of mapping
        By version, the task of each cell.
    rounds : mapping
        How many rounds each cell has in all, where time is real; simulated cells are run once.
    first : int
        Number of the first round that is still to be run.
    more : callable, optional
        Called when all rounds are done: how many of each cell there are to be then.
    cold : bool
        Whether kernels have to be compiled.
    """

    log: ProgressLog
    tasks: Sequence[Mapping[CellKey, Task]]
    rounds: Rounds
    first: int = 0
    more: Callable[[], Rounds] | None = None
    cold: bool = False

    def cells(self, version: int | None = None) -> list[CellKey]:
        """List the cells of the batch that have not failed under a version; under any, where none is named."""
        return [key for key in self.log.live(version) if key in self.rounds]

    def live(self, version: int) -> list[Task]:
        """Tasks of a version whose cells have not failed under it."""
        return [self.tasks[version][key] for key in self.cells(version)]
