"""Fitted table: a table whose least important columns give way, one after the other, until it fits the terminal.

A terminal that is too narrow for a table must not decide what is cut off: a reader would miss the column at the right
edge, which says whether the figures may be believed at all. So each table says in which order its columns give way,
and which take a shorter form first; what was left out can be told below it. What may never go stays whole, and where
even that does not fit, names are folded into several lines.

Rows may arrive in parts, as those of a run do. Widths only grow, so that all parts stand under the same columns.
"""

from __future__ import annotations

import re
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

# A part of a name, with the sign that joins it to the next one.
_WORD = re.compile(r"[^\s+]+\+?|\++")
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
    most : int or None
        Width beyond which it is folded in any case.
    """

    heading: str
    show: Show
    is_text: bool = False
    folds: bool = False
    least: int = 0
    most: int | None = None


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
        # Of each column, the longest piece that stays whole, and the width of its figures without the heading.
        self._words: dict[str, int] = {}
        self._figures: dict[str, int] = {}
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
            needed = needed if column.most is None else min(needed, column.most)
            words = [_longest_word(_text(column.show(row)).plain) for row in rows]
            self._words[column.heading] = max([*words, self._words.get(column.heading, 0)], default=0)
            self._figures[column.heading] = max([*shown, column.least, self._figures.get(column.heading, 0)])
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
        """Take from texts what is still too much, from the widest first, then from headings; words are broken last."""
        texts = [column.heading for column in self._columns if column.folds]
        others = {column.heading: self._of_heading(column) for column in self._columns if not column.folds}
        for _ in range(max(0, self._excess())):
            able = [text for text in texts if self._widths[text] > max(self._words[text], _NARROWEST)]
            able = able or [heading for heading, least in others.items() if self._widths[heading] > least]
            able = able or [text for text in texts if self._widths[text] > _NARROWEST]
            if not able:
                return
            self._widths[max(able, key=lambda text: self._widths[text])] -= 1

    def _of_heading(self, column: Column) -> int:
        """Width to which a column of figures can go when its heading is broken into lines."""
        return max(self._figures[column.heading], _longest_word(column.heading))

    def print_header(self) -> None:
        """Print the headings alone."""
        self._console.print(Padding(self._table(show_header=True, show_edge=False), (0, 0, 0, 1), expand=False))

    def print_rows(self, rows: Iterable[Any]) -> None:
        """Print rows alone, under the headings that were printed before."""
        table = self._table(show_header=False, show_edge=False)
        for row in rows:
            table.add_row(*self._shown(row))
        self._console.print(Padding(table, (0, 0, 0, 1), expand=False))

    def print_all(self, rows: Sequence[Any], ends: Sequence[int] = ()) -> None:
        """Fit, and print headings and rows, and what was left out.

        Parameters
        ----------
        rows : sequence
        ends : sequence of int
            Places of rows that end a section.
        """
        self.fit(rows)
        table = self._table()
        for place, row in enumerate(rows):
            table.add_row(*self._shown(row), end_section=place in ends)
        self._console.print(table)
        line = left_out_line(self.left_out, self._console.width)
        if line:
            self._console.print(line.rstrip(), style="dim", markup=False, highlight=False)

    def _shown(self, row: Any) -> list[Text]:
        return [
            _broken(_text(column.show(row)), self._widths[column.heading]) if column.folds else _text(column.show(row))
            for column in self._columns
        ]

    def _table(self, show_header: bool = True, show_edge: bool = True) -> Table:
        table = Table(
            box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_header=show_header, show_edge=show_edge
        )
        for column in self._columns:
            table.add_column(
                Text(column.heading),
                justify="left" if column.is_text else "right",
                width=self._widths[column.heading],
                overflow="fold",
            )
        return table


def _text(shown: str | Text) -> Text:
    """Text as it is: what looks like markup in a name is part of the name."""
    return shown if isinstance(shown, Text) else Text(shown)


def _longest_word(text: str) -> int:
    """Width of the longest word, an indentation before each line of a name included; a name has parts (``a+b``)."""
    indent = len(text) - len(text.lstrip())
    return max((indent + Text(word).cell_len for word in _WORD.findall(text)), default=0)


def _broken(text: Text, width: int) -> Text:
    """A text with a line for each part of a name that is too wide, the indentation before each of them."""
    plain = text.plain
    if text.cell_len <= width or "+" not in plain or " " in plain.strip():
        return text
    indent = " " * (len(plain) - len(plain.lstrip()))
    first, *others = text.divide([found.end() for found in re.finditer(r"\+", plain)])
    return Text("\n").join([first, *(Text(indent) + part for part in others)])


def left_out_line(headings: Sequence[str], width: int) -> str:
    """Say what was left out, and where it can be seen; empty where nothing was."""
    if not headings:
        return ""
    return f"Left out at {width} columns: {', '.join(headings)}; a wider terminal has room. "
