"""Chart of abort causes, by class of location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn
from matplotlib.patches import Rectangle

from contend.harness.present.charts.style import Style, clock_of, label, legend, panels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas
    from matplotlib.figure import Figure

UNNAMED = "storage slot"
CLASSES = {
    "count.aborts_at_token_balance": "token balance",
    "count.aborts_at_pool_reserve": "pool reserve",
    "count.aborts_at_counter": "counter",
    "count.aborts_at_allowance": "allowance",
    "count.aborts_at_other_storage": "other storage",
    "count.aborts_at_balance": "balance",
    "count.aborts_at_nonce": "nonce",
    "count.aborts_at_code": "code",
}
"""Classes of locations, where somebody has named them (`harness.analysis.abort_causes`)."""
KINDS = {
    "count.aborts_storage": UNNAMED,
    "count.aborts_balance": "balance",
    "count.aborts_nonce": "nonce",
    "count.aborts_code": "code",
}
"""Kinds of locations, as strategies count them: all there is of several blocks in a row, and in older records."""


def causes(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Aborts and repairs per transaction with the most workers, by class of location; None where there were none."""
    part = worst(cells)
    if part.empty:
        return None
    counts = [aborts_of(one) for one in part.to_dict("records")]
    shown = [name for name in _COLOURS if any(name in found for found in counts)]
    workloads = list(dict.fromkeys(part["workload"]))
    figure, drawn_on = panels(len(workloads), width=4.2, height=2.9)
    for axes, workload in zip(drawn_on, workloads, strict=True):
        mine = (part["workload"] == workload).to_numpy()
        own = part[mine]
        found = [one for one, belongs in zip(counts, mine, strict=True) if belongs]
        bottom = np.zeros(len(own))
        for name in shown:
            heights = np.array([one.get(name, 0.0) for one in found]) / own["transactions"].to_numpy(float)
            axes.bar(range(len(own)), heights, bottom=bottom, width=0.6, color=_COLOURS[name])
            bottom += heights
        names = [f"{one.strategy}\n{one.workers:,} workers" for one in own.itertuples()]
        axes.set_xticks(range(len(own)), names, fontsize="small")
        axes.set_title(workload)
        axes.set_ylim(bottom=0)
        axes.set_xlim(-0.75, max(len(own), 3) - 0.25)
        axes.xaxis.grid(False)
    label(figure, "", "aborts and repairs per transaction")
    handles = [Rectangle((0, 0), 1, 1, color=_COLOURS[name]) for name in shown]
    legend(figure, handles, shown, f"What aborts were due to, {clock_of(cells)}")
    return figure


def aborts_of(cell: Mapping[Any, Any]) -> dict[str, float]:
    """Aborts and repairs of a cell by what they were due to: by class where that is known, else by kind.

    Parameters
    ----------
    cell : mapping
        A row of the frame.
    """
    for names in (CLASSES, KINDS):
        found = {what: float(cell[name]) for name, what in names.items() if cell.get(name, 0) > 0}
        if found:
            return found
    return {}


def worst(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The cells with the most workers of each strategy on each workload, those left out that aborted nothing."""
    most = cells.groupby(["workload", "strategy"])["workers"].transform("max")
    last = cells[cells["workers"] == most]
    return last[[bool(aborts_of(one)) for one in last.to_dict("records")]]


# Not the colours that strategies have: those are the first of this palette.
_PALETTE = seaborn.color_palette("colorblind", 10)
_COLOURS: dict[str, Any] = {
    "token balance": _PALETTE[9],
    "pool reserve": _PALETTE[8],
    "counter": _PALETTE[6],
    "allowance": _PALETTE[5],
    "other storage": _PALETTE[7],
    UNNAMED: _PALETTE[7],
    "balance": _PALETTE[4],
    "nonce": "#6a3d9a",
    "code": "#8c510a",
}
