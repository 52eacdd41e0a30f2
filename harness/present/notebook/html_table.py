"""Table in HTML, for notebooks: plain elements that every notebook shows, without styles of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """Write a table; what its cells say is shown as it is.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
    text : int
        So many columns are text, at the left of their columns; the others are figures.
    """
    lines = [_row("th", headings, text), *(_row("td", row, text) for row in rows)]
    return f"<table>\n<thead>{lines[0]}</thead>\n<tbody>\n{chr(10).join(lines[1:])}\n</tbody>\n</table>"


def _row(element: str, values: Sequence[str], text: int) -> str:
    cells = (
        f'<{element} style="text-align: {"left" if place < text else "right"}">{escape(value)}</{element}>'
        for place, value in enumerate(values)
    )
    return f"<tr>{''.join(cells)}</tr>"
