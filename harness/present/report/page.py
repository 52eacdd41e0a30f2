"""The page: one HTML file that needs nothing beside it, and the data of its charts as CSV."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas

from contend.harness.errors import BadInputError
from contend.harness.present.formatting import count, factor, rate
from contend.harness.present.report.figures import (
    ReportFigure,
    along_records,
    on_both_clocks,
    report_figures,
    style_of,
    traced,
)
from contend.harness.present.report.history import histories
from contend.harness.present.report.selection import command_of, frame_of, selections, told_apart
from contend.harness.present.report.summary import answers
from contend.harness.present.report.svg import palette_css, swatch
from contend.harness.present.timeline import Trace
from contend.harness.record.atomic_write import check_folder
from contend.harness.record.content.cell_facts import BUILDER, MEANING
from contend.harness.record.sessions import environment_of

ROOM = Path(__file__).parent
PAGE = "index.html"
DATA = "data"
CELLS = "cells.csv"
# How a page of ours is known, and where the mark stands at the latest.
MARK, _HEAD_BYTES = b'<meta name="generator" content="contend report">', 4096


def write_report(
    records: Sequence[Mapping[str, Any]], folder: Path, command: str, trace: tuple[Trace, str] | None = None
) -> Path:
    """Write the page and its data.

    Parameters
    ----------
    records : sequence of mapping
        As `harness.records.read` gives them.
    folder : Path
        Made if it is missing; a report that is there is replaced once the new one is whole, and nothing else.
    command : str
        That makes the page again.
    trace : tuple, optional
        What simulated workers did, and the command that draws it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BadInputError
        If no record has a cell, or the folder cannot be written, or has a page or data that are not a report's.
    """
    if not any(record["cells"] for record in records):
        raise BadInputError("report: the records hold no cells; measure some with contend run")
    check_output(folder)
    text, shown = render(records, command, trace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as room:
            new = Path(room)
            (new / DATA).mkdir()
            for figure in shown:
                figure.data.to_csv(new / DATA / f"{figure.name}.csv", index=False)
            cells_of(frame_of(records)).to_csv(new / DATA / CELLS, index=False)
            (new / PAGE).write_text(text, encoding="utf-8")
            shutil.rmtree(folder / DATA, ignore_errors=True)
            (new / DATA).rename(folder / DATA)
            (new / PAGE).rename(folder / PAGE)
    except OSError as error:
        raise BadInputError(f"report: {folder}: {error.strerror or error}; choose another folder with -o") from error
    return folder / PAGE


def check_output(folder: Path) -> None:
    """Make sure that a report can go to `folder` without taking the place of anything but a report.

    Raises
    ------
    BadInputError
        If it cannot be written, or has a page or data that are not a report's.
    """
    check_folder(folder)
    page, data = folder / PAGE, folder / DATA
    ours = page.is_file() and MARK in page.read_bytes()[:_HEAD_BYTES]
    for place in (page, data):
        if place.exists() and not ours:
            raise BadInputError(f"report: {place} is there and not of a report; choose another folder with -o")


def render(
    records: Sequence[Mapping[str, Any]], command: str, trace: tuple[Trace, str] | None = None
) -> tuple[str, list[ReportFigure]]:
    """Make the text of the page, and the charts that are on it.

    The same records give the same page: nothing in it tells when it was made.
    """
    from contend.strategies.clocks import ACTIVITIES

    records = sorted(records, key=lambda record: str(record["id"]))
    frame = frame_of(records)
    selected = selections(frame, records)
    style = style_of(frame)
    series = list(histories(frame))
    shown = list(on_both_clocks(selected, style))
    for one in selected:
        shown += report_figures(one, style)
    if trace is not None:
        shown.append(traced(*trace, ACTIVITIES))
    for clock in ("wall", "virtual"):
        shown += along_records(series, style, clock)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(swatch=swatch)
    text = environment.get_template("page.html.j2").render(
        answers=list(answers(selected, records, series)),
        shown=shown,
        link=lambda figure: _link(figure.data),
        cells_link=_link(cells_of(frame)),
        missing=_missing({figure.name.split("-")[0] for figure in shown}),
        facts=_facts(records, frame),
        machines=_machines(records),
        columns=_COLUMNS,
        rows=[_row(cell) for cell in told_apart(frame).to_dict("records")],
        failures=[cell for cell in frame.to_dict("records") if not cell["verified"]],
        refused=[cell for cell in frame.to_dict("records") if isinstance(cell["refused_list"], str)],
        roles=_roles(set(frame["role"])),
        warnings=_warnings(frame),
        records=[_described(record) for record in records],
        simulated=bool(frame["simulated"].any()),
        command=command,
        style=(ROOM / "page.css").read_text(encoding="utf-8") + palette_css(),
        script=(ROOM / "page.js").read_text(encoding="utf-8"),
    )
    return text, shown


def cells_of(frame: pandas.DataFrame) -> pandas.DataFrame:
    """All cells, for the file of all: without raw samples and other lists, which the records have."""
    unwanted = [name for name in frame if frame[name].map(lambda value: isinstance(value, list | dict | tuple)).any()]
    return frame.drop(columns=[*unwanted, "common", "setting", "place"], errors="ignore")


def _link(data: pandas.DataFrame) -> str:
    """Data within the page: they can be taken from there when the page has left its folder."""
    content = data.to_csv(index=False).encode()
    return f"data:text/csv;base64,{base64.b64encode(content).decode()}"


_WANTED = {
    "scaling": (
        "Scaling on both clocks",
        "contend run, and contend run --clock virtual, on the same workloads",
    ),
    "contention": (
        "Contention curves and the map of winners",
        "contend run --clock virtual --workload swaps --sweep pools=1,3,10,30,100 --set pool_zipf=0",
    ),
    "history": ("History", "three records or more of the same cells"),
    "timeline": ("What each worker did when", "the report without --no-timeline"),
    "causes": ("What aborts were due to", "a strategy that aborts, with several workers"),
}


def _roles(found: set[str]) -> dict[str, str]:
    """Roles with what they mean; nothing where nobody was given more than the transactions."""
    return {role: meaning for role, meaning in MEANING.items() if role in found} if found - {BUILDER} else {}


def _missing(names: set[str]) -> list[tuple[str, str]]:
    return [wanted for name, wanted in _WANTED.items() if name not in names]


def _facts(records: Sequence[Mapping[str, Any]], frame: pandas.DataFrame) -> list[str]:
    """Facts about the records, in a line."""
    failed = len(frame) - int(frame["verified"].sum())
    # A simulated run is made once: it would come out the same again.
    runs = int(frame["runs"].sum())
    times = sorted(str(record["environment"]["time"])[:10] for record in records)
    span = times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    return [
        count(len(records), "record"),
        count(len(frame), "cell"),
        f"{runs:,} verified runs",
        f"{count(failed, 'cell')} FAILED" if failed else "every result equal to the serial one",
        span,
    ]


_MACHINE = {
    "cpu": "processor",
    "cores": "cores",
    "memory_bytes": "memory",
    "governor": "frequency governor",
    "platform": "system",
    "python": "Python",
    "numba": "numba",
    "llvm": "LLVM",
    "numpy": "numpy",
    "contend": "Contend",
}


def _machines(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every machine with its versions, and the records from it."""
    found: dict[str, dict[str, Any]] = {}
    for environment in (one for record in records for one in _environments(record)):
        facts = {label: environment[name] for name, label in _MACHINE.items() if environment.get(name) is not None}
        if "memory" in facts:
            facts["memory"] = f"{facts['memory'] / 2**30:.0f} GiB"
        one = found.setdefault(repr(facts), {"facts": facts, "records": 0})
        one["records"] += 1
    return list(found.values())


