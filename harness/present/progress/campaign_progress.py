"""Progress of a campaign on standard error: how many of many are through."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_SECONDS = 10.0


class CampaignProgress:
    """Progress on standard error: a bar on a terminal, now and then a line elsewhere.

    Parameters
    ----------
    noun : str
        What there are many of.
    total : int
    quiet : bool
        Whether to show nothing.
    """

    def __init__(self, noun: str, total: int, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet)
        self._noun, self._total = noun, total
        self._last = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> CampaignProgress:
        if self._console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn(self._noun), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        else:
            self._console.print("kernels that are not compiled yet are compiled first, which may take minutes")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, failed: int) -> None:
        """Say how many are through, and how many of them failed."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif time.monotonic() - self._last > _LINE_SECONDS:
            self._last = time.monotonic()
            self._console.print(f"{done:,} of {self._total:,} {self._noun}, {failed} failed", highlight=False)
