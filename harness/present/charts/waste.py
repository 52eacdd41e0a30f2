"""Chart of wasted work: executions that were thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import linear_axis, share_axis, whole, worker_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.style import Style, are_many, clock_of, present, workload_titles
from contend.harness.record.sample import OWN_ORDER_GAS

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

WASTE = (
    ("wasted", "transactions", "wasted executions per transaction", False),
    ("count.wasted_gas", "gas_executed", "wasted gas, share of all that was executed", True),
    ("outside", "transactions", "transactions repaired or deferred", True),
)
"""What is drawn: a counter, what it is divided by, a title, and whether that is a share, which never passes 100 %."""

# What a strategy of one kind or another does to transactions that it could not run as it meant to.
_OUTSIDE = ("count.repairs", "count.deferred")
_BAR = 0.24  # inches from bar to bar
_MOST_ROWS = 9  # of panels with bars, where lines could show the same
_FEW_COUNTS = 2
_WIDEST = 9.0  # inches of a panel with bars, the bars of one workload at least
_NARROWEST = 3.6


def wasted(cells: pandas.DataFrame, style: Style, room: float = _WIDEST) -> Chart | None:
    """Wasted executions and gas, and fallback, by workload and strategy; None where no strategy counts any of them.

    Parameters
    ----------
    cells : DataFrame
    style : Style
    room : float, optional
        Inches of a panel with bars, beyond which further workloads go below; one workload fits in any case.
    """
    cells = with_waste(cells)
    shown = [entry for entry in WASTE if entry[0] in cells and cells[entry[0]].notna().any()]
    if not shown:
        return None
    # A panel of nothing but zeros is left out, unless it is the only one.
    shown = [entry for entry in shown if cells[entry[0]].max() > 0] or shown[:1]
    rows = len(shown) * _rows(cells, len(_series(cells, style, shown)), room)
    tower = rows > _MOST_ROWS and cells["workers"].nunique() > _FEW_COUNTS
    chart = _lines(cells, style, shown) if tower or are_many(cells) else _bars(cells, style, shown, room)
    chart.title, chart.key_order = "Wasted work", style.strategies
    return chart


def _bars(cells: pandas.DataFrame, style: Style, shown: list[tuple[str, str, str, bool]], room: float) -> Chart:
    """A panel for each counter, or several below each other where workloads are many; a group for each workload."""
    titles = workload_titles(cells)
    series = _series(cells, style, shown)
    most = -(-len(titles) // _rows(cells, len(series), room))  # as many in each row
    groups = [list(titles)[place : place + most] for place in range(0, len(titles), most)]
    width = max(_NARROWEST, most * _BAR * (len(series) + 1))
    chart = Chart(len(shown) * len(groups), width=width, height=1.9, columns=1)
    chart.subtitle = f"{clock_of(cells)}; the number on a bar is the worker count"
    panels = iter(chart.panels)
    for counter, per, title, as_share in shown:
        part = cells[cells[counter].notna()]
        top = float((part[counter] / part[per]).max()) or 1.0
        for group in groups:
            axes = next(panels)
            for place, workload in enumerate(group):
                own = part[part["workload"] == workload]
                _group(chart, axes, own, series, style, place, own[counter] / own[per])
            axes.set_xlim(-0.5, most - 0.5)
            chart.name_places(axes, range(len(group)), [titles[workload] for workload in group])
            chart.name_panel(axes, title)
            axes.xaxis.grid(False)
            axes.set_ylim(0, 1.25 * top)
            share_axis(axes.yaxis) if as_share else linear_axis(axes.yaxis)
            chart.name_axes(axes, up="share" if as_share else "per transaction")
    return chart


def _series(cells: pandas.DataFrame, style: Style, shown: list[tuple[str, str, str, bool]]) -> list[tuple[str, int]]:
    """Strategies with worker counts that have a bar."""
    counting = cells[cells[[entry[0] for entry in shown]].notna().any(axis="columns")]
    return [
        (name, int(count))
        for name in present(counting, style)
        for count in sorted(set(counting[counting["strategy"] == name]["workers"]))
    ]


def _rows(cells: pandas.DataFrame, series: int, room: float) -> int:
    """Rows of panels that the bars of all workloads take."""
    return -(-cells["workload"].nunique() // max(1, int(room / (_BAR * (series + 1)))))


def with_waste(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Cells with what of the chart is no counter; each share is of a total that it is part of.

    Returns
    -------
    DataFrame
        With ``wasted`` (executions, none of the baseline's), ``gas_executed`` (with the wasted) and ``outside``
        (transactions that were repaired, or else deferred).
    """
    parts = cells.reindex(columns=["count.wasted_gas", f"count.{OWN_ORDER_GAS}", *_OUTSIDE])
    wasted = (cells["wasted_per_transaction"] * cells["transactions"]).where(cells["strategy"] != BASELINE)
    gas = parts[f"count.{OWN_ORDER_GAS}"].fillna(cells["gas"]) + parts["count.wasted_gas"].fillna(0)
    repaired, deferred = (parts[name] for name in _OUTSIDE)
    return cells.assign(wasted=wasted, gas_executed=gas, outside=repaired.fillna(deferred))


