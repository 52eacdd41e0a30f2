"""Charts of measured cells: throughput, speed-up against workers, wasted work.

Drawn with seaborn's colour-blind palette; a strategy has the same colour and marker in every chart. Failed cells are
not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

# Before pyplot is imported: no window, whatever display there is.
matplotlib.use("Agg")

import numpy as np
import seaborn
from matplotlib import pyplot
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

from harness.plan import BASELINE

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
_FORMATS = ("png", "svg")
_DOTS_PER_INCH = 150
_COLUMNS = 2
_WORTH_COMPARING = 2


def draw(cells: pandas.DataFrame, folder: Path, prefix: str) -> list[Path]:
    """Draw whatever charts the cells have data for.

    Parameters
    ----------
    cells : DataFrame
        As `harness.run` and `harness.load` give them.
    folder : Path
        Made if it is missing.
    prefix : str
        The files are ``<prefix>-throughput.png``, ``-speedup.png`` and ``-wasted.png``, and the same as ``.svg``.

    Returns
    -------
    list of Path
        The PNG files that were written; none where there are not two verified cells to compare.
    """
    good = cells[cells["verified"]]
    if len(good) < _WORTH_COMPARING:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    style = _Style(list(dict.fromkeys(good["strategy"])))
    charts = {"throughput": throughput, "speedup": speedup, "wasted": wasted}
    written = []
    with _look():
        for name, chart in charts.items():
            figure = chart(good, style)
            if figure is not None:
                for kind in _FORMATS:
                    figure.savefig(folder / f"{prefix}-{name}.{kind}", dpi=_DOTS_PER_INCH)
                pyplot.close(figure)
                written.append(folder / f"{prefix}-{name}.png")
    return written


@contextmanager
def _look() -> Iterator[None]:
    # Text stays text in SVG: searchable, and a tenth of the size.
    own: dict[Any, Any] = {"svg.fonttype": "none", "axes.titlelocation": "left", "axes.titleweight": "bold"}
    with (
        seaborn.axes_style("whitegrid"),
        seaborn.plotting_context("notebook", font_scale=0.85),
        pyplot.rc_context(own),
    ):
        yield


class _Style:
    """Colour and marker of each strategy."""

    def __init__(self, strategies: Sequence[str]) -> None:
        colours = seaborn.color_palette("colorblind", len(strategies))
        self.strategies = list(strategies)
        self.colour = dict(zip(strategies, colours, strict=True))
        self.marker = {name: _MARKERS[place % len(_MARKERS)] for place, name in enumerate(strategies)}


def throughput(cells: pandas.DataFrame, style: _Style) -> Figure:
    """Transactions per second by strategy and workers, one panel a workload; dots are single runs."""
    workloads = list(dict.fromkeys(cells["workload"]))
    most = max(len(part) for _, part in cells.groupby("workload"))
    figure, panels = _panels(len(workloads), width=max(4.2, 1.2 + 0.62 * most), height=3.2)
    for axes, workload in zip(panels, workloads, strict=True):
        part = cells[cells["workload"] == workload]
        places = np.arange(len(part))
        axes.bar(places, part["tx_per_second"], width=0.72, color=[style.colour[name] for name in part["strategy"]])
        for place, (_, cell) in zip(places, part.iterrows(), strict=True):
            runs = cell["transactions"] / np.array(cell["samples_seconds"])
            spots = place + np.linspace(-0.2, 0.2, len(runs)) if len(runs) > 1 else np.array([place])
            axes.plot(spots, runs, ".", color="black", markersize=3, alpha=0.6)
        axes.set_xticks(places, [str(workers) for workers in part["workers"]])
        axes.set_title(workload)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.grid(False)
    _label(figure, "workers", "transactions per second")
    handles = [Rectangle((0, 0), 1, 1, color=style.colour[name]) for name in style.strategies]
    runs_handle = Line2D([], [], color="black", marker=".", linestyle="none", markersize=4)
    _legend(figure, [*handles, runs_handle], [*style.strategies, "single run"], "Throughput, wall clock (bar: median)")
    return figure


def speedup(cells: pandas.DataFrame, style: _Style) -> Figure | None:
    """Speed-up over serial against workers, one panel a workload, with its interval and the ideal line."""
    rivals = cells[cells["strategy"] != BASELINE]
    if rivals.empty:
        return None
    workloads = list(dict.fromkeys(rivals["workload"]))
    counts = sorted(int(count) for count in set(rivals["workers"]))
    figure, panels = _panels(len(workloads), width=4.2, height=3.2, sharey=True)
    drawn = [name for name in style.strategies if name in set(rivals["strategy"])]
    spread = 0.05 if len(counts) > 1 else 0.16
    for axes, workload in zip(panels, workloads, strict=True):
        part = rivals[rivals["workload"] == workload]
        for place, name in enumerate(drawn):
            line = part[part["strategy"] == name].sort_values("workers")
            # A little apart on the logarithmic axis, so that the intervals can be told from each other.
            across = line["workers"] * 2 ** (spread * (place - (len(drawn) - 1) / 2))
            low, high = line["speedup"] - line["speedup_low"], line["speedup_high"] - line["speedup"]
            axes.errorbar(
                across,
                line["speedup"],
                yerr=[low.clip(lower=0), high.clip(lower=0)],
                color=style.colour[name],
                marker=style.marker[name],
                markersize=6,
                capsize=3,
            )
        axes.plot([counts[0], counts[-1]], [counts[0], counts[-1]], "--", color="0.45", linewidth=1, zorder=1)
        axes.axhline(1, color=style.colour.get(BASELINE, "0.45"), linewidth=1, zorder=1)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(counts))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
        axes.set_ylim(bottom=0)
        axes.set_title(workload)
    _label(figure, "workers", "times serial")
    handles: list[Any] = [
        Line2D([], [], color=style.colour[name], marker=style.marker[name], markersize=6) for name in drawn
    ]
    handles.append(Line2D([], [], color=style.colour.get(BASELINE, "0.45"), linewidth=1))
    handles.append(Line2D([], [], color="0.45", linestyle="--", linewidth=1))
    _legend(
        figure,
        handles,
        [*drawn, "serial", "ideal"],
        "Speed-up over serial, wall clock (median paired ratio with its interval)",
    )
    return figure


_WASTE = (
    ("count.aborts", "transactions", "aborts per transaction", False),
    ("count.wasted_gas", "gas", "gas executed in vain, share of the block's", True),
    ("count.outside", "transactions", "transactions repaired after the plan, or deferred to a serial end", True),
)

# What a strategy of one kind or another does to transactions that it could not run as it meant to.
_OUTSIDE = ("count.repaired", "count.deferred")


def wasted(cells: pandas.DataFrame, style: _Style) -> Figure | None:
    """Aborts, wasted gas and fallback by workload and strategy; None where no strategy counts any of them."""
    outside = cells.reindex(columns=list(_OUTSIDE)).sum(axis="columns", min_count=1)
    cells = cells.assign(**{"count.outside": outside})
    shown = [entry for entry in _WASTE if entry[0] in cells and cells[entry[0]].notna().any()]
    if not shown:
        return None
    workloads = list(dict.fromkeys(cells["workload"]))
    figure, panels = _panels(len(shown), width=max(4.2, 1.3 * len(workloads) + 2), height=2.9, columns=1)
    counting = cells[cells[[entry[0] for entry in shown]].notna().any(axis="columns")]
    width = 0.8 / len(set(zip(counting["strategy"], counting["workers"], strict=True)))
    for axes, (counter, per, title, as_share) in zip(panels, shown, strict=True):
        part = cells[cells[counter].notna()]
        series = list(dict.fromkeys(zip(part["strategy"], part["workers"], strict=True)))
        for place, (strategy, workers) in enumerate(series):
            own = part[(part["strategy"] == strategy) & (part["workers"] == workers)]
            at = np.array([workloads.index(name) for name in own["workload"]]) + (place - (len(series) - 1) / 2) * width
            heights = own[counter] / own[per]
            axes.bar(at, heights, width=0.9 * width, color=style.colour[strategy])
            for x, height in zip(at, heights, strict=True):
                axes.annotate(str(workers), (x, height), (0, 1), textcoords="offset points", ha="center", fontsize=7)
        axes.set_xticks(range(len(workloads)), workloads)
        axes.set_title(title)
        axes.xaxis.grid(False)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.15)
        if as_share:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
    drawn = [name for name in style.strategies if name in set(counting["strategy"])]
    handles = [Rectangle((0, 0), 1, 1, color=style.colour[name]) for name in drawn]
    _legend(figure, handles, drawn, "Wasted work, wall clock (the number on a bar is the worker count)")
    return figure


def _panels(
    count: int, width: float, height: float, columns: int = _COLUMNS, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
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


def _label(figure: Figure, across: str, up: str) -> None:
    figure.supxlabel(across, fontsize="medium")
    figure.supylabel(up, fontsize="medium")


def _legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], title: str) -> None:
    figure.legend(handles, labels, loc="outside upper center", ncols=min(5, len(labels)), frameon=False, title=title)
