"""Conflict profile of a workload: what depends on what at its default dials and under each preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator, PercentFormatter

from contend.harness.present.charts.style import GREY, label, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from contend.harness.record.bound import Bounds

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def profile(bounds: Mapping[str, Bounds]) -> Figure:
    """Draw dependent share and longest chain as bars, and the bound against workers, of each variant of a workload.

    Parameters
    ----------
    bounds : mapping
        By variant, the default dials first.
    """
    names = list(bounds)
    colours = seaborn.color_palette("colorblind", len(names))
    figure, (shares, speedups) = panels(2, width=4.6, height=2.2 + 0.32 * len(names))
    _shares(shares, bounds, colours)
    _speedups(speedups, bounds, colours)
    handles: list[Any] = [
        Rectangle((0, 0), 1, 1, color=GREY, alpha=0.45),
        Rectangle((0, 0), 1, 1, color=GREY),
        Line2D([], [], color="0.7", linestyle=":"),
    ]
    figure.legend(
        handles,
        ["dependent on an earlier one", "in the longest chain", "W times with W workers (right)"],
        loc="outside upper center",
        ncols=3,
        frameon=False,
    )
    label(figure, "", "")
    return figure


def _shares(axes: Axes, bounds: Mapping[str, Bounds], colours: list[Any]) -> None:
    places = np.arange(len(bounds))
    for place, colour, one in zip(places, colours, bounds.values(), strict=True):
        axes.barh(place - 0.19, one.plain.dependent_share, height=0.36, color=colour, alpha=0.45)
        axes.barh(place + 0.19, one.plain.chain_share, height=0.36, color=colour)
    axes.set_yticks(places, list(bounds))
    axes.invert_yaxis()
    axes.set_axisbelow(True)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.yaxis.grid(False)
    axes.set_xlabel("of the block's transactions")


def _speedups(axes: Axes, bounds: Mapping[str, Bounds], colours: list[Any]) -> None:
    axes.plot(WORKERS, WORKERS, color="0.7", linestyle=":", zorder=1)
    for marker, colour, one in zip(_MARKERS, colours, bounds.values(), strict=False):
        axes.plot(
            WORKERS, [one.plain.speedup(workers) for workers in WORKERS], color=colour, marker=marker, markersize=4
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(WORKERS[::2]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    top = max(one.plain.speedup(WORKERS[-1]) for one in bounds.values())
    axes.set_ylim(0.9, max(2.2, 1.5 * top))
    axes.set_xlabel("workers")
    axes.set_ylabel("best conceivable speed-up")
