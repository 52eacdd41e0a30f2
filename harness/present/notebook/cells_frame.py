"""Cells of records as a DataFrame that a notebook shows as people read it: speed-up and its interval first.

The frame has some eighty columns, of which a notebook would show the first and the last few. Everything else about it
is pandas' own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.formatting import count
from contend.harness.present.notebook.html_table import html_table
from contend.harness.present.tables.result_table import warning_lines
from contend.harness.record.content.cell_facts import BUILDER
from contend.harness.record.frame import COLUMNS
from contend.harness.record.warnings import MOSTLY_FAILED

_MOST_ROWS = 200
_TEXT = 2


class Cells(pandas.DataFrame):
    """One row a cell; columns as in `contend.harness.record.frame.COLUMNS`, then ``dial.*`` and ``count.*``."""

    @property
    def _constructor(self) -> Callable[..., Cells]:
        return Cells

    def _repr_html_(self) -> str | None:
        """Show the cells in a notebook; with other columns than cells have, as pandas would."""
        if not set(COLUMNS) <= set(self.columns):
            plain: str | None = pandas.DataFrame(self)._repr_html_()  # type: ignore[operator]  # not in the stubs
            return plain
        rows = self.to_dict("records")
        columns = _shown(self)
        text = _TEXT + ("given" in columns)
        table = html_table(list(columns), [[show(row) for show in columns.values()] for row in rows[:_MOST_ROWS]], text)
        left = f" The first {_MOST_ROWS:,} are shown." if len(rows) > _MOST_ROWS else ""
        marks = _marks(rows)
        about = f"{count(len(rows), 'cell')}, {len(self.columns)} columns: see .columns.{left}"
        return f"{table}\n<p>{'<br>'.join([*marks, about])}</p>"


Row = Mapping[Any, Any]


def _shown(frame: pandas.DataFrame) -> dict[str, Callable[[Row], str]]:
    columns: dict[str, Callable[[Row], str]] = {
        "workload": lambda row: str(row["workload"]),
        "strategy": lambda row: str(row["strategy"]),
        **({"given": _given} if frame["given"].notna().any() else {}),
        "workers": lambda row: f"{row['workers']:,}",
        "x serial": _speedup,
        "interval": _interval,
        "tx/s": lambda row: _figure(row["tx_per_second"], ",.0f"),
        "of bound": lambda row: _figure(row["share_of_bound"], ".0%"),
        "verified": _verified,
    }
    for name in frame.columns:
        told = name in ("clock", "seed", "block_size", "record") or str(name).startswith("dial.")
        own = name not in COLUMNS and not str(name).startswith(("dial.", "count."))
        # What tells rows apart, and what the reader has added.
        if own or (told and frame[name].astype(str).nunique() > 1):
            columns[str(name)] = partial(_value, str(name))
    return columns


def _given(row: Row) -> str:
    """What was given, with the role where it is not the builder's."""
    if not isinstance(row["given"], str):
        return "-"
    return row["given"] if row["role"] == BUILDER else f"{row['given']} ({row['role']})"


def _figure(value: Any, form: str) -> str:
    return "-" if value is None or value != value else format(value, form)


def _value(name: str, row: Row) -> str:
    value = row[name]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _speedup(row: Row) -> str:
    if row["strategy"] == BASELINE and not _figure(row["speedup"], "").startswith("-"):
        return "1"
    return _figure(row["speedup"], ".2f") + ("!" if row["mostly_failed"] else "")


def _interval(row: Row) -> str:
    if row["strategy"] == BASELINE or row["simulated"] or row["speedup"] is None or row["speedup"] != row["speedup"]:
        return ""
    return f"[{row['speedup_low']:.2f}, {row['speedup_high']:.2f}]"


def _verified(row: Row) -> str:
    if isinstance(row["error"], str):
        return f"FAILED: {row['error']}"
    doubt = any(str(one).startswith("unstable") for one in row["warnings"])
    return ("yes" if row["verified"] else "no") + (" ~" if doubt else "")


def _marks(rows: list[dict[Any, Any]]) -> list[str]:
    """What is said of the marks that are there."""
    lines = []
    if any(row["simulated"] for row in rows):
        lines.append("Simulated by the virtual clock: not what this machine does.")
    if any(row["mostly_failed"] for row in rows):
        lines.append(f"!: {MOSTLY_FAILED}, so the speed-up is one of failing.")
    return lines + [escape(line) for line in warning_lines(rows)]
