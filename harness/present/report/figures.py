"""Charts of a report: pictures, one a workload, what they show in words and as data, and how to make them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.contention import swept
from contend.harness.present.charts.history import history
from contend.harness.present.charts.role_parts import RolePart, role_parts
from contend.harness.present.charts.style import Style, workload_titles
from contend.harness.present.charts.timeline import shares, timeline
from contend.harness.present.formatting import listed, share
from contend.harness.present.report.captions import history_caption
from contend.harness.present.report.figure_kinds import BOTH, PLAIN, SWEPT, FigureKind
from contend.harness.present.report.history import Series
from contend.harness.present.report.selection import Selection
from contend.harness.present.report.svg import Entry, drawing, entries, svg
from contend.harness.record.statistics.rank_disagreement import rank_disagreements

if TYPE_CHECKING:
    from contend.harness.present.timeline import Trace

_MOST_LINES = 4
_MOST_NOTES = 3
_ALL = "all"
_TELLING = ("record", "workload", "strategy", "role", "given", "workers", "clock")


@dataclass(frozen=True)
class ReportFigure:
    """A chart of a report.

    Attributes
    ----------
    name : str
        Of its files; unique.
    title : str
    about : str
        How to read it, in a sentence or two.
    simulated : bool
        Whether all its figures are of simulated workers.
    captions : tuple of str
        What there is to see in each picture, with figures: the text for those who do not see it.
    pictures : tuple of str
        SVG elements.
    legend : tuple of Entry
        Of all pictures.
    data : DataFrame
        What is drawn.
    commands : tuple of str
        That make the data again.
    """

    name: str
    title: str
    about: str
    simulated: bool
    captions: tuple[str, ...]
    pictures: tuple[str, ...]
    legend: tuple[Entry, ...]
    data: pandas.DataFrame
    commands: tuple[str, ...]


def style_of(frame: pandas.DataFrame, hatched: bool = False) -> Style:
    """Colours and markers of a page: one strategy, one colour, in all its charts."""
    names = list(dict.fromkeys(frame["strategy"]))
    return Style(sorted(names, key=lambda name: name != BASELINE), hatched)


def report_figures(selected: Selection, style: Style) -> Iterator[ReportFigure]:
    """Draw what the cells of one clock have data for, role by role."""
    known = selected.sweeps[selected.sweeps["workload"].isin(list(swept(selected.sweeps)))]
    for kinds, cells in ((PLAIN, selected.plain), (SWEPT, known)):
        for kind in kinds:
            for part in role_parts(cells):
                yield from _drawn(kind, selected, part, style)


def on_both_clocks(every: Sequence[Selection], style: Style) -> Iterator[ReportFigure]:
    """Draw the speed-ups that were measured next to those that were simulated, where a workload has both; by role."""
    if len(every) < 2:
        return
    cells = pandas.concat([selected.plain for selected in every], ignore_index=True)
    # Of other blocks, the two clocks would tell of the blocks.
    cells = cells[cells.groupby(["workload", "block_digest"])["clock"].transform("nunique") == len(every)]
    if cells.empty:
        return
    commands = {record: text for selected in every for record, text in selected.commands.items()}
    both = Selection("both", cells, cells[:0], commands)
    for part in role_parts(cells):
        yield from _drawn(BOTH, both, part, style, simulated=False)


def traced(trace: Trace, command: str, activities: tuple[str, ...]) -> ReportFigure:
    """Draw what simulated workers did when."""
    with drawing():
        chart = timeline(trace.rows, trace.workers, activities, "")
        legend = entries(chart)
        spent = shares(trace.rows, trace.workers)
        told = listed([f"{activities[number]} {share(part)}" for number, part in spent.items()])
        caption = f"{trace.title}. Of the workers' time: {told}; the rest is idle."
        picture = svg(chart, "timeline", caption)
    data = pandas.DataFrame(trace.rows, columns=["worker", "activity", "begin_picoseconds", "end_picoseconds"])
    data["activity"] = [activities[number] for number in data["activity"]]
    about = f"{trace.title}. A row is a worker, a bar what it was doing; where there is none it was idle."
    return ReportFigure(
        "timeline", "What each worker did when", about, True, (caption,), (picture,), tuple(legend), data, (command,)
    )


def along_records(series: Iterable[Series], style: Style, clock: str) -> Iterator[ReportFigure]:
    """Draw the history of one clock: for each workload the cells with steps first, then those with most workers."""
    by_workload: dict[str, list[Series]] = {}
    for one in series:
        if one.clock == clock and len(one.seconds) > 2:
            by_workload.setdefault(one.workload, []).append(one)
    if not by_workload:
        return
    pictures, rows, told = [], [], []
    named: dict[str, Entry] = {}
    with drawing():
        for workload, every in by_workload.items():
            chosen = sorted(every, key=lambda one: (not one.steps, one.strategy, -one.workers))
            # One line a strategy: where it stepped, or with the most workers.
            lines = list({one.strategy: one for one in reversed(chosen)}.values())[-_MOST_LINES:]
            chart = history(lines, workload, style)
            named |= {entry.label: entry for entry in entries(chart)}
            told.append(history_caption(lines))
            pictures.append(svg(chart, f"history-{clock}-{_identifier(workload)}", told[-1]))
            rows += [
                (one.workload, one.strategy, one.workers, record, time, seconds)
                for one in every
                for record, time, seconds in zip(one.records, one.times, one.seconds, strict=True)
            ]
    legend = tuple(named[name] for name in style.strategies if name in named)
    data = pandas.DataFrame(rows, columns=["workload", "strategy", "workers", "record", "time", "seconds"])
    about = (
        "Dots are medians of records, lines the levels between steps that were detected; a figure at a line says by "
        "how much it stepped. Up is slower."
    )
    title = f"History, {_clock(clock != 'wall')}"
    simulated = clock != "wall"
    yield ReportFigure(f"history-{clock}", title, about, simulated, tuple(told), tuple(pictures), legend, data, ())


def _drawn(
    kind: FigureKind, selected: Selection, own: RolePart, style: Style, simulated: bool | None = None
) -> Iterator[ReportFigure]:
    cells = own.cells
    pictures: list[str] = []
    legend: dict[str, Entry] = {}
    shown = []
    titles = workload_titles(cells)
    groups = [(_ALL, cells)] if kind.together else cells.groupby("workload", sort=False)
    titles[_ALL] = "All blocks"
    with drawing():
        for workload, part in groups:
            chart = kind.chart(part, style, **_notes(kind, part))
            if chart is None:
                continue
            for entry in entries(chart):
                legend.setdefault(entry.label, entry)
            name = f"{kind.name}-{selected.clock}{own.suffix}-{_identifier(str(workload))}"
            pictures.append(svg(chart, name, f"{titles[str(workload)]}. {kind.caption(part)}"))
            shown.append((str(workload), part))
    if not pictures:
        return
    data = pandas.concat([part for _, part in shown])
    dials = [name for name in data if str(name).startswith("dial.") and data[name].notna().any()]
    columns = [name for name in (*_TELLING, *kind.columns) if name in data]
    title = own.titled(kind.title if simulated is False else f"{kind.title}, {_clock(selected.simulated)}")
    yield ReportFigure(
        name=f"{kind.name}-{selected.clock}{own.suffix}",
        title=title,
        about=" ".join(filter(None, (f"{_capital(own.meaning)}." if own.named else "", kind.about, kind.hint))),
        simulated=selected.simulated if simulated is None else simulated,
        captions=tuple(f"{titles[workload]}: {kind.caption(part)}" for workload, part in shown),
        pictures=tuple(pictures),
        legend=tuple(legend.values()),
        data=data[[*columns, *dials]],
        commands=tuple(dict.fromkeys(selected.commands[record] for record in data["record"])),
    )


def _notes(kind: FigureKind, cells: pandas.DataFrame) -> dict[str, list[str]]:
    """Sentences below a chart about cells whose orders by throughput and by paired speed-up disagree."""
    if kind.name not in ("throughput", "speedup"):
        return {}
    return {"notes": [f"{one.sentence}." for one in rank_disagreements(cells.to_dict("records"))[:_MOST_NOTES]]}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _clock(simulated: bool) -> str:
    return "virtual clock" if simulated else "wall clock"


def _identifier(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)
