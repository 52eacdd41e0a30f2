"""Progress on standard error: a live display on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey, MeasurementPlan

# A kernel that loads from the cache is announced like one that compiles; it is there before this has passed.
_WORTH_SAYING_SECONDS = 0.3
_LINE_EVERY_SECONDS = 5.0


class _Compilations:
    """Kernels that the processes are compiling, as far as that has lasted long enough to be worth saying."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[float, str]] = {}

    def begin(self, process: int, kernel: str) -> None:
        self._since[process] = (time.monotonic(), kernel)

    def end(self, process: int) -> None:
        self._since.pop(process, None)

    def lasting(self) -> list[str]:
        now = time.monotonic()
        return [kernel for began, kernel in self._since.values() if now - began > _WORTH_SAYING_SECONDS]


class Display(Observer):
    """Base of every display: notes and failures are printed as they come. A context manager.

    Parameters
    ----------
    console : Console
        On standard error.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.compilations = _Compilations()
        self.repeat = 0
        self._warned: set[str] = set()

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left on the terminal."""

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Take note of the number of runs."""
        self.repeat = repeat
        if plan.cold:
            self.note("Kernels of some strategies are not compiled yet: this once, the set-up takes about a minute.")

    def resumed(self, runs: int) -> None:
        """Print that not all is measured anew."""
        self.note(f"Resumed: {runs} runs of earlier sessions are kept, what is missing is measured.")

    def compiling(self, process: int, kernel: str) -> None:
        """Remember the kernel, to be named once it has lasted."""
        self.compilations.begin(process, kernel)

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        """Forget the kernel."""
        self.compilations.end(process)

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """Print the failure at once."""
        self.note(f"FAILED {workload}, {key}: {error}")

    def warned(self, text: str) -> None:
        """Print it, but once."""
        if text not in self._warned:
            self._warned.add(text)
            self.note(text)

    def note(self, text: str) -> None:
        """Print it."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay(Display):
    """A progress bar with what is going on beneath it."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("runs"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("starting", total=None)
        self._text = "starting"

    def __enter__(self) -> LiveDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Take note of the number of runs."""
        super().planned(plan, repeat)
        self._progress.reset(self._task, total=len(plan.workloads) * len(plan.cells) * repeat)

    def resumed(self, runs: int) -> None:
        """Count them as done."""
        super().resumed(runs)
        self._progress.advance(self._task, runs)

    def extended(self, runs: int) -> None:
        """Make the bar longer."""
        total = self._progress.tasks[self._task].total or 0
        self._progress.update(self._task, total=total + runs)

    def stage(self, process: int, workload: str, what: str) -> None:
        """Show what is being set up."""
        self._say(f"{workload}: {what}")

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Show how far the measuring is."""
        self._progress.advance(self._task)
        self._say(f"{workload}: measuring {key.strategy} x{key.workers}")

    def tick(self) -> None:
        """Show what is compiling, if it lasts."""
        lasting = self.compilations.lasting()
        self._progress.update(self._task, description=f"compiling {', '.join(lasting)}" if lasting else self._text)

    def _say(self, text: str) -> None:
        self._text = text
        self.tick()


class PlainDisplay(Display):
    """Lines for a log: one a workload, and at least some seconds between others."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._began = time.monotonic()
        self._last = self._began
        self._said: set[str] = set()
        self._text = ""

    def stage(self, process: int, workload: str, what: str) -> None:
        """Show what is being set up."""
        self._text = f"{workload}: {what}"

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Show how far the measuring is."""
        asked = f" of {self.repeat} of each cell" if runs <= self.repeat else f" of {key}"
        self._text = f"{workload}: run {runs}{asked}"

    def finished(self, workload: str) -> None:
        """Print that a workload is done."""
        self._line(f"{workload}: done")

    def tick(self) -> None:
        """Show what is compiling, if it lasts."""
        for kernel in self.compilations.lasting():
            if kernel not in self._said:
                self._said.add(kernel)
                self._line(f"compiling {kernel}")
        if self._text and time.monotonic() - self._last > _LINE_EVERY_SECONDS:
            self._line(self._text)

    def _line(self, text: str) -> None:
        self._last = time.monotonic()
        self.note(f"[{self._last - self._began:6.1f} s] {text}")


class SilentDisplay(Display):
    """Says only what failed."""

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Nothing to say."""

    def resumed(self, runs: int) -> None:
        """Nothing to say."""


def display(quiet: bool) -> Display:
    """Choose the display that suits standard error."""
    console = Console(stderr=True)
    if quiet:
        return SilentDisplay(console)
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)
