"""Speed-up against how much of the hints was damaged, one panel a workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import factor_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE
from contend.harness.present.charts.style import Style, clock_of, present, workload_titles

if TYPE_CHECKING:
    import pandas


def damage_loss(cells: pandas.DataFrame, style: Style, unaided: str) -> Chart | None:
    """Speed-up over serial of contenders whose hints were damaged.

    Parameters
    ----------
    cells : DataFrame
        With the columns ``workload``, ``strategy`` (a contender's name), ``damaged`` (per cent of the entries; 0 for
        who is given nothing), ``speedup`` and ``simulated``.
    style : Style
    unaided : str
        A strategy that is given nothing, shown as a line across.

    Returns
    -------
    Chart or None
        None where nobody is given hints.
    """
    hinted = cells[cells["strategy"] != unaided]
    if hinted.empty:
        return None
    titles = workload_titles(cells)
    chart = Chart(len(titles), width=3.2, height=2.5)
    chart.title, chart.across, chart.up = "What damaged hints cost", "hints damaged", f"times {BASELINE}"
    chart.subtitle = f"{clock_of(cells)}; every result equals the serial one; compare a line with where it begins"
    drawn = chart.key_order = present(hinted, style)
    shares = sorted(set(hinted["damaged"]))
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        part = cells[cells["workload"] == workload]
        for name in drawn:
            line = part[part["strategy"] == name].sort_values("damaged")
            look = style.lines(name)
            chart.key(name, Line2D([], [], **look), axes, *axes.plot(line["damaged"], line["speedup"], **look))
        plain: dict[str, Any] = {"color": GUIDE, "linestyle": "--", "linewidth": 1.2}
        for height in part[part["strategy"] == unaided]["speedup"]:
            mark = axes.axhline(height, zorder=1, **plain)
            chart.key(f"{unaided}, given nothing", Line2D([], [], **plain), axes, mark)
        axes.xaxis.set_major_locator(FixedLocator(shares))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(PercentFormatter(decimals=0))
        # A loss is a ratio: on a linear axis the fastest one's is all that can be seen.
        factor_axis(axes.yaxis)
        chart.name_panel(axes, title)
    return chart