def _environments(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of the machines that a record's cells were measured on, each once."""
    every = [environment_of(record, cell) for cell in record["cells"]]
    return list({one["machine"]: one for one in every}.values()) or [record["environment"]]


def _described(record: Mapping[str, Any]) -> dict[str, Any]:
    environment = record["environment"]
    git = environment["git"] or {}
    revision = str(git.get("revision") or "")[:12]
    return {
        "id": record["id"],
        "time": str(environment["time"]).replace("T", " ").replace("+00:00", " UTC"),
        "revision": f"{revision}{' with changes' if git.get('dirty') else ''}" if revision else "not a checkout",
        "kernels": environment["kernels"],
        "costs": environment["costs"] or "",
        "cache": "cold" if environment["cold_cache"] else "warm",
        "cells": len(record["cells"]),
        "complete": record["complete"],
        "command": command_of(record),
        "blocks": sorted({(cell["workload"], cell["block_digest"] or "") for cell in record["cells"]}),
    }


def _warnings(frame: pandas.DataFrame) -> list[tuple[str, list[str]]]:
    """Warnings, each with the cells that have it."""
    found: dict[str, list[str]] = {}
    for cell in frame.to_dict("records"):
        for warning in cell["warnings"]:
            kind = str(warning).partition(":")[0]
            found.setdefault(kind, []).append(
                f"{cell['workload']} {cell['strategy']} with {cell['workers']}: {warning}"
            )
    return sorted(found.items(), key=lambda item: -len(item[1]))


_COLUMNS = (
    ("workload", "text"),
    ("setting", "text"),
    ("strategy", "text"),
    ("role", "text"),
    ("given", "text"),
    ("workers", "number"),
    ("clock", "text"),
    ("tx/s", "number"),
    ("Mgas/s", "number"),
    ("ms a block", "number"),
    ("CPU ms", "number"),
    ("x serial", "number"),
    ("interval", "text"),
    ("limit", "number"),
    ("of bound", "number"),
    ("prepare ms", "number"),
    ("bytes/tx", "number"),
    ("recall", "number"),
    ("precision", "number"),
    ("wasted/tx", "number"),
    ("aborts/tx", "number"),
    ("result", "text"),
    ("record", "text"),
)


def _row(cell: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Text and sorting value of every column."""
    good = bool(cell["verified"])
    wall = good and not cell["simulated"] and cell["strategy"] != "serial"
    low, high = cell["speedup_low"], cell["speedup_high"]
    of_bound = cell["share_of_bound"] if good and cell["share_of_bound"] == cell["share_of_bound"] else None
    return [
        _plain(str(cell["workload"])),
        _plain(cell["told"]),
        _plain(str(cell["strategy"])),
        _plain(str(cell["role"])),
        _plain(cell["given"] if isinstance(cell["given"], str) else ""),
        _number(cell["workers"], "{:,.0f}"),
        _plain("SIMULATED" if cell["simulated"] else "wall"),
        (rate(cell["tx_per_second"]), repr(cell["tx_per_second"])) if good else _NOTHING,
        _number(cell["gas_per_second"] / 1e6, "{:,.0f}") if good else _NOTHING,
        _number(cell["seconds"] * 1e3, "{:,.2f}") if good else _NOTHING,
        _number(cell["cpu_seconds"] * 1e3, "{:,.2f}") if good else _NOTHING,
        (factor(cell["speedup"]).removesuffix("x"), repr(cell["speedup"])) if good else _NOTHING,
        _plain(f"{low:.2f} to {high:.2f}") if wall else _NOTHING,
        _known(cell["limit"], "{:.2f}"),
        _NOTHING if of_bound is None else _number(of_bound, "{:.0%}"),
        _known(cell["prepare_seconds"] * 1e3, "{:,.2f}") if good else _NOTHING,
        _known(cell["bytes_per_transaction"], "{:,.0f}"),
        *(_known(cell[name], "{:.0%}") for name in ("recall", "precision")),
        *(_known(cell[name], "{:.2f}") if good else _NOTHING for name in _WASTED),
        _plain(_RESULTS[good, isinstance(cell["refused_list"], str)]),
        _plain(str(cell["record"])),
    ]


_NOTHING = ("", "")
_WASTED = ("wasted_per_transaction", "aborts_per_transaction")
_RESULTS = {
    (True, False): "equal to serial",
    (True, True): "equal to serial; list refused",
    (False, False): "FAILED",
    (False, True): "FAILED",
}


def _plain(text: str) -> tuple[str, str]:
    return text, text


def _known(value: float | None, pattern: str) -> tuple[str, str]:
    return _NOTHING if value is None or value != value else _number(value, pattern)


def _number(value: Any, pattern: str) -> tuple[str, str]:
    return pattern.format(value), repr(float(value))
