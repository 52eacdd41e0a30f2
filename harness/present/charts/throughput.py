"""Transactions per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import Style, are_many, clock_of, label, legend, panels, present, worker_axis

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def throughput(cells: pandas.DataFrame, style: Style) -> Figure:
    """Transactions per second by strategy and workers, one panel a workload; dots are single runs."""
    if are_many(cells):
        return _against_workers(cells, style)
    workloads = list(dict.fromkeys(cells["workload"]))
    most = max(len(part) for _, part in cells.groupby("workload"))
    figure, drawn_on = panels(len(workloads), width=max(4.2, 1.2 + 0.62 * most), height=3.2)
    for axes, workload in zip(drawn_on, workloads, strict=True):
        part = cells[cells["workload"] == workload]
        places = np.arange(len(part))
        axes.bar(places, part["tx_per_second"], width=0.72, color=[style.colour[name] for name in part["strategy"]])
        for place, (_, cell) in zip(places, part.iterrows(), strict=True):
            if cell["simulated"]:
                continue
            runs = cell["transactions"] / np.array(cell["samples_seconds"])
            spots = place + np.linspace(-0.2, 0.2, len(runs)) if len(runs) > 1 else np.array([place])
            axes.plot(spots, runs, ".", color="black", markersize=3, alpha=0.6)
        axes.set_xticks(places, [str(workers) for workers in part["workers"]])
        axes.set_title(workload)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.grid(False)
    label(figure, "workers", "transactions per second")
    drawn = present(cells, style)
    handles = [Rectangle((0, 0), 1, 1, color=style.colour[name]) for name in drawn]
    runs_handle = Line2D([], [], color="black", marker=".", linestyle="none", markersize=4)
    if set(cells["simulated"]) == {True}:
        legend(figure, handles, drawn, f"Throughput, {clock_of(cells)}")
    else:
        names = [*drawn, "single run"]
        legend(figure, [*handles, runs_handle], names, f"Throughput, {clock_of(cells)} (bar: median)")
    return figure


def _against_workers(cells: pandas.DataFrame, style: Style) -> Figure:
    workloads = list(dict.fromkeys(cells["workload"]))
    figure, drawn_on = panels(len(workloads), width=4.2, height=3.2)
    counts = sorted(int(count) for count in set(cells["workers"]))
    drawn = present(cells, style)
    rivals = [name for name in drawn if name != BASELINE]
    for axes, workload in zip(drawn_on, workloads, strict=True):
        part = cells[cells["workload"] == workload]
        for name in rivals:
            line = part[part["strategy"] == name].sort_values("workers")
            marker = style.marker[name]
            axes.plot(line["workers"], line["tx_per_second"], color=style.colour[name], marker=marker, markersize=5)
        for speed in part[part["strategy"] == BASELINE]["tx_per_second"]:
            axes.axhline(speed, color=style.colour[BASELINE], linewidth=1, zorder=1)
        worker_axis(axes, counts)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_title(workload)
    label(figure, "workers", "transactions per second")
    handles = [
        Line2D([], [], color=style.colour[name], marker=style.marker[name] if name != BASELINE else None, markersize=5)
        for name in drawn
    ]
    legend(figure, handles, drawn, f"Throughput, {clock_of(cells)}")
    return figure
