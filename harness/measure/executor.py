"""Executor: decides where tasks run. The local one runs them in processes of this machine.

Tasks and results are plain data (`harness.measure.task`), so that another executor can run them elsewhere: on the nodes
of a cluster (`harness.measure.cluster`). Who asks for a measurement (`harness.measure.run_request`,
`harness.compare.runner`) knows the protocol only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from contend.harness.doctor.run_mark import OtherRun, RunMark, told
from contend.harness.measure.affinity import check_affinity
from contend.harness.measure.batch import Batch
from contend.harness.measure.capacity import most_processes
from contend.harness.measure.interleaved_runner import InterleavedRunner
from contend.harness.measure.parallel_runner import ParallelRunner
from contend.harness.measure.task import VersionPlan
from contend.harness.measure.version import THIS, Version
from contend.harness.measure.worker_pool import WorkerPool
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.record.environment import describe, usable_cores

CELLS_A_PROCESS = 4
"""Simulated cells for which another process is worth its start."""


class Executor(Protocol):
    """Place where tasks run. A context manager: leaving it ends all that it started, however it is left."""

    def __enter__(self) -> Self:
        """Start what measures."""

    def __exit__(self, *exception: object) -> None:
        """End everything at once."""

    def describe(self) -> dict[str, Any]:
        """Describe what measures as `harness.record.environment.describe` does; of several machines, the first."""

    def cores(self) -> int:
        """Number of cores that measuring processes may use; of several machines, the least."""

    def nodes(self) -> list[Mapping[str, Any]]:
        """List the nodes of a cluster that measure, as a record keeps them; none where this machine does."""

    def resolve(self) -> list[VersionPlan]:
        """Have the request looked up by what measures, which imports the plug-ins anyway.

        Returns
        -------
        list of VersionPlan
            Of each version.

        Raises
        ------
        BadInputError
            If a name, a dial or a plug-in is refused.
        CrashError
            If looking it up ends the process that does.
        """

    def measure(
        self,
        batches: Sequence[Batch],
        after_round: Callable[[Batch], object] = ...,
        finished: Callable[[Batch], object] = ...,
    ) -> None:
        """Measure what is missing of workloads.

        Parameters
        ----------
        batches : sequence of Batch
            Their logs are filled round by round: whatever interrupts, the caller has what was measured.
        after_round : callable
            Called after each round, while nothing is timed.
        finished : callable
            Called with each batch that is through.

        Raises
        ------
        BadInputError
            If earlier samples are of another block than the workload builds now.
        CrashError
            If what measures keeps dying.
        """

    def other_runs(self) -> list[OtherRun]:
        """List the wall-clock runs of other processes that were under way on what measures, since it was started."""

    def end(self) -> None:
        """End everything at once."""

    def close(self) -> None:
        """End everything after strategies have been closed."""


class LocalExecutor:
    """Runs tasks in worker processes of this machine.

    Where time is real, `processes` workers of each version take turns, and no more of them are started than there are
    rounds. Where it is simulated, there are as many as the machine has cores and memory for; a request for one process
    gets one.

    Parameters
    ----------
    request : Request
    observer : Observer
    versions : sequence of Version, optional
        What is measured; the version that runs now by default.
    first_process : int, optional
        Number of the first worker.
    rounds : int, optional
        Most that any workload still needs; those of the request by default.

    Raises
    ------
    BadInputError
        If workers cannot be pinned as the request asks for.
    """

    def __init__(
        self,
        request: Request,
        observer: Observer,
        versions: Sequence[Version] = (THIS,),
        first_process: int = 0,
        rounds: int | None = None,
    ) -> None:
        check_affinity(request.affinity)
        self._request = request
        self._pool = WorkerPool(request, observer, versions, itertools.count(first_process))
        self._rounds = request.rounds if rounds is None else rounds
        self._observer = observer
        self._mark: RunMark | None = None
        self._told = 0

    def __enter__(self) -> Self:
        if not self._request.simulated:
            self._mark = RunMark()
            self._tell()
        try:
            # A worker without a round of its own would only take part in the set-up.
            self._pool.start(1 if self._request.simulated else min(self._request.processes, max(1, self._rounds)))
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def describe(self) -> dict[str, Any]:
        """Describe this machine; see `Executor.describe`."""
        return describe(self._request.affinity)

    def cores(self) -> int:
        """Number of this machine's cores; see `Executor.cores`."""
        return len(self._request.affinity or usable_cores())

    def nodes(self) -> list[Mapping[str, Any]]:
        """List no nodes; see `Executor.nodes`."""
        return []

    def resolve(self) -> list[VersionPlan]:
        """Have the request looked up by the workers; see `Executor.resolve`."""
        plans = [self._pool.plan(slot) for slot in range(len(self._pool))]
        return plans[: len(self._pool.versions)]

    def measure(
        self,
        batches: Sequence[Batch],
        after_round: Callable[[Batch], object] = lambda batch: None,
        finished: Callable[[Batch], object] = lambda batch: None,
    ) -> None:
        """Measure what is missing of workloads; see `Executor.measure`."""
        if self._request.simulated:
            ready = len(self._pool)
            self._pool.start(max(self._groups(batches) - self._pool.groups, 0))
            ParallelRunner(self._pool, finished, ready).measure(batches)
            return

        def look_around(batch: Batch) -> None:
            self._tell()
            after_round(batch)

        runner = InterleavedRunner(self._pool, look_around)
        for batch in batches:
            runner.measure(batch)
            self._tell()
            finished(batch)

    def _groups(self, batches: Sequence[Batch]) -> int:
        """Number of workers of each version that simulate these cells."""
        if self._request.processes == 1:
            return 1
        versions = len(self._pool.versions)
        cells = sum(len(batch.cells()) for batch in batches)
        workers = max(self._request.workers)
        most = most_processes(workers, self._request.block_size) // versions
        return max(1, min(most, -(-cells // CELLS_A_PROCESS)))

    def other_runs(self) -> list[OtherRun]:
        """List the wall-clock runs of other processes on this machine; see `Executor.other_runs`."""
        return [] if self._mark is None else self._mark.others()

    def _tell(self) -> None:
        """Warn of every run that has not been told yet."""
        others = self.other_runs()
        for run in others[self._told :]:
            self._observer.note(
                f"Another wall-clock run is under way on this machine ({told(run)}). Neither waits: each takes time "
                "from the other, and both records say so."
            )
        self._told = len(others)

    def end(self) -> None:
        """End every worker at once, and whatever its strategies keep."""
        try:
            self._pool.end()
        finally:
            self._unmark()

    def close(self) -> None:
        """End the workers after they have closed their strategies."""
        try:
            self._pool.close()
        finally:
            self._unmark()

    def _unmark(self) -> None:
        if self._mark is not None:
            self._mark.release()
