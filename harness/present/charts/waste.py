"""Chart of wasted work: executions that were thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import Style, are_many, clock_of, label, legend, panels, worker_axis
from contend.harness.record.sample import OWN_ORDER_GAS

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

WASTE = (
    ("wasted", "transactions", "wasted executions per transaction", False),
    ("count.wasted_gas", "gas_executed", "wasted gas, share of all that was executed", True),
    ("outside", "transactions", "transactions repaired or deferred", True),
)
"""What is drawn: a counter, what it is divided by, a title, and whether that is a share, which never passes 100 %."""

# What a strategy of one kind or another does to transactions that it could not run as it meant to.
_OUTSIDE = ("count.repairs", "count.deferred")


def wasted(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Wasted executions and gas, and fallback, by workload and strategy; None where no strategy counts any of them."""
    cells = with_waste(cells)
    shown = [entry for entry in WASTE if entry[0] in cells and cells[entry[0]].notna().any()]
    if not shown:
        return None
    if are_many(cells):
        return _against_workers(cells, style, shown)
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


def with_waste(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Cells with what of the chart is no counter; each share is of a total that it is part of.

    Returns
    -------
    DataFrame
        With ``wasted`` (executions, none of the baseline's), ``gas_executed`` (with the wasted) and ``outside``
        (transactions that were repaired, or else deferred).
    """
    parts = cells.reindex(columns=["count.wasted_gas", f"count.{OWN_ORDER_GAS}", *_OUTSIDE])
    wasted = (cells["wasted_per_transaction"] * cells["transactions"]).where(cells["strategy"] != BASELINE)
    gas = parts[f"count.{OWN_ORDER_GAS}"].fillna(cells["gas"]) + parts["count.wasted_gas"].fillna(0)
    repaired, deferred = (parts[name] for name in _OUTSIDE)
    return cells.assign(wasted=wasted, gas_executed=gas, outside=repaired.fillna(deferred))


def _against_workers(cells: pandas.DataFrame, style: Style, shown: list[tuple[str, str, str, bool]]) -> Figure:
    """One panel for each workload and counter that is not zero throughout."""
    wanted = [
        (workload, entry)
        for workload in dict.fromkeys(cells["workload"])
        for entry in shown
        if cells[cells["workload"] == workload][entry[0]].max() > 0
    ]
    figure, drawn_on = panels(max(len(wanted), 1), width=4.2, height=2.9)
    counts = sorted(int(count) for count in set(cells["workers"]))
    drawn = [name for name in style.strategies if cells[cells["strategy"] == name]["wasted"].notna().any()]
    for axes, (workload, (counter, per, title, as_share)) in zip(drawn_on, wanted, strict=False):
        part = cells[(cells["workload"] == workload) & cells[counter].notna()]
        for name in drawn:
            line = part[part["strategy"] == name].sort_values("workers")
            marker = style.marker[name]
            axes.plot(line["workers"], line[counter] / line[per], color=style.colour[name], marker=marker, markersize=5)
        worker_axis(axes, counts)
        axes.set_ylim(bottom=0)
        axes.set_title(f"{workload}: {title.partition(',')[0]}", fontsize="medium")
        if as_share:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
    label(figure, "workers", "per transaction, or share of the block's")
    handles = [Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=5) for name in drawn]
    legend(figure, handles, drawn, f"Wasted work, {clock_of(cells)}")
    return figure
