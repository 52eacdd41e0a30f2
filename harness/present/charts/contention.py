"""Speed-up against contention, and who wins where: for cells of one workload between which a dial was turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import (
    decimal_axis,
    factor_axis,
    linear_axis,
    percent,
    plain,
    whole,
)
from contend.harness.present.charts.bound_lines import BOUND, WITH_VALUES, WITHOUT_VALUES, bound_lines
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.style import Style, clock_of, present, workload_titles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_PANELS = 4
_WIDE_RANGE = 20.0


def swept(cells: pandas.DataFrame) -> dict[str, str]:
    """By workload, the dial that was turned between its cells; workloads of which none, or several were, left out."""
    found = {}
    for workload, part in cells.groupby("workload", sort=False):
        dials = [name for name in part if str(name).startswith("dial.")]
        turned = [str(name) for name in dials if part[name].nunique() > 1]
        if len(turned) == 1:
            found[str(workload)] = turned[0]
    return found


def contention(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Speed-up against the share of the block that is one chain, a panel for each workload and worker count."""
    dials = swept(cells)
    known = cells[cells["chain_share"].notna() & (cells["chain_share"] > 0)] if "chain_share" in cells else cells[:0]
    rivals = known[(known["strategy"] != BASELINE) & known["workload"].isin(list(dials)) & known["speedup"].notna()]
    counts = _spread_out(sorted(int(count) for count in set(rivals["workers"]) if count > 1))
    measured = set(zip(rivals["workload"], rivals["workers"], strict=True))
    shown = [(workload, count) for workload in dials for count in counts if (workload, count) in measured]
    if not shown:
        return None
    chart = Chart(len(shown), width=3.6, height=2.7)
    titles = workload_titles(cells)
    for axes, (workload, count) in zip(chart.panels, shown, strict=True):
        part = rivals[(rivals["workload"] == workload) & (rivals["workers"] == count)].sort_values("chain_share")
        _lines(chart, axes, part, style)
        chart.name_panel(axes, f"{titles[workload]}, {count:,} workers")
    names = ", ".join(dict.fromkeys(dial.removeprefix("dial.") for dial in dials.values()))
    chart.title, chart.subtitle = "Speed-up against contention", f"{clock_of(cells)}; dial turned: {names}"
    chart.across = "longest chain of dependent transactions, share of the block's"
    if len({axes.get_yscale() for axes in chart.panels}) == 1:
        chart.up = "times serial"
    else:
        for axes in chart.panels:
            chart.name_axes(axes, up="times serial")
    chart.key_order = style.strategies
    return chart


def _lines(chart: Chart, axes: Axes, part: pandas.DataFrame, style: Style) -> None:
    for name in present(part, style):
        own = part[part["strategy"] == name]
        marks = axes.plot(own["chain_share"], own["speedup"], **style.lines(name))
        chart.key(name, Line2D([], [], **style.lines(name)), axes, *marks)
    serial: dict[str, Any] = {"color": style.colour[BASELINE], "linewidth": 1.2}
    chart.key(BASELINE, Line2D([], [], **serial), axes, axes.axhline(1, zorder=1, **serial))
    shown = (BOUND, WITHOUT_VALUES, WITH_VALUES)
    bounds = [line for line in bound_lines(part, "chain_share") if line.name in shown]
    for line in bounds:
        marks = axes.plot(line.values.index, line.values, zorder=2, **line.look)
        chart.key(line.name, Line2D([], [], **line.look), axes, *marks)
    decimal_axis(axes.xaxis, percent)
    shares = part["chain_share"]
    axes.set_xlim(shares.min() / 1.15, min(shares.max() * 1.15, 1.1))
    highest = max([float(part["speedup"].max()), 1.0, *(float(line.values.max()) for line in bounds)])
    low, high = min(float(part["speedup"].min()), 1.0), highest
    if high / low > _WIDE_RANGE:
        factor_axis(axes.yaxis)
        axes.set_ylim(low / 1.3, high * 1.3)
    else:
        linear_axis(axes.yaxis)
        axes.set_ylim(0, high * 1.15)


def _spread_out(counts: list[int]) -> list[int]:
    """At most `_MOST_PANELS` of the counts, the largest among them."""
    if len(counts) <= _MOST_PANELS:
        return counts
    return [counts[place] for place in np.linspace(0, len(counts) - 1, _MOST_PANELS).round().astype(int)]


def winners(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Map of the fastest strategy over contention and workers, one panel a workload, with its speed-up."""
    dials = swept(cells)
    if not dials or cells["workers"].nunique() < 2:  # one column would be no map
        return None
    known = cells[cells["workload"].isin(list(dials))]
    counts = max(part["workers"].nunique() for _, part in known.groupby("workload"))
    most = max(known[known["workload"] == name][dial].nunique() for name, dial in dials.items())
    chart = Chart(len(dials), width=max(3.0, 0.58 * counts), height=max(1.2, 0.32 * most), columns=2)
    titles = workload_titles(cells)
    for axes, (workload, dial) in zip(chart.panels, dials.items(), strict=True):
        _map(chart, axes, known[known["workload"] == workload], dial, style)
        chart.name_panel(axes, titles[workload])
    chart.title, chart.across, chart.key_order = "Who wins", "workers", style.strategies
    chart.subtitle = f"{clock_of(cells)}; the number is how many times serial the fastest strategy is"
    return chart


def _map(chart: Chart, axes: Axes, part: pandas.DataFrame, dial: str, style: Style) -> None:
    counts = sorted(int(count) for count in set(part["workers"]))
    order = part.groupby(dial)["chain_share"].first() if part["chain_share"].notna().all() else None
    values = list(order.sort_values().index) if order is not None else sorted(set(part[dial]))
    for i, value in enumerate(values):
        for j, count in enumerate(counts):
            own = part[(part[dial] == value) & (part["workers"] == count) & (part["strategy"] != BASELINE)]
            own = own[own["speedup"].notna()]
            if own.empty and count != 1:  # not measured
                continue
            best = own.loc[own["speedup"].idxmax()] if len(own) else None
            wins = best is not None and best["speedup"] > 1
            name = str(best["strategy"]) if best is not None and wins else BASELINE
            text = _times(float(best["speedup"])) if best is not None and wins else "1"
            look: dict[str, Any] = {"facecolor": style.colour[name], "edgecolor": "white", "linewidth": 0.8}
            # A hatch may not run through the number.
            clear = {"facecolor": style.colour[name], "edgecolor": "none", "pad": 1.2} if style.hatched else None
            look |= {"hatch": style.hatch[name]} if style.hatched else {}
            box = axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **look))
            chart.key(name, Rectangle((0, 0), 1, 1, **look), axes, box)
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white", fontweight="bold", bbox=clear)
    axes.set_xlim(-0.5, len(counts) - 0.5)
    axes.set_ylim(len(values) - 0.5, -0.5)
    chart.name_places(axes, range(len(counts)), [whole(count) for count in counts])
    name = dial.removeprefix("dial.")
    shares = [f", chain {percent(round(order[value], 3))}" if order is not None else "" for value in values]
    axes.set_yticks(
        range(len(values)), [f"{name}={_dial(value)}{chain}" for value, chain in zip(values, shares, strict=True)]
    )
    axes.grid(visible=False)


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 100 else whole(value)


def _dial(value: Any) -> str:
    # A column of whole numbers, some of which are missing, holds them as floats.
    return plain(value) if isinstance(value, float) else str(value)
