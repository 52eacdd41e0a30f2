"""Observer: the progress events of a run, for displays and logs."""

from __future__ import annotations

from contend.harness.plan.resolve import CellKey, MeasurementPlan


class Observer:
    """Receives the progress of a run; every method may be overridden, none has to be.

    All are called in the parent, from the thread that runs, and should return at once.
    """

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """The request has been understood; `repeat` runs of each cell follow."""

    def resumed(self, runs: int) -> None:
        """So many runs were made in earlier sessions and are not made again."""

    def extended(self, runs: int) -> None:
        """So many runs more follow than were planned."""

    def stage(self, process: int, workload: str, what: str) -> None:
        """A measuring process is setting a workload up."""

    def compiling(self, process: int, kernel: str) -> None:
        """A kernel begins to compile, or to load from the cache."""

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        """A kernel has been compiled or loaded."""

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """A run has been timed and verified; `runs` of this cell are done."""

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """A cell has failed and is not run again."""

    def finished(self, workload: str) -> None:
        """All cells of a workload are measured and recorded."""

    def note(self, text: str) -> None:
        """Note for the readers of the results."""

    def tick(self) -> None:
        """Called several times a second while the run waits."""
