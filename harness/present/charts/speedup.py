"""Speed-up against workers, with what no strategy can beat drawn over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import factor_axis, linear_axis, worker_axis
from contend.harness.present.charts.bound_lines import bound_lines
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE
from contend.harness.present.charts.style import Style, clock_of, present, workload_titles
from contend.harness.record.frame import over

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_SPREAD = 0.16  # of a doubling, between the first strategy's intervals and the last one's
_WIDE_SPREAD = 0.5
# From this many workers on, one linear axis cannot show both what happens at few and at many.
_MANY_WORKERS = 16
_WIDE_RANGE = 20.0
_IDEAL: dict[str, Any] = {"color": GUIDE, "linestyle": "--", "linewidth": 1}


def speedup(cells: pandas.DataFrame, style: Style, notes: Sequence[str] = (), baseline: str = BASELINE) -> Chart | None:
    """Speed-up over a baseline against workers, one panel a workload; both axes logarithmic where workers are many.

    The bound, what is ideal, and the machine's limit are known over serial only.

    Parameters
    ----------
    cells : DataFrame
        Of one role. Those that have no pair with the baseline are left out.
    style : Style
    notes : sequence of str, optional
        Sentences below the panels.
    baseline : str, optional
        Strategy.
    """
    cells = over(cells, baseline)
    rivals = cells[(cells["strategy"] != baseline) & cells["speedup"].notna()]
    if rivals.empty:
        return None
    titles = workload_titles(rivals)
    counts = sorted(int(count) for count in set(rivals["workers"]))
    chart = Chart(len(titles), width=3.6, height=2.9, share_up=True)
    chart.title, chart.across, chart.up = f"Speed-up over {baseline}", "workers", f"times {baseline}"
    chart.subtitle = clock_of(cells)
    if not cells["simulated"].all():
        chart.subtitle += "; median paired ratio with its interval"
    chart.notes = list(notes)
    drawn = chart.key_order = present(rivals, style)
    bounds = {
        workload: list(bound_lines(part, "workers")) if baseline == BASELINE else []
        for workload, part in rivals.groupby("workload", sort=False)
    }
    low, high = _range(rivals, counts, [max(line.values) for lines in bounds.values() for line in lines])
    wide = counts[-1] >= _MANY_WORKERS or high / low > _WIDE_RANGE
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        part = rivals[rivals["workload"] == workload]
        _strategies(chart, axes, part, drawn, style, spread=_SPREAD if len(counts) > 1 else _WIDE_SPREAD)
        worker_axis(axes, counts)
        ends = axes.get_xlim()
        one: dict[str, Any] = {"color": style.colour[baseline], "linewidth": 1.2}
        chart.key(baseline, Line2D([], [], **one), axes, axes.axhline(1, zorder=1, **one))
        if baseline == BASELINE:
            # Through every worker count, as the bound: of one axis that is logarithmic and one that is not, a line from
            # end to end would be right nowhere else.
            ideal = [ends[0], *counts, ends[1]]
            chart.key("ideal", Line2D([], [], **_IDEAL), axes, *axes.plot(ideal, ideal, zorder=1, **_IDEAL))
        for line in bounds[workload]:
            # One worker count is no line: a short one across it.
            at = list(line.values.index) if len(counts) > 1 else [ends[0], ends[1]]
            up = list(line.values) if len(counts) > 1 else list(line.values) * 2
            marks = axes.plot(at, up, zorder=2, **line.look)
            chart.key(line.name, Line2D([], [], **line.look), axes, *marks)
        axes.set_xlim(ends)
        chart.name_panel(axes, title)
    first = chart.panels[0]
    if wide:
        factor_axis(first.yaxis)
        for axes in chart.panels[1:]:
            axes.yaxis.set_major_formatter(first.yaxis.get_major_formatter())
        first.set_ylim(low / 1.3, high * 1.5)
    else:
        linear_axis(first.yaxis)
        first.set_ylim(0, high * 1.15)
    return chart


def _strategies(
    chart: Chart, axes: Axes, part: pandas.DataFrame, drawn: list[str], style: Style, spread: float
) -> None:
    exact = bool(part["simulated"].all())
    for place, name in enumerate(drawn):
        line = part[part["strategy"] == name].sort_values("workers")
        if line.empty:
            continue
        # Intervals are set a little apart on the logarithmic axis, so that they can be told from each other.
        shift = 0.0 if exact or len(drawn) == 1 else spread * (place / (len(drawn) - 1) - 0.5)
        low, high = line["speedup"] - line["speedup_low"], line["speedup_high"] - line["speedup"]
        look = style.lines(name, 5 if exact else 6)
        drawing = axes.errorbar(
            line["workers"] * 2**shift,
            line["speedup"],
            yerr=None if exact else [low.clip(lower=0), high.clip(lower=0)],
            capsize=3,
            **look,
        )
        chart.key(name, Line2D([], [], **look), axes, drawing.lines[0])


def _range(rivals: pandas.DataFrame, counts: list[int], bounds: list[float]) -> tuple[float, float]:
    """What is shown of the vertical axis: all but where only the ideal line is."""
    seen = float(np.nanmax(rivals[["speedup", "speedup_high"]].to_numpy(dtype=float)))
    high = max(min(max([seen, *bounds]), max(counts[-1], seen)), seen, 2)
    return min(float(rivals["speedup"].min()), 1), high
