"""Latency from arrival to commit, of several blocks in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from contend.harness.present.charts.style import GREY, Style, clock_of, label, legend, panels

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def latency(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Latency through the burst, and over all transactions; two panels a workload.

    To the left the 99th percentile of the transactions of each block, with the most workers that were measured, above
    the sizes of the blocks; to the right median and 99th percentile of all transactions, by strategy and workers.
    """
    if "latency" not in cells or not cells["latency"].notna().any():
        return None
    known = cells[cells["latency"].notna()]
    workloads = list(dict.fromkeys(known["workload"]))
    figure, drawn_on = panels(2 * len(workloads), width=4.6, height=3.3)
    for place, workload in enumerate(workloads):
        part = known[known["workload"] == workload]
        through, over = drawn_on[2 * place], drawn_on[2 * place + 1]
        _through_time(through, part, style)
        _over_all(over, part, style)
        most = int(part["workers"].max())
        through.set_title(f"{workload}, by block, {most:,} workers")
        over.set_title(f"{workload}, all blocks, by workers")
        lows, highs = zip(through.get_ylim(), over.get_ylim(), strict=True)
        for axes in (through, over):
            axes.set_ylim(min(lows), max(highs))
    label(figure, "", "from arrival to commit")
    handles: list[Any] = [
        Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=5) for name in style.strategies
    ]
    handles += [
        Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="none"),
        Line2D([], [], color="black", marker="_", linestyle="none", markersize=9, markeredgewidth=2),
        Rectangle((0, 0), 1, 1, color="0.88"),
        Line2D([], [], color=GREY, linewidth=1, linestyle=":"),
    ]
    names = [*style.strategies, "p50 (right)", "p99 (both)", "transactions in the block", "block interval (right)"]
    legend(figure, handles, names, f"Latency, {clock_of(cells)}: {_offered(known)}")
    return figure


def _offered(cells: pandas.DataFrame) -> str:
    """Offered rate at which the transactions arrived, as text."""
    loads = sorted({load for load in cells["load"] if load == load})
    if len(loads) == 1 and cells["load"].notna().all():
        return f"transactions arrive at {loads[0]:g} of serial throughput on average"
    return "transactions arrive at a rate that was given"


def _through_time(axes: Axes, part: pandas.DataFrame, style: Style) -> None:
    most = {name: int(own["workers"].max()) for name, own in part.groupby("strategy")}
    for name in style.strategies:
        for _, cell in part[(part["strategy"] == name) & (part["workers"] == most.get(name))].iterrows():
            waited = cell["latency"]["by_block"]["p99_seconds"]
            axes.plot(
                np.arange(1, len(waited) + 1), waited, color=style.colour[name], marker=style.marker[name], markersize=4
            )
    _seconds_up(axes)
    sizes = np.array(part["block_transactions"].iloc[0])
    # A third of the panel for the largest block: a background, with no scale of its own.
    behind = axes.twinx()
    behind.bar(np.arange(1, len(sizes) + 1), sizes, width=0.8, color="0.88")
    behind.set_ylim(0, 3 * sizes.max())
    behind.set_axis_off()
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.xaxis.grid(False)
    axes.set_xlabel("block")


def _over_all(axes: Axes, part: pandas.DataFrame, style: Style) -> None:
    places = np.arange(len(part))
    for place, (_, cell) in zip(places, part.iterrows(), strict=True):
        low, high = cell["latency_p50_seconds"], cell["latency_p99_seconds"]
        colour = style.colour[cell["strategy"]]
        axes.plot([place, place], [low, high], color=colour, linewidth=2, zorder=2)
        axes.plot(place, low, marker="o", color=colour, markerfacecolor="white", markersize=6, zorder=3)
        axes.plot(place, high, marker="_", color=colour, markersize=10, markeredgewidth=2.4, zorder=3)
    interval = float(part["latency"].iloc[0]["interval_seconds"])
    axes.axhline(interval, color=GREY, linewidth=1, linestyle=":", zorder=1)
    _seconds_up(axes)
    axes.set_xticks(places, [f"{workers:,}" for workers in part["workers"]])
    axes.set_xlim(-0.7, len(part) - 0.3)
    axes.xaxis.grid(False)
    axes.set_xlabel("workers")


def _seconds_up(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
