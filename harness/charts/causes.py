"""What aborts were due to, by kind of location."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn
from matplotlib.patches import Rectangle

from harness.charts.look import Style, clock_of, label, legend, panels

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

KINDS = {
    "count.aborts_storage": "storage slot",
    "count.aborts_balance": "balance",
    "count.aborts_nonce": "nonce",
    "count.aborts_code": "code",
}


def causes(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Aborts per transaction with the most workers, by kind of location; None where nothing was aborted."""
    shown = [name for name in KINDS if name in cells]
    part = worst(cells)
    if not shown or part.empty:
        return None
    workloads = list(dict.fromkeys(part["workload"]))
    figure, drawn_on = panels(len(workloads), width=4.2, height=2.9)
    colours = seaborn.color_palette("colorblind", 10)
    # Not the colours that strategies have: those are the first ones.
    colour = dict(zip(KINDS, (colours[9], colours[8], colours[6], colours[7]), strict=True))
    for axes, workload in zip(drawn_on, workloads, strict=True):
        own = part[part["workload"] == workload]
        bottom = np.zeros(len(own))
        for name in shown:
            heights = (own[name].fillna(0) / own["transactions"]).to_numpy(float)
            axes.bar(range(len(own)), heights, bottom=bottom, width=0.6, color=colour[name])
            bottom += heights
        names = [f"{one.strategy}\n{one.workers:,} workers" for one in own.itertuples()]
        axes.set_xticks(range(len(own)), names, fontsize="small")
        axes.set_title(workload)
        axes.set_ylim(bottom=0)
        axes.set_xlim(-0.75, max(len(own), 3) - 0.25)
        axes.xaxis.grid(False)
    label(figure, "", "aborts per transaction")
    handles = [Rectangle((0, 0), 1, 1, color=colour[name]) for name in shown]
    legend(figure, handles, [KINDS[name] for name in shown], f"What aborts were due to, {clock_of(cells)}")
    return figure


def worst(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The cells with the most workers of each strategy on each workload, those left out that aborted nothing."""
    if "count.aborts" not in cells:
        return cells[:0]
    most = cells.groupby(["workload", "strategy"])["workers"].transform("max")
    last = cells[(cells["workers"] == most) & (cells["count.aborts"] > 0)]
    told = last[[name for name in KINDS if name in last]].sum(axis="columns")
    return last[told > 0]
