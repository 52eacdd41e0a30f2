"""Chart: equal panels, and around them title, legend, labels and notes, all of which have room.

The panels have the size that they are given; everything else is measured by drawing it, and the figure is made as large
as all of it together. So nothing is cut off and nothing lies on anything else, however many panels, strategies or lines
of text there are. Where the width of the figure is given instead, as a column of a paper has one, the panels get what
is left of it. A constrained layout (matplotlib's own) does it the other way round: it fits panels into a figure of a
given size, whatever does not fit is cut off, and what is wider than the figure, as a title or a legend can be, it does
not see.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from contend.harness.present.charts.palette import GUIDE
from contend.harness.present.charts.text_fitting import text_width, wrapped
from contend.harness.record import atomic_write

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.text import Annotation

FORMATS = ("png", "svg")
DOTS_PER_INCH = 150
_MOST_COLUMNS = 3
_EDGE = 0.12  # inches around everything
_GAP = 0.16  # between neighbours
_CLOSE = 0.06
_LEGEND_HANDLE = 0.5
_NARROWEST = 1.9  # inches of a panel, below which the next one goes below it
_POINTS = 72
_WIDEST_CATEGORY = 1.9
_STEPS = sorted(range(-16, 17), key=abs)
_NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True)
class Key:
    """Entry of a legend.

    Attributes
    ----------
    label : str
    handle : Artist
        What stands beside the label.
    marks : list of (Axes, Artist)
        What is drawn so; the legend has the entry if any of it can be seen.
    """

    label: str
    handle: Artist
    marks: list[tuple[Axes, Artist]]

    @property
    def visible(self) -> bool:
        """Whether any of it can be seen in its panel."""
        return any(_can_be_seen(axes, artist) for axes, artist in self.marks)


class Chart:
    """Chart of equal panels.

    Parameters
    ----------
    count : int
        Of panels.
    width, height : float
        Of each panel's inside, in inches.
    columns : int, optional
        At most; otherwise as many as make the figure about square.
    share_up : bool, optional
        Whether all panels have one vertical axis.

    Attributes
    ----------
    figure : Figure
        Has its size and everything outside the panels once `arrange` was called.
    panels : list of Axes
    title, subtitle : str
    across, up : str
        Labels of axes that all panels share; how they are scaled is added.
    notes : list of str
        Sentences below the panels.
    key_order : list of str
        Labels that come first in the legend.
    """

    def __init__(
        self, count: int, width: float, height: float, columns: int | None = None, share_up: bool = False
    ) -> None:
        # Not pyplot's: that keeps figures until they are closed.
        self.figure = Figure(dpi=DOTS_PER_INCH)
        self._canvas = FigureCanvasAgg(self.figure)
        self.panels: list[Axes] = []
        for number in range(count):
            # A label of its own, or matplotlib would take two axes in one place for one.
            shared = self.panels[0] if share_up and number else None
            self.panels.append(self.figure.add_axes((0, 0, 1, 1), label=str(number), sharey=shared))
        self.title = self.subtitle = self.across = self.up = ""
        self.notes: list[str] = []
        self.key_order: list[str] = []
        self._size = (width, height)
        self._columns = min(count, columns or min(_MOST_COLUMNS, math.ceil(math.sqrt(count))))
        self._share_up = share_up
        self._keys: dict[str, Key] = {}
        self._titles: dict[Axes, str] = {}
        self._labels: dict[Axes, tuple[str, str]] = {}
        self._categories: dict[Axes, list[str]] = {}
        self._named: set[Axis] = set()
        self._movable: dict[Axes, list[tuple[Annotation, tuple[float, float]]]] = {}
        self._behind: dict[Axes, Axes] = {}
        self._around: list[Artist] = []

    def name_panel(self, axes: Axes, title: str) -> None:
        """Give a panel a title."""
        self._titles[axes] = title

    def name_axes(self, axes: Axes, across: str = "", up: str = "") -> None:
        """Label the axes of one panel; how they are scaled is added."""
        self._labels[axes] = (across, up)

    def name_only(self, axis: Axis) -> None:
        """Say that what stands at an axis are names, of workers for instance, which have no scale."""
        self._named.add(axis)

    def name_places(self, axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
        """Name places on the horizontal axis; where names would touch they are turned."""
        axes.set_xticks(list(places), list(names))
        self._categories[axes] = list(names)
        self.name_only(axes.xaxis)

    def key(self, label: str, handle: Artist, axes: Axes, *marks: Artist) -> None:
        """Say what marks in a panel stand for; `key_order` first, entries have the order in which they were named."""
        own = self._keys.setdefault(label, Key(label, handle, []))
        own.marks.extend((axes, mark) for mark in marks)

    def part(self, axes: Axes, text: Annotation) -> None:
        """Let a text of a panel move up or down, away from others that would lie on it."""
        self._movable.setdefault(axes, []).append((text, text.xyann))

    def behind(self, axes: Axes) -> Axes:
        """Axes behind those of a panel, without ticks and labels, with the same horizontal axis."""
        found = self._behind[axes] = axes.twinx()
        found.set_axis_off()
        axes.set_zorder(found.get_zorder() + 1)
        axes.patch.set_visible(False)
        return found

    @property
    def keys(self) -> list[Key]:
        """Entries of the legend: of what can be seen."""
        order = {label: place for place, label in enumerate(self.key_order)}
        found = [key for key in self._keys.values() if key.visible]
        return sorted(found, key=lambda key: order.get(key.label, len(order)))

    def arrange(self, width: float | None = None, head: bool = True) -> Figure:
        """Lay everything out, which gives the figure its size; may be called again with another width.

        Parameters
        ----------
        width : float, optional
            Of the figure in inches; otherwise panels are as wide as they were made.
        head : bool, optional
            Whether the figure has its title and legend, or somebody else shows them.
        """
        for artist in self._around:
            artist.remove()
        self._around = []
        columns, size = self._columns, self._size
        if width is not None:
            columns, size = self._narrowed(width)
        sides = self._measured(columns, size)
        rows = -(-len(self.panels) // columns)
        small = _size_of("axes.labelsize")
        inner_height = rows * size[1] + sum(sides.top) + sum(sides.bottom) + _GAP * (rows - 1)
        inner_width = columns * size[0] + sum(sides.left) + sum(sides.right) + _GAP * (columns - 1)
        up = wrapped(self._scaled(self.up, self.panels[0].yaxis), inner_height, small)
        left = _EDGE + (self._height(up, small) + _CLOSE if up else 0)
        full = width or left + inner_width + _EDGE
        self.figure.set_size_inches(full, 1.0)
        room = full - 2 * _EDGE
        above, entries = self._head(room) if head else ([], None)
        below = [(wrapped(note, room, _size_of("legend.fontsize")), "legend.fontsize", GUIDE) for note in self.notes]
        across = wrapped(self._scaled(self.across, self.panels[0].xaxis), inner_width, small)
        heights = [self._height(text, _size_of(name), weight) for text, name, _, weight in above]
        notes = [self._height(text, _size_of(name)) for text, name, _ in below]
        legend_height = self._extent(entries)[1] if entries is not None else 0.0
        height = 2 * _EDGE + inner_height
        height += sum(heights) + _CLOSE * len(heights) + (legend_height + _GAP if entries is not None else 0)
        height += _CLOSE if above else 0
        height += self._height(across, small) + _CLOSE if across else 0
        height += sum(notes) + _GAP * bool(notes) + _CLOSE * len(notes)
        self.figure.set_size_inches(full, height)
        down = _EDGE
        for (text, name, colour, weight), tall in zip(above, heights, strict=True):
            self._write(text, _EDGE, down, name, colour, weight)
            down += tall + _CLOSE
        down += _CLOSE if above else 0
        if entries is not None:
            entries.set_bbox_to_anchor((_EDGE / full, 1 - down / height))
            down += legend_height + _GAP
        begin = down
        for row in range(rows):
            down += sides.top[row]
            over = left
            for column, axes in enumerate(self.panels[row * columns : (row + 1) * columns]):
                over += sides.left[column]
                box = (over / full, 1 - (down + size[1]) / height, size[0] / full, size[1] / height)
                self._put(axes, box)
                over += size[0] + sides.right[column] + _GAP
            down += size[1] + sides.bottom[row] + _GAP
        down -= _GAP
        middle = left + inner_width / 2
        if up:
            beside = self.figure.text(
                _EDGE / full, 1 - (begin + down) / 2 / height, up, rotation=90, va="center", ha="left", fontsize=small
            )
            beside.set_multialignment("center")
            self._around.append(beside)
        if across:
            down += _CLOSE
            self._write(across, middle, down, "axes.labelsize", matplotlib.rcParams["text.color"], "normal", "center")
            down += self._height(across, small)
        down += _GAP if notes else 0
        for (text, name, colour), tall in zip(below, notes, strict=True):
            self._write(text, _EDGE, down, name, colour, "normal")
            down += tall + _CLOSE
        return self.figure

    @property
    def crowded(self) -> bool:
        """Whether texts within a panel of an arranged chart lie on each other, or names below it do."""
        renderer = self._canvas.get_renderer()  # type: ignore[no-untyped-call]
        for axes in self.panels:
            for texts in (axes.texts, axes.get_xticklabels() if axes in self._categories else ()):
                boxes = [text.get_window_extent(renderer) for text in texts if text.get_text()]
                if any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2)):
                    return True
        return False

    def save(self, folder: Path, name: str, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write an arranged chart into files, which do not tell when that was: one input, one content."""
        written = [folder / f"{name}.{kind}" for kind in formats]
        for path, kind in zip(written, formats, strict=True):
            with atomic_write.written(path) as file:
                self.figure.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata=_NO_DATE[kind])
        return written

    def _head(self, room: float) -> tuple[list[tuple[str, str, Any, str]], Any]:
        """Title and subtitle, broken into lines, and the legend in as many columns as fit."""
        ink = matplotlib.rcParams["text.color"]
        above = []
        if self.title:
            title = wrapped(self.title, room, _size_of("axes.titlesize"), "bold")
            above.append((title, "axes.titlesize", ink, "bold"))
        if self.subtitle:
            subtitle = wrapped(self.subtitle, room, _size_of("legend.fontsize"))
            above.append((subtitle, "legend.fontsize", GUIDE, "normal"))
        keys = self.keys
        if not keys:
            return above, None
        size = _size_of("legend.fontsize")
        labels = [wrapped(key.label, room - _LEGEND_HANDLE, size) for key in keys]
        widest = max(text_width(line, size) for label in labels for line in label.split("\n"))
        sure = max(1, int(room / (widest + _LEGEND_HANDLE)))
        for columns in range(min(len(keys), sure + 3), 0, -1):
            legend = self.figure.legend(
                [key.handle for key in keys],
                labels,
                loc="upper left",
                bbox_to_anchor=(0, 1),
                ncols=columns,
                frameon=False,
                borderpad=0,
                borderaxespad=0,
                columnspacing=1.4,
                handlelength=1.8,
            )
            if columns == 1 or self._extent(legend)[0] <= room:
                break
            legend.remove()
        self._around.append(legend)
        return above, legend

    def _narrowed(self, width: float) -> tuple[int, tuple[float, float]]:
        """Columns and the size of panels with which the figure is so wide."""
        small = _size_of("axes.labelsize")
        fixed = 2 * _EDGE + ((small * 1.2 / _POINTS + _CLOSE) if self.up else 0)
        for columns in range(self._columns, 0, -1):
            inner = (width - fixed) / columns - 0.5
            for _ in range(3):  # what stands around panels depends on their size, a little
                size = (max(inner, 0.5), self._size[1] * min(1.0, max(inner / self._size[0], 0.55)))
                sides = self._measured(columns, size)
                inner = (width - fixed - sum(sides.left) - sum(sides.right) - _GAP * (columns - 1)) / columns
            if inner >= _NARROWEST or columns == 1:
                break
        return columns, (max(inner, 0.5), size[1])

    def _measured(self, columns: int, size: tuple[float, float]) -> _Sides:
        """Give panels their size, break their texts accordingly, and see how far these stand out."""
        rows = -(-len(self.panels) // columns)
        full = (columns * (size[0] + 6), rows * (size[1] + 6))
        self.figure.set_size_inches(*full)
        sides = _Sides([0.0] * columns, [0.0] * columns, [0.0] * rows, [0.0] * rows)
        for number, axes in enumerate(self.panels):
            row, column = divmod(number, columns)
            corner = ((column * (size[0] + 6) + 3) / full[0], (row * (size[1] + 6) + 3) / full[1])
            self._put(axes, (*corner, size[0] / full[0], size[1] / full[1]))
            if self._share_up:
                axes.tick_params(labelleft=column == 0)
            self._dress(axes, size)
        renderer = self._canvas.get_renderer()  # type: ignore[no-untyped-call]
        for number, axes in enumerate(self.panels):
            row, column = divmod(number, columns)
            _move_apart(self._movable.get(axes, []), axes, renderer)
            # Marks end where the panel does: only texts stand out, and what measures thousands of marks takes its time.
            inside, outside = axes.bbox, axes.get_tightbbox(renderer, bbox_extra_artists=list(axes.texts))
            if outside is None:
                continue
            for found, place, beyond in (
                (sides.left, column, inside.x0 - outside.x0),
                (sides.right, column, outside.x1 - inside.x1),
                (sides.top, row, outside.y1 - inside.y1),
                (sides.bottom, row, inside.y0 - outside.y0),
            ):
                found[place] = max(found[place], beyond / self.figure.dpi)
        return sides

    def _put(self, axes: Axes, box: tuple[float, float, float, float]) -> None:
        """Place a panel, and what lies behind it."""
        axes.set_position(box)
        if axes in self._behind:
            self._behind[axes].set_position(box)

    def _dress(self, axes: Axes, size: tuple[float, float]) -> None:
        """Write what belongs to a panel, in lines that fit it."""
        title, label = _size_of("axes.titlesize"), _size_of("axes.labelsize")
        if axes in self._titles:
            axes.set_title(wrapped(self._titles[axes], size[0], title, "bold"))
        across, up = self._labels.get(axes, ("", ""))
        if across:
            axes.set_xlabel(wrapped(self._scaled(across, axes.xaxis), size[0], label))
        if up:
            axes.set_ylabel(wrapped(self._scaled(up, axes.yaxis), size[1], label))
        if axes in self._categories:
            _turn(axes, self._categories[axes], size[0])

    def _scaled(self, label: str, axis: Axis) -> str:
        """A label with the axis's scale; an axis with names for ticks has none."""
        return label if axis in self._named or not label else f"{label} ({axis.get_scale()})"

    def _write(
        self, text: str, over: float, down: float, size: str, colour: Any, weight: str, align: str = "left"
    ) -> None:
        full, height = self.figure.get_size_inches()
        self._around.append(
            self.figure.text(
                over / full,
                1 - down / height,
                text,
                ha=align,
                va="top",
                fontsize=_size_of(size),
                color=colour,
                fontweight=weight,
            )
        )

    def _height(self, text: str, size: float, weight: str = "normal") -> float:
        if not text:
            return 0.0
        probe = self.figure.text(0, 0, text, fontsize=size, fontweight=weight)
        tall = self._extent(probe)[1]
        probe.remove()
        return tall

    def _extent(self, artist: Any) -> tuple[float, float]:
        box = artist.get_window_extent(self._canvas.get_renderer())  # type: ignore[no-untyped-call]
        return box.width / self.figure.dpi, box.height / self.figure.dpi


@dataclass
class _Sides:
    """How far texts stand out of the panels: left and right of each column, above and below each row."""

    left: list[float]
    right: list[float]
    top: list[float]
    bottom: list[float]


def _size_of(setting: Any) -> float:
    """Size of a font in points, as the context of drawing has it."""
    return float(FontProperties(size=matplotlib.rcParams[setting]).get_size_in_points())


def _turn(axes: Axes, names: Sequence[str], width: float) -> None:
    """Turn the names of places upright where they would touch."""
    low, high = axes.get_xlim()
    size = _size_of("xtick.labelsize")
    places = np.sort(axes.get_xticks())
    pitch = width * (float(np.diff(places).min()) if len(places) > 1 else high - low) / (high - low)
    lines = [wrapped(name, max(pitch - 0.1, 0.3), size) for name in names]
    fit = max((text_width(line, size) for text in lines for line in text.split("\n")), default=0) <= pitch - 0.06
    whole = all(len(text.split("\n")) <= 2 for text in lines)
    upright = not (fit and whole)
    texts = [wrapped(name, _WIDEST_CATEGORY, size) for name in names] if upright else lines
    axes.set_xticks(axes.get_xticks(), texts)
    axes.tick_params(axis="x", labelrotation=90 if upright else 0)


def _can_be_seen(axes: Axes, artist: Artist) -> bool:
    box = axes.bbox.padded(1)
    if isinstance(artist, Line2D):
        path = artist.get_transform().transform_path(artist.get_path())
        corners = np.asarray(path.vertices, np.float64)
        known = corners[np.isfinite(corners).all(axis=1)]
        inside = (known[:, 0] >= box.x0) & (known[:, 0] <= box.x1) & (known[:, 1] >= box.y0) & (known[:, 1] <= box.y1)
        joined = len(known) > 1 and artist.get_linestyle() not in ("None", "none", "", " ")
        return bool(inside.any() or (joined and path.intersects_bbox(box, filled=False)))
    return artist.get_visible()


def _move_apart(texts: Sequence[tuple[Annotation, tuple[float, float]]], axes: Axes, renderer: Any) -> None:
    """Move texts up or down by whole lines until none lies on another or reaches beyond the panel."""
    placed: list[Any] = []
    for text, (over, up) in texts:
        tall = 1.1 * float(text.get_fontsize())
        for step in _STEPS:
            text.xyann = (over, up + step * tall)
            box = text.get_window_extent(renderer)
            inside = axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
            if inside and not any(box.overlaps(other) for other in placed):
                break
        placed.append(box)
