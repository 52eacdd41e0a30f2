"""A comparison as a table on the terminal."""

from __future__ import annotations

from operator import itemgetter

from rich.console import Console
from rich.text import Text

from contend.harness.compare.markdown import counter_lines, floor_text, grounds, ratio_text, side_line, time_text
from contend.harness.compare.result import Comparison, grouped, ordered, seconds
from contend.harness.compare.verdict import Verdict
from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay

# A workload named with many dials takes several lines rather than the room of the figures.
_NAME_WIDTH = 32
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
        _print_table(console, comparison)
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
    for line in grounds(comparison):
        # What was found out about the machine is worth no less attention than what was about the versions.
        style = "yellow" if line.startswith("Bias") else ""
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    failed = comparison.exit_code != 0
    console.print(
        comparison.summary, style="bold red" if failed else "bold green", markup=False, highlight=False, soft_wrap=True
    )


def _print_table(console: Console, comparison: Comparison) -> None:
    """Print the table; too wide a one does without the times, and never without floor and verdict."""
    cells = ordered(comparison.compared)
    clocks = {cell.name.clock for cell in cells}
    floors = comparison.null is not None
    headings = ("A", "B", "B / A", *(["floor"] if floors else []))
    rows: list[tuple[str | Text, ...]] = []
    ends = []
    for workload, group in grouped(cells).items():
        rows.append((Text(workload, style="bold"), *("" for _ in headings), ""))
        for cell in group:
            name = cell.name
            strategy = f"  {name.strategy} x{name.workers}" + (f", {name.clock}" if len(clocks) > 1 else "")
            times = time_text(seconds(cell.a)), time_text(seconds(cell.b))
            figures = (*times, ratio_text(cell), *([floor_text(cell)] if floors else []))
            rows.append((strategy, *figures, Text(cell.verdict.value, style=_STYLES[cell.verdict])))
        ends.append(len(rows) - 1)
    columns = [
        Column("strategy", itemgetter(0), is_text=True, folds=True, most=_NAME_WIDTH),
        *(Column(heading, itemgetter(place)) for place, heading in enumerate(headings, 1)),
        Column("verdict", itemgetter(len(headings) + 1), is_text=True),
    ]
    FittedTable(console, columns, [GivesWay("A"), GivesWay("B")]).print_all(rows, ends)
