"""Progress on standard error: of a long loop, above it what is compiled, and of a campaign."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")
# Loading a kernel that is kept takes some milliseconds, and nobody needs to hear of it.
LASTING_SECONDS = 1.0
_LINE_SECONDS = 10.0


def track(items: Sequence[T], what: str, quiet: bool) -> Iterator[T]:
    """Iterate, showing how far it has come and what is compiled, where somebody is looking at a terminal."""
    from rich.console import Console
    from rich.progress import track as show

    from contend.evm.runtime.jit import on_compile

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield from items
        return
    with on_compile(CompileNotice(lambda text: console.print(text, markup=False, highlight=False))):
        yield from show(items, what, console=console, transient=True)


class CompileNotice:
    """Tells of a kernel whose compilation lasts: most are compiled at the beginning, curves by who first calls them.

    Parameters
    ----------
    say : callable
        Is given a line, by another thread.
    after : float
        Seconds that a compilation has to last.
    """

    def __init__(self, say: Callable[[str], None], after: float = LASTING_SECONDS) -> None:
        self._say, self._after = say, after
        self._timer: threading.Timer | None = None

    def __call__(self, kernel: str, begins: bool, seconds: float) -> None:
        """Take note, as `evm.runtime.jit.on_compile` asks for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if begins:
            self._timer = threading.Timer(self._after, self._say, [f"compiling {kernel}, which is done once"])
            self._timer.daemon = True
            self._timer.start()


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
