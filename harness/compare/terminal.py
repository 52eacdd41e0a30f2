"""A comparison as a table on the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contend.harness.compare.markdown import counter_lines, floor_text, grounds, ratio_text, side_line, time_text
from contend.harness.compare.result import Comparison, grouped, ordered, seconds
from contend.harness.compare.verdict import Verdict

_WIDE, _FLOOR = 96, 10
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
        console.print(_table(comparison, console.width))
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


def _table(comparison: Comparison, width: int) -> Table:
    floors = comparison.null is not None
    wide = width >= _WIDE + _FLOOR * floors
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    # In 80 columns a floor takes the room of A's time, which follows from the others.
    times = ("A", "B") if wide or not floors else ("B",)
    cells = ordered(comparison.compared)
    clocks = {cell.name.clock for cell in cells}
    if wide:
        table.add_column("workload", no_wrap=True)
    table.add_column("strategy", no_wrap=True)
    for heading in (*times, "B / A", *(["floor"] if floors else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for workload, group in grouped(cells).items():
        if not wide:
            table.add_row(Text(workload, style="bold"))
        for cell in group:
            name = cell.name
            strategy = f"{name.strategy} x{name.workers}" + (f", {name.clock}" if len(clocks) > 1 else "")
            table.add_row(
                *([Text(workload)] if wide else []),
                Text(strategy if wide else f"  {strategy}"),
                *(time_text(seconds(cell.a if side == "A" else cell.b)) for side in times),
                ratio_text(cell),
                *([floor_text(cell)] if floors else []),
                Text(cell.verdict.value, style=_STYLES[cell.verdict]),
            )
    return table
