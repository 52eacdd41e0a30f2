"""Latency from arrival to commit, of several blocks in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from contend.harness.present.charts.axis_ticks import decimal_axis, linear_axis, seconds, whole
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE, INK
from contend.harness.present.charts.style import Style, clock_of, present, workload_titles

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_PLACE = 0.24  # inches from cell to cell
_P50: dict[str, Any] = {"marker": "o", "markerfacecolor": "white", "markersize": 6}
_P99: dict[str, Any] = {"marker": "_", "markersize": 9, "markeredgewidth": 2.2}
_NONE: dict[str, Any] = {"linestyle": "none"}


def latency(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Latency through the burst, and over all transactions; two panels a workload.

    To the left the 99th percentile of the transactions of each block, with the most workers that were measured, above
    the sizes of the blocks; to the right median and 99th percentile of all transactions, by strategy and workers.
    """
    if "latency" not in cells or not cells["latency"].notna().any():
        return None
    known = cells[cells["latency"].notna()]
    titles = workload_titles(known)
    places = int(known.groupby("workload").size().max())
    chart = Chart(2 * len(titles), width=max(3.6, _PLACE * (places + 1)), height=2.7, columns=2)
    for place, (workload, title) in enumerate(titles.items()):
        part = known[known["workload"] == workload]
        through, over = chart.panels[2 * place], chart.panels[2 * place + 1]
        _through_time(chart, through, part, style)
        _over_all(chart, over, part, style)
        chart.name_panel(through, f"{title}, by block, {int(part['workers'].max()):,} workers")
        chart.name_panel(over, f"{title}, all blocks, by workers")
        lows, highs = zip(through.get_ylim(), over.get_ylim(), strict=True)
        for axes in (through, over):
            axes.set_ylim(min(lows), max(highs))
    chart.title, chart.key_order = "Latency", style.strategies
    chart.subtitle = f"{clock_of(cells)}; {_offered(known)}"
    chart.up = "from arrival to commit"
    return chart


def _offered(cells: pandas.DataFrame) -> str:
    """Offered rate at which the transactions arrived, as text."""
    loads = sorted({load for load in cells["load"] if load == load})
    if len(loads) == 1 and cells["load"].notna().all():
        return f"transactions arrive at {loads[0]:g} of serial throughput on average"
    return "transactions arrive at a rate that was given"


def _through_time(chart: Chart, axes: Axes, part: pandas.DataFrame, style: Style) -> None:
    for name in present(part, style):
        own = part[part["strategy"] == name]
        for _, cell in own[own["workers"] == own["workers"].max()].iterrows():
            waited = cell["latency"]["by_block"]["p99_seconds"]
            marks = axes.plot(np.arange(1, len(waited) + 1), waited, **style.lines(name, 4))
            chart.key(name, Line2D([], [], **style.lines(name)), axes, *marks)
    decimal_axis(axes.yaxis, seconds)
    sizes = np.array(part["block_transactions"].iloc[0])
    # A third of the panel for the largest block: a background, with no scale of its own.
    behind = chart.behind(axes)
    look: dict[str, Any] = {"color": GUIDE, "linewidth": 1}
    steps = behind.stairs(sizes, np.arange(len(sizes) + 1) + 0.5, baseline=0, **look)
    behind.set_ylim(0, 3 * sizes.max())
    chart.key("transactions in the block", Line2D([], [], drawstyle="steps-mid", **look), behind, steps)
    linear_axis(axes.xaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_xlim(0.4, len(sizes) + 0.6)
    axes.tick_params(length=0)
    axes.xaxis.grid(False)
    chart.name_axes(axes, across="block")


def _over_all(chart: Chart, axes: Axes, part: pandas.DataFrame, style: Style) -> None:
    counts: list[str] = []
    for name in present(part, style):
        for _, cell in part[part["strategy"] == name].sort_values("workers").iterrows():
            low, high, place = cell["latency_p50_seconds"], cell["latency_p99_seconds"], len(counts)
            colour = style.colour[name]
            axes.plot([place, place], [low, high], color=colour, linewidth=2, zorder=2)
            median = axes.plot(place, low, color=colour, zorder=3, **{**_P50, "marker": style.marker[name]}, **_NONE)
            slow = axes.plot(place, high, color=colour, zorder=3, **_P99, **_NONE)
            chart.key("p50 (right)", Line2D([], [], color=INK, **_P50, **_NONE), axes, *median)
            chart.key("p99 (both)", Line2D([], [], color=INK, **_P99, **_NONE), axes, *slow)
            counts.append(whole(cell["workers"]))
    interval = float(part["latency"].iloc[0]["interval_seconds"])
    look: dict[str, Any] = {"color": GUIDE, "linewidth": 1, "linestyle": ":"}
    key = "block interval (right)"
    chart.key(key, Line2D([], [], **look), axes, axes.axhline(interval, zorder=1, **look))
    decimal_axis(axes.yaxis, seconds)
    axes.set_xlim(-0.7, len(counts) - 0.3)
    chart.name_places(axes, range(len(counts)), counts)
    axes.xaxis.grid(False)
    chart.name_axes(axes, across="workers")
