"""A progress bar on standard error for long loops, gone when the loop is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def track(items: Sequence[T], what: str, quiet: bool) -> Iterator[T]:
    """Iterate, showing how far it has come, where somebody is looking at a terminal."""
    from rich.console import Console
    from rich.progress import track as show

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield from items
        return
    yield from show(items, what, console=console, transient=True)
