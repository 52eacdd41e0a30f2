"""Soak: draws are run one after the other by one measuring process, until time is up or something is wrong.

The process is the one that every run has (`harness.measure.worker`), and it is kept: what a strategy keeps from block
to block and from workload to workload is part of what is tried, and so is that it gives all back when it is closed,
which it is after every few draws. Every run is checked by the oracle. Where a result
differs, the cell is run again by a fresh process: if it differs again, ``contend run`` repeats it, and else only the
soak from its beginning does.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from contend.harness.errors import BadInputError
from contend.harness.measure.progress_log import ProgressLog
from contend.harness.measure.task import Task, VersionPlan, tasks_of
from contend.harness.measure.worker_pool import WorkerGoneError, WorkerPool, plain_request
from contend.harness.observer import Observer
from contend.harness.plan.request import Request, command_words
from contend.harness.plan.resolve import CellKey
from contend.harness.record.measurement import CellFailure, WorkloadMeasurement
from contend.harness.verify.soak.draws import CANARY, drawn
from contend.harness.verify.soak.memory_growth import growth

CANARY_EVERY = 5
_ATTEMPTS = 3


@dataclass(frozen=True)
class Difference:
    """What went wrong.

    Attributes
    ----------
    number : int
        Of the draw.
    what : str
        Which cell, or that memory grows.
    failure : CellFailure
    command : str
        Repeats it.
    """

    number: int
    what: str
    failure: CellFailure
    command: str


@dataclass
class Tally:
    """What has been run so far.

    Attributes
    ----------
    draws, cells : int
        Begun; run and verified.
    refused : int
        Draws that no node would accept, or whose dials do not go together.
    memory : list of int
        Bytes that the process held after each canary.
    difference : Difference or None
    """

    draws: int = 0
    cells: int = 0
    refused: int = 0
    memory: list[int] = field(default_factory=list)
    difference: Difference | None = None


class Soak:
    """Runs draws. A context manager: leaving it ends the measuring process.

    Parameters
    ----------
    seed : int
    observer : Observer
    draw : callable, optional
        Of seed and number: a request; `drawn` by default.
    canary : Request, optional
        Run again and again; memory is looked at behind it.
    """

    def __init__(
        self,
        seed: int,
        observer: Observer,
        draw: Callable[[int, int], Request] = drawn,
        canary: Request = CANARY,
    ) -> None:
        self.tally = Tally()
        self._seed = seed
        self._observer = observer
        self._draw = draw
        self._canary = canary
        self._pool = WorkerPool(canary, observer)

    def __enter__(self) -> Self:
        self._pool.start(1)
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.end()

    def run(
        self,
        until: float,
        draws: int | None = None,
        after_draw: Callable[[Tally], object] = lambda tally: None,
    ) -> Tally:
        """Run draws.

        Parameters
        ----------
        until : float
            By `time.monotonic`; a draw that has begun then is finished.
        draws : int, optional
            Most of them.
        after_draw : callable, optional
            Called after each.

        Returns
        -------
        Tally
            With a difference, at which it has stopped, or without.

        Raises
        ------
        CrashError
            If the measuring process cannot work at all.
        """
        self._pool.plan(0)
        while self.tally.difference is None and time.monotonic() < until:
            if self.tally.draws == draws:
                break
            number = self.tally.draws
            if number % CANARY_EVERY == 0:
                self._look_at_memory(number)
            if self.tally.difference is None:
                self.tally.draws += 1
                self._try(number, self._draw(self._seed, number))
            after_draw(self.tally)
        return self.tally

    def _try(self, number: int, request: Request) -> None:
        found = self._measure(request)
        if found is not None:
            self._differs(number, request, *found)

    def _differs(self, number: int, request: Request, key: CellKey, failure: CellFailure) -> None:
        """Keep what has gone wrong, with the command that repeats it."""
        alone = _alone(request, key)
        words = ["contend", "run", *command_words(alone.as_json()), "--isolated", "--no-charts"]
        if not self._fails_again(alone):
            # Perhaps by what other blocks have left behind.
            words = ["contend", "soak", "--seed", str(self._seed), "--draws", str(number + 1)]
        what = f"{request.workloads[0]}, {key}"
        self.tally.difference = Difference(number, what, failure, shlex.join(words))

    def _fails_again(self, alone: Request) -> bool:
        for _ in range(_ATTEMPTS):
            self._pool.restart(0)
            if self._measure(alone) is not None:
                return True
        return False

    def _measure(self, request: Request) -> tuple[CellKey, CellFailure] | None:
        """Run every cell of a request once; the first that fails, with why."""
        plan = self._resolved(request)
        if plan is None:
            return None
        (workload,), cells = plan.plan.workloads, plan.plan.cells
        measurement = WorkloadMeasurement(workload, cells)
        log, tasks = ProgressLog([measurement], self._observer), tasks_of(request, workload, cells)
        for key in cells:
            try:
                self._run(log, tasks[key])
            except BadInputError:
                self.tally.refused += 1
                return None
            except WorkerGoneError as gone:
                log.handle_exit(0, gone)
                self._pool.restart(0)
            if key in measurement.failures:
                return key, measurement.failures[key]
            self.tally.cells += 1
        self._observer.finished(workload.title)
        return None

    def _resolved(self, request: Request) -> VersionPlan | None:
        """What the process makes of a request; None where it refuses it."""
        self._pool[0].send("plan", plain_request(request))
        try:
            return self._pool.plan(0)
        except BadInputError:
            self.tally.refused += 1
            return None

    def _run(self, log: ProgressLog, task: Task) -> None:
        worker = self._pool[0]
        worker.task = task
        self._observer.running(worker.number, log.title, task.key)
        worker.send("run", task.as_plain())
        result = None
        while result is None:
            result = log.hear(0, worker, self._pool.message(0))
        worker.task = None
        if result.sample is not None:
            self._observer.measured(log.title, task.key, 1)

    def _look_at_memory(self, number: int) -> None:
        """Have everything closed, run the canary, note what the process holds then, and look for growth."""
        self._pool[0].send("forget", None)
        found = self._measure(self._canary)
        if found is not None:
            self._differs(number, self._canary, *found)
            return
        self._pool[0].send("memory", None)
        verb, held = self._pool.message(0)
        while verb != "memory":
            verb, held = self._pool.message(0)
        self.tally.memory.append(int(held))
        grown = growth(self.tally.memory)
        if grown is not None:
            error = f"from {grown[0] / 2**20:,.0f} to {grown[1] / 2**20:,.0f} MiB after the same work"
            command = shlex.join(["contend", "soak", "--seed", str(self._seed), "--draws", str(number + 1)])
            self.tally.difference = Difference(number, "memory grows", CellFailure(error), command)


def _alone(request: Request, key: CellKey) -> Request:
    """The request for one cell, whose strategy is named with what it is given."""
    return replace(request, strategies=(key.strategy,), workers=(key.workers,), hints=None, repeat=10)
