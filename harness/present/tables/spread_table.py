"""Table of spreads over blocks, below those of single blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from contend.harness.present.role_groups import by_role, heading_of
from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay, left_out_line
from contend.harness.record.statistics.block_spread import Spread, spreads

Cell = Mapping[str, Any]


def print_spreads(console: Console, cells: Sequence[Cell]) -> None:
    """Print the spread over blocks, contenders of a role below each other; nothing where there is one block."""
    if not spreads(cells):
        return
    groups = {role: spreads(own) for role, own in by_role(cells).items()}
    rows = [row for own in groups.values() for row in own]
    table = FittedTable(console, _COLUMNS, [GivesWay(_ALL), GivesWay("least"), GivesWay("most")])
    table.fit(rows)
    console.print()
    table.print_header()
    console.print(Text(" all blocks, x serial", style="bold"))
    for role, own in groups.items():
        if own and len([one for one in groups.values() if one]) > 1:
            console.print(Text(f"  {heading_of(role)}", style="dim"))
        if own:
            table.print_rows(own)
    console.print()
    by_time = "; in 'all' by its time: serial time of all blocks over the contender's" if _ALL in table.headings else ""
    console.print(
        f"Each block counts once{by_time}. half: between the quartiles. "
        f"{left_out_line(table.left_out, console.width)}".rstrip(),
        style="dim",
        highlight=False,
    )


def _end(row: Spread, which: int) -> str:
    name = row.ends[which]
    return f"{row.by_block[name]:.2f} ({name})"


_ALL = "all"
_COLUMNS = [
    Column("strategy", lambda row: f"  {row.strategy}", is_text=True, folds=True),
    Column("W", lambda row: str(row.workers)),
    Column("blocks", lambda row: str(len(row.by_block))),
    Column("median", lambda row: f"{row.middle:.2f}"),
    Column("half", lambda row: "[{:.2f}, {:.2f}]".format(*row.quartiles)),
    Column(_ALL, lambda row: f"{row.whole:.2f}"),
    Column("least", lambda row: _end(row, 0)),
    Column("most", lambda row: _end(row, 1)),
]
