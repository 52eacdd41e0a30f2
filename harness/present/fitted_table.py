"""Fitted table: a table whose least important columns give way, one after the other, until it fits the terminal.

A terminal that is too narrow for a table must not decide what is cut off: a reader would miss the column at the right
edge, which says whether the figures may be believed at all. So each table says in which order its columns give way,
and which take a shorter form first; what was left out can be told below it. What may never go stays whole, and where
even that does not fit, names are folded into several lines.

Rows may arrive in parts, as those of a run do. Widths only grow, so that all parts stand under the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_EDGES, _GAP = 2, 2
_NARROWEST = 6
"""Cells of a console that a folded column has at least, whatever else there is."""

Show = Callable[[Any], "str | Text"]


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    heading : str
    show : callable
        From a row to what stands in the column.
    is_text : bool
        Text stands left, figures stand right.
    folds : bool
        Whether it may be broken into several lines where the table is tight.
    least : int
        Width that it has at least, for rows that are still to come.
    """

    heading: str
    show: Show
    is_text: bool = False
    folds: bool = False
    least: int = 0


@dataclass(frozen=True)
class GivesWay:
    """A step by which a table gets narrower: a column is left out, or replaced by a shorter one."""

    heading: str
    shorter: Column | None = None


class FittedTable:
    """Columns that fit a console, and the rows that stand under them.

    Parameters
    ----------
    console : Console
    columns : sequence of Column
    steps : sequence of GivesWay
        What is done, in this order, until the table fits; steps about columns that are not there do nothing.

    Attributes
    ----------
    left_out : list of str
        Headings of the columns that were left out.
    """

    def __init__(self, console: Console, columns: Sequence[Column], steps: Sequence[GivesWay] = ()) -> None:
        self._console = console
        self._columns = list(columns)
        self._steps = list(steps)
        self._widths: dict[str, int] = {}
        self.left_out: list[str] = []

    @property
    def headings(self) -> list[str]:
        """Headings of the columns that are there."""
        return [column.heading for column in self._columns]

    def fit(self, rows: Sequence[Any]) -> bool:
        """Make room for further rows; True if columns or widths are now others than before."""
        before = dict(self._widths)
        self._measure(rows)
        while self._excess() > 0 and self._steps:
            self._take(self._steps.pop(0))
            self._measure(rows)
        self._fold()
        return self._widths != before

    def _measure(self, rows: Sequence[Any]) -> None:
        widths = {}
        for column in self._columns:
            shown = [_text(column.show(row)).cell_len for row in rows]
            needed = max([Text(column.heading).cell_len, column.least, *shown])
            widths[column.heading] = max(needed, self._widths.get(column.heading, 0))
        self._widths = widths

    def _excess(self) -> int:
        return sum(self._widths.values()) + _GAP * (len(self._columns) - 1) + _EDGES - self._console.width

    def _take(self, step: GivesWay) -> None:
        for place, column in enumerate(self._columns):
            if column.heading == step.heading:
                # A shorter form has widths of its own.
                del self._widths[column.heading]
                self._columns[place : place + 1] = [step.shorter] if step.shorter else []
                if step.shorter is None:
                    self.left_out.append(column.heading)
                return

    def _fold(self) -> None:
        """Take from texts what is still too much, from the widest first."""
        for _ in range(max(0, self._excess())):
            texts = [column.heading for column in self._columns if column.folds]
            widest = max(texts, key=lambda heading: self._widths[heading], default="")
            if self._widths.get(widest, 0) > _NARROWEST:
                self._widths[widest] -= 1

    def print_header(self) -> None:
        """Print the headings alone."""
        self._console.print(Padding(self._table(show_header=True, show_edge=False), (0, 0, 0, 1), expand=False))

    def print_rows(self, rows: Iterable[Any]) -> None:
        """Print rows alone, under the headings that were printed before."""
        table = self._table(show_header=False, show_edge=False)
        for row in rows:
            table.add_row(*self._shown(row))
        self._console.print(Padding(table, (0, 0, 0, 1), expand=False))

    def print_all(self, rows: Sequence[Any], groups: Sequence[int] = ()) -> None:
        """Fit, and print headings and rows; with a gap behind the rows whose places are in `groups`."""
        self.fit(rows)
        table = self._table()
        for place, row in enumerate(rows):
            table.add_row(*self._shown(row), end_section=place in groups)
        self._console.print(table)

    def _shown(self, row: Any) -> list[Text]:
        return [_text(column.show(row)) for column in self._columns]

    def _table(self, show_header: bool = True, show_edge: bool = True) -> Table:
        table = Table(
            box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_header=show_header, show_edge=show_edge
        )
        for column in self._columns:
            table.add_column(
                Text(column.heading),
                justify="left" if column.is_text else "right",
                width=self._widths[column.heading],
                no_wrap=not column.folds,
                overflow="fold",
            )
        return table


def _text(shown: str | Text) -> Text:
    """Text as it is: what looks like markup in a name is part of the name."""
    return shown if isinstance(shown, Text) else Text(shown)


def left_out_line(headings: Sequence[str], width: int) -> str:
    """Say what was left out, and where it can be seen; empty where nothing was."""
    if not headings:
        return ""
    return f"Left out at {width} columns: {', '.join(headings)}; a wider terminal has room. "
