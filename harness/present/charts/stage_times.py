"""Chart of a transaction's time in a node, by stage: bars stacked of agreement, recovery, execution and the root.

Where the longest bar is many times the shortest, as that of serial beside those of many workers, the shorter ones would
show nothing. Then all are as long as each other, and show shares; in any case the time stands behind each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from contend.harness.present.charts.axis_ticks import linear_axis, share_axis, whole
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import TONES
from contend.harness.present.charts.style import Style, clock_of, present, workload_titles
from contend.harness.present.charts.text_fitting import wrapped
from contend.harness.record.content.bottleneck import NAMES, stage_seconds

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_COLOURS = dict(zip(NAMES, (TONES[3], TONES[1], TONES[4], TONES[0], TONES[2], TONES[5]), strict=True))
_COMPARABLE = 8.0
"""Bars of which the longest is no more than so many times the shortest are drawn as long as they are."""
_BAR = 0.3  # inches from bar to bar
_WIDEST_NAME = 1.7
_MICROSECONDS = 1e6


def stage_times(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Time a transaction by stage, of each strategy with its most workers; None where nothing but execution is timed.

    Parameters
    ----------
    cells : DataFrame
    style : Style
    """
    if "stages" not in cells:
        return None
    timed = cells[cells["stages"].map(lambda one: isinstance(one, dict) and bool(one)) & cells["seconds"].notna()]
    if timed.empty:
        return None
    timed = timed.loc[timed.groupby(["workload", "strategy"], sort=False)["workers"].idxmax()]
    titles = {name: title for name, title in workload_titles(cells).items() if (timed["workload"] == name).any()}
    most = int(timed.groupby("workload").size().max())
    whole_us = timed["seconds"] / timed["transactions"] * _MICROSECONDS
    as_shares = bool(whole_us.max() > _COMPARABLE * whole_us.min())
    chart = Chart(len(titles), width=3.4, height=0.25 + _BAR * most)
    chart.title = "Where a transaction's time goes in a node"
    chart.subtitle = f"{clock_of(cells)}; workers in brackets; behind each bar the time of a transaction"
    if "pipeline_overlap" in timed and timed["pipeline_overlap"].notna().any():
        chart.notes = ["Where stages overlap, those that are at work have equal parts of the time."]
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        _panel(chart, axes, timed[timed["workload"] == workload], style, as_shares)
        chart.name_panel(axes, title)
        chart.name_axes(axes, across="share of the time" if as_shares else "microseconds a transaction")
    chart.key_order = list(NAMES.values())
    return chart


def _panel(chart: Chart, axes: Axes, own: pandas.DataFrame, style: Style, as_shares: bool) -> None:
    names, longest = [], 0.0
    for place, strategy in enumerate(present(own, style)):
        cell = own[own["strategy"] == strategy].iloc[0]
        times = {stage: seconds for stage, seconds in stage_seconds(dict(cell)).items() if seconds}
        found = {stage: seconds / cell["transactions"] * _MICROSECONDS for stage, seconds in times.items()}
        time = sum(found.values())
        scale, end = (1 / time if as_shares else 1.0), 0.0
        for stage, part in found.items():
            colour = _COLOURS[stage].light
            bar = axes.barh(place, part * scale, left=end, height=0.7, color=colour, linewidth=0)
            chart.key(NAMES[stage], Rectangle((0, 0), 1, 1, color=colour), axes, *bar)
            end += part * scale
        longest = max(longest, end)
        text = f"{time:,.3g} us" if time < 1_000 else f"{whole(time)} us"
        axes.annotate(text, (end, place), (3, 0), textcoords="offset points", ha="left", va="center", fontsize=7)
        names.append(f"{strategy} ({int(cell['workers']):,})")
    size = FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points()
    axes.set_yticks(range(len(names)), [wrapped(name, _WIDEST_NAME, size) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_axisbelow(True)
    axes.yaxis.grid(False)
    axes.set_xlim(0, 1.3 * longest)
    if as_shares:
        share_axis(axes.xaxis)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    else:
        linear_axis(axes.xaxis)
    chart.name_only(axes.yaxis)
