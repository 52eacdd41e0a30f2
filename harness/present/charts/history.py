"""Times of a cell along its records, with the levels between detected steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D

from contend.harness.present.charts.axis_ticks import linear_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Line(Protocol):
    """Line of one cell (`harness.present.report.history.Series`)."""

    @property
    def strategy(self) -> str:
        """Whose it is."""

    @property
    def workers(self) -> int:
        """Its worker count."""

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Record by record."""

    @property
    def steps(self) -> Sequence[int]:
        """Records at which another level begins."""

    @property
    def levels(self) -> Sequence[float]:
        """Medians between steps."""


def history(lines: Sequence[Line], title: str, style: Style) -> Chart:
    """Milliseconds of a block against the number of the record; a line where a level holds, a mark where it steps."""
    chart = Chart(1, width=3.6, height=2.7)
    (axes,) = chart.panels
    longest = max(len(line.seconds) for line in lines)
    axes.set_xlim(0.4, longest + 0.6)
    axes.set_xticks(sorted({round(place) for place in np.linspace(1, longest, min(longest, 6))}))
    axes.set_ylim(0, 1.2e3 * max(float(line.seconds.max()) for line in lines))
    for line in lines:
        _draw(chart, axes, line, style, longest)
    linear_axis(axes.yaxis)
    linear_axis(axes.xaxis)
    chart.title = "History"
    chart.name_panel(axes, title)
    chart.across, chart.up = "record, the oldest first", "milliseconds a block"
    return chart


def _draw(chart: Chart, axes: Axes, line: Line, style: Style, longest: int) -> None:
    colour, marker = style.colour[line.strategy], style.marker[line.strategy]
    look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "linestyle": "none"}
    marks = axes.plot(np.arange(1, len(line.seconds) + 1), line.seconds * 1e3, **look)
    edges = [0, *line.steps, len(line.seconds)]
    for begin, end, level in zip(edges, edges[1:], line.levels, strict=False):
        marks += axes.plot([begin + 0.6, end + 0.4], [level * 1e3] * 2, color=colour, linewidth=1.6)
    chart.key(line.strategy, Line2D([], [], **{**look, "linestyle": "-"}), axes, *marks)
    for step, before, after in zip(line.steps, line.levels, line.levels[1:], strict=False):
        late = step > 0.75 * longest
        text = axes.annotate(
            f"{after / before - 1:+.0%}",
            (longest + 0.5 if late else step + 0.7, after * 1e3),
            (0, 5 if after > before else -14),
            textcoords="offset points",
            fontsize=8,
            ha="right" if late else "left",
            color=colour,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        chart.part(axes, text)
