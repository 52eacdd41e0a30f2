"""A progress bar on standard error for long loops, gone when the loop is; above it, what is compiled meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
# Loading a kernel that is kept takes some milliseconds, and nobody needs to hear of it.
LASTING_SECONDS = 1.0


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
