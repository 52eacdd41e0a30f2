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
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, NONE, SEPARATOR, SOURCES, TEMPLATE, TRUTH

if TYPE_CHECKING:
    import pandas

# As many as there are tones, so that strategies beyond the last tone have a marker that its first owner has not.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h")
# Strategies that come with Contend; those that a run measures by default have the tones that are told apart best, and
# no plug-in is given these while another one is free.
_COMMON = ("block_stm", "static_partition", "sharded", "placeholder", "bal")
_RESERVED = (
    *_COMMON,
    "groups",
    "locks",
    "occ_window",
    "sharded_ordered",
    "bal_longest",
    "adaptive",
    "aria",
    "aria_in_place",
    "redo",
    "block_stm_v2",
    "hint_trial",
)
# Twelve that can be told from each other without colour; a hatch has the colour of the background.
_HATCHES = ("////", "\\\\\\\\", "xxxx", "....", "----", "||||", "++++", "OO", "//..", "--\\\\\\\\", "||..", "**")
# From this tone on, those that are close to an earlier one: broken lines, hatched bars.
_CLOSE_TONES = 5
_SECOND_HATCHES = ("\\\\\\\\", "xxxx")  # of a strategy whose tone is an earlier one's, and of such a broken one
# Of a strategy that is given something else than usual: its colour and marker, hollow, and a line of the source's own.
_SOURCE_LINES: dict[str, Any] = {
    NONE: (0, (1, 1)),
    DRY_RUN: (0, (5, 2)),
    TEMPLATE: (0, (3, 1, 1, 1, 1, 1)),
    DECLARED: (0, (2, 2)),
    BLOCK: (0, (5, 1)),
    TRUTH: (0, (1, 2)),
}
_SOURCE_HATCHES = {NONE: "....", DRY_RUN: "\\\\\\\\", TEMPLATE: "xxxx", DECLARED: "----", BLOCK: "||||", TRUTH: "OO"}
# Where hollow and broken say something else, of all but the first contender of a strategy.
_SOURCE_MARKERS = {NONE: "8", DRY_RUN: "d", TEMPLATE: "H", DECLARED: "8", BLOCK: "d", TRUTH: "H"}
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
    """Look of each contender: colour, marker, line and hatch, the same in every chart of every record.

    The strategies that come with Contend have theirs for good; those of plug-ins get one by their name, the next free
    one where two names fall together. A strategy keeps its colour and marker whatever it is given; where that is not
    what it is usually given, the marker is hollow, and line and hatch are the source's.

    Parameters
    ----------
    strategies : sequence of str
        Names of contenders, in the order in which legends name them.
    hatched : bool, optional
        Whether the bars of each strategy but serial have a hatch of their own, so that they can be told from each other
        in grey, too. Markers tell lines from each other everywhere.
    """

    def __init__(self, strategies: Sequence[str], hatched: bool = False) -> None:
        self.strategies = list(strategies)
        self.hatched = hatched
        slots = _slots([_strategy_and_source(name)[0] for name in self.strategies])
        self.colour = {BASELINE: SERIAL.light}
        self.marker = {BASELINE: "o"}
        self.line: dict[str, Any] = {BASELINE: "-"}
        self.hatch = {BASELINE: ""}
        self._hollow = set()
        for name in dict.fromkeys(self.strategies):
            strategy, source = _strategy_and_source(name)
            if strategy == BASELINE:
                continue
            slot = slots[strategy]
            turn, place = divmod(slot, len(TONES))
            is_close = place >= _CLOSE_TONES
            self.colour[name] = TONES[place].light
            self.marker[name] = _MARKERS[(place + turn) % len(_MARKERS)]
            self.line[name] = (0, (7, 1.2, 1.6, 1.2)) if is_close else "-"
            # Who has an earlier one's tone is told from it by another hatch, as lines are by another marker.
            plain = _SECOND_HATCHES[is_close] if turn else "////" if is_close else ""
            self.hatch[name] = _HATCHES[slot % len(_HATCHES)] if hatched else plain
            if source:
                self._hollow.add(name)
                self.line[name] = _SOURCE_LINES[source]
                # A hatch of both, where each strategy has one already.
                self.hatch[name] = _SOURCE_HATCHES[source] + (self.hatch[name] if hatched else "")

    def bars(self, name: str) -> dict[str, Any]:
        """Look of a contender's bars: also one without height leaves a line."""
        look: dict[str, Any] = {"facecolor": self.colour[name], "linewidth": 0.8}
        # A hatch has the colour of the edge: it must be the background's.
        return look | ({"edgecolor": "white", "hatch": self.hatch[name]} if self.hatch[name] else _edge(look))

    def lines(self, name: str, markersize: float = 5) -> dict[str, Any]:
        """Look of a contender's line."""
        look: dict[str, Any] = {"color": self.colour[name], "marker": self.marker[name], "linestyle": self.line[name]}
        return look | {"markersize": markersize} | self.edge(name)

    def filled_marker(self, name: str, among: Sequence[str]) -> str:
        """Marker of a contender where hollow ones mean something else: one that no other of its strategy has."""
        strategy, source = _strategy_and_source(name)
        first = next(one for one in among if _strategy_and_source(one)[0] == strategy)
        return self.marker[name] if not source or first == name else _SOURCE_MARKERS[source]

    def edge(self, name: str) -> dict[str, Any]:
        """How markers of a contender are filled and edged."""
        if name in self._hollow:
            return {"markerfacecolor": "white", "markeredgecolor": self.colour[name], "markeredgewidth": 1.0}
        return {"markeredgecolor": "white", "markeredgewidth": 0.5}


