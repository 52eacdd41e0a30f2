"""Transactions per second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import decimal_axis, linear_axis, rate, whole, worker_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import INK
from contend.harness.present.charts.style import Style, are_many, clock_of, present, workload_titles

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_BAR = 0.42  # inches from bar to bar
_NARROW_BAR = 0.26
_MOST_WIDE = 9  # bars of a panel, beyond which they are narrow
_FEWEST = 6  # bars for which a panel has room, however few there are


def throughput(cells: pandas.DataFrame, style: Style, notes: Sequence[str] = ()) -> Chart:
    """Transactions per second by strategy and workers, one panel a workload; dots are single runs."""
    chart = _lines(cells, style) if are_many(cells) else _bars(cells, style)
    chart.title, chart.key_order = "Throughput", style.strategies
    chart.up = "transactions per second"
    chart.across = "workers"
    chart.notes = list(notes)
    return chart


def _bars(cells: pandas.DataFrame, style: Style) -> Chart:
    titles = workload_titles(cells)
    most = int(cells.groupby("workload").size().max())
    pitch = _BAR if most <= _MOST_WIDE else _NARROW_BAR
    chart = Chart(len(titles), width=max(_BAR * _FEWEST, pitch * (most + 1)), height=2.7)
    chart.subtitle = clock_of(cells)
    if not cells["simulated"].all():
        chart.subtitle += "; a bar is the median"
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        part = cells[cells["workload"] == workload]
        counts: list[str] = []
        for name in present(part, style):
            for _, cell in part[part["strategy"] == name].sort_values("workers").iterrows():
                place = len(counts)
                bars = axes.bar(place, cell["tx_per_second"], width=0.74, **style.bars(name))
                chart.key(name, Rectangle((0, 0), 1, 1, **style.bars(name)), axes, *bars)
                counts.append(whole(cell["workers"]))
                if not cell["simulated"]:
                    runs = cell["transactions"] / np.array(cell["samples_seconds"])
                    spots: Any = place + np.linspace(-0.2, 0.2, len(runs)) if len(runs) > 1 else [place]
                    _runs(chart, axes, spots, runs)
        axes.set_xlim(-0.7, max(most, _FEWEST if len(titles) > 1 else most) - 0.3)
        chart.name_places(axes, range(len(counts)), counts)
        chart.name_panel(axes, title)
        axes.set_ylim(bottom=0)
        linear_axis(axes.yaxis, rate)
        axes.xaxis.grid(False)
    return chart


def _lines(cells: pandas.DataFrame, style: Style) -> Chart:
    titles = workload_titles(cells)
    chart = Chart(len(titles), width=3.6, height=2.7)
    chart.subtitle = clock_of(cells)
    counts = sorted(int(count) for count in set(cells["workers"]))
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        part = cells[cells["workload"] == workload]
        for name in present(part, style):
            own = part[part["strategy"] == name].sort_values("workers")
            if name == BASELINE:
                look: dict[str, Any] = {"color": style.colour[BASELINE], "linewidth": 1.2}
                marks = [axes.axhline(speed, zorder=1, **look) for speed in own["tx_per_second"]]
                chart.key(name, Line2D([], [], **look), axes, *marks)
            else:
                marks = axes.plot(own["workers"], own["tx_per_second"], **style.lines(name))
                chart.key(name, Line2D([], [], **style.lines(name)), axes, *marks)
        worker_axis(axes, counts)
        decimal_axis(axes.yaxis, rate)
        chart.name_panel(axes, title)
    return chart


def _runs(chart: Chart, axes: Axes, spots: Any, runs: Any) -> None:
    look: dict[str, Any] = {
        "color": INK,
        "marker": ".",
        "linestyle": "none",
        "markersize": 5,
        "markeredgecolor": "white",
    }
    marks = axes.plot(spots, runs, markeredgewidth=0.4, **look)
    chart.key("single run", Line2D([], [], **{**look, "markersize": 7}), axes, *marks)
