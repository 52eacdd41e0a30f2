"""What happens to a workload while it is measured: written down, and told to whoever watches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.measuring.crew import GoneError
from harness.measuring.measurement import Mark, WorkloadMeasurement
from harness.measuring.sample import Sample
from harness.observer import Observer
from harness.plan.resolve import CellKey


class Ledger:
    """Writes to a measurement and tells an observer, each thing once.

    Parameters
    ----------
    measurement : WorkloadMeasurement
    observer : Observer
    """

    def __init__(self, measurement: WorkloadMeasurement, observer: Observer) -> None:
        self.measurement = measurement
        self._observer = observer
        self._name = measurement.plan.title

    def live(self) -> list[CellKey]:
        """List the cells that have not failed."""
        return self.measurement.live()

    def stage(self, process: int, what: str) -> None:
        """Say what a process is doing."""
        self._observer.stage(process, self._name, what)

    def measured(self, key: CellKey, runs: int) -> None:
        """Say that a run is done."""
        self._observer.measured(self._name, key, runs)

    def keep(self, process: int, number: int, samples: dict[CellKey, Sample], marks: Mapping[CellKey, Mark]) -> None:
        """Keep the samples of a complete round."""
        self.measurement.add(process, number, samples, marks)

    def compiled(self, process: int, kernel: str, begins: bool, seconds: float) -> None:
        """Say that a kernel compiles, or count the time that it took."""
        if begins:
            self._observer.compiling(process, kernel)
            return
        self._observer.compiled(process, kernel, seconds)
        spent = self.measurement.compile_seconds
        spent[process] = spent.get(process, 0.0) + seconds

    def fail(self, key: CellKey, error: str, differences: Iterable[str] = ()) -> None:
        """Fail a cell, and with the baseline all of them."""
        before = self.live()
        self.measurement.fail(key, error, differences)
        for one in before:
            failure = self.measurement.failures.get(one)
            if failure is not None:
                self._observer.failed(self._name, one, failure.error, list(failure.differences))

    def fail_all(self, error: str) -> None:
        """Fail every cell that has not failed."""
        for key in self.live():
            self.fail(key, error)

    def blame(self, gone: GoneError) -> None:
        """Fail the cell in which a process ended; all of them if it had not come to one."""
        if gone.child.at is not None:
            self.fail(gone.child.at, gone.how)
        else:
            self.fail_all(f"{gone.how} while it set the workload up")
        tail = gone.child.tail()
        if tail:
            self._observer.note(f"last words of the measuring process:\n{tail}")
