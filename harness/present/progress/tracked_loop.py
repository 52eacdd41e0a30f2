"""Progress of a long loop on a terminal, and above it what is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from contend.harness.present.progress.compile_notice import compilations_told

T = TypeVar("T")


def track(items: Sequence[T], what: str, quiet: bool) -> Iterator[T]:
    """Iterate, showing how far it has come and what is compiled, where somebody is looking at a terminal."""
    from rich.console import Console
    from rich.progress import track as show

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield from items
        return
    with compilations_told(quiet):
        yield from show(items, what, console=console, transient=True)
