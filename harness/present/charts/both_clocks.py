"""Scaling on both clocks: what was measured, and what was simulated, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import GREY, Style, label, legend, panels, worker_axis

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def both_clocks(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Speed-up against workers by the wall clock (filled, with intervals) and simulated (hollow, dashed).

    None where no workload was measured by both.
    """
    rivals = cells[cells["strategy"] != BASELINE]
    workloads = [name for name, part in rivals.groupby("workload", sort=False) if part["clock"].nunique() == 2]
    if not workloads:
        return None
    rivals = rivals[rivals["workload"].isin(workloads)]
    figure, drawn_on = panels(len(workloads), width=4.2, height=3.2)
    drawn = [name for name in style.strategies if name in set(rivals["strategy"])]
    for axes, workload in zip(drawn_on, workloads, strict=True):
        part = rivals[rivals["workload"] == workload]
        # Beyond a few times the real workers, all would be simulated, which the chart of speed-up shows.
        most = 4 * int(part[part["clock"] == "wall"]["workers"].max())
        part = part[part["workers"] <= most]
        for name in drawn:
            real = part[(part["strategy"] == name) & (part["clock"] == "wall")].sort_values("workers")
            made = part[(part["strategy"] == name) & (part["clock"] != "wall")].sort_values("workers")
            low, high = real["speedup"] - real["speedup_low"], real["speedup_high"] - real["speedup"]
            same: dict[str, Any] = {"color": style.colour[name], "marker": style.marker[name], "markersize": 6}
            axes.errorbar(
                real["workers"], real["speedup"], yerr=[low.clip(lower=0), high.clip(lower=0)], capsize=3, **same
            )
            axes.plot(made["workers"], made["speedup"], linestyle="--", markerfacecolor="none", linewidth=1, **same)
        axes.axhline(1, color=style.colour.get(BASELINE, GREY), linewidth=1, zorder=1)
        worker_axis(axes, sorted(int(count) for count in set(part["workers"])))
        axes.set_ylim(bottom=0)
        axes.set_title(str(workload))
    label(figure, "workers", "times serial")
    handles = [Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=6) for name in drawn]
    handles += [Line2D([], [], color=GREY, linewidth=1.5), Line2D([], [], color=GREY, linestyle="--", linewidth=1)]
    legend(figure, handles, [*drawn, "wall clock", "SIMULATED"], "Speed-up on both clocks")
    return figure
