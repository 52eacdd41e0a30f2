"""A comparison as a table on the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.comparison.markdown import counter_lines, ratio_text, side_line, time_text
from harness.comparison.result import Comparison, ordered, seconds
from harness.comparison.verdict import Verdict

_STYLES = {
    Verdict.SLOWER: "bold red",
    Verdict.BROKEN: "bold red",
    Verdict.FASTER: "green",
    Verdict.SAME: "",
    Verdict.INCONCLUSIVE: "yellow",
}


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print the verdict of every cell, what was refused and why, and the outcome in a line at the end."""
    for side, content in (("A", comparison.a), ("B", comparison.b)):
        console.print(f"{side}: {side_line(content).replace('`', '')}", markup=False, highlight=False, soft_wrap=True)
    if comparison.compared:
        console.print(_table(comparison))
    for cell in ordered(comparison.compared):
        lines = ([cell.note] if cell.note else []) + counter_lines(cell)
        if lines:
            console.print(f"{cell.name}: {'; '.join(lines)}", markup=False, highlight=False, soft_wrap=True)
    for cell in comparison.refused:
        console.print(
            f"not compared: {cell.name}: {cell.note}", style="yellow", markup=False, highlight=False, soft_wrap=True
        )
    for note in comparison.notes:
        console.print(f"note: {note}", style="dim", markup=False, highlight=False, soft_wrap=True)
    failed = comparison.exit_code != 0
    console.print(
        comparison.summary, style="bold red" if failed else "bold green", markup=False, highlight=False, soft_wrap=True
    )


def _table(comparison: Comparison) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("workload", "strategy", "W", "clock", "A", "B", "B / A", "verdict"):
        right = heading in ("W", "A", "B", "B / A")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "workload")
    for cell in ordered(comparison.compared):
        name = cell.name
        table.add_row(
            Text(name.workload),
            Text(name.strategy),
            str(name.workers),
            name.clock,
            time_text(seconds(cell.a)),
            time_text(seconds(cell.b)),
            ratio_text(cell),
            Text(cell.verdict.value, style=_STYLES[cell.verdict]),
        )
    return table
