"""Figures of a paper: the report's kinds of charts at the width of a column, in parts that fit a page.

A figure of a paper has no title, for it has a caption, where also stands what a chart's subtitle says; only the word
SIMULATED stays in the picture, which may be passed on without its caption. Labels have 7 points or more at the width at
which they are printed. A chart whose texts have no room in a column is drawn at the width of the text, one that is
higher than a page has room in parts, each of as many workloads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas

from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import BASELINE, LIMIT
from contend.harness.present.charts.bound_lines import BOUND, COMMUTATIVE, SCHEDULE, WITH_VALUES, WITHOUT_VALUES
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.contention import swept
from contend.harness.present.charts.role_parts import RolePart, role_parts
from contend.harness.present.charts.style import Style, clock_of
from contend.harness.present.paper.caption import Caption
from contend.harness.present.paper.provenance import sentences
from contend.harness.present.report.figure_kinds import BOTH, PLAIN, SWEPT, FigureKind
from contend.harness.present.report.selection import Selection
from contend.harness.record.statistics.rank_disagreement import rank_disagreements

COLUMN, TEXT = "column", "text"
WIDTHS = {COLUMN: 3.35, TEXT: 7.0}
"""Inches of a column, 85 mm, and of two with what is between them."""
SMALLEST_MM, LARGEST_MM = 50.0, 400.0
MILLIMETRES = 25.4  # an inch
# Seaborn's labels have 12 points, its ticks and legends 11, which makes 7.04.
FONT_SCALE = 0.64
_TALLEST = 7.8  # inches, of a page with room for a caption
_MOST_IN_COLUMN, _MOST_IN_TEXT = 3, 12  # workloads of a figure
_MOST_NOTES = 3
_BESIDE = 0.6  # inches that the labels of an axis take
_KEYS = {
    "single run": "Dots are single runs.",
    BOUND: "The solid black line is the bound, what no strategy can beat on this block with so many workers.",
    WITHOUT_VALUES: "The solid black line is the bound of who waits for what he reads.",
    WITH_VALUES: "The line of long dashes is the bound of who has the values that transactions read and need not wait.",
    COMMUTATIVE: "The dotted one takes additions to balances as commutative.",
    SCHEDULE: "The line of dashes and dots is a list schedule that knows everything and costs nothing.",
    LIMIT: "The short dashes in grey are the machine's limit, what as many serial runs at once reach.",
    "ideal": "On the dashed grey line workers and speed-up are equal.",
}


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper.

    Attributes
    ----------
    name : str
        Of its files; unique.
    chart : Chart
        Arranged.
    wide : bool
        Whether it is wider than a column.
    caption : Caption
    """

    name: str
    chart: Chart
    wide: bool
    caption: Caption


def parse_width(text: str) -> float:
    """Width in inches: of a column, of the text, or of so many millimetres.

    Raises
    ------
    BadInputError
        If it is none of them.
    """
    if text in WIDTHS:
        return WIDTHS[text]
    try:
        millimetres = float(text.removesuffix("mm"))
    except ValueError:
        millimetres = math.nan
    if not SMALLEST_MM <= millimetres <= LARGEST_MM:
        raise BadInputError(
            f"--width: {text!r} is no width; {COLUMN} is 85 mm, {TEXT} 178 mm, or give millimetres from "
            f"{SMALLEST_MM:g} to {LARGEST_MM:g}"
        )
    return millimetres / MILLIMETRES


def paper_figures(
    every: Sequence[Selection],
    records: Sequence[Mapping[str, Any]],
    style: Style,
    width: float,
    baseline: str = BASELINE,
) -> Iterator[PaperFigure]:
    """Draw what the cells of all clocks have data for; must be called within `chart_style`.

    Parameters
    ----------
    every : sequence of Selection
    records : sequence of mapping
        That they are of.
    style : Style
        Hatched, so that bars are told apart in grey.
    width : float
        In inches.
    baseline : str, optional
        With another one than serial there are the speed-ups over it as well.
    """
    for selected in every:
        clock = selected.clock
        for kind in PLAIN:
            for part in role_parts(selected.plain):
                yield from _drawn(f"{kind.name}-{clock}", kind, part, records, style, width)
            if kind.name == "speedup" and baseline != BASELINE:
                for part in role_parts(selected.plain, baseline):
                    name = f"speedup-over-{_plain(baseline)}-{clock}"
                    yield from _drawn(name, kind, part, records, style, width, baseline)
        known = selected.sweeps[selected.sweeps["workload"].isin(list(swept(selected.sweeps)))]
        for kind in SWEPT:
            for part in role_parts(known):
                yield from _drawn(f"{kind.name}-{clock}", kind, part, records, style, width)
    if len(every) > 1:
        cells = pandas.concat([selected.plain for selected in every], ignore_index=True)
        # Of other blocks, the two clocks would tell of the blocks.
        cells = cells[cells.groupby(["workload", "block_digest"])["clock"].transform("nunique") == len(every)]
        for part in role_parts(cells):
            yield from _drawn(BOTH.name, BOTH, part, records, style, width)


