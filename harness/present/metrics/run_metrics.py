"""Run metrics: what a monitor is told of a run, kept up to date by the events of the run.

Labels are bounded, since a monitor keeps a series for every set of values that it has ever seen: names of strategies,
workloads and worker counts only, never a message, a path or a dial's value; and no more sets of them than `MOST_SERIES`
for each metric. What is beyond is counted and left out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey, MeasurementPlan

MOST_SERIES = 1_000
_OF_CELL = ("workload", "strategy", "workers")
_OF_RECORD = {
    "contend_transactions_per_second": ("tx_per_second", "Median of a finished cell."),
    "contend_speedup": ("speedup", "Median over serial of a finished cell."),
    "contend_aborts_per_transaction": ("aborts_per_transaction", "Executions aborted, of a finished cell."),
    "contend_waits_per_transaction": ("waits_per_transaction", "Waits that kept their machine, of a finished cell."),
}


class Metric(NamedTuple):
    """A metric at one moment.

    Attributes
    ----------
    name : str
        Of a counter, without ``_total``.
    kind : str
        ``counter`` or ``gauge``.
    help : str
    labels : tuple of str
    values : dict
        By the values of the labels.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    values: dict[tuple[str, ...], float]


class RunMetrics(Observer):
    """Keeps the metrics of a run.

    Parameters
    ----------
    clock : callable, optional
        Tells the time in seconds since 1970, which is what a monitor compares with its own.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # The server reads from threads of its own.
        self._lock = threading.Lock()
        self._metrics: dict[str, Metric] = {}
        self._left_out = 0
        # By process: what it runs.
        self._at: dict[int, tuple[str, ...]] = {}
        self._gauge("contend_planned_runs", "Runs that were asked for, of all cells.", (), 0.0)
        self._gauge("contend_active", "1 while the run is under way.", (), 1.0)
        for name, told in (
            ("contend_runs", "Runs timed and verified."),
            ("contend_failed_cells", "Cells that failed."),
        ):
            self._metrics[name] = Metric(name, "counter", told, ("strategy",), {})
        self._count("contend_finished_workloads", "Workloads of which all cells are measured.", (), 0.0)
        self._count("contend_compile_seconds", "Seconds spent compiling or loading kernels.", (), 0.0)
        self._gauge("contend_compiling_processes", "Measuring processes that compile a kernel.", (), 0.0)
        self._compiling: set[int] = set()
        self._progress()

    def _set(self, kind: str, name: str, told: str, labels: dict[str, str], value: float, add: bool = False) -> None:
        metric = self._metrics.setdefault(name, Metric(name, kind, told, tuple(labels), {}))
        values = tuple(labels.values())
        if values not in metric.values and len(metric.values) >= MOST_SERIES:
            self._left_out += 1
            return
        metric.values[values] = value + (metric.values.get(values, 0.0) if add else 0.0)

    def _gauge(self, name: str, told: str, labels: Any, value: float) -> None:
        self._set("gauge", name, told, dict(labels), value)

    def _count(self, name: str, told: str, labels: Any, value: float) -> None:
        self._set("counter", name, told, dict(labels), value, add=True)

    def _progress(self) -> None:
        self._gauge("contend_last_progress_timestamp_seconds", "When anything was last heard of.", (), self._clock())

    def snapshot(self) -> Iterator[Metric]:
        """Give the metrics as they are at this moment."""
        with self._lock:
            now = [metric._replace(values=dict(metric.values)) for metric in self._metrics.values()]
            left_out = self._left_out
        yield from now
        yield Metric("contend_left_out_series", "counter", "Values that had no room.", (), {(): float(left_out)})

    def close(self) -> None:
        """Say that the run is over."""
        with self._lock:
            self._gauge("contend_active", "", (), 0.0)
            self._at.clear()
            self._publish_runs()

    # Events

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Note how much there is to do."""
        with self._lock:
            self._gauge("contend_planned_runs", "", (), float(repeat * len(plan.workloads) * len(plan.cells)))
            self._progress()

    def extended(self, runs: int) -> None:
        """Note that there is more to do."""
        with self._lock:
            self._set("gauge", "contend_planned_runs", "", {}, float(runs), add=True)

    def stage(self, process: int, workload: str, what: str) -> None:
        """Note that something happens."""
        with self._lock:
            self._progress()

    def compiling(self, process: int, kernel: str) -> None:
        """Note who compiles."""
        with self._lock:
            self._compiling.add(process)
            self._gauge("contend_compiling_processes", "", (), float(len(self._compiling)))
            self._progress()

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        """Note what that took."""
        with self._lock:
            self._compiling.discard(process)
            self._gauge("contend_compiling_processes", "", (), float(len(self._compiling)))
            self._count("contend_compile_seconds", "", (), seconds)
            self._progress()

    def running(self, process: int, workload: str, key: CellKey) -> None:
        """Note since when a process has been at a run."""
        with self._lock:
            self._at[process] = (str(process), workload, key.strategy, str(key.workers))
            self._publish_runs(process)
            self._progress()

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Count the run."""
        with self._lock:
            self._leave(workload, key)
            self._count("contend_runs", "", {"strategy": key.strategy}, 1.0)
            self._progress()

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """Count the failure."""
        with self._lock:
            self._leave(workload, key)
            self._count("contend_failed_cells", "", {"strategy": key.strategy}, 1.0)
            self._progress()

    def finished(self, workload: str) -> None:
        """Count the workload."""
        with self._lock:
            self._count("contend_finished_workloads", "", (), 1.0)

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        """Publish the figures of cells that are finished."""
        with self._lock:
            for cell in cells:
                labels = {name: str(cell[name]) for name in _OF_CELL}
                for name, (key, told) in _OF_RECORD.items():
                    value = cell.get(key)
                    value = value.get("median") if isinstance(value, dict) else value
                    if value is not None:
                        self._gauge(name, told, labels, float(value))

    def _leave(self, workload: str, key: CellKey) -> None:
        """Nobody is at a run of this cell any more."""
        cell = (workload, key.strategy, str(key.workers))
        self._at = {process: at for process, at in self._at.items() if at[1:] != cell}
        self._publish_runs()

    def _publish_runs(self, begun: int | None = None) -> None:
        name = "contend_run_began_timestamp_seconds"
        before = self._metrics[name].values if name in self._metrics else {}
        values = {at: before.get(at, 0.0) for process, at in self._at.items() if process != begun}
        if begun is not None:
            values[self._at[begun]] = self._clock()
        told = "When a measuring process began the run that it is at."
        self._metrics[name] = Metric(name, "gauge", told, ("process", *_OF_CELL), values)
