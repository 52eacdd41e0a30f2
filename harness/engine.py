"""One run from request to record: what both the command line and `harness.run` call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness import environment, records
from harness.measurement import WorkloadMeasurement
from harness.observer import Observer
from harness.request import Request
from harness.runner import Runner


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
        Called with the record whenever a workload is finished, and at the end, however the run ends.
    record : dict
        The record so far; empty until the request has been accepted.
    """

    request: Request
    observer: Observer = field(default_factory=Observer)
    accepted: Callable[[], object] = lambda: None
    save: Callable[[dict[str, Any]], object] = lambda record: None
    record: dict[str, Any] = field(default_factory=dict, init=False)
    _measured: list[WorkloadMeasurement] = field(default_factory=list, init=False)

    def run(self) -> dict[str, Any]:
        """Measure everything.

        Returns
        -------
        dict
            The record, complete.

        Raises
        ------
        BadInputError
            If the request is refused; nothing was measured or saved.
        CrashError
            If the measuring processes cannot work at all.
        KeyboardInterrupt
            If the user ended the run; every process is gone, and the record, which `save` has seen, holds what was
            measured until then.
        """
        with Runner(self.request, self.observer) as runner:
            # Meanwhile the measuring processes import the compiler.
            surroundings = environment.describe()
            plan = runner.resolve()
            self.accepted()
            self.record = records.new_record(self.request, plan, surroundings)
            try:
                for place in range(len(plan.workloads)):
                    runner.measure(place, self._measured.append)
                    self._update(runner)
                    self.save(self.record)
                runner.close()
                self.record["complete"] = True
            finally:
                # First of all nothing must go on running; then what was measured is kept.
                runner.end()
                self._update(runner)
                if self.record["cells"]:
                    self.save(self.record)
        return self.record

    def _update(self, runner: Runner) -> None:
        self.record["cells"] = [
            cell
            for measurement in self._measured
            for cell in records.measured_cells(measurement, runner.plan.reported, self.request)
        ]


def has_failures(record: dict[str, Any]) -> bool:
    """Whether a cell of the record failed."""
    return any(cell["error"] is not None for cell in record["cells"])
