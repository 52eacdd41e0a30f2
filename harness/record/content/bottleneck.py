"""Bottleneck: the stage of a node in which most of the time goes.

A cell of a record has its phases in one mapping, a row of a frame has a column for each, which is NaN where it is not
timed. Both do here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OF_EXECUTION = ("prepare", "execute", "commit")
STAGE_COLUMNS = tuple(f"{name}_seconds" for name in ("agree", "recover", "read", *_OF_EXECUTION, "root", "store"))
"""Of a frame: seconds of all phases that there are."""
EXECUTION = "execute"
"""What execution is called as a stage, with its preparation and its commit (`node.seats.EXECUTION`)."""
NAMES = {
    "agree": "agreement",
    "recover": "finding senders by signatures",
    "read": "reading records ahead",
    EXECUTION: "execution",
    "root": "the state root",
    "store": "the commit to the database",
}
"""What stages are called in sentences, in the order in which they come."""

Cell = Mapping[Any, Any]


def stage_seconds(cell: Cell) -> dict[str, float]:
    """Seconds of all blocks by stage, which add up to the time.

    Parameters
    ----------
    cell : mapping
        Of a record, or a row of a frame.
    """
    phases = cell.get("phases")
    if not isinstance(phases, Mapping):
        told = {name.removesuffix("_seconds"): cell.get(name) for name in STAGE_COLUMNS}
        phases = {name: float(seconds) for name, seconds in told.items() if seconds is not None and seconds == seconds}
    found = dict.fromkeys(NAMES, 0.0)
    for name, seconds in phases.items():
        found[EXECUTION if name in _OF_EXECUTION else name] += seconds
    return {name: seconds for name, seconds in found.items() if seconds or name in phases}


def bottleneck(cell: Cell) -> str | None:
    """The stage that takes longest: where stages overlap, alone. None where nothing but execution is in the time."""
    overlapped = cell.get("pipeline")
    if isinstance(overlapped, Mapping):
        return str(overlapped["bottleneck"])
    if not cell.get("stages"):
        return None
    found = stage_seconds(cell)
    return max(found, key=lambda name: found[name]) if sum(found.values()) else None


def bottlenecks(cells: Iterable[Cell]) -> list[str]:
    """A sentence for each workload: which stage is the bottleneck of its fastest cell.

    Parameters
    ----------
    cells : iterable of mapping
        Of a record, or rows of a frame with a column ``bottleneck``.
    """
    fastest: dict[str, Cell] = {}
    for cell in cells:
        before = fastest.get(cell["workload"])
        if _told(cell) and (before is None or cell["tx_per_second"] > before["tx_per_second"]):
            fastest[cell["workload"]] = cell
    found = []
    for workload, cell in fastest.items():
        stage, seconds = str(_told(cell)), stage_seconds(cell)
        of_whom = f"{cell['strategy']} with {cell['workers']:,} worker{'' if cell['workers'] == 1 else 's'}"
        part = seconds[stage] / sum(seconds.values())
        what = NAMES.get(stage, stage)
        found.append(f"{workload}: the bottleneck of {of_whom}, the fastest, is {what}: {part:.0%} of the time.")
    return found


def _told(cell: Cell) -> str | None:
    told = cell.get("bottleneck")
    return told if isinstance(told, str) else bottleneck(cell)
