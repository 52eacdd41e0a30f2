"""Tables of a paper: figures of cells with their intervals, as CSV in full precision and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.contention import swept
from contend.harness.present.charts.role_parts import role_parts
from contend.harness.present.charts.style import workload_titles
from contend.harness.present.formatting import listed
from contend.harness.present.paper.caption import Caption
from contend.harness.present.paper.certain_best import certain_best, ranked
from contend.harness.present.paper.latex import bold, escaped, tabular
from contend.harness.present.paper.provenance import sentences
from contend.harness.present.report.selection import Selection
from contend.harness.record.content.cell_facts import MEANING
from contend.harness.record.frame import over
from contend.harness.record.statistics import Interval
from contend.harness.record.statistics.paired_verdict import FLOOR, ends, times

NOTHING = "-"
_MOST_ROWS = 56
# What a column has room for in small print: characters, those between columns counted as two.
_COLUMN_ROOM = 58
_SETTING = ("seed", "block_size", "block_count", "transactions")
_ENDS = ("", "_low", "_high")
_BESIDE = (
    "limit",
    "share_of_bound",
    "prepare_seconds",
    "bytes_per_transaction",
    "recall",
    "precision",
    "wasted_per_transaction",
    "runs",
)


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper.

    Attributes
    ----------
    name : str
        Of its files; unique.
    data : DataFrame
        All that the table shows and what tells its cells apart, unrounded.
    tabulars : tuple of str
        LaTeX, in parts that fit a page each.
    wide : bool
        Whether it is wider than a column.
    caption : Caption
    """

    name: str
    data: pandas.DataFrame
    tabulars: tuple[str, ...]
    wide: bool
    caption: Caption


def paper_tables(
    every: Sequence[Selection],
    records: Sequence[Mapping[str, Any]],
    frame: pandas.DataFrame,
    baseline: str = BASELINE,
) -> Iterator[PaperTable]:
    """Tables of the cells of each clock, those of sweeps by themselves.

    Parameters
    ----------
    every : sequence of Selection
    records : sequence of mapping
        That they are of.
    frame : DataFrame
        All cells of the records, also those that failed: a table says which of them it lacks.
    baseline : str, optional
        With another one than serial there is the ratio to it as well.
    """
    for selected in every:
        for name, cells in (("cells", selected.plain), ("sweeps", selected.sweeps)):
            if len(cells):
                yield _table(f"{name}-{selected.clock}", cells, records, _failed(frame, cells), baseline)


def table_data(cells: pandas.DataFrame, baseline: str = BASELINE) -> pandas.DataFrame:
    """What a table shows of cells, in their order, unrounded; ``best`` where that is certain."""
    titles = workload_titles(cells)
    data = cells[["workload", "strategy", "role", "given", "workers", "clock"]].copy()
    data.insert(1, "title", [titles[str(name)] for name in cells["workload"]])
    data["tx_per_second"] = cells["tx_per_second"]
    for end in _ENDS:
        data[f"speedup{end}"] = cells[f"speedup{end}"]
    if baseline != BASELINE:
        beside = over(cells, baseline)
        for end in _ENDS:
            data[f"over_{baseline}{end}"] = beside[f"speedup{end}"].to_numpy()
    for column in _BESIDE:
        data[column] = cells[column]
    data["processes"] = [len({sample["process"] for sample in samples}) for samples in cells["samples"]]
    bests = {certain_best(own) for _, part in _groups(cells) for own in ranked(part)}
    data["best"] = [label in bests for label in cells.index]
    data["warnings"] = ["; ".join(map(str, warnings)) for warnings in cells["warnings"]]
    dials = [str(name) for name in cells if str(name).startswith("dial.") and cells[name].notna().any()]
    return pandas.concat([data, cells[[*_SETTING, *dials, "record"]]], axis="columns")


def _table(
    name: str,
    cells: pandas.DataFrame,
    records: Sequence[Mapping[str, Any]],
    failed: pandas.DataFrame,
    baseline: str,
) -> PaperTable:
    data = table_data(cells, baseline)
    exact = bool(cells["simulated"].all())
    header = ["strategy", "workers", "tx/s", r"$\times$ serial"]
    header += [rf"$\times$ {escaped(baseline)}"] if baseline != BASELINE else []
    header += ["of bound", "wasted/tx"]
    groups = []
    lengths = [len(one) for one in header]
    for title, part in _groups(cells):
        rows = []
        for own in data.loc[part.index].to_dict("records"):
            texts = _texts(own, exact, baseline)
            lengths = [max(pair) for pair in zip(lengths, map(len, texts), strict=True)]
            rows.append(_marked([escaped(text) for text in texts], bool(own["best"])))
        groups.append((escaped(title), rows))
    alignment = f"l{'r' * (len(header) - 1)}"
    tabulars = tuple(tabular(alignment, header, part) for part in _paged(groups))
    wide = sum(lengths) + 2 * (len(lengths) - 1) > _COLUMN_ROOM
    caption = Caption.of(
        "Throughput and speed-up" + (", with a dial turned" if bool(cells["swept"].any()) else ""),
        _about(data, exact, baseline, failed),
        sentences(cells, records),
    )
    return PaperTable(name, data, tabulars, wide, caption)


