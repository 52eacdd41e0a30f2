"""Conflict profile of a workload: what depends on what at its default dials and under each preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from contend.harness.present.charts.axis_ticks import factor_axis, share_axis, worker_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE, TONES
from contend.harness.present.charts.text_fitting import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contend.harness.record.bound import Bounds

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_WIDEST_NAME = 1.7


def profile(bounds: Mapping[str, Bounds]) -> Chart:
    """Draw dependent share and longest chain as bars, and the bound against workers, of each variant of a workload.

    Parameters
    ----------
    bounds : mapping
        By variant, the default dials first.
    """
    chart = Chart(2, width=4.0, height=1.4 + 0.36 * len(bounds), columns=2)
    shares, speedups = chart.panels
    colours = [TONES[place % len(TONES)].light for place in range(len(bounds))]
    _shares(chart, shares, bounds, colours)
    _speedups(chart, speedups, bounds, colours)
    return chart


def _shares(chart: Chart, axes: Axes, bounds: Mapping[str, Bounds], colours: list[str]) -> None:
    places = np.arange(len(bounds))
    for place, colour, one in zip(places, colours, bounds.values(), strict=True):
        hollow: dict[str, Any] = {"facecolor": "white", "linewidth": 1.2}
        dependent = axes.barh(place - 0.19, one.plain.dependent_share, height=0.34, edgecolor=colour, **hollow)
        chain = axes.barh(place + 0.19, one.plain.chain_share, height=0.34, facecolor=colour, edgecolor=colour)
        key = Rectangle((0, 0), 1, 1, edgecolor=GUIDE, **hollow)
        chart.key("dependent on an earlier one", key, axes, *dependent)
        chart.key("in the longest chain", Rectangle((0, 0), 1, 1, color=GUIDE), axes, *chain)
    size = FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points()
    axes.set_yticks(places, [wrapped(name, _WIDEST_NAME, size) for name in bounds])
    axes.invert_yaxis()
    axes.set_axisbelow(True)
    axes.set_xlim(0, 1)
    share_axis(axes.xaxis)
    axes.yaxis.grid(False)
    chart.name_axes(axes, across="of the block's transactions")


def _speedups(chart: Chart, axes: Axes, bounds: Mapping[str, Bounds], colours: list[str]) -> None:
    look: dict[str, Any] = {"color": GUIDE, "linestyle": ":"}
    ideal = axes.plot(WORKERS, WORKERS, zorder=1, **look)
    chart.key("W times with W workers (right)", Line2D([], [], **look), axes, *ideal)
    for place, (colour, one) in enumerate(zip(colours, bounds.values(), strict=True)):
        axes.plot(
            WORKERS,
            [one.plain.speedup(workers) for workers in WORKERS],
            color=colour,
            marker=_MARKERS[place % len(_MARKERS)],
            markersize=4,
        )
    worker_axis(axes, WORKERS)
    factor_axis(axes.yaxis)
    top = max(one.plain.speedup(WORKERS[-1]) for one in bounds.values())
    axes.set_ylim(0.9, max(2.2, 1.5 * top))
    chart.name_axes(axes, across="workers", up="best conceivable speed-up")