def _edge(look: dict[str, Any]) -> dict[str, Any]:
    return {"edgecolor": look["facecolor"]}


def _strategy_and_source(name: str) -> tuple[str, str]:
    """Name of a contender's strategy, and what it is given where that is told; of other names, the name."""
    strategy, _, source = name.partition(SEPARATOR)
    return (strategy, source) if source in SOURCES and strategy not in ("", BASELINE) else (name, "")


def _slots(names: Sequence[str]) -> dict[str, int]:
    """Number of each strategy's look; a name's own wherever it is free."""
    found = {name: place for place, name in enumerate(_RESERVED) if name in names}
    first = len(_COMMON)
    room = len(TONES) - first
    for name in sorted(set(names) - set(found) - {BASELINE}):
        taken = set(found.values())
        wanted = zlib.crc32(name.encode()) % room
        own = (first + (wanted + step) % room for step in range(room))
        # No tone of theirs is left: one of those that are reserved, then a second turn.
        rest = (slot for slot in range(len(TONES) + len(names) + first) if slot < first or slot >= len(TONES))
        found[name] = next(slot for slot in (*own, *rest) if slot not in taken)
    return found


# Stores by the names that records have for them, in words.
_STORES = {"file": "a file", "mdbx": "a database"}


def clock_of(cells: pandas.DataFrame) -> str:
    """Clock of the cells, and stages in the time, for titles; nobody must take one figure for another."""
    simulated, stages = set(cells["simulated"]), _stages_of(cells)
    if simulated == {True}:
        return f"SIMULATED workers, virtual clock{stages}"
    return f"wall clock{stages}" if simulated == {False} else f"wall clock, and SIMULATED where it says so{stages}"


def _stages_of(cells: pandas.DataFrame) -> str:
    """Which stages of a node are in the time; nothing where none is."""
    stages = [one for one in cells.get("stages", ()) if isinstance(one, dict)]
    schemes = dict.fromkeys(one["signatures"]["scheme"] for one in stages if "signatures" in one)
    told = [f"signatures by {' and '.join(schemes)}"] if schemes else []
    stores = dict.fromkeys(one["state"]["store"] for one in stages if "state" in one)
    if stores:
        told.append(f"cold state in {' and '.join(_STORES.get(store, store) for store in stores)}")
    if any("root" in one for one in stages):
        told.append("state root")
    protocols = dict.fromkeys(one["consensus"]["protocol"] for one in stages if "consensus" in one)
    if protocols:
        told.append(f"agreement by {' and '.join(protocols)}")
    if not told:
        return ""
    overlap = "pipeline_overlap" in cells and cells["pipeline_overlap"].notna().any()
    return f", with {' and '.join(filter(None, (', '.join(told[:-1]), told[-1])))}{', overlapping' if overlap else ''}"


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