def _drawn(
    name: str,
    kind: FigureKind,
    own: RolePart,
    records: Sequence[Mapping[str, Any]],
    style: Style,
    width: float,
    baseline: str = BASELINE,
) -> Iterator[PaperFigure]:
    cells, name = own.cells, f"{name}{own.suffix}"
    workloads = list(dict.fromkeys(cells["workload"]))
    parts = _parts(kind, cells, workloads, style, width, baseline)
    if any(chart.crowded for _, chart in parts) and width < WIDTHS[TEXT]:
        parts = _parts(kind, cells, workloads, style, WIDTHS[TEXT], baseline)
    for number, (part, chart) in enumerate(parts, 1):
        several = len(parts) > 1
        title = own.titled(f"{chart.title}{f', part {number} of {len(parts)}' if several else ''}")
        about = [_sentence(own.meaning), *_about(kind, part, baseline), _sentence(chart.subtitle.partition("; ")[2])]
        about += [text for key in chart.keys if (text := _KEYS.get(key.label))]
        about += [f"{one.sentence}." for one in _disagreements(kind, part)]
        # Nobody must take a simulated figure for a measured one, whatever becomes of the caption.
        chart.title, chart.subtitle = "", clock_of(part) if part["simulated"].all() else ""
        chart.arrange(chart.figure.get_size_inches()[0])
        wide = chart.figure.get_size_inches()[0] > WIDTHS[COLUMN] + 0.05
        caption = Caption.of(title, about, sentences(part, records))
        yield PaperFigure(f"{name}-{number}" if several else name, chart, bool(wide), caption)


def _parts(
    kind: FigureKind, cells: pandas.DataFrame, workloads: Sequence[str], style: Style, width: float, baseline: str
) -> list[tuple[pandas.DataFrame, Chart]]:
    """Charts of parts of the workloads, of about as many each and as few as fit a page each."""
    draw = _draw(kind, style, width, baseline)
    size = _MOST_IN_COLUMN if width < WIDTHS[TEXT] else _MOST_IN_TEXT
    while workloads:
        many = math.ceil(len(workloads) / size)
        size = math.ceil(len(workloads) / many)
        found = []
        for place in range(0, len(workloads), size):
            part = cells[cells["workload"].isin(workloads[place : place + size])]
            chart = draw(part)
            if chart is None:
                continue
            chart.arrange(width)
            found.append((part, chart))
            if size > 1 and chart.figure.get_size_inches()[1] > _TALLEST:
                break
        else:
            return found
        size -= 1
    return []


def _draw(kind: FigureKind, style: Style, width: float, baseline: str) -> Any:
    options: dict[str, Any] = {}
    if kind.name == "wasted":
        options["room"] = width - _BESIDE
    if baseline != BASELINE:
        options["baseline"] = baseline
    return partial(kind.chart, style=style, **options)


def _about(kind: FigureKind, cells: pandas.DataFrame, baseline: str) -> list[str]:
    """How to read it, where legends and subtitles do not say it."""
    if kind.name == "throughput":
        return ["Transactions per second of the block's whole time, all phases added."]
    if kind.name == "speedup":
        with_workers = "" if baseline == BASELINE else " with as many workers"
        rounds = "" if cells["simulated"].all() else ", run beside run"
        return [f"Times as fast as {baseline}{with_workers}{rounds}."]
    return [kind.about]


def _disagreements(kind: FigureKind, cells: pandas.DataFrame) -> list[Any]:
    if kind.name not in ("throughput", "speedup"):
        return []
    return rank_disagreements(cells.to_dict("records"))[:_MOST_NOTES]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in text)
