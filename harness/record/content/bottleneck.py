"""Bottleneck: the stage of a node in which most of the time goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OF_EXECUTION = ("prepare", "execute", "commit")
EXECUTION = "execute"
"""What execution is called as a stage, with its preparation and its commit (`node.seats.EXECUTION`)."""
NAMES = {
    "agree": "agreement",
    "recover": "finding senders by signatures",
    EXECUTION: "execution",
    "root": "the state root",
}
"""What stages are called in sentences."""


def stage_seconds(cell: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of a cell by stage: of its blocks one after the other, or, where stages overlap, of a block alone.

    Parameters
    ----------
    cell : mapping
        Of a record.
    """
    overlapped = cell.get("pipeline")
    if overlapped:
        return dict(overlapped["alone_seconds"])
    phases, found = cell.get("phases") or {}, dict.fromkeys(NAMES, 0.0)
    for name, seconds in phases.items():
        found[EXECUTION if name in _OF_EXECUTION else name] += seconds
    return {name: seconds for name, seconds in found.items() if seconds or name in phases}


def bottleneck(cell: Mapping[str, Any]) -> str | None:
    """The stage that takes longest; None where nothing but execution is in the time."""
    found = stage_seconds(cell)
    return max(found, key=lambda name: found[name]) if cell.get("stages") and sum(found.values()) else None


def bottleneck_share(cell: Mapping[str, Any]) -> float:
    """Which part of the time of all stages it has."""
    found = stage_seconds(cell)
    return max(found.values()) / sum(found.values())


def bottlenecks(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each workload: in which stage most of the time of its fastest cell goes.

    Parameters
    ----------
    cells : iterable of mapping
        Of a record, or rows of a frame as mappings.
    """
    fastest: dict[str, Mapping[str, Any]] = {}
    for cell in cells:
        before = fastest.get(cell["workload"])
        if bottleneck(cell) and (before is None or cell["tx_per_second"] > before["tx_per_second"]):
            fastest[cell["workload"]] = cell
    found = []
    for workload, cell in fastest.items():
        what = NAMES.get(str(bottleneck(cell)), bottleneck(cell))
        of_whom = f"{cell['strategy']} with {cell['workers']} worker{'' if cell['workers'] == 1 else 's'}"
        time = "the stages' time" if cell.get("pipeline") else "the time"
        found.append(
            f"{workload}: the bottleneck of {of_whom}, the fastest, is {what}: {bottleneck_share(cell):.0%} of {time}."
        )
    return found