def _groups(cells: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    """Cells of one workload, one value of the dial that was turned, and one role, with the name of all."""
    for title, part in _settings(cells):
        for place, own in enumerate(role_parts(part)):
            # Serial stands with the first role.
            rows = own.cells[own.cells["strategy"] != BASELINE] if place else own.cells
            yield (f"{title}, {own.title}" if own.named else title), rows


def _settings(cells: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    titles = workload_titles(cells)
    dials = swept(cells) if bool(cells["swept"].any()) else {}
    for workload, part in cells.groupby("workload", sort=False):
        title, dial = titles[str(workload)], dials.get(str(workload))
        if dial is None:
            yield title, part
            continue
        for value, own in part.groupby(dial):
            yield f"{title}, {dial.removeprefix('dial.')}={value:g}", own


def _texts(own: Mapping[Any, Any], exact: bool, baseline: str) -> list[str]:
    """Texts of one row."""
    texts = [
        str(own["strategy"]),
        f"{own['workers']:,}",
        f"{own['tx_per_second']:,.0f}",
        "1" if own["strategy"] == BASELINE else _ratio(own, "speedup", exact),
    ]
    if baseline != BASELINE:
        texts.append("1" if own["strategy"] == baseline else _ratio(own, f"over_{baseline}", exact))
    share, waste = own["share_of_bound"], own["wasted_per_transaction"]
    waste = None if own["strategy"] == BASELINE else waste
    return [
        *texts,
        NOTHING if pandas.isna(share) else f"{share:.0%}",
        NOTHING if pandas.isna(waste) else f"{waste:.2f}",
    ]


def _ratio(own: Mapping[Any, Any], name: str, exact: bool) -> str:
    median, low, high = (own[f"{name}{end}"] for end in _ENDS)
    if pandas.isna(median):
        return NOTHING
    return times(median) if exact else f"{times(median)} {ends(Interval(median, low, high))}"


def _marked(texts: list[str], best: bool) -> list[str]:
    return [bold(text) if best and place in (0, 3) else text for place, text in enumerate(texts)]


def _paged(groups: Sequence[tuple[str, list[list[str]]]]) -> Iterator[list[tuple[str, list[list[str]]]]]:
    """Groups in parts that fit a page each; a group that is longer than a page is told to go on."""
    page: list[tuple[str, list[list[str]]]] = []
    room = _MOST_ROWS
    for name, rows in groups:
        if page and len(rows) + 1 > room:
            yield page
            page, room = [], _MOST_ROWS
        for place in range(0, len(rows), _MOST_ROWS - 1):
            if place:
                yield page
                page, room = [], _MOST_ROWS
            some = rows[place : place + _MOST_ROWS - 1]
            page.append((f"{name}, continued" if place else name, some))
            room -= len(some) + 1
    yield page


def _about(data: pandas.DataFrame, exact: bool, baseline: str, failed: pandas.DataFrame) -> Iterator[str]:
    yield "tx/s: transactions per second of the block's whole time, all phases added."
    brackets = "" if exact else ", with its interval"
    ratio = "ratio" if exact else "median paired ratio"
    yield f"Times serial: {ratio} to serial execution{brackets}."
    if baseline != BASELINE:
        yield f"Times {baseline}: {ratio} to {baseline} with as many workers{brackets}."
    yield "Of bound: speed-up as a share of the best conceivable with so many workers on this block."
    if len(set(data["role"])) > 1:
        yield (
            "Roles, of which no ranking has two: "
            + "; ".join(f"{role}, {meaning}" for role, meaning in MEANING.items() if role in set(data["role"]))
            + "."
        )
    yield "wasted/tx: executions that were thrown away, per transaction."
    least = "" if exact else f" by more than {100 * FLOOR:.3g} %"
    if data["best"].any():
        yield f"Bold: the best of a workload, where it is faster than every other strategy beyond doubt{least}."
    else:
        yield f"No strategy is faster than every other one beyond doubt{least}, so that none is marked."
    if len(failed):
        named = [f"{one['strategy']} with {one['workers']:,} on {one['workload']}" for _, one in failed.iterrows()]
        yield f"FAILED, and without figures: {listed(named)}."


def _failed(frame: pandas.DataFrame, cells: pandas.DataFrame) -> pandas.DataFrame:
    """Cells of the same records and settings that failed."""
    known = set(zip(cells["record"], cells["setting"], strict=True))
    same = [pair in known for pair in zip(frame["record"], frame["setting"], strict=True)]
    return frame[~frame["verified"] & pandas.Series(same, index=frame.index)]
