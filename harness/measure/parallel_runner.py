"""Parallel runner: tasks run on all cores at once, each exactly once. For simulated time only.

A simulated cell takes the same time on any worker, at any time, beside any other load; so workers need not take turns.
What remains is to share out the tasks. A worker that is given a cell of another workload has to build that workload and
run it serially first; so each stays with its workload as long as there is something to do, then begins one that nobody
has begun, and only then helps with one that another worker is at, if what is left of it takes longer than building it
again. Of a workload the cells with most workers come first: they take longest, and short ones are left to even out the
end. While kernels have to be compiled, workers prefer strategies that nobody else is at (`harness.kernels`).

A worker that is gone with its place (a node of a cluster that died, say) costs nothing: what it was at waits again, and
the others run it.

A workload is kept when all its cells are done, as a round counts as a whole where time is real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contend.harness.errors import CrashError
from contend.harness.measure.batch import Batch
from contend.harness.measure.progress_log import Run
from contend.harness.measure.task import Result, Task
from contend.harness.measure.worker_pool import PlaceLostError, WorkerGoneError, WorkerPool
from contend.harness.plan.resolve import BASELINE_CELL, CellKey
from contend.harness.record.environment import utc_precisely
from contend.harness.record.measurement import RunStamp

_WORTH_SHARING = 4
"""Cells that a workload has to have left for a second worker to begin it before anybody knows how long they take."""


@dataclass
class _Share:
    """Tasks that are left of a batch for the workers of one version."""

    batch: Batch
    version: int
    waiting: list[Task]
    runs: dict[CellKey, Run] = field(default_factory=dict)
    build_seconds: float = 0.0
    run_seconds: float = 0.0

    def remaining(self) -> list[Task]:
        """Tasks that nobody has begun, of cells that have not failed under this version."""
        live = set(self.batch.cells(self.version))
        self.waiting = [task for task in self.waiting if task.key in live]
        return self.waiting

    def worth_sharing(self) -> bool:
        """Whether another worker should build the workload as well, to help with what is left of it."""
        left = len(self.remaining())
        if not self.runs:
            return left >= _WORTH_SHARING
        return left > 1 and left * self.run_seconds / len(self.runs) > self.build_seconds


@dataclass
class _Seat:
    """Current task of a worker.

    Attributes
    ----------
    busy : bool
        Whether an answer is awaited: to begin with, what it makes of the request.
    closed : bool
        Whether its place is lost, so that it is given nothing any more.
    share : _Share or None
        Whose workload it has built, or builds.
    task : Task or None
        That it runs; None while it builds.
    """

    busy: bool = True
    closed: bool = False
    share: _Share | None = None
    task: Task | None = None
    stamp: RunStamp = field(default_factory=lambda: RunStamp(0, utc_precisely()))
    began: float = 0.0


class ParallelRunner:
    """Measures batches, all at once as far as there are workers.

    Parameters
    ----------
    pool : WorkerPool
        Its workers have been started; those in `ready` have said what they make of the request.
    finished : callable
        Called with each batch when all its cells are done, or have failed.
    ready : int, optional
        Workers whose plan has been heard.
    """

    def __init__(self, pool: WorkerPool, finished: Callable[[Batch], object], ready: int = 0) -> None:
        self._pool = pool
        self._finished = finished
        self._seats = [_Seat(busy=slot >= ready) for slot in range(len(pool))]
        self._shares: list[list[_Share]] = []

    def measure(self, batches: Sequence[Batch]) -> None:
        """Run every task of every batch.

        Raises
        ------
        BadInputError
            If earlier samples are of another block than a workload builds now.
        CrashError
            If workers keep dying, or no place is left.
        """
        versions = range(len(self._pool.versions))
        self._shares = [
            [_Share(batch, version, _long_first(batch.live(version))) for version in versions]
            for batch in batches
            if batch.cells()
        ]
        self._hand_out()
        while self._shares and any(seat.busy for seat in self._seats):
            for slot in self._pool.ready(slot for slot, seat in enumerate(self._seats) if seat.busy):
                # It may have been restarted since, and has nothing to say yet.
                if self._seats[slot].busy:
                    self._hear(slot)
            self._finish()
            self._hand_out()

    # Sharing out

    def _hand_out(self) -> None:
        for slot, seat in enumerate(self._seats):
            if not seat.busy and not seat.closed:
                self._give(slot, seat)

    def _give(self, slot: int, seat: _Seat) -> None:
        share = self._choose(slot % len(self._pool.versions), seat.share)
        if share is None:
            return
        worker = self._pool[slot]
        if share is not seat.share:
            worker.send("build", share.waiting[0].as_plain())
            seat.share, seat.task = share, None
        else:
            seat.task = self._next(share)
            seat.stamp = RunStamp(len(share.runs), utc_precisely())
            share.batch.log.observer.stage(worker.number, share.batch.log.title, f"running {seat.task.key}")
            share.batch.log.observer.running(worker.number, share.batch.log.title, seat.task.key)
            worker.send("run", seat.task.as_plain())
        seat.busy, seat.began, worker.task = True, time.perf_counter(), seat.task

    def _choose(self, version: int, current: _Share | None) -> _Share | None:
        if current is not None and current.remaining():
            return current
        mine = [shares[version] for shares in self._shares]
        for share in mine:
            # No worker has begun it yet, or the one that had is gone.
            if share.remaining() and not self._attended(share):
                return share
        helped = [share for share in mine if share.worth_sharing()]
        return max(helped, key=lambda share: len(share.waiting), default=None)

    def _attended(self, share: _Share) -> bool:
        return any(seat.share is share for seat in self._seats)

    def _next(self, share: _Share) -> Task:
        elsewhere = {seat.task.strategy for seat in self._seats if seat.busy and seat.task is not None}
        tasks = share.waiting
        fresh = (task for task in tasks if task.strategy not in elsewhere) if share.batch.cold else iter(tasks)
        task = next(fresh, tasks[0])
        tasks.remove(task)
        return task

    # Listening

    def _hear(self, slot: int) -> None:
        worker, seat = self._pool[slot], self._seats[slot]
        if seat.share is None:
            try:
                self._pool.plan(slot)
                seat.busy = False
            except PlaceLostError as lost:
                self._close(slot, lost)
            return
        log = seat.share.batch.log
        try:
            message = self._pool.message(slot)
        except PlaceLostError as lost:
            self._close(slot, lost)
            return
        except WorkerGoneError as gone:
            self._handle_exit(slot, gone)
            return
        result = log.hear(seat.share.version, worker, message)
        if result is not None:
            self._take(slot, seat.share, result)

    def _take(self, slot: int, share: _Share, result: Result) -> None:
        worker, seat = self._pool[slot], self._seats[slot]
        elapsed, task = time.perf_counter() - seat.began, seat.task
        seat.busy, seat.task, worker.task = False, None, None
        if task is None:
            share.build_seconds = elapsed
        elif result.sample is not None:
            share.run_seconds += elapsed
            share.runs[task.key] = Run(worker.number, result.sample, seat.stamp, elapsed)
            share.batch.log.observer.measured(share.batch.log.title, task.key, 1)

    def _handle_exit(self, slot: int, gone: WorkerGoneError) -> None:
        share = self._seats[slot].share
        assert share is not None
        share.batch.log.handle_exit(share.version, gone)
        self._seats[slot] = _Seat(busy=False)
        self._pool.restart(slot)

    def _close(self, slot: int, lost: PlaceLostError) -> None:
        """Give up the place of a worker; what it was at waits for another one."""
        seat = self._seats[slot]
        if seat.share is not None and seat.task is not None:
            seat.share.waiting.insert(0, seat.task)
        self._seats[slot] = _Seat(busy=False, closed=True)
        if all(one.closed for one in self._seats):
            raise CrashError(f"{lost.how}; nothing is left to measure on")

    # Keeping

    def _finish(self) -> None:
        """Keep the batches that nobody is at any more and of which nothing is left."""
        at = {id(seat.share) for seat in self._seats if seat.busy}
        for shares in list(self._shares):
            if any(share.remaining() or id(share) in at for share in shares):
                continue
            self._shares.remove(shares)
            log = shares[0].batch.log
            runs = {
                key: [share.runs[key] for share in shares]
                for key in shares[0].batch.cells()
                if all(key in share.runs for share in shares)
            }
            log.keep(0, 0, runs)
            self._finished(shares[0].batch)


def _long_first(tasks: Sequence[Task]) -> list[Task]:
    """The baseline first, without which no other cell means anything; then by workers, the most first."""
    return sorted(tasks, key=lambda task: (task.key != BASELINE_CELL, -task.workers))
