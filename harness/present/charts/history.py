"""Times of a cell along its records, with the levels between detected steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from contend.harness.present.charts.style import Style, label, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def history(lines: Sequence[Line], title: str, style: Style) -> Figure:
    """Milliseconds of a block against the number of the record; a line where a level holds, a mark where it steps."""
    figure, (axes,) = panels(1, width=4.2, height=3.2)
    for line in lines:
        colour, marker = style.colour[line.strategy], style.marker[line.strategy]
        places = np.arange(1, len(line.seconds) + 1)
        axes.plot(places, line.seconds * 1e3, marker, color=colour, markersize=4, alpha=0.7)
        edges = [0, *line.steps, len(line.seconds)]
        for begin, end, level in zip(edges, edges[1:], line.levels, strict=False):
            axes.plot([begin + 0.6, end + 0.4], [level * 1e3] * 2, color=colour, linewidth=1.6)
        for step, before, after in zip(line.steps, line.levels, line.levels[1:], strict=False):
            axes.annotate(
                f"{after / before - 1:+.0%}",
                (step + 0.7, after * 1e3),
                (0, 11 if after > before else -17),
                textcoords="offset points",
                fontsize=8,
            )
    longest = max(len(line.seconds) for line in lines)
    axes.set_xlim(0.4, longest + 0.6)
    axes.set_xticks(sorted({int(place) for place in np.linspace(1, longest, min(longest, 8))}))
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    label(figure, "record, the oldest first", "milliseconds a block")
    return figure
