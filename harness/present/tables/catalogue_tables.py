"""Catalogue as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from contend.harness.present.tables.fitted_table import Column, FittedTable

# Wide enough for any range of numbers; choices wrap.
_RANGE_WIDTH = 18

_NOTHING = "nothing"
_GIVEN = (
    "Can be given, beside the transactions: the usual source first, others by --hints or as strategy+source. A builder "
    "has none, dry_run, template or declared; a validator has block, the access list that came with it; truth is a "
    "ceiling, ranked nowhere."
)

One = Mapping[str, Any]


def print_strategies(console: Console, strategies: Iterable[One], are_all: bool = True) -> None:
    """Print names and summaries of strategies; where they are all, which of them a run measures by default."""
    columns = [
        Column("strategy", lambda one: one["name"], is_text=True, folds=True),
        Column("workers", _workers, is_text=True),
        Column("can be given", _takes, is_text=True, folds=True, most=_RANGE_WIDTH),
        Column("what it does", _summary, is_text=True, folds=True),
    ]
    shown = list(strategies)
    FittedTable(console, columns).print_all(shown)
    if any(one["takes"] for one in shown):
        console.print(_GIVEN, style="dim", highlight=False)
    if are_all and any(one["default"] for one in shown):
        names = ", ".join(one["name"] for one in shown if one["default"])
        console.print(f"A run that names none measures {names}; all is every built-in one.", style="dim")
        console.print()


def _takes(one: One) -> str:
    return ", ".join(one["takes"]) or _NOTHING


def _workers(one: One) -> str:
    return "-" if one["error"] else "any" if one["parallel"] else "1"


def print_workloads(console: Console, workloads: Iterable[One]) -> None:
    """Print workloads and, beneath each, its dials with defaults and ranges."""
    rows: list[tuple[str | Text, ...]] = []
    ends = []
    for one in workloads:
        rows.append((Text(one["name"], style="bold"), "", "", _summary(one)))
        for dial in one["dials"]:
            rows.append((f"  {dial['name']}", _value(dial["default"]), dial_range(dial), dial["summary"]))
        ends.append(len(rows) - 1)
    columns = [
        Column("workload / dial", lambda row: row[0], is_text=True, folds=True),
        Column("default", lambda row: row[1]),
        Column("range", lambda row: row[2], is_text=True, folds=True, most=_RANGE_WIDTH),
        Column("what it is", lambda row: row[3], is_text=True, folds=True),
    ]
    FittedTable(console, columns).print_all(rows, ends)


def print_presets(console: Console, workloads: Iterable[One], with_dials: bool = False) -> None:
    """Print each workload's presets: settings such as ``preset=burst-day``.

    Parameters
    ----------
    console : Console
    workloads : iterable of mapping
        Of the catalogue.
    with_dials : bool
        Whether to print what each sets.
    """
    rows: list[tuple[str | Text, ...]] = []
    ends = []
    for one in workloads:
        if not one["presets"]:
            continue
        rows.append((Text(one["name"], style="bold"), "", ""))
        for preset in one["presets"]:
            sets = ", ".join(f"{name}={value}" for name, value in preset["dials"].items())
            rows.append((f"  preset={preset['name']}", sets, preset["summary"]))
        ends.append(len(rows) - 1)
    if not rows:
        return
    columns = [Column("workload / preset", lambda row: row[0], is_text=True, folds=True)]
    if with_dials:
        columns.append(Column("sets", lambda row: row[1], is_text=True, folds=True))
    columns.append(Column("what it stands for", lambda row: row[2], is_text=True, folds=True))
    FittedTable(console, columns).print_all(rows, ends)


def print_suites(console: Console, suites: Iterable[One]) -> None:
    """Print names and summaries of suites."""
    columns = [
        Column("suite", lambda one: one["name"], is_text=True, folds=True),
        Column("what it is", lambda one: one["summary"], is_text=True, folds=True),
    ]
    FittedTable(console, columns).print_all(list(suites))


def print_catalogue(console: Console, content: Mapping[str, Sequence[One]], with_dials: bool = False) -> None:
    """Print what there is of each kind, or what was chosen of it.

    Parameters
    ----------
    console : Console
    content : mapping
        As `harness.plan.catalogue.catalogue` gives it.
    with_dials : bool
        Whether to print which dials presets set.
    """
    if content["strategies"]:
        print_strategies(console, content["strategies"], are_all=not with_dials)
    if content["workloads"]:
        print_workloads(console, content["workloads"])
        print_presets(console, content["workloads"], with_dials)
    if content["suites"]:
        print_suites(console, content["suites"])


def _summary(one: Mapping[str, Any]) -> Text:
    return Text(one["error"], style="red") if one["error"] else Text(one["summary"])


def dial_range(dial: Mapping[str, Any]) -> str:
    """``low to high``, or the choices."""
    if dial["choices"]:
        return " | ".join(dial["choices"])
    low, high = dial["low"], dial["high"]
    if low is None and high is None:
        return "any"
    if high is None:
        return f"from {_number(low)}"
    return f"up to {_number(high)}" if low is None else f"{_number(low)} to {_number(high)}"


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"
