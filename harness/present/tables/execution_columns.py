"""Columns that say what became of executions, per transaction; `strategies.accounting` defines the counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contend.harness.plan.resolve import BASELINE

Cell = Mapping[str, Any]

WASTED = "waste"
"""The one column for which there is room nearly everywhere: all executions that were thrown away."""

MEANINGS = {
    WASTED: "executions thrown away, per transaction",
    "ab/tx": "those of them that were aborted",
    "wait/tx": "waits that kept their machine, per transaction",
    "dry/tx": "dry runs per transaction",
}
"""What the columns mean, by heading, in the order in which they stand."""

_NONE = "-"


def _figure(key: str) -> Callable[[Cell], str]:
    def show(cell: Cell) -> str:
        value = cell.get(key)
        return _NONE if value is None or cell["strategy"] == BASELINE else f"{value:.2f}"

    return show


COLUMNS: dict[str, Callable[[Cell], str]] = {
    WASTED: _figure("wasted_per_transaction"),
    "ab/tx": _figure("aborts_per_transaction"),
    "wait/tx": _figure("waits_per_transaction"),
    "dry/tx": _figure("dry_runs_per_transaction"),
}
"""Text of a cell of a record, by heading; for the baseline, which can waste nothing, a dash."""
