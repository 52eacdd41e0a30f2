"""Notice of a kernel whose compilation lasts, by whatever says it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Loading a kernel that is kept takes some milliseconds, and nobody needs to hear of it.
LASTING_SECONDS = 1.0
_ONE_LINE = "compiling kernels, which is done once and may take minutes"


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
        self.stop()
        if begins:
            self._timer = threading.Timer(self._after, self._say, [f"compiling {kernel}, which is done once"])
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """Say nothing more of the kernel at hand."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@contextmanager
def compilations_told(quiet: bool, after: float = LASTING_SECONDS) -> Iterator[None]:
    """Tell on standard error what is compiled meanwhile: each kernel on a terminal, in a log only that it happens."""
    from rich.console import Console

    from contend.evm.runtime.jit import on_compile

    console = Console(stderr=True)
    if quiet:
        yield
        return
    said = threading.Event()

    def say(text: str) -> None:
        if console.is_terminal or not said.is_set():
            said.set()
            console.print(text if console.is_terminal else _ONE_LINE, markup=False, highlight=False)

    notice = CompileNotice(say, after)
    with on_compile(notice):
        try:
            yield
        finally:
            notice.stop()
