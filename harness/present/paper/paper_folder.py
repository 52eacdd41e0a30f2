"""The folder of a paper: figures, tables and captions, and a document that shows them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.style import chart_style
from contend.harness.present.paper.contents import write_folder
from contend.harness.present.paper.latex import document, floating
from contend.harness.present.paper.paper_figures import COLUMN, FONT_SCALE, WIDTHS, PaperFigure, paper_figures
from contend.harness.present.paper.paper_table import PaperTable, paper_tables
from contend.harness.present.report.figures import style_of
from contend.harness.present.report.selection import frame_of, selections
from contend.workloads.suggest import nearest

DOCUMENT = "paper.tex"
FORMATS = ("pdf", "svg")
Record = Mapping[str, Any]


@dataclass(frozen=True)
class PaperRequest:
    """What a paper shall show.

    Attributes
    ----------
    width : float
        Of figures, in inches.
    baseline : str
        Strategy that the others are held against beside serial.
    workloads : tuple of str
        All of them, where none is named.
    """

    width: float = WIDTHS[COLUMN]
    baseline: str = BASELINE
    workloads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    document : Path
    figures, tables : int
        Number of them.
    left_out : tuple of str
        Cells of other settings, in words.
    removed : tuple of str
        Files of an earlier paper that this one has not.
    """

    document: Path
    figures: int
    tables: int
    left_out: tuple[str, ...]
    removed: tuple[str, ...]


def write_paper(records: Sequence[Record], folder: Path, request: PaperRequest) -> Written:
    """Write figures, tables and captions of records.

    The same records and the same request give the same files, byte for byte.

    Raises
    ------
    BadInputError
        If there is no verified cell, or none of what was named, or the folder cannot be written or is not a paper's.
    """
    records = sorted(records, key=lambda record: str(record["id"]))
    if not any(record["cells"] for record in records):
        raise BadInputError("paper: the records hold no cells; measure some with contend run")
    frame = frame_of(records)
    if request.workloads:
        _check_named("--workload", request.workloads, frame["workload"])
        frame = frame[frame["workload"].isin(request.workloads)]
    selected = selections(frame, records)
    if not selected:
        raise BadInputError("paper: every cell FAILED, and what failed has no figures")
    if request.baseline != BASELINE:
        shown = [name for one in selected for name in (*one.plain["strategy"], *one.sweeps["strategy"])]
        _check_named("--baseline", (request.baseline,), shown)
    with chart_style(FONT_SCALE):
        style = style_of(frame, hatched=True)
        figures = list(paper_figures(selected, records, style, request.width, request.baseline))
        files = dict(_figure_files(figures))
    tables = list(paper_tables(selected, records, frame, request.baseline))
    files |= dict(_table_files(tables))
    files[DOCUMENT] = document([*map(_figure_float, figures), *_table_floats(tables)]).encode()
    left_out = tuple(f"{one.clock} clock: {text}" for one in selected for text in one.left_out)
    about = {
        "width_inches": round(request.width, 4),
        "baseline": request.baseline,
        "workloads": list(request.workloads),
        "records": [str(record["id"]) for record in records],
        "left_out": list(left_out),
    }
    removed = write_folder(folder, files, about)
    return Written(folder / DOCUMENT, len(figures), len(tables), left_out, tuple(removed))


def _check_named(option: str, named: Sequence[str], known: Any) -> None:
    names = list(dict.fromkeys(map(str, known)))
    for name in named:
        if name not in names:
            raise BadInputError(
                f"{option}: the records have no cell of {name!r}{nearest(name, names)}; they have {', '.join(names)}"
            )


def _figure_files(figures: Sequence[PaperFigure]) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory(prefix="contend-paper-") as room:
        for figure in figures:
            for path in figure.chart.save(Path(room), figure.name, FORMATS):
                yield f"figures/{path.name}", path.read_bytes()
            yield from _caption_files(figure)


def _table_files(tables: Sequence[PaperTable]) -> Iterator[tuple[str, bytes]]:
    for table in tables:
        yield f"tables/{table.name}.csv", table.data.to_csv(index=False, lineterminator="\n").encode()
        for name, text in _parts(table):
            yield f"tables/{name}.tex", text.encode()
        yield from _caption_files(table)


def _caption_files(shown: PaperFigure | PaperTable) -> Iterator[tuple[str, bytes]]:
    yield f"captions/{shown.name}.txt", shown.caption.wrapped.encode()
    yield f"captions/{shown.name}.tex", f"{shown.caption.latex}\n".encode()


def _parts(table: PaperTable) -> list[tuple[str, str]]:
    """Names and texts of a table's parts, a part a page."""
    if len(table.tabulars) == 1:
        return [(table.name, table.tabulars[0])]
    return [(f"{table.name}-{number}", text) for number, text in enumerate(table.tabulars, 1)]


def _figure_float(figure: PaperFigure) -> str:
    picture = rf"\includegraphics{{figures/{figure.name}.pdf}}"
    caption = figure.caption
    return floating("figure", figure.wide, picture, caption.short, caption.latex, f"fig:{figure.name}")


def _table_floats(tables: Sequence[PaperTable]) -> Iterator[str]:
    for table in tables:
        parts = _parts(table)
        for number, (name, _) in enumerate(parts, 1):
            caption = table.caption
            told = caption.latex if number == 1 else f"{caption.short}, continued ({number} of {len(parts)})."
            yield floating("table", table.wide, rf"\input{{tables/{name}}}", caption.short, told, f"tab:{name}")
