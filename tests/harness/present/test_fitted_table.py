"""Whatever the width and the names: no line is too long, nothing that must be there is cut off, what went is named."""

from __future__ import annotations

import io
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from contend.harness.compare.measured import CellName, MeasuredCell
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.terminal import print_comparison
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, UNKNOWN, Finding
from contend.harness.doctor.report import print_findings
from contend.harness.present.tables.catalogue_tables import print_catalogue
from contend.harness.present.tables.explain_tables import _print
from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.statistics import Interval

Make = Callable[..., dict[str, Any]]

WIDTHS = st.sampled_from((60, 80, 120, 200))
NAMES = st.text("abcdefghij_", min_size=1, max_size=40)
SENTENCES = st.lists(st.text("abcdefghij,;", min_size=1, max_size=14), min_size=1, max_size=20).map(" ".join)
# The fixtures make cells and keep nothing.
many = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def printed(width: int, show: Callable[[Console], object]) -> list[str]:
    target = io.StringIO()
    show(Console(file=target, width=width))
    lines = target.getvalue().splitlines()
    assert "…" not in target.getvalue()
    return lines


def together(lines: list[str]) -> str:
    """Text without what folding puts into it."""
    return "".join("".join(lines).split())


@many
@given(
    width=WIDTHS,
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    workload=st.text("abcdefghij_=, ", min_size=1, max_size=120),
    workers=st.sampled_from((1, 64, 1_024)),
    ratio=st.floats(0.001, 5_000),
    aborts=st.integers(0, 10**8),
)
@example(width=60, names=["static_partition"], workload="ayments", workers=1024, ratio=1234.5, aborts=10**8)
def test_the_columns_that_say_verified_and_stable_are_never_lost(
    width: int,
    names: list[str],
    workload: str,
    workers: int,
    ratio: float,
    aborts: int,
    make_cell: Make,
    make_record: Make,
) -> None:
    cells = [
        make_cell(f"w{workload}", name, workers, ratio, counters={"aborts": aborts}, critical_path=25_000_000)
        | {"warnings": ["unstable: this"]}
        for name in names
    ]
    lines = printed(width, lambda console: print_results(console, make_record(cells)))
    text = together(lines)
    table = lines[: next(place for place, line in enumerate(lines) if line.startswith("tx/s:"))]
    assert max(map(len, table)) <= width
    assert sum(line.rstrip().endswith("yes ~") for line in table) == len(names)
    for heading in ("Mgas/s", "p/e/c", "of bound", "ab/tx"):
        is_there = any(heading in line and "strategy" in line for line in table)
        assert is_there != ("Leftout" in text and heading.replace(" ", "") in text.partition("Leftout")[2])
    for name in names:
        assert name in together([line[: line.find("  ", 3)] for line in table]) or name in together(table)


@many
@given(
    width=WIDTHS,
    names=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    workload=st.text("abcdefghij_=, ", min_size=1, max_size=120),
    seconds=st.floats(1e-6, 1e5),
    ratio=st.floats(0.01, 100),
)
def test_a_comparison_never_loses_its_verdicts(
    width: int, names: list[str], workload: str, seconds: float, ratio: float
) -> None:
    a_side, b_side = ({"label": label, "kind": "tree", "revision": None, "dirty": False} for label in "AB")
    found = Comparison(a_side, b_side, Rule(), frozenset(), True, {})
    for name in names:
        cell = CellName(f"w{workload}", (), 1, 1_000, name, 1_024, "wall")
        a, b = (MeasuredCell("here", None, None, seconds=[np.array([time])]) for time in (seconds, ratio * seconds))
        interval = Interval(ratio, ratio / 2, ratio * 2, 0.95)
        found.cells.append(CellResult(cell, Verdict.INCONCLUSIVE, interval, (interval,), a, b))
    lines = printed(width, lambda console: print_comparison(console, found))
    rows = [line for line in lines if line.startswith(" ")]
    assert max(map(len, rows)) <= width
    assert sum(line.rstrip().endswith("inconclusive") for line in rows) == len(names)
    header = next(line.split() for line in rows if "verdict" in line)
    assert ("Left out" in "".join(lines)) == (header.count("A") < 2)


