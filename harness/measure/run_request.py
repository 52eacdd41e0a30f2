"""Engine: one run from request to record, as the command line, `contend.run`, the asv suite and calibration call it."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contend.harness.doctor.run_mark import OtherRun
from contend.harness.errors import BadInputError
from contend.harness.measure.batch import Batch
from contend.harness.measure.executor import Executor, LocalExecutor
from contend.harness.measure.progress_log import ProgressLog
from contend.harness.measure.task import tasks_of
from contend.harness.measure.worker_pool import TimeBudgetSpentError
from contend.harness.observer import Observer
from contend.harness.plan.request import Request, command_words
from contend.harness.plan.resolve import LIMIT, CellKey, MeasurementPlan
from contend.harness.plan.setting import Setting
from contend.harness.record import build, resume
from contend.harness.record.measurement import WorkloadMeasurement
from contend.harness.record.sessions import new_session, note_time

_LOG = logging.getLogger(__name__)
# Between rounds the record is written at most so often, and for at most this share of the time.
_SAVE_EVERY_SECONDS = 1.0
_SAVE_SHARE = 0.03


@dataclass
class Engine:
    """Measures a request, keeping a record that is true at every moment.

    Attributes
    ----------
    request : Request
    observer : Observer
    accepted : callable
        Called once, when the request has been found good, before anything is measured.
    save : callable
        Called with the record whenever a workload is finished, now and then between two rounds, and at the end, however
        the run ends. Never between the runs of a round.
    command : sequence of str or None
        Command line, for the record.
    settings : sequence of Setting
        Those that the request takes values from, for the record.
    executor : callable
        Makes what measures, of the arguments of `LocalExecutor`; here by default.
    resumed : dict or None
        A record to go on with, from `harness.record.resume.read_incomplete`; `request` is the record's own then.
    record : dict
        The record so far; empty until the request has been accepted.
    """

    request: Request
    observer: Observer = field(default_factory=Observer)
    accepted: Callable[[], object] = lambda: None
    save: Callable[[dict[str, Any]], object] = lambda record: None
    command: Sequence[str] | None = None
    settings: Sequence[Setting] = ()
    executor: Callable[..., Executor] = LocalExecutor
    resumed: dict[str, Any] | None = None
    record: dict[str, Any] = field(default_factory=dict, init=False)
    # By workload: what has been measured, and the cells that follow from it.
    _measured: list[WorkloadMeasurement] = field(default_factory=list, init=False)
    _cells: list[list[dict[str, Any]]] = field(default_factory=list, init=False)
    # Places of the workloads whose cells are still to be made of what has been measured.
    _open: list[int] = field(default_factory=list, init=False)
    # Wall-clock runs of others meanwhile.
    _other_runs: Callable[[], list[OtherRun]] = field(default=list, init=False)
    # Of a cluster, that measure.
    _nodes: Callable[[], list[Mapping[str, Any]]] = field(default=list, init=False)
    _saved: float = field(default=-float("inf"), init=False)
    _save_seconds: float = field(default=0.0, init=False)

    def run(self) -> dict[str, Any]:
        """Measure everything, or what is missing.

        Returns
        -------
        dict
            The record, complete unless its time budget was spent.

        Raises
        ------
        BadInputError
            If the request is refused, or what is missing cannot be measured under the same conditions, or a workload
            refuses a file of the user's; nothing of it was measured or saved.
        CrashError
            If the measuring processes cannot work at all, or the time budget was spent before anything was measured.
        KeyboardInterrupt
            If the user ended the run; every process is gone, and the record, which `save` has seen, holds what was
            measured until then.
        """
        with self._executor() as executor:
            self._other_runs, self._nodes = executor.other_runs, executor.nodes
            # Meanwhile the workers import the compiler.
            surroundings = executor.describe()
            ((plan, _, plugins),) = executor.resolve()
            plan = self._with_limit(plan, executor.cores())
            self._log(plan)
            self.observer.planned(plan, self.request.rounds)
            self._begin(plan, build.full_environment(surroundings, plan, plugins))
            before, refused = self.record["cells"], False
            try:
                executor.measure(
                    [self._batch(plan, place) for place in self._open],
                    lambda batch: self._after_round(plan),
                    lambda batch: self._finish(plan, batch),
                )
                executor.close()
                self.record["complete"] = True
            except BadInputError:
                # What other workloads have given by then is kept.
                refused = not any(one.rounds for one in self._measured)
                raise
            except TimeBudgetSpentError:
                self._collect(plan)
                if self.record["cells"] == before:
                    raise
                _LOG.info("the time budget is spent")
            finally:
                # First of all nothing must go on running; then what was measured is kept.
                executor.end()
                self._collect(plan)
                if not refused and (self.record["complete"] or self.record["cells"] != before):
                    self._save()
        return self.record

    def _with_limit(self, plan: MeasurementPlan, cores: int) -> MeasurementPlan:
        """The plan with what serial runs at once reach, for every number of workers that there are cores for."""
        counts = sorted({cell.workers for cell in plan.reported if 1 < cell.workers <= cores})
        if self.request.simulated or not counts:
            return plan
        return replace(plan, cells=(*plan.cells, *(CellKey(LIMIT, workers) for workers in counts)))

    def _log(self, plan: MeasurementPlan) -> None:
        _LOG.info("asked for: %s", shlex.join(["contend", "run", *command_words(self.request.as_json())]))
        workloads, cells = ", ".join(one.title for one in plan.workloads), ", ".join(map(str, plan.cells))
        _LOG.info("workloads: %s; cells of each: %s; runs of each: %d", workloads, cells, self.request.rounds)
        cached = "some not compiled here before" if plan.cold else "all in the cache"
        _LOG.info("kernels %s: %s", plan.kernels_digest, cached)

    def _executor(self) -> Executor:
        if self.resumed is None:
            return self.executor(self.request, self.observer)
        left, first = resume.rounds_left(self.resumed, self.request.rounds), resume.next_process(self.resumed)
        return self.executor(self.request, self.observer, first_process=first, rounds=left)

    def _begin(self, plan: MeasurementPlan, surroundings: dict[str, Any]) -> None:
        places = range(len(plan.workloads))
        if self.resumed is None:
            self.accepted()
            self.record = build.new_record(self.request, plan, surroundings, self.command, self.settings)
            self._measured = [WorkloadMeasurement(workload, plan.cells) for workload in plan.workloads]
            self._cells = [[] for _ in places]
            self._open = list(places)
            return
        record = self.resumed
        resume.check_same(record, plan, surroundings, self.request)
        self.accepted()
        first = resume.next_process(record)
        session = new_session(record["environment"], surroundings, self.command, first)
        self.record = {**record, "sessions": [*record["sessions"], session]}
        self._measured = [resume.measurement_of(record, plan, place) for place in places]
        self._cells = [resume.cells_of(record, place) for place in places]
        self._open = [
            place for place in places if not resume.is_finished(self._measured[place], plan, self.request.rounds)
        ]
        if self.request.cluster is not None and not self.request.simulated:
            # Further runs may be of another node: what was begun is begun anew.
            for place in self._open:
                self._measured[place].forget()
                self._cells[place] = []
        self.observer.resumed(sum(len(cell["samples"]) for cell in record["cells"]))

    def _batch(self, plan: MeasurementPlan, place: int) -> Batch:
        measurement = self._measured[place]
        return Batch(
            ProgressLog([measurement], self.observer),
            [tasks_of(self.request, measurement.plan, plan.cells)],
            dict.fromkeys(plan.cells, self.request.rounds),
            measurement.next_round,
            cold=plan.cold,
        )

    def _finish(self, plan: MeasurementPlan, batch: Batch) -> None:
        self._collect(plan)
        (measurement,) = batch.log.measurements
        self._open = [place for place in self._open if self._measured[place] is not measurement]
        self._save()
        _LOG.info("%s: measured", measurement.plan.title)
        self.observer.finished(measurement.plan.title)
        place = next(place for place, one in enumerate(self._measured) if one is measurement)
        self.observer.recorded(measurement.plan.title, self._cells[place])

    def _after_round(self, plan: MeasurementPlan) -> None:
        pause = max(_SAVE_EVERY_SECONDS, self._save_seconds / _SAVE_SHARE)
        if time.monotonic() - self._saved < pause:
            return
        began = time.monotonic()
        self._collect(plan)
        self._save()
        self._save_seconds = self._saved - began

    def _collect(self, plan: MeasurementPlan) -> None:
        """Make the record's cells of what has been measured; those of finished workloads stay as they are."""
        for name, found in (("other_runs", self._other_runs()), ("nodes", self._nodes())):
            if found:
                self.record["sessions"][-1][name] = found
        for place in self._open:
            measurement = self._measured[place]
            if not resume.is_untouched(measurement):
                self._cells[place] = build.measured_cells(
                    measurement,
                    plan.reported,
                    self.request,
                    self.record["environment"]["cores"],
                    self.record["sessions"],
                )
        self.record["cells"] = [cell for cells in self._cells for cell in cells]

    def _save(self) -> None:
        if self.record["cells"]:
            note_time(self.record["sessions"][-1])
            self.save(self.record)
            self._saved = time.monotonic()


def has_failures(record: dict[str, Any]) -> bool:
    """Whether a cell of the record failed."""
    return any(cell["error"] is not None for cell in record["cells"])
