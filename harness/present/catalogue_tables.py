"""Catalogue as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_strategies(console: Console, strategies: Iterable[Mapping[str, Any]]) -> None:
    """Print names and summaries of strategies."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("strategy", no_wrap=True)
    table.add_column("workers", no_wrap=True)
    table.add_column("what it does")
    for one in strategies:
        workers = "-" if one["error"] else "any" if one["parallel"] else "1"
        table.add_row(one["name"], workers, _summary(one))
    console.print(table)


def print_workloads(console: Console, workloads: Iterable[Mapping[str, Any]]) -> None:
    """Print workloads and, beneath each, its dials with defaults and ranges."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("workload / dial", no_wrap=True)
    table.add_column("default", justify="right", no_wrap=True)
    # Wide enough for any range of numbers; choices wrap.
    table.add_column("range", max_width=18)
    table.add_column("what it is")
    for one in workloads:
        table.add_row(Text(one["name"], style="bold"), "", "", _summary(one), end_section=not one["dials"])
        for place, dial in enumerate(one["dials"]):
            table.add_row(
                f"  {dial['name']}",
                _value(dial["default"]),
                dial_range(dial),
                Text(dial["summary"]),
                end_section=place == len(one["dials"]) - 1,
            )
    console.print(table)


def print_presets(console: Console, workloads: Iterable[Mapping[str, Any]]) -> None:
    """Print each workload's presets: settings such as ``preset=burst-day``."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("workload / preset", no_wrap=True)
    table.add_column("what it stands for")
    for one in workloads:
        if not one["presets"]:
            continue
        table.add_row(Text(one["name"], style="bold"), "")
        for place, preset in enumerate(one["presets"]):
            last = place == len(one["presets"]) - 1
            table.add_row(f"  preset={preset['name']}", Text(preset["summary"]), end_section=last)
    console.print(table)


def print_suites(console: Console, suites: Iterable[Mapping[str, Any]]) -> None:
    """Print names and summaries of suites."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("suite", no_wrap=True)
    table.add_column("what it is")
    for one in suites:
        table.add_row(one["name"], Text(one["summary"]))
    console.print(table)


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
