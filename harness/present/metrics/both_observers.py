"""Both observers: a run that is watched by two, such as a display and a monitor."""

from __future__ import annotations

from typing import Any

from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey, MeasurementPlan


class BothObservers(Observer):
    """Passes every event on to two observers.

    Parameters
    ----------
    first, second : Observer
    """

    def __init__(self, first: Observer, second: Observer) -> None:
        self._both = (first, second)

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Pass it on."""
        for one in self._both:
            one.planned(plan, repeat)

    def resumed(self, runs: int) -> None:
        """Pass it on."""
        for one in self._both:
            one.resumed(runs)

    def extended(self, runs: int) -> None:
        """Pass it on."""
        for one in self._both:
            one.extended(runs)

    def stage(self, process: int, workload: str, what: str) -> None:
        """Pass it on."""
        for one in self._both:
            one.stage(process, workload, what)

    def compiling(self, process: int, kernel: str) -> None:
        """Pass it on."""
        for one in self._both:
            one.compiling(process, kernel)

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        """Pass it on."""
        for one in self._both:
            one.compiled(process, kernel, seconds)

    def running(self, process: int, workload: str, key: CellKey) -> None:
        """Pass it on."""
        for one in self._both:
            one.running(process, workload, key)

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Pass it on."""
        for one in self._both:
            one.measured(workload, key, runs)

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """Pass it on."""
        for one in self._both:
            one.failed(workload, key, error, differences)

    def finished(self, workload: str) -> None:
        """Pass it on."""
        for one in self._both:
            one.finished(workload)

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        """Pass it on."""
        for one in self._both:
            one.recorded(workload, cells)

    def note(self, text: str) -> None:
        """Pass it on."""
        for one in self._both:
            one.note(text)

    def warned(self, text: str) -> None:
        """Pass it on."""
        for one in self._both:
            one.warned(text)

    def tick(self) -> None:
        """Pass it on."""
        for one in self._both:
            one.tick()
