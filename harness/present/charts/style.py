"""Style of all charts: the look of strategies, fonts and grid, and the words that tell simulated figures apart."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import matplotlib

# Whatever display there is, no window.
matplotlib.use("Agg")

import seaborn

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.palette import GRID, GUIDE, INK, SERIAL, TONES
from contend.harness.record.warnings import MOSTLY_FAILED

if TYPE_CHECKING:
    import pandas

# As many as there are tones, so that strategies beyond the last tone have a marker that its first owner has not.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h")
_RESERVED = ("block_stm", "static_partition", "sharded", "sharded_ordered")
# Twelve that can be told from each other without colour; a hatch has the colour of the background.
_HATCHES = ("////", "\\\\\\\\", "xxxx", "....", "----", "||||", "++++", "OO", "//..", "--\\\\\\\\", "||..", "**")
# From this tone on, those that are close to an earlier one: broken lines, hatched bars.
_CLOSE_TONES = 5
_MOST_BARS = 4
_MOST_BARS_A_PANEL = 16
FONT_SCALE = 0.85


@contextmanager
def chart_style(font_scale: float = FONT_SCALE) -> Iterator[None]:
    """Seaborn's white grid, in the context of which charts are drawn.

    Parameters
    ----------
    font_scale : float, optional
        Of seaborn's context for notebooks, whose labels have 12 points.
    """
    own: dict[Any, Any] = {
        # Text stays text in SVG: searchable, and a tenth of the size. Its identifiers must not be drawn by chance.
        "svg.fonttype": "none",
        "svg.hashsalt": "contend",
        "pdf.fonttype": 42,
        # The one that matplotlib brings, so that a chart is the same wherever it is drawn.
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Liberation Sans", "Arial"],
        # Names come from users and may hold a dollar.
        "text.parse_math": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "grid.color": GRID,
        "axes.edgecolor": GRID,
        "patch.force_edgecolor": False,
        "hatch.linewidth": 0.9,
    }
    with (
        seaborn.axes_style("whitegrid"),
        seaborn.plotting_context("notebook", font_scale=font_scale),
        matplotlib.rc_context(own),
    ):
        yield


class Style:
    """Look of each strategy: colour, marker, line and hatch, the same in every chart of every record.

    The strategies that come with Contend have theirs for good; those of plug-ins get one by their name, the next free
    one where two names fall together.

    Parameters
    ----------
    strategies : sequence of str
        In the order in which legends name them.
    hatched : bool, optional
        Whether the bars of each strategy but serial have a hatch of their own, so that they can be told from each other
        in grey, too. Markers tell lines from each other everywhere.
    """

    def __init__(self, strategies: Sequence[str], hatched: bool = False) -> None:
        self.strategies = list(strategies)
        self.hatched = hatched
        slots = _slots(self.strategies)
        self.colour = {BASELINE: SERIAL.light} | {name: TONES[slot % len(TONES)].light for name, slot in slots.items()}
        self.marker = {BASELINE: "o"}
        self.line: dict[str, Any] = {BASELINE: "-"}
        self.hatch = {BASELINE: ""}
        for name, slot in slots.items():
            turn, place = divmod(slot, len(TONES))
            self.marker[name] = _MARKERS[(place + turn) % len(_MARKERS)]
            self.line[name] = "-" if place < _CLOSE_TONES else (0, (7, 1.2, 1.6, 1.2))
            plain = "" if place < _CLOSE_TONES else "////"
            self.hatch[name] = _HATCHES[slot % len(_HATCHES)] if hatched else plain

    def bars(self, name: str) -> dict[str, Any]:
        """Look of a strategy's bars: also one without height leaves a line."""
        look: dict[str, Any] = {"facecolor": self.colour[name], "linewidth": 0.8}
        # A hatch has the colour of the edge: it must be the background's.
        return look | ({"edgecolor": "white", "hatch": self.hatch[name]} if self.hatch[name] else _edge(look))

    def lines(self, name: str, markersize: float = 5) -> dict[str, Any]:
        """Look of a strategy's line."""
        look: dict[str, Any] = {"color": self.colour[name], "marker": self.marker[name], "linestyle": self.line[name]}
        return look | {"markersize": markersize, "markeredgecolor": "white", "markeredgewidth": 0.5}


def _edge(look: dict[str, Any]) -> dict[str, Any]:
    return {"edgecolor": look["facecolor"]}


def _slots(names: Sequence[str]) -> dict[str, int]:
    """Number of each strategy's look; a name's own wherever it is free."""
    found = {name: place for place, name in enumerate(_RESERVED) if name in names}
    others = sorted(set(names) - set(found) - {BASELINE})
    first, room = len(_RESERVED), len(TONES) - len(_RESERVED)
    for name in others:
        taken = set(found.values())
        wanted = zlib.crc32(name.encode()) % room
        own = (first + (wanted + step) % room for step in range(room))
        # No tone of theirs is left: one of those that are reserved, then a second turn.
        rest = (slot for slot in range(len(TONES) + len(names) + first) if slot < first or slot >= len(TONES))
        found[name] = next(slot for slot in (*own, *rest) if slot not in taken)
    return found


def clock_of(cells: pandas.DataFrame) -> str:
    """Clock of the cells, for titles; nobody must take a simulated figure for a measured one."""
    simulated = set(cells["simulated"])
    if simulated == {True}:
        return "SIMULATED workers, virtual clock"
    return "wall clock" if simulated == {False} else "wall clock, and SIMULATED where it says so"


def are_many(cells: pandas.DataFrame) -> bool:
    """Whether there are so many worker counts, or bars, that a bar for each would show nothing."""
    counts = cells[cells["strategy"] != BASELINE]["workers"].nunique()
    most = cells.groupby("workload").size().max()
    return bool(cells["workers"].nunique() > _MOST_BARS or (counts > 1 and most > _MOST_BARS_A_PANEL))


def present(cells: pandas.DataFrame, style: Style) -> list[str]:
    """Strategies that have a cell, in the order of the style, which is of all charts together."""
    return [name for name in style.strategies if (cells["strategy"] == name).any()]


def workload_titles(cells: pandas.DataFrame) -> dict[str, str]:
    """What titles call each workload: a file by the name that it gives itself, where that tells it from the others.

    Nobody shall take a workload of failing transactions for another one.
    """
    named = cells["workload_title"] if "workload_title" in cells else [None] * len(cells)
    found: dict[str, str] = {}
    for workload, title in zip(cells["workload"].astype(str), named, strict=True):
        known = title if isinstance(title, str) and title else found.get(workload)
        found[workload] = known or (PurePath(workload).stem if workload.endswith(".toml") else workload)
    titles = list(found.values())
    marks = cells["mostly_failed"].astype(bool) if "mostly_failed" in cells else [False] * len(cells)
    failing = {str(workload) for workload, fails in zip(cells["workload"], marks, strict=True) if fails}
    return {
        workload: (title if titles.count(title) == 1 else workload)
        + (f" ({MOSTLY_FAILED})" if workload in failing else "")
        for workload, title in found.items()
    }


GREY = GUIDE
