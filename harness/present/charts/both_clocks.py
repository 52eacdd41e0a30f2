"""Scaling on both clocks: what was measured, and what was simulated, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import linear_axis, worker_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE
from contend.harness.present.charts.style import Style, present, workload_titles

if TYPE_CHECKING:
    import pandas


def both_clocks(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Speed-up against workers by the wall clock (filled, with intervals) and simulated (hollow, dashed).

    None where no workload was measured by both.
    """
    rivals = cells[(cells["strategy"] != BASELINE) & cells["speedup"].notna()]
    both = [name for name, part in rivals.groupby("workload", sort=False) if part["clock"].nunique() == 2]
    if not both:
        return None
    rivals = rivals[rivals["workload"].isin(both)]
    titles = workload_titles(rivals)
    chart = Chart(len(titles), width=3.6, height=2.7)
    chart.title, chart.across, chart.up = "Speed-up on both clocks", "workers", "times serial"
    chart.key_order = [name for name in style.strategies if name != BASELINE]
    drawn = present(rivals, style)
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        part = rivals[rivals["workload"] == workload]
        # Beyond a few times the real workers, all would be simulated, which the chart of speed-up shows.
        most = 4 * int(part[part["clock"] == "wall"]["workers"].max())
        part = part[part["workers"] <= most]
        for name in present(part, style):
            real = part[(part["strategy"] == name) & (part["clock"] == "wall")].sort_values("workers")
            made = part[(part["strategy"] == name) & (part["clock"] != "wall")].sort_values("workers")
            low, high = real["speedup"] - real["speedup_low"], real["speedup_high"] - real["speedup"]
            colour, marker = style.colour[name], style.filled_marker(name, drawn)
            look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 6}
            hollow: dict[str, Any] = {"linestyle": "--", "markerfacecolor": "white", "linewidth": 1}
            marks = []
            if len(made):
                (mark,) = axes.plot(made["workers"], made["speedup"], **look, **hollow)
                chart.key("SIMULATED", Line2D([], [], **{**look, **hollow, "color": GUIDE, "marker": "o"}), axes, mark)
                marks.append(mark)
            if len(real):
                spread = [low.clip(lower=0), high.clip(lower=0)]
                mark = axes.errorbar(real["workers"], real["speedup"], yerr=spread, capsize=3, **look).lines[0]
                chart.key("wall clock", Line2D([], [], **{**look, "color": GUIDE, "marker": "o"}), axes, mark)
                marks.append(mark)
            chart.key(name, Line2D([], [], **look), axes, *marks)
        serial: dict[str, Any] = {"color": style.colour[BASELINE], "linewidth": 1.2}
        chart.key(BASELINE, Line2D([], [], **serial), axes, axes.axhline(1, zorder=1, **serial))
        worker_axis(axes, sorted(int(count) for count in set(part["workers"])))
        axes.set_ylim(bottom=0)
        linear_axis(axes.yaxis)
        chart.name_panel(axes, title)
    return chart
