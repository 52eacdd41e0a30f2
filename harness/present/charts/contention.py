"""Speed-up against contention, and who wins where: for cells of one workload between which a dial was turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import GREY, Style, clock_of, label, legend, panels, present

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 4


def swept(cells: pandas.DataFrame) -> dict[str, str]:
    """By workload, the dial that was turned between its cells; workloads of which none, or several were, left out."""
    found = {}
    for workload, part in cells.groupby("workload", sort=False):
        dials = [name for name in part if str(name).startswith("dial.")]
        turned = [str(name) for name in dials if part[name].nunique() > 1]
        if len(turned) == 1:
            found[str(workload)] = turned[0]
    return found


def contention(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Speed-up against the share of the block that is one chain, a panel for each workload and worker count."""
    dials = swept(cells)
    known = cells[cells["chain_share"].notna()] if "chain_share" in cells else cells[:0]
    rivals = known[(known["strategy"] != BASELINE) & known["workload"].isin(list(dials))]
    counts = _spread_out(sorted(int(count) for count in set(rivals["workers"]) if count > 1))
    if rivals.empty or not counts:
        return None
    shown = [(workload, count) for workload in dials for count in counts]
    figure, drawn_on = panels(len(shown), width=4.2, height=3.1)
    drawn = [name for name in style.strategies if name in set(rivals["strategy"])]
    for axes, (workload, count) in zip(drawn_on, shown, strict=True):
        part = rivals[(rivals["workload"] == workload) & (rivals["workers"] == count)].sort_values("chain_share")
        for name in drawn:
            line = part[part["strategy"] == name]
            axes.plot(
                line["chain_share"], line["speedup"], color=style.colour[name], marker=style.marker[name], markersize=5
            )
        bound = part.groupby("chain_share")["bound_speedup"].max()
        axes.plot(bound.index, bound, color="black", linewidth=1.4, zorder=2)
        axes.axhline(1, color=style.colour.get(BASELINE, GREY), linewidth=1, zorder=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
        axes.set_ylim(bottom=0)
        axes.set_title(f"{workload}, {count:,} workers")
    names = ", ".join(dict.fromkeys(dial.removeprefix("dial.") for dial in dials.values()))
    label(figure, f"longest chain, share of the block's transactions (dial turned: {names})", "times serial")
    handles: list[Any] = [
        Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=5) for name in drawn
    ]
    handles.append(Line2D([], [], color=style.colour.get(BASELINE, GREY), linewidth=1))
    handles.append(Line2D([], [], color="black", linewidth=1.4))
    legend(figure, handles, [*drawn, "serial", "bound"], f"Speed-up against contention, {clock_of(cells)}")
    return figure


def _spread_out(counts: list[int]) -> list[int]:
    """At most `_MOST_PANELS` of the counts, the largest among them."""
    if len(counts) <= _MOST_PANELS:
        return counts
    return [counts[place] for place in np.linspace(0, len(counts) - 1, _MOST_PANELS).round().astype(int)]


def winners(cells: pandas.DataFrame, style: Style) -> Figure | None:
    """Map of the fastest strategy over contention and workers, one panel a workload, with its speed-up."""
    dials = swept(cells)
    if not dials or cells["workers"].nunique() < 2:  # one column would be no map
        return None
    width = max(4.2, 1.8 + 0.62 * cells["workers"].nunique())
    most = max(cells[cells["workload"] == name][dial].nunique() for name, dial in dials.items())
    figure, drawn_on = panels(len(dials), width=width, height=max(2.4, 0.8 + 0.36 * most), columns=1)
    for axes, (workload, dial) in zip(drawn_on, dials.items(), strict=True):
        _map(axes, cells[cells["workload"] == workload], dial, style)
        axes.set_title(workload)
    label(figure, "workers", "")
    rivals = present(cells, style)
    handles = [Rectangle((0, 0), 1, 1, color=style.colour[name]) for name in rivals]
    legend(figure, handles, rivals, f"Who wins, and by how many times serial, {clock_of(cells)}")
    return figure


def _map(axes: Axes, part: pandas.DataFrame, dial: str, style: Style) -> None:
    counts = sorted(int(count) for count in set(part["workers"]))
    order = part.groupby(dial)["chain_share"].first() if part["chain_share"].notna().all() else None
    values = list(order.sort_values().index) if order is not None else sorted(set(part[dial]))
    numbers = np.zeros((len(values), len(counts)), np.int64)
    serial = style.strategies.index(BASELINE) if BASELINE in style.strategies else 0
    for i, value in enumerate(values):
        for j, count in enumerate(counts):
            own = part[(part[dial] == value) & (part["workers"] == count) & (part["strategy"] != BASELINE)]
            best = own.loc[own["speedup"].idxmax()] if len(own) else None
            wins = best is not None and best["speedup"] > 1
            numbers[i, j] = style.strategies.index(best["strategy"]) if best is not None and wins else serial
            text = f"{best['speedup']:.1f}" if best is not None and wins else "1"
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white", fontweight="bold")
    colours = ListedColormap([style.colour[name] for name in style.strategies])
    axes.imshow(numbers, cmap=colours, vmin=-0.5, vmax=len(style.strategies) - 0.5, aspect="auto")
    axes.set_xticks(range(len(counts)), [f"{count:,}" for count in counts])
    name = dial.removeprefix("dial.")
    shares = [f", chain {order[value]:.0%}" if order is not None else "" for value in values]
    axes.set_yticks(
        range(len(values)), [f"{name}={_dial(value)}{share}" for value, share in zip(values, shares, strict=True)]
    )
    axes.grid(visible=False)


def _dial(value: Any) -> str:
    # A column of whole numbers, some of which are missing, holds them as floats.
    return f"{value:g}" if isinstance(value, float) else str(value)
