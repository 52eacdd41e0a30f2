"""Progress log: what happens to a workload while it is measured, written down and told to the observer, once each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.measure.task import Result
from contend.harness.measure.worker_link import WorkerLink
from contend.harness.measure.worker_pool import WorkerGoneError
from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey
from contend.harness.record.measurement import RunStamp, WorkloadMeasurement
from contend.harness.record.resume import check_block
from contend.harness.record.sample import BlockFacts, Sample

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One timed run of a round.

    Attributes
    ----------
    process : int
        Number of the worker.
    sample : Sample
    stamp : RunStamp
    elapsed : float
        Seconds until the client had the sample, setting up and verifying included.
    turn : int, optional
        Which of the versions' runs of its cell and round it was, counted from 0.
    """

    process: int
    sample: Sample
    stamp: RunStamp
    elapsed: float
    turn: int = 0


Round = Mapping[CellKey, Sequence[Run]]
"""The runs of a round by cell: one of each version."""


class ProgressLog:
    """Writes to one measurement for each version and tells an observer.

    A cell that has failed under one version is not timed any more under any: what remains has nothing to stand beside.
    But each version is set up with all its own cells: what fails under both is no difference between them.

    Parameters
    ----------
    measurements : sequence of WorkloadMeasurement
        Of the same workload, by version.
    observer : Observer
    names : sequence of str, optional
        What failures call each version; empty where there is only one.

    Attributes
    ----------
    title : str
        What tables and records call the workload.
    refused : str or None
        What of the blocks differs between versions, so that nothing is gained by running them.
    """

    def __init__(
        self, measurements: Sequence[WorkloadMeasurement], observer: Observer, names: Sequence[str] = ("",)
    ) -> None:
        self.measurements = tuple(measurements)
        self.refused: str | None = None
        self.observer = observer
        self._names = tuple(names)
        self.title = measurements[0].plan.title

    def live(self, version: int | None = None) -> list[CellKey]:
        """List the cells that have not failed under a version; under any, where none is named."""
        if self.refused is not None:
            return []
        if version is not None:
            return self.measurements[version].live()
        first, *others = (measurement.live() for measurement in self.measurements)
        return [key for key in first if all(key in other for other in others)]

    def hear(self, version: int, worker: WorkerLink, message: Sequence[Any]) -> Result | None:
        """Take what a worker of a version says of its task: facts, failure, seconds of compilation.

        Returns
        -------
        Result or None
            None for what is said before the task is done.

        Raises
        ------
        BadInputError
            If earlier samples are of another block than the workload builds now, its block breaks a rule, or it
            refuses a file of the user's.
        """
        match message:
            case ["compile", kernel, True, _]:
                self.observer.compiling(worker.number, kernel)
            case ["compile", kernel, False, seconds]:
                self.observer.compiled(worker.number, kernel, seconds)
                _LOG.debug("worker %d: kernel %s there after %.3f s", worker.number, kernel, seconds)
            case ["warning", text]:
                self.observer.warned(text)
            case ["stage", what]:
                self.observer.stage(worker.number, self.title, what)
                _LOG.info("worker %d: %s: %s", worker.number, self.title, what)
            case ["result", content]:
                result = Result.from_plain(content)
                self._take(version, worker, result)
                return result
        return None

    def _take(self, version: int, worker: WorkerLink, result: Result) -> None:
        spent = self.measurements[version].compile_seconds
        spent[worker.number] = spent.get(worker.number, 0.0) + result.compile_seconds
        if result.compile_seconds:
            _LOG.info("worker %d: %.2f s of compiling, or loading kernels", worker.number, result.compile_seconds)
        peaks = self.measurements[version].peak_memory_bytes
        peaks[worker.number] = max(peaks.get(worker.number, 0), result.peak_memory_bytes)
        if result.facts is not None:
            self._compare(version, result.facts)
        if result.about is not None and worker.task is not None:
            self.measurements[version].about[worker.task.key] = result.about
        if result.failure is None:
            return
        if result.refused:
            name = f"{self._names[version]}: " if self._names[version] else ""
            raise BadInputError(name + result.failure.error)
        if worker.task is None or result.broken:
            self._fail_all(version, result.failure.error)
        else:
            self._fail(version, worker.task.key, result.failure.error, result.failure.differences)

    def _compare(self, version: int, facts: BlockFacts) -> None:
        measurement = self.measurements[version]
        known = measurement.facts
        if known is not None and measurement.earlier and not measurement.rounds:
            check_block(measurement.plan.title, known, facts)
        elif known is not None and known != facts:
            self._fail_all(version, "not reproducible: two processes built different blocks from one seed")
        measurement.facts = facts
        for other in self.measurements:
            for what in ("genesis", "block"):
                digests = [getattr(one, f"{what}_digest") for one in (facts, other.facts) if one is not None]
                if len(set(digests)) > 1:
                    self.refused = self.refused or what

    def keep(self, group: int, round_number: int, runs: Round) -> None:
        """Keep the samples of a complete round.

        Parameters
        ----------
        group : int
            Of the workers that made it.
        round_number : int
        """
        for key, made in runs.items():
            times = ", ".join(f"{run.sample.seconds:.6f} s by worker {run.process}" for run in made)
            _LOG.debug("%s, %s, round %d: %s", self.title, key, round_number, times)
        for version, measurement in enumerate(self.measurements):
            mine = {key: by_version[version] for key, by_version in runs.items()}
            for process in sorted({run.process for run in mine.values()}):
                of_process = {key: run for key, run in mine.items() if run.process == process}
                measurement.add(
                    process,
                    round_number,
                    {key: run.sample for key, run in of_process.items()},
                    {key: run.stamp for key, run in of_process.items()},
                )

    def _fail(self, version: int, key: CellKey, error: str, differences: Iterable[str] = ()) -> None:
        """Fail a cell, and with the baseline all of them."""
        measurement = self.measurements[version]
        before = measurement.live()
        measurement.fail(key, error, differences)
        name = f"in {self._names[version]}: " if self._names[version] else ""
        for one in before:
            failure = measurement.failures.get(one)
            if failure is not None:
                self.observer.failed(self.title, one, name + failure.error, list(failure.differences))

    def _fail_all(self, version: int, error: str) -> None:
        """Fail every cell that has not failed."""
        for key in self.measurements[version].live():
            self._fail(version, key, error)

    def handle_exit(self, version: int, gone: WorkerGoneError) -> None:
        """Fail the cell in which a worker ended; all of them if it had not come to one."""
        if gone.worker.task is not None:
            self._fail(version, gone.worker.task.key, gone.how)
        else:
            self._fail_all(version, f"{gone.how} while it set the workload up")
        tail = gone.worker.tail()
        if tail:
            self.observer.note(f"last output of the measuring process:\n{tail}")
