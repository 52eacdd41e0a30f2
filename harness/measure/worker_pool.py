"""Worker pool: the worker processes of a run together, of one version or of several; heard, restarted, ended."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from contend.harness.errors import BadInputError, CrashError
from contend.harness.measure.task import VersionPlan
from contend.harness.measure.version import THIS, Version
from contend.harness.measure.worker_link import WorkerLink
from contend.harness.measure.worker_process import WorkerProcess
from contend.harness.observer import Observer
from contend.harness.plan.options import options
from contend.harness.plan.request import Request

_TICK_SECONDS = 0.1
_CLOSE_SECONDS = 2.0
_MOST_DEATHS = 50
_KNOWN_TO_ALL = ("workloads", "strategies", "workers", "dials", "block_size", "repeat", "seed", "processes", "timeout")


class WorkerGoneError(Exception):
    """A worker ended, or has to be ended, before its time.

    Attributes
    ----------
    worker : WorkerLink
    how : str
        In words.
    """

    def __init__(self, worker: WorkerLink, how: str) -> None:
        super().__init__(how)
        self.worker = worker
        self.how = how


class PlaceLostError(WorkerGoneError):
    """A worker is gone with the place that it ran at: its task is no cause, and can be run elsewhere."""


class TimeBudgetSpentError(CrashError):
    """The time is up that a run was given."""


class WorkerPool:
    """Worker processes, each in a slot: one that replaces a dead one takes its slot, not its number.

    Neighbouring slots are of different versions: slot `i` measures version `i % len(versions)`, so that workers that
    take turns with each other stand together.

    Parameters
    ----------
    request : Request
        Sent to every worker that starts, to be looked up.
    observer : Observer
        Its `tick` is called whenever the pool waits.
    versions : sequence of Version, optional
        What is measured; the version that runs now by default.
    numbers : iterator of int, optional
        Of the workers, in the order in which they are started; counted from 0 by default.
    start_worker : callable, optional
        Given slot, number and version, starts a worker; by default as a process of this machine.
    wait : callable, optional
        Waits for connections as `multiprocessing.connection.wait` does.
    """

    def __init__(
        self,
        request: Request,
        observer: Observer,
        versions: Sequence[Version] = (THIS,),
        numbers: Iterator[int] | None = None,
        start_worker: Callable[[int, int, Version], WorkerLink] | None = None,
        wait: Callable[[Sequence[Connection[Any, Any]], float], Sequence[Any]] = wait,
    ) -> None:
        self.versions = tuple(versions)
        self._request = request
        self._observer = observer
        self._numbers = itertools.count() if numbers is None else numbers
        self._start_worker = start_worker or self._start_here
        self._wait = wait
        self._restarted = 0
        self._workers: list[WorkerLink] = []
        self._began = time.monotonic()

    def __len__(self) -> int:
        return len(self._workers)

    def __getitem__(self, slot: int) -> WorkerLink:
        return self._workers[slot]

    def __iter__(self) -> Iterator[WorkerLink]:
        return iter(self._workers)

    @property
    def groups(self) -> int:
        """Workers of each version."""
        return len(self._workers) // len(self.versions)

    def start(self, groups: int) -> None:
        """Start so many further workers of each version."""
        for _ in range(groups * len(self.versions)):
            self._workers.append(self._start(len(self._workers)))

    def _start_here(self, slot: int, number: int, version: Version) -> WorkerLink:
        return WorkerProcess(number, version, self._request.affinity)

    def _start(self, slot: int) -> WorkerLink:
        version = self.versions[slot % len(self.versions)]
        worker = self._start_worker(slot, next(self._numbers), version)
        worker.send("plan", plain_request(self._request))
        return worker

    def plan(self, slot: int) -> VersionPlan:
        """Wait for what the worker at `slot` makes of the request.

        Raises
        ------
        BadInputError
            If it refuses the request, or its version is too old.
        CrashError
            If it dies of it.
        PlaceLostError
            If it is gone with its place.
        """
        worker = self._workers[slot]
        label = self.versions[slot % len(self.versions)].label
        whose = f"{label}: " if label else ""
        try:
            verb, content = self.message(slot)
            while verb == "warning":
                self._observer.warned(content)
                verb, content = self.message(slot)
        except PlaceLostError:
            raise
        except WorkerGoneError as gone:
            raise CrashError(
                f"{whose}{gone.how} while it imported strategies and workloads\n{worker.tail()}".strip()
            ) from None
        if verb == "refused":
            raise BadInputError(f"{whose}{content}")
        return VersionPlan.from_plain(content)

    def restart(self, slot: int) -> None:
        """End the worker at `slot`, dead or alive, and start another in its place."""
        if self._restarted == _MOST_DEATHS:
            raise CrashError(f"measuring processes died {_MOST_DEATHS} times; giving up")
        self._restarted += 1
        self._workers[slot].end()
        self._workers[slot] = self._start(slot)
        self.plan(slot)

    def message(self, slot: int) -> list[Any]:
        """Wait for the next message of the worker at `slot`.

        Raises
        ------
        WorkerGoneError
            If it is dead, or has been silent for too long.
        TimeBudgetSpentError
            If the run's time is up.
        """
        worker = self._workers[slot]
        while not self._wait([worker.connection], _TICK_SECONDS):
            self._tick()
            if worker.is_gone():
                raise _gone(worker)
            if worker.silence() > self._request.timeout:
                raise WorkerGoneError(worker, f"no sign of life for {self._request.timeout:g} s")
        self._tick()
        message = worker.receive()
        if message is None:
            raise _gone(worker)
        return message

    def ready(self, slots: Iterable[int]) -> list[int]:
        """Wait until workers have something to say, are gone, or all have been silent for too long.

        Returns
        -------
        list of int
            Those of `slots` whose `message` will not wait for long.
        """
        workers = {slot: self._workers[slot] for slot in slots}
        while True:
            ready = self._wait([worker.connection for worker in workers.values()], _TICK_SECONDS)
            self._tick()
            found = [slot for slot, worker in workers.items() if worker.connection in ready or worker.is_gone()]
            if found:
                return found
            # One that waits for another to compile is silent for as long as that takes.
            if min(worker.silence() for worker in workers.values()) > self._request.timeout:
                return list(workers)[:1]

    def _tick(self) -> None:
        self._observer.tick()
        budget = self._request.time_budget
        if budget is not None and time.monotonic() - self._began > budget:
            raise TimeBudgetSpentError(f"time budget: {budget:g} s were over before anything was measured; give more")

    def end(self) -> None:
        """End every worker at once, and whatever its strategies keep."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def close(self) -> None:
        """End the workers after they have closed their strategies."""
        for worker in self._workers:
            worker.ask_to_close()
        for worker in self._workers:
            worker.end(_CLOSE_SECONDS)
        self._workers.clear()


def _gone(worker: WorkerLink) -> WorkerGoneError:
    how = worker.exit_reason()
    return (PlaceLostError if worker.lost else WorkerGoneError)(worker, how)


def plain_request(request: Request) -> dict[str, Any]:
    """A request that any version can read: its fields, as far as something is asked for.

    What every version knows is always said, since versions may differ in what they take for granted.
    """
    nothing, declared = Request().as_json(), options(type(request))
    return {
        name: value
        for name, value in request.as_json().items()
        if name in _KNOWN_TO_ALL or (value != nothing[name] and not declared[name].for_client)
    }
