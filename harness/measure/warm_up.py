"""Warm-up: a workload set up in several workers at once: built, run serially, every cell run once untimed."""

from __future__ import annotations

from collections.abc import Iterable

from contend.harness.measure.batch import Batch
from contend.harness.measure.task import Task
from contend.harness.measure.worker_pool import PlaceLostError, WorkerGoneError, WorkerPool
from contend.harness.plan.resolve import BASELINE_CELL, LIMIT


class WarmUp:
    """Sets one workload up.

    The client hands out one cell at a time, so that a cell that fails in one worker is not tried in another.

    Parameters
    ----------
    pool : WorkerPool
    batch : Batch
        Its log is told what fails.
    """

    def __init__(self, pool: WorkerPool, batch: Batch) -> None:
        self._pool = pool
        self._batch = batch
        self._log = batch.log
        self._tasks: dict[int, list[Task]] = {}

    def run(self, slots: Iterable[int]) -> None:
        """Set the workload up in the workers at `slots`, which are then ready for rounds."""
        waiting = list(slots)
        for slot in waiting:
            self._begin(slot)
        while waiting:
            for slot in self._pool.ready(waiting):
                # It may have been restarted since, on account of another one's failure, and has nothing to say yet.
                if self._hear(slot):
                    waiting.remove(slot)

    def _begin(self, slot: int) -> None:
        worker = self._pool[slot]
        tasks = self._batch.live(self._version(slot))
        # The baseline comes first; on a cold cache the workers then compile different strategies, and load each
        # other's work.
        first = [task for task in tasks if task.key == BASELINE_CELL]
        rest = [task for task in tasks if task.key != BASELINE_CELL]
        by = slot * len(rest) // len(self._pool)
        self._tasks[slot] = [*first, *rest[by:], *rest[:by]]
        worker.task = None
        # The first worker builds, and so compiles what everyone needs first; the others would only wait for it.
        if self._batch.cold and slot > 0:
            worker.send("compile", sorted({task.strategy for task in tasks} - {LIMIT}))
        worker.send("build", tasks[0].as_plain())

    def _version(self, slot: int) -> int:
        return slot % len(self._pool.versions)

    def _hear(self, slot: int) -> bool:
        """Take one message of the worker at `slot`; True if it is ready, or there is nothing left to set up."""
        worker = self._pool[slot]
        try:
            message = self._pool.message(slot)
        except PlaceLostError:
            raise
        except WorkerGoneError as gone:
            return self._handle_exit(slot, gone)
        return self._log.hear(self._version(slot), worker, message) is not None and self._next(slot)

    def _next(self, slot: int) -> bool:
        worker, live = self._pool[slot], set(self._batch.cells(self._version(slot)))
        while self._tasks[slot]:
            task = self._tasks[slot].pop(0)
            if task.key in live:
                worker.task = task
                self._log.observer.stage(worker.number, self._log.title, f"warming up {task.key}")
                worker.send("warm", task.as_plain())
                return False
        worker.task = None
        return True

    def _handle_exit(self, slot: int, gone: WorkerGoneError) -> bool:
        stopped_at = gone.worker.task
        self._log.handle_exit(self._version(slot), gone)
        self._restart(slot)
        for other, worker in enumerate(self._pool):
            # What ended one worker is about to end this one as well.
            if stopped_at is not None and worker.task == stopped_at and other in self._tasks:
                self._restart(other)
        return not self._batch.cells(self._version(slot))

    def _restart(self, slot: int) -> None:
        self._pool.restart(slot)
        if self._batch.cells(self._version(slot)):
            self._begin(slot)
