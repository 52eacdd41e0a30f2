"""Notebook display: progress of `contend.run` in a notebook, as HTML that is written anew in its place.

No widget is needed, and no IPython where there is none: it is only ever asked for where a notebook has imported it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey, MeasurementPlan
from contend.harness.present.formatting import count
from contend.harness.present.notebook.cells_frame import Cells
from contend.harness.record.frame import to_frame

_PAUSE_SECONDS = 0.5

Record = dict[str, Any]


def in_notebook() -> bool:
    """Whether this process is a notebook's."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    # A shell in a terminal has no kernel, and shows no HTML.
    return getattr(shell, "kernel", None) is not None


@contextmanager
def watching(
    given: Observer | None, record: Callable[[], Record], path: Callable[[], Path | None]
) -> Iterator[Observer]:
    """Observer of a run: the one that was given; else a notebook's display where this is one; else one that is silent.

    Of a run that is interrupted it says where its finished results are.

    Parameters
    ----------
    given : Observer or None
    record : callable
        Gives the record so far.
    path : callable
        Gives the file of the record; None where none is written.
    """
    display = NotebookDisplay(record) if given is None and in_notebook() else None
    try:
        yield given or display or Observer()
    except KeyboardInterrupt as error:
        text = _where(record(), path())
        if display is None:
            error.add_note(text)
        else:
            display.end(text, with_table=True)
        raise
    except BaseException:
        if display is not None:
            display.end("", with_table=True)
        raise
    if display is not None:
        display.end(f"Record: {path()}" if path() is not None else "", with_table=False)


def _where(record: Record, path: Path | None) -> str:
    """Say where the results of an interrupted run are."""
    if not (record and record["cells"]):
        return "Interrupted before anything was measured."
    cells = count(len(record["cells"]), "cell")
    if path is None:
        return f"Interrupted: {cells} measured and not written; results='results' keeps them, to be resumed."
    return f"Interrupted: {cells} measured, in {path}; contend.resume({str(path)!r}) measures the others."


class _Html:
    """What a notebook shows."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "contend"

    def _repr_html_(self) -> str:
        return self._text


class NotebookDisplay(Observer):
    """A line, a bar and the table of finished workloads, in one output of a notebook's cell.

    Parameters
    ----------
    record : callable
        Gives the record so far.
    """

    def __init__(self, record: Callable[[], Record]) -> None:
        self._record = record
        self._handle: Any = None
        self._began = time.monotonic()
        self._shown = -float("inf")
        self._text = "starting"
        self._done = self._total = 0
        self._notes: list[str] = []
        self._cells: list[dict[str, Any]] = []

    def planned(self, plan: MeasurementPlan, repeat: int) -> None:
        """Take note of the number of runs."""
        self._total = len(plan.workloads) * len(plan.cells) * repeat
        if plan.cold:
            self._text = "compiling kernels, this once"
        self._show()

    def resumed(self, runs: int) -> None:
        """Count them as done."""
        self._done += runs

    def extended(self, runs: int) -> None:
        """Make the bar longer."""
        self._total += runs

    def stage(self, process: int, workload: str, what: str) -> None:
        """Show what is being set up."""
        self._text = f"{workload}: {what}"

    def compiling(self, process: int, kernel: str) -> None:
        """Show what is compiling."""
        self._text = f"compiling {kernel}"

    def measured(self, workload: str, key: CellKey, runs: int) -> None:
        """Show how far the measuring is."""
        self._done += 1
        self._text = f"{workload}: measuring {key}"

    def failed(self, workload: str, key: CellKey, error: str, differences: list[str]) -> None:
        """Show the failure at once."""
        self.note(f"FAILED {workload}, {key}: {error}")

    def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
        """Show the workload's figures."""
        self._cells += cells
        self._show()

    def note(self, text: str) -> None:
        """Show it, and leave it there."""
        self._notes.append(text)
        self._show()

    def tick(self) -> None:
        """Show what has changed, twice a second at most."""
        if time.monotonic() - self._shown > _PAUSE_SECONDS:
            self._show()

    def end(self, text: str, with_table: bool) -> None:
        """Leave a line where the bar was, and the table where nobody else will show it."""
        done = f"{count(self._done, 'run')} in {time.monotonic() - self._began:.0f} s."
        lines = [done, *self._notes, text] if self._done else [*self._notes, text]
        if self._handle is not None:
            self._put([*map(escape, lines)], self._table() if with_table else "")

    def _show(self) -> None:
        self._shown = time.monotonic()
        seconds = self._shown - self._began
        value = f' value="{self._done}" max="{self._total}"' if self._total else ""
        bar = f"<progress{value}></progress> {self._done:,} of {self._total:,} runs, {seconds:.0f} s"
        self._put([*map(escape, self._notes), f"{bar} - {escape(self._text)}"], self._table())

    def _table(self) -> str:
        record = self._record()
        return Cells(to_frame([{**record, "cells": self._cells}]))._repr_html_() or "" if self._cells else ""

    def _put(self, lines: list[str], table: str) -> None:
        shown = _Html(f"<p>{'<br>'.join(line for line in lines if line)}</p>{table}")
        if self._handle is None:
            self._handle = import_module("IPython.display").display(shown, display_id=True)
        else:
            self._handle.update(shown)
