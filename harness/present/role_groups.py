"""Rows of a table by role: who knows what is never ranked beside who knows less.

Beside the speed-ups stands what this machine can do at all, a row for each number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contend.harness.plan.resolve import LIMIT
from contend.harness.record.content.cell_facts import (
    BUILDER,
    CEILING,
    FOUND_NOTHING,
    MEANING,
    VALIDATOR,
    given_in,
    role_in,
    strategy_in,
)

Cell = Mapping[str, Any]
_NONE = "-"

RANKED = (BUILDER, VALIDATOR)
"""Roles within each of which there is a ranking."""


def by_role(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Cells of each role that there is, in the order of `MEANING`."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(role_in(cell), []).append(cell)
    return {role: found[role] for role in MEANING if role in found}


def heading_of(role: str) -> str:
    """Heading above the rows of a role."""
    return f"{role}, ranked nowhere" if role == CEILING else role


def limit_rows(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """A row for each number of workers with which the machine's limit was measured, as a cell without other figures."""
    limits = {cell["workers"]: cell for cell in cells if cell.get("limit")}
    nothing = dict.fromkeys(("tx_per_second", "gas_per_second", "share_of_bound", "error", "verified", "limit"))
    return [
        {
            **nothing,
            "workload": cell["workload"],
            "strategy": LIMIT,
            "workers": workers,
            "speedup": cell["limit"],
            "phases": {},
            "warnings": [],
        }
        for workers, cell in sorted(limits.items())
    ]


def given_line(cells: Sequence[Cell]) -> str:
    """Sentence on what was given from where, for a table without that column; empty where no record says."""
    sources: dict[str, list[str]] = {}
    for cell in cells:
        if source := given_in(cell):
            sources.setdefault(source, []).append(strategy_in(cell))
    told = []
    for source, found in sources.items():
        names = ", ".join(dict.fromkeys(found))
        told.append(f"{names}: {source}" if source in FOUND_NOTHING.values() else f"{source} to {names}")
    return f"Given: {'; '.join(told)}." if told else ""


def bytes_of(cell: Cell) -> str:
    """Bytes a transaction that had to come with the block."""
    size = (cell.get("given") or {}).get("bytes_per_transaction")
    return f"{size:,.0f}" if size else _NONE


def hints_of(cell: Cell, view: str) -> str:
    """Recall and precision of the hints under a view, in per cent."""
    given = cell.get("given") or {}
    found = [given[name][view] for name in ("recall", "precision")] if "recall" in given else [None, None]
    if found == [None, None]:
        return _NONE
    return "/".join(_NONE if value is None else f"{100 * value:.0f}" for value in found)
