"""Timeline chart: what each worker did when, under the virtual clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import seaborn
from matplotlib import pyplot
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from contend.harness.present.charts.style import DOTS_PER_INCH, FORMATS, chart_style, legend, panels
from contend.harness.record import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = npt.NDArray[np.int64]

_MICROSECOND = 1e6  # picoseconds
_MANY_BARS = 4_000
_FEW_WORKERS = 32  # that a line can be told from the next one
_IDLE = "idle"


def merged(rows: Rows) -> Rows:
    """Join what a worker did without a pause into one row where it was the same activity.

    Parameters
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity, begin, end.
    """
    rows = rows[np.lexsort((rows[:, 2], rows[:, 0]))]
    if not len(rows):
        return rows
    same = (rows[1:, 0] == rows[:-1, 0]) & (rows[1:, 1] == rows[:-1, 1]) & (rows[1:, 2] == rows[:-1, 3])
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.concatenate([first[1:], [len(rows)]]) - 1
    found = rows[first].copy()
    found[:, 3] = rows[last, 3]
    return found


def timeline(rows: Rows, workers: int, activities: tuple[str, ...], title: str) -> Figure:
    """Draw a timeline.

    Parameters
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity, begin and end in picoseconds.
    workers : int
    activities : tuple of str
        Names of activities.
    title : str
    """
    begin, end = int(rows[:, 2].min()), int(rows[:, 3].max())
    figure, (axes,) = panels(1, width=10.5, height=min(1.6 + 0.22 * workers, 8.0))
    present = [number for number in range(len(activities)) if (rows[:, 1] == number).any()]
    colours = dict(zip(present, seaborn.color_palette("colorblind", len(present)), strict=True))
    bars = merged(rows)
    for number in present:
        half = 0.42 if workers <= _FEW_WORKERS else 0.5
        _bars(axes, bars[bars[:, 1] == number], begin, half, colours[number], detailed=len(bars) < _MANY_BARS)
    axes.set_xlim(0, (end - begin) / _MICROSECOND)
    axes.set_ylim(workers - 0.5, -0.5)
    axes.set_yticks(range(workers) if workers <= _FEW_WORKERS else np.linspace(0, workers - 1, 9, dtype=int))
    axes.set_xlabel("simulated microseconds since the start of the block")
    axes.set_ylabel("worker")
    axes.grid(axis="y", visible=False)
    spent = shares(rows, workers)
    handles = [Patch(color=colours[number]) for number in present]
    names = [f"{activities[number]} {spent[number]:.0%}" for number in present]
    handles.append(Patch(facecolor="white", edgecolor="0.6"))
    names.append(f"{_IDLE} {max(1 - sum(spent.values()), 0):.0%}")
    legend(figure, handles, names, title)
    return figure


def draw_timeline(
    rows: Rows, workers: int, activities: tuple[str, ...], title: str, folder: Path, name: str
) -> list[Path]:
    """Draw a timeline into files.

    Parameters
    ----------
    rows, workers, activities, title
        As for `timeline`.
    folder : Path
        Made if it is missing.
    name : str
        Of the files, without ending.

    Returns
    -------
    list of Path
        The PNG and the SVG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with chart_style():
        figure = timeline(rows, workers, activities, title)
        written = [folder / f"{name}.{kind}" for kind in FORMATS]
        for path in written:
            with atomic_write.written(path) as file:
                figure.savefig(file, format=path.suffix[1:], dpi=DOTS_PER_INCH)
        pyplot.close(figure)
    return written


def shares(rows: Rows, workers: int) -> dict[int, float]:
    """Share of all workers' time by activity."""
    span = int(rows[:, 3].max()) - int(rows[:, 2].min())
    return {int(number): _share(rows, int(number), workers, span) for number in np.unique(rows[:, 1])}


def _bars(axes: Axes, rows: Rows, begin: int, half: float, colour: tuple[float, ...], detailed: bool) -> None:
    left, right = (rows[:, 2] - begin) / _MICROSECOND, (rows[:, 3] - begin) / _MICROSECOND
    top, bottom = rows[:, 0] - half, rows[:, 0] + half
    corners = np.stack(
        [np.stack([x, y], axis=-1) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))], axis=1
    )
    # Thousands of shapes would make the SVG larger than its picture.
    axes.add_collection(PolyCollection(list(corners), facecolors=[colour], linewidths=0, rasterized=not detailed))


def _share(rows: Rows, number: int, workers: int, span: int) -> float:
    own = rows[rows[:, 1] == number]
    return float((own[:, 3] - own[:, 2]).sum() / (span * workers))
