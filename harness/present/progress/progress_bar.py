"""Progress on standard error: a live display on a terminal, now and then a line elsewhere.

What is not progress but result, the figures of a workload that is finished, goes to where the results go
(`harness.present.tables.result_table.ResultTable`), as soon as it is there, whatever the display.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey, MeasurementPlan
from contend.harness.present.progress import compile_progress
from contend.harness.present.progress.compile_progress import CompileProgress
from contend.harness.present.tables.result_table import ResultTable

# A log gets a line after so many seconds; the longer a run, the fewer: some forty in the first hour.
_LINE_EVERY_SECONDS, _MOST_SECONDS, _SHARE_OF_TIME = 5.0, 300.0, 0.1
# Kernels that a log names as they come; of a cold cache's fifty, those that are at work when a line is due.
_NAMED_AT_ONCE = 8
_FREE_COLUMNS, _WIDEST = 4, 110
_BAR_WIDTH, _NARROW_BAR_WIDTH, _NARROW = 24, 10, 74


class Display(Observer):
    """Base of every display: notes and failures are printed as they come. A context manager.

    Parameters
    ----------
    console : Console
        On standard error.
    results : ResultTable, optional
        Prints the figures of workloads as they are finished; none by default.
    """

    def __init__(self, console: Console, results: ResultTable | None = None) -> None:
        self.console = console
        self.results = results
        self.compilations = self._compilations({})
        self.repeat = 0
        self._warned: set[str] = set()

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left on the terminal; how fast kernels compiled is kept for the next time."""
        rate = self.compilations.rate()
        if rate is not None:
            compile_progress.keep_rate(rate)

    def compiling_now(self) -> str:
        """What is being compiled, with how far that is; empty if nothing is, or it has only begun."""
        lasting = self.compilations.lasting()
        if not lasting:
            return ""
        how_far = self.compilations.text()
        return f"compiling {', '.join(lasting)}" + (f" ({how_far})" if how_far else "")

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Take note of the number of runs."""
        self.repeat = repeat
        if self.results is not None:
            self.results.planned(plan)
        kernels = compile_progress.expected(plan.cold_strategies, simulated=plan.costs_digest is not None)
        self.compilations = self._compilations(kernels)
        self.announce(plan)

    def announce(self, plan: MeasurementPlan) -> None:
        """Print what takes long."""
        if plan.cold:
            self.note(compile_progress.announcement(plan.cold_strategies, self.compilations))

    def _compilations(self, kernels: dict[str, float]) -> CompileProgress:
        return CompileProgress(kernels, compile_progress.earlier_rate() if kernels else None, lambda: time.monotonic())

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

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        """Print the workload's figures, and go on below them."""
        if self.results is not None:
            with self.aside():
                self.results.add(cells)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Keep off the terminal while something else is printed."""
        yield

    def note(self, text: str) -> None:
        """Print it."""
        self.console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class _Shorter:
    """Something that leaves the end of its lines free."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width - _FREE_COLUMNS, _WIDEST)
        yield from console.render(self.content, options.update(width=max(1, width)))


class _OneLine(Progress):
    """A bar on one line, which can be wiped out whole; the ``^C`` that a terminal shows behind it begins no other."""

    def get_renderable(self) -> RenderableType:
        """The bar."""
        return _Shorter(super().get_renderable())


