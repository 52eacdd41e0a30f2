"""Observer: the progress events of a run, for displays and logs."""

from __future__ import annotations

from typing import Any

from contend.harness.plan.resolve import CellKey, MeasurementPlan


class Observer:
    """Receives the progress of a run; every method may be overridden, none has to be.

    All are called in the parent, from the thread that runs, and should return at once.
    """

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """The request has been understood, and is about to be measured.

        Parameters
        ----------
        plan : MeasurementPlan
            Workloads and cells.
        repeat : int
            Runs of each cell.
        """

    def resumed(self, runs: int) -> None:
        """So many runs were made in earlier sessions and are not made again."""

    def extended(self, runs: int) -> None:
        """So many runs more follow than were planned."""

    def stage(self, process: int, workload: str, what: str) -> None:
        """A measuring process is setting a workload up.

        Parameters
        ----------
        process : int
            Number of the process.
        workload : str
            Title of the workload.
        what : str
            The stage, such as ``building``.
        """

    def compiling(self, process: int, kernel: str) -> None:
        """A kernel begins to compile, or to load from the cache.

        Parameters
        ----------
        process : int
        kernel : str
            Name of the kernel.
        """

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        """A kernel has been compiled or loaded.

        Parameters
        ----------
        process : int
        kernel : str
        seconds : float
            How long that took.
        """

    def running(self, process: int, workload: str, key: CellKey) -> None:
        """A run begins that is timed; `measured` or `failed` ends it.

        Parameters
        ----------
        process : int
        workload : str
        key : CellKey
            Strategy and workers.
        """

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """A run has been timed and verified.

        Parameters
        ----------
        workload : str
        key : CellKey
            Strategy and workers.
        runs : int
            Of this cell, this one included.
        """

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """A cell has failed and is not run again.

        Parameters
        ----------
        workload : str
        key : CellKey
        error : str
            One line.
        differences : list of str
            From the serial result, where there are any.
        """

    def finished(self, workload: str) -> None:
        """All cells of a workload are measured and recorded."""

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        """Cells of a finished workload, as the record has them; none where only a comparison is recorded.

        Parameters
        ----------
        workload : str
        cells : list of dict
            Those that were asked for, in the order of the plan.
        """

    def note(self, text: str) -> None:
        """Note for the readers of the results."""

    def warned(self, text: str) -> None:
        """Warning about this machine that concerns no figure; every measuring process may give the same one."""

    def tick(self) -> None:
        """Called several times a second while the run waits."""
