"""Chart of abort causes, by class of location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from contend.harness.present.charts.axis_ticks import linear_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import TONES
from contend.harness.present.charts.style import Style, clock_of, workload_titles
from contend.harness.present.charts.text_fitting import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

UNNAMED = "storage slot"
_BAR = 0.36  # inches from bar to bar, room for two lines of a name
_WIDEST_NAME = 1.7
CLASSES = {
    "count.aborts_at_token_balance": "token balance",
    "count.aborts_at_pool_reserve": "pool reserve",
    "count.aborts_at_counter": "counter",
    "count.aborts_at_allowance": "allowance",
    "count.aborts_at_other_storage": "other storage",
    "count.aborts_at_balance": "balance",
    "count.aborts_at_nonce": "nonce",
    "count.aborts_at_code": "code",
}
"""Classes of locations, where somebody has named them (`harness.analysis.abort_causes`)."""
KINDS = {
    "count.aborts_storage": UNNAMED,
    "count.aborts_balance": "balance",
    "count.aborts_nonce": "nonce",
    "count.aborts_code": "code",
}
"""Kinds of locations, as strategies count them: all there is of several blocks in a row, and in older records."""


def causes(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Aborts and repairs per transaction with the most workers, by class of location; None where there were none."""
    part = worst(cells)
    if part.empty:
        return None
    titles = workload_titles(part)
    most = int(part.groupby("workload").size().max())
    chart = Chart(len(titles), width=3.4, height=0.5 + _BAR * most)
    chart.title, chart.subtitle = "What aborts were due to", clock_of(cells)
    chart.across = "aborts and repairs per transaction"
    chart.key_order = list(_LOOKS)
    for axes, (workload, title) in zip(chart.panels, titles.items(), strict=True):
        own = part[part["workload"] == workload]
        own = own.iloc[sorted(range(len(own)), key=lambda place: style.strategies.index(own["strategy"].iloc[place]))]
        found = [aborts_of(one) for one in own.to_dict("records")]
        left = np.zeros(len(own))
        for name, look in _LOOKS.items():
            shares = np.array([one.get(name, 0.0) for one in found]) / own["transactions"].to_numpy(float)
            if not shares.any():
                continue
            bars = axes.barh(range(len(own)), shares, left=left, height=0.66, **look)
            chart.key(name, Rectangle((0, 0), 1, 1, **look), axes, *bars)
            left += shares
        size = FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points()
        names = [
            f"{one['strategy']}, {one['workers']:,} worker{'' if one['workers'] == 1 else 's'}"
            for one in own.to_dict("records")
        ]
        axes.set_yticks(range(len(own)), [wrapped(name, _WIDEST_NAME, size) for name in names])
        chart.name_panel(axes, title)
        axes.set_xlim(left=0)
        axes.set_ylim(most - 0.5, -0.5)
        linear_axis(axes.xaxis)
        axes.yaxis.grid(False)
    return chart


def aborts_of(cell: Mapping[Any, Any]) -> dict[str, float]:
    """Aborts and repairs of a cell by what they were due to: by class where that is known, else by kind.

    Parameters
    ----------
    cell : mapping
        A row of the frame.
    """
    for names in (CLASSES, KINDS):
        found = {what: float(cell[name]) for name, what in names.items() if cell.get(name, 0) > 0}
        if found:
            return found
    return {}


def worst(cells: pandas.DataFrame) -> pandas.DataFrame:
    """The cells with the most workers of each strategy on each workload, those left out that aborted nothing."""
    most = cells.groupby(["workload", "strategy"])["workers"].transform("max")
    last = cells[cells["workers"] == most]
    return last[[bool(aborts_of(one)) for one in last.to_dict("records")]]


def _look(tone: int, hatch: str = "") -> dict[str, Any]:
    return {"facecolor": TONES[tone].light, "edgecolor": "white", "linewidth": 0.5, "hatch": hatch}


# Tones from the end of the list, which strategies are the last to get; hatches tell them apart in grey.
_LOOKS: dict[str, dict[str, Any]] = {
    "token balance": _look(9),
    "pool reserve": _look(10, "////"),
    "counter": _look(7, "\\\\\\\\"),
    "allowance": _look(5, "...."),
    "other storage": _look(6, "xxxx"),
    UNNAMED: _look(6, "xxxx"),
    "balance": _look(8, "----"),
    "nonce": _look(4, "||||"),
    "code": _look(6, "OO"),
}
