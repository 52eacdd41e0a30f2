"""Work that was done in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from harness.charts.look import Style, clock_of, legend, panels

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

_WASTE = (
    ("count.aborts", "transactions", "aborts per transaction", False),
    ("count.wasted_gas", "gas", "gas executed in vain, share of the block's", True),
    ("count.outside", "transactions", "transactions repaired after the plan, or deferred to a serial end", True),
)

# What a strategy of one kind or another does to transactions that it could not run as it meant to.
_OUTSIDE = ("count.repaired", "count.deferred")


def wasted(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Aborts, wasted gas and fallback by workload and strategy; None where no strategy counts any of them."""
    outside = cells.reindex(columns=list(_OUTSIDE)).sum(axis="columns", min_count=1)
    cells = cells.assign(**{"count.outside": outside})
    shown = [entry for entry in _WASTE if entry[0] in cells and cells[entry[0]].notna().any()]
    if not shown:
        return None
    workloads = list(dict.fromkeys(cells["workload"]))
    figure, drawn_on = panels(len(shown), width=max(4.2, 1.3 * len(workloads) + 2), height=2.9, columns=1)
    counting = cells[cells[[entry[0] for entry in shown]].notna().any(axis="columns")]
    width = 0.8 / len(set(zip(counting["strategy"], counting["workers"], strict=True)))
    for axes, (counter, per, title, as_share) in zip(drawn_on, shown, strict=True):
        part = cells[cells[counter].notna()]
        series = list(dict.fromkeys(zip(part["strategy"], part["workers"], strict=True)))
        for place, (strategy, workers) in enumerate(series):
            own = part[(part["strategy"] == strategy) & (part["workers"] == workers)]
            at = np.array([workloads.index(name) for name in own["workload"]]) + (place - (len(series) - 1) / 2) * width
            heights = own[counter] / own[per]
            axes.bar(at, heights, width=0.9 * width, color=style.colour[strategy])
            for x, height in zip(at, heights, strict=True):
                axes.annotate(str(workers), (x, height), (0, 1), textcoords="offset points", ha="center", fontsize=7)
        axes.set_xticks(range(len(workloads)), workloads)
        axes.set_title(title)
        axes.xaxis.grid(False)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.15)
        if as_share:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
    drawn = [name for name in style.strategies if name in set(counting["strategy"])]
    handles = [Rectangle((0, 0), 1, 1, color=style.colour[name]) for name in drawn]
    legend(figure, handles, drawn, f"Wasted work, {clock_of(cells)} (the number on a bar is the worker count)")
    return figure