@many
@given(
    width=WIDTHS, names=st.lists(NAMES, min_size=1, max_size=3), about=SENTENCES, choices=st.lists(NAMES, max_size=6)
)
def test_the_catalogue_is_whole_in_any_width(width: int, names: list[str], about: str, choices: list[str]) -> None:
    dials = [
        {"name": name, "default": 123_456, "low": 1, "high": 10**9, "choices": choices, "summary": about}
        for name in names
    ]
    presets = [{"name": name, "summary": about, "dials": dict.fromkeys(names, 12.5)} for name in names]
    common = {"summary": about, "error": None}
    content: dict[str, list[dict[str, Any]]] = {
        "strategies": [{"name": name, "parallel": True, "takes": names, "default": True, **common} for name in names],
        "workloads": [{"name": name, "dials": dials, "presets": presets, **common} for name in names],
        "suites": [{"name": name, **common} for name in names],
    }
    lines = printed(width, lambda console: print_catalogue(console, content, with_dials=True))
    assert max(map(len, lines)) <= width
    assert sum("123,456" in line for line in lines) == len(names) ** 2


@many
@given(width=WIDTHS, name=NAMES, figures=st.lists(st.integers(0, 10**12), min_size=5, max_size=5))
def test_a_table_of_explain_names_what_it_leaves_out(width: int, name: str, figures: list[int]) -> None:
    headings = ("location", "dependent", "readers", "writers", "links", "aborts")
    row = (name, *(f"{figure:,}" for figure in figures))
    lines = printed(width, lambda console: _print(console, "Title", headings, [row], gives_way=headings[:0:-1]))
    assert max(map(len, lines)) <= width
    told = "".join(lines).partition("Left out")
    for heading in headings[1:]:
        assert (heading in told[0]) != (heading in told[2])


@many
@given(width=WIDTHS, found=SENTENCES, advice=SENTENCES)
def test_the_doctor_never_loses_its_verdicts(width: int, found: str, advice: str) -> None:
    verdicts = (OK, UNKNOWN, DOUBTFUL, BAD)
    findings = [Finding("all cores at once", found, verdict, advice) for verdict in verdicts]
    lines = printed(width, lambda console: print_findings(console, findings))
    assert max(map(len, lines)) <= width
    assert all(any(verdict in line.split() for line in lines) for verdict in verdicts)


def table(width: int) -> tuple[FittedTable, io.StringIO]:
    target = io.StringIO()
    columns = [
        Column("name", lambda row: row[0], is_text=True, folds=True),
        Column("long form", lambda row: row[1] * 3),
        Column("ok", lambda row: row[2], is_text=True),
    ]
    steps = [GivesWay("not there"), GivesWay("long form", Column("short", lambda row: row[1])), GivesWay("short")]
    return FittedTable(Console(file=target, width=width), columns, steps), target


@pytest.mark.parametrize(
    ("width", "headings", "left_out"),
    [(40, ["name", "long form", "ok"], []), (24, ["name", "short", "ok"], []), (14, ["name", "ok"], ["short"])],
)
def test_columns_get_shorter_before_they_go(width: int, headings: list[str], left_out: list[str]) -> None:
    fitted, _ = table(width)
    fitted.fit([("name", "12345", "yes")])
    assert (fitted.headings, fitted.left_out) == (headings, left_out)


def test_rows_that_come_later_stand_under_the_same_columns() -> None:
    fitted, target = table(60)
    assert fitted.fit([("a", "1", "yes")])
    fitted.print_header()
    fitted.print_rows([("a", "1", "yes")])
    assert not fitted.fit([("b", "2", "no")])
    fitted.print_rows([("b", "2", "no")])
    assert fitted.fit([("b", "22222222", "no")])
    header, _, first, second = target.getvalue().splitlines()
    assert header.index("ok") == first.index("yes") == second.index("no")


def test_words_are_broken_only_where_all_columns_are_as_narrow_as_their_words() -> None:
    target = io.StringIO()
    columns = [Column(str(place), itemgetter(place), is_text=True, folds=True) for place in (0, 1)]
    FittedTable(Console(file=target, width=30), columns).print_all([("one-long-name", "a sentence that gives way")])
    assert "one-long-name" in target.getvalue()


def test_headings_are_broken_before_words_are_and_names_where_they_are_joined() -> None:
    target = io.StringIO()
    columns = [
        Column("who", lambda row: f"  {row[0]}", is_text=True, folds=True),
        Column("balances as they are", lambda row: row[1]),
    ]
    FittedTable(Console(file=target, width=29), columns).print_all([("placeholder+dry_run", "70 (70.0%)")])
    lines = [line.strip() for line in target.getvalue().splitlines() if line.strip()]
    assert lines[0] == "balances as"
    assert lines[1].split() == ["who", "they", "are"]
    assert lines[3:] == ["placeholder+   70 (70.0%)", "dry_run"]
