"""Speed-up against workers, with what no strategy can beat drawn over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import GREY, Style, clock_of, label, legend, panels, worker_axis
from contend.harness.record.frame import over

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SPREAD = 0.05
_WIDE_SPREAD = 0.16
# From this many workers on, one linear axis cannot show both what happens at few and at many.
_MANY_WORKERS = 16
_BOUNDS: tuple[tuple[str, Literal["-", ":"], str], ...] = (
    ("bound_speedup", "-", "bound"),
    ("bound_speedup_commutative", ":", "bound, if credits commute"),
)


def speedup(cells: pandas.DataFrame, style: Style, baseline: str = BASELINE) -> Figure | None:
    """Speed-up over a baseline against workers, one panel a workload; both axes logarithmic where workers are many.

    Cells without a pair with the baseline are left out; the bound, and what is ideal, are known over serial only.
    """
    cells = over(cells, baseline)
    rivals = cells[(cells["strategy"] != baseline) & cells["speedup"].notna()]
    if rivals.empty:
        return None
    workloads = list(dict.fromkeys(rivals["workload"]))
    counts = sorted(int(count) for count in set(rivals["workers"]))
    figure, drawn_on = panels(len(workloads), width=4.2, height=3.2, sharey=True)
    drawn = [name for name in style.strategies if name in set(rivals["strategy"])]
    many = counts[-1] >= _MANY_WORKERS
    bounds = [bound for bound in _BOUNDS if bound[0] in rivals and rivals[bound[0]].notna().any()]
    for axes, workload in zip(drawn_on, workloads, strict=True):
        part = rivals[rivals["workload"] == workload]
        _strategies(axes, part, drawn, style, apart=_SPREAD if len(counts) > 1 else _WIDE_SPREAD)
        if baseline == BASELINE:
            axes.plot([counts[0], counts[-1]], [counts[0], counts[-1]], "--", color=GREY, linewidth=1, zorder=1)
        axes.axhline(1, color=style.colour.get(baseline, GREY), linewidth=1, zorder=1)
        for column, line, _ in bounds:
            best = part.groupby("workers")[column].max()
            axes.plot(best.index, best, line, color="black", linewidth=1.4, zorder=2)
        worker_axis(axes, counts)
        if many:
            axes.set_yscale("log", base=2)
            axes.yaxis.set_major_locator(LogLocator(base=2, numticks=12))
            axes.yaxis.set_major_formatter(FuncFormatter(_factor))
        axes.set_title(workload)
    if many:
        _limit(drawn_on, rivals, counts)
    else:
        # All panels share it, and are scaled no more once it is set: after the last one has been drawn.
        drawn_on[0].set_ylim(bottom=0)
    label(figure, "workers", f"times {baseline}")
    handles: list[Any] = [
        Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=6) for name in drawn
    ]
    handles.append(Line2D([], [], color=style.colour.get(baseline, GREY), linewidth=1))
    if baseline == BASELINE:
        handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1))
    handles += [Line2D([], [], color="black", linestyle=line, linewidth=1.4) for _, line, _ in bounds]
    names = [*drawn, baseline, *(["ideal"] if baseline == BASELINE else []), *(name for _, _, name in bounds)]
    what = "" if set(cells["simulated"]) == {True} else " (median paired ratio with its interval)"
    legend(figure, handles, names, f"Speed-up over {baseline}, {clock_of(cells)}{what}")
    return figure


def _strategies(axes: Axes, part: pandas.DataFrame, drawn: list[str], style: Style, apart: float) -> None:
    exact = bool(part["simulated"].all())
    for place, name in enumerate(drawn):
        line = part[part["strategy"] == name].sort_values("workers")
        # Intervals are set a little apart on the logarithmic axis, so that they can be told from each other.
        shift = 0.0 if exact else apart * (place - (len(drawn) - 1) / 2)
        low, high = line["speedup"] - line["speedup_low"], line["speedup_high"] - line["speedup"]
        axes.errorbar(
            line["workers"] * 2**shift,
            line["speedup"],
            yerr=None if exact else [low.clip(lower=0), high.clip(lower=0)],
            color=style.colour[name],
            marker=style.marker[name],
            markersize=5 if exact else 6,
            capsize=3,
        )


def _limit(drawn_on: list[Axes], rivals: pandas.DataFrame, counts: list[int]) -> None:
    """Leave out of sight where only the ideal line is."""
    columns = ["speedup", *(name for name, _, _ in _BOUNDS if name in rivals)]
    values = rivals[columns].to_numpy(dtype=float)
    low, high = float(np.nanmin(rivals["speedup"])), float(np.nanmax(values))
    for axes in drawn_on:
        axes.set_ylim(min(low, 1) / 1.3, max(min(high, counts[-1]), 2) * 1.5)


def _factor(value: float, _: int) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.3g}"
