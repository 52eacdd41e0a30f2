"""Style of all charts: colours, panels, labels, legends, and the mark that tells simulated figures apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib

# Before pyplot is imported: no window, whatever display there is.
matplotlib.use("Agg")

import seaborn
from matplotlib import pyplot
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from contend.harness.record.warnings import MOSTLY_FAILED

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
_COLUMNS = 2
_MOST_BARS = 4
_MOST_TICKS = 8
GREY = "0.45"
FORMATS = ("png", "svg")
DOTS_PER_INCH = 150


@contextmanager
def chart_style() -> Iterator[None]:
    """Seaborn's white grid, in the context of which charts are drawn."""
    # Text stays text in SVG: searchable, and a tenth of the size.
    own: dict[Any, Any] = {"svg.fonttype": "none", "axes.titlelocation": "left", "axes.titleweight": "bold"}
    with (
        seaborn.axes_style("whitegrid"),
        seaborn.plotting_context("notebook", font_scale=0.85),
        pyplot.rc_context(own),
    ):
        yield


class Style:
    """Colour and marker of each strategy: seaborn's colour-blind palette, the same in every chart.

    Parameters
    ----------
    strategies : sequence of str
    """

    def __init__(self, strategies: Sequence[str]) -> None:
        colours = seaborn.color_palette("colorblind", len(strategies))
        self.strategies = list(strategies)
        self.colour = dict(zip(strategies, colours, strict=True))
        self.marker = {name: _MARKERS[place % len(_MARKERS)] for place, name in enumerate(strategies)}


def clock_of(cells: pandas.DataFrame) -> str:
    """Clock of the cells, for titles; nobody must take a simulated figure for a measured one."""
    simulated = set(cells["simulated"])
    if simulated == {True}:
        return "SIMULATED workers, virtual clock"
    return "wall clock" if simulated == {False} else "wall clock, and SIMULATED where it says so"


def are_many(cells: pandas.DataFrame) -> bool:
    """Whether there are so many worker counts that a bar for each would show nothing."""
    return bool(cells["workers"].nunique() > _MOST_BARS)


def marked(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Cells under titles of which nobody takes those of failing transactions for others."""
    failing = cells["mostly_failed"].astype(bool)
    return cells.assign(workload=cells["workload"].where(~failing, cells["workload"] + f" ({MOSTLY_FAILED})"))


def panels(
    count: int, width: float, height: float, columns: int = _COLUMNS, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many panels, each of this size in inches."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, grid = pyplot.subplots(
        rows,
        columns,
        figsize=(width * columns, height * rows + 0.6),
        squeeze=False,
        sharey=sharey,
        layout="constrained",
    )
    every = list(grid.flat)
    for axes in every[count:]:
        axes.set_visible(False)
    return figure, every[:count]


def label(figure: Figure, across: str, up: str) -> None:
    """Label the axes that all panels share."""
    figure.supxlabel(across, fontsize="medium")
    figure.supylabel(up, fontsize="medium")


def present(cells: pandas.DataFrame, style: Style) -> list[str]:
    """Strategies that have a cell, in the order of the style, which is of all charts together."""
    return [name for name in style.strategies if (cells["strategy"] == name).any()]


def legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], title: str) -> None:
    """Put title and legend above the panels."""
    figure.legend(handles, labels, loc="outside upper center", ncols=min(5, len(labels)), frameon=False, title=title)


def worker_axis(axes: Axes, counts: Sequence[int]) -> None:
    """Make a logarithmic axis of worker counts, one tick each as far as there is room."""
    axes.set_xscale("log", base=2)
    # Every second one where they would touch, the largest always among them.
    every = list(counts) if len(counts) <= _MOST_TICKS else list(counts)[::-2]
    axes.xaxis.set_major_locator(FixedLocator(every))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