class LiveDisplay(Display):
    """A progress bar with what is going on beneath it."""

    def __init__(self, console: Console, results: ResultTable | None = None) -> None:
        super().__init__(console, results)
        self._progress = _OneLine(
            TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
            ),
            BarColumn(bar_width=_BAR_WIDTH if console.width >= _NARROW else _NARROW_BAR_WIDTH),
            TextColumn("{task.fields[how_far]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
            # What others print goes to where they print it: results may be on their way into a pipe.
            redirect_stdout=False,
        )
        self._task: TaskID = self._progress.add_task("starting", total=None, how_far="")
        self._text = "starting"
        self._runs, self._planned = 0, 0

    def __enter__(self) -> LiveDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        super().__exit__(kind, error, trace)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Wipe the bar off meanwhile."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Take note of the number of runs."""
        super().planned(plan, repeat)
        self._planned = len(plan.workloads) * len(plan.cells) * repeat
        self._progress.reset(self._task, total=self._planned)

    def resumed(self, runs: int) -> None:
        """Count them as done."""
        super().resumed(runs)
        self._runs += runs

    def extended(self, runs: int) -> None:
        """Make the bar longer."""
        self._planned += runs

    def stage(self, process: int, workload: str, what: str) -> None:
        """Show what is being set up."""
        self._say(f"{workload}: {what}")

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Show how far the measuring is."""
        self._runs += 1
        self._say(f"{workload}: measuring {key.strategy} x{key.workers}")

    def tick(self) -> None:
        """Show what is compiling, if it lasts; the bar is then that of all that has to be compiled."""
        lasting, how_far = self.compilations.lasting(), self.compilations.text()
        shown: dict[str, Any]
        if lasting and how_far:
            shown = {"total": 1.0, "completed": self.compilations.share(), "how_far": how_far}
        else:
            runs = f"{self._runs}/{self._planned} runs" if self._planned else ""
            shown = {"total": self._planned or None, "completed": self._runs, "how_far": runs}
        text = f"compiling {', '.join(lasting)}" if lasting else self._text
        self._progress.update(self._task, description=text, **shown)

    def _say(self, text: str) -> None:
        self._text = text
        self.tick()


class PlainDisplay(Display):
    """Lines for a log: one a workload, and at least some seconds between others, more and more of them."""

    def __init__(self, console: Console, results: ResultTable | None = None) -> None:
        super().__init__(console, results)
        self._began = time.monotonic()
        self._last = self._began
        self._last_compiling = -float("inf")
        self._said: set[str] = set()
        self._text = ""

    def stage(self, process: int, workload: str, what: str) -> None:
        """Show what is being set up."""
        self._text = f"{workload}: {what}"

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Show how far the measuring is."""
        if self.repeat == 1:
            # Simulated, or a single look: there is one run of each.
            self._text = f"{workload}: {key} measured"
            return
        asked = f" of {self.repeat} of each cell" if runs <= self.repeat else f" of {key}"
        self._text = f"{workload}: run {runs}{asked}"

    def finished(self, workload: str) -> None:
        """Print that a workload is done."""
        self._line(f"{workload}: done")

    def tick(self) -> None:
        """Show what is compiling, if it lasts."""
        now = time.monotonic()
        pause = min(max(_LINE_EVERY_SECONDS, _SHARE_OF_TIME * (now - self._began)), _MOST_SECONDS)
        fresh = [kernel for kernel in self.compilations.lasting() if kernel not in self._said]
        if fresh and (len(self._said) < _NAMED_AT_ONCE or now - self._last_compiling > pause):
            self._said.update(fresh)
            self._last_compiling = now
            self._line(self.compiling_now())
        # What compiles is what everything waits for, so it comes before what waits.
        text = self.compiling_now() or self._text
        if text and now - self._last > pause:
            self._line(text)

    def _line(self, text: str) -> None:
        self._last = time.monotonic()
        self.note(f"[{self._last - self._began:6.1f} s] {text}")


class SilentDisplay(Display):
    """Says only what failed."""

    def announce(self, plan: MeasurementPlan) -> None:
        """Nothing to say."""

    def resumed(self, runs: int) -> None:
        """Nothing to say."""


def display(quiet: bool, results: ResultTable | None = None) -> Display:
    """Choose the display that suits standard error.

    Parameters
    ----------
    quiet : bool
        Whether to keep silent about progress.
    results : ResultTable, optional
        Prints the figures of workloads as they are finished.
    """
    console = Console(stderr=True)
    if quiet:
        return SilentDisplay(console, results)
    return LiveDisplay(console, results) if console.is_terminal else PlainDisplay(console, results)