def _group(
    chart: Chart,
    axes: Axes,
    own: pandas.DataFrame,
    series: list[tuple[str, int]],
    style: Style,
    place: int,
    heights: pandas.Series[float],
) -> None:
    """Bars of one workload."""
    wide = 1 / (len(series) + 1)
    for number, (name, count) in enumerate(series):
        at = place + (number - (len(series) - 1) / 2) * wide
        for height in heights[(own["strategy"] == name) & (own["workers"] == count)]:
            bars = axes.bar(at, height, width=0.9 * wide, **style.bars(name))
            chart.key(name, Rectangle((0, 0), 1, 1, **style.bars(name)), axes, *bars)
            if not height:
                edge: dict[str, Any] = {"color": style.colour[name], "linewidth": 2, "solid_capstyle": "butt"}
                axes.plot([at - 0.45 * wide, at + 0.45 * wide], [0, 0], clip_on=False, zorder=3, **edge)
            text = whole(count)
            turn = 90 if len(text) > 2 else 0
            axes.annotate(
                text, (at, height), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=7,
                rotation=turn,
            )  # fmt: skip


def _lines(cells: pandas.DataFrame, style: Style, shown: list[tuple[str, str, str, bool]]) -> Chart:
    """One panel for each counter and workload that is not zero throughout."""
    titles = workload_titles(cells)
    wanted = [
        (workload, entry)
        for entry in shown
        for workload in titles
        if cells[cells["workload"] == workload][entry[0]].max() > 0
    ] or [(next(iter(titles)), shown[0])]
    chart = Chart(len(wanted), width=3.6, height=2.3)
    chart.subtitle = clock_of(cells)
    chart.across = "workers"
    counts = sorted(int(count) for count in set(cells["workers"]))
    for axes, (workload, (counter, per, title, as_share)) in zip(chart.panels, wanted, strict=True):
        part = cells[(cells["workload"] == workload) & cells[counter].notna()]
        for name in present(part, style):
            line = part[part["strategy"] == name].sort_values("workers")
            marks = axes.plot(line["workers"], line[counter] / line[per], clip_on=False, **style.lines(name))
            chart.key(name, Line2D([], [], **style.lines(name)), axes, *marks)
        worker_axis(axes, counts)
        axes.set_ylim(bottom=0) if part[counter].max() > 0 else axes.set_ylim(0, 1)
        share_axis(axes.yaxis) if as_share else linear_axis(axes.yaxis)
        chart.name_panel(axes, f"{titles[workload]}: {title.partition(',')[0]}")
        chart.name_axes(axes, up="share" if as_share else "per transaction")
    return chart
