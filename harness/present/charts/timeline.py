"""Timeline chart: what each worker did when, under the virtual clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from contend.harness.present.charts.axis_ticks import linear_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GUIDE, TONES
from contend.harness.present.charts.style import chart_style

if TYPE_CHECKING:
    from pathlib import Path as Folder

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

Rows = npt.NDArray[np.int64]

_MICROSECOND = 1e6  # picoseconds
_MANY_BARS = 20_000
_FEW_WORKERS = 32  # that a line can be told from the next one
_IDLE = "idle"
_MOST_TICKS = 8
# So that work that came to nothing is told from the rest without colour, too.
_HATCHES = {"wasted execution": "////"}


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


def timeline(rows: Rows, workers: int, activities: tuple[str, ...], title: str) -> Chart:
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
    chart = Chart(1, width=9.5, height=max(0.9, min(0.4 + 0.22 * workers, 7.0)))
    (axes,) = chart.panels
    present = [number for number in range(len(activities)) if (rows[:, 1] == number).any()]
    bars = merged(rows)
    spent = shares(rows, workers)
    for number in present:
        half = 0.42 if workers <= _FEW_WORKERS else 0.5
        # A hatch has the colour of the edge, which itself has no width.
        look: dict[str, Any] = {"facecolor": TONES[number % len(TONES)].light, "edgecolor": "white", "linewidth": 0}
        look["hatch"] = _HATCHES.get(activities[number], "")
        drawn = _bars(axes, bars[bars[:, 1] == number], begin, half, look, detailed=len(bars) < _MANY_BARS)
        chart.key(f"{activities[number]} {spent[number]:.0%}", Patch(**look), axes, drawn)
    idle = max(1 - sum(spent.values()), 0)
    if round(100 * idle):
        chart.key(f"{_IDLE} {idle:.0%}", Patch(facecolor="white", edgecolor=GUIDE), axes, axes.patch)
    axes.set_xlim(0, (end - begin) / _MICROSECOND)
    axes.set_ylim(workers - 0.5, -0.5)
    # Every worker; or every second, fourth, eighth, where not all have room.
    step = 1 if workers <= _FEW_WORKERS else 1 << (-(-workers // _MOST_TICKS) - 1).bit_length()
    axes.set_yticks(range(0, workers, step))
    axes.grid(axis="y", visible=False)
    linear_axis(axes.xaxis)
    chart.name_axes(axes, across="simulated microseconds since the start of the block", up="worker")
    chart.name_only(axes.yaxis)
    chart.title = title
    return chart


def draw_timeline(
    rows: Rows, workers: int, activities: tuple[str, ...], title: str, folder: Folder, name: str
) -> list[Folder]:
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
        chart = timeline(rows, workers, activities, title)
        chart.arrange()
        return chart.save(folder, name)


def shares(rows: Rows, workers: int) -> dict[int, float]:
    """Share of all workers' time by activity."""
    span = int(rows[:, 3].max()) - int(rows[:, 2].min())
    return {int(number): _share(rows, int(number), workers, span) for number in np.unique(rows[:, 1])}


def _bars(axes: Axes, rows: Rows, begin: int, half: float, look: dict[str, Any], detailed: bool) -> Artist:
    left, right = (rows[:, 2] - begin) / _MICROSECOND, (rows[:, 3] - begin) / _MICROSECOND
    top, bottom = rows[:, 0] - half, rows[:, 0] + half
    around = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    corners = np.stack([np.stack([x, y], axis=-1) for x, y in around], axis=1).reshape(-1, 2)
    # One shape of all bars: a shape each would make the SVG several times as large, and at last larger than a picture.
    codes = np.tile(np.array([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], np.uint8), len(rows))
    bars = PathPatch(Path(corners, codes), **look, rasterized=not detailed)
    return axes.add_patch(bars)


def _share(rows: Rows, number: int, workers: int, span: int) -> float:
    own = rows[rows[:, 1] == number]
    return float((own[:, 3] - own[:, 2]).sum() / (span * workers))
