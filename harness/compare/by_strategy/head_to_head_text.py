"""A comparison of strategies as a table on the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contend.harness.compare.by_strategy.head_to_head import Meeting, StrategyComparison
from contend.harness.compare.result import distinctions
from contend.harness.present.formatting import rate
from contend.harness.record.statistics.paired_verdict import Standing, ends, times

_WIDE = 96
_MOST_SENTENCES = 16
_ENDLESS = 10_000
_INDENT = "  "
_NONE = "-"
_STYLES = {
    Standing.FASTER: "green",
    Standing.SLOWER: "red",
    Standing.SAME: "",
    Standing.INCONCLUSIVE: "yellow",
}
_TEXTS = ("workload", "strategy", "verdict")
Columns = dict[str, Callable[[Meeting], str]]


def print_strategies(console: Console, comparison: StrategyComparison) -> None:
    """Print the ratio of every cell, verdicts in words, what was refused and why, and the outcome at the end."""
    if comparison.compared:
        console.print(_fitting_table(console, comparison))
        console.print(f"{_legend(comparison)}.", style="dim", markup=False, highlight=False)
    for line in sentences(comparison):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in refusals(comparison):
        console.print(f"not compared: {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    for note in comparison.notes:
        console.print(f"note: {note}", style="dim", markup=False, highlight=False, soft_wrap=True)
    style = "bold" if comparison.compared else "bold red"
    console.print(comparison.summary, style=style, markup=False, highlight=False, soft_wrap=True)


def sentences(comparison: StrategyComparison) -> list[str]:
    """Verdicts in words; of very many cells those with the most workers of each workload, and how many there are."""
    told = comparison.compared
    every = len(told)
    if every > _MOST_SENTENCES:
        most: dict[tuple[Any, ...], Meeting] = {}
        for one in told:
            most[(*one.name._replace(workers=0),)] = one
        told = list(most.values())
    names = _titles(told)
    lines = [
        f"{title}: {comparison.sentence(one)}" + (f" (doubtful: {'; '.join(one.doubts)})" if one.doubts else "")
        for one, title in zip(told, names, strict=True)
    ]
    if len(told) < every:
        lines.append(f"In words those with most workers; the table has all {every} cells.")
    return lines


def refusals(comparison: StrategyComparison) -> list[str]:
    """Reasons why cells were not compared, with how many or which they are."""
    by_reason: dict[str, list[str]] = {}
    for one in comparison.refused:
        by_reason.setdefault(one.refused, []).append(f"{one.name}")
    return [
        f"{names[0]}: {reason}" if len(names) == 1 else f"{len(names)} cells, {names[0]} the first: {reason}"
        for reason, names in by_reason.items()
    ]


def _legend(comparison: StrategyComparison) -> str:
    first, *others = comparison.strategies
    name = others[0] if len(others) == 1 else "the strategy"
    text = f"x {first}: how many times as fast as {first} {name} is, median of pairs of runs of one round"
    if any(one.found is not None and not one.found.simulated for one in comparison.compared):
        text += ", with its interval"
    if any(":" in _workers(one) for one in comparison.compared):
        text += ". W, as in 1:8: the strategy's workers and the baseline's"
    if any(one.doubts for one in comparison.compared):
        text += ". ~: a warning about one of the two, below"
    return text


def _titles(meetings: Sequence[Meeting]) -> list[str]:
    """Name of each one's workload, with what tells it from others."""
    told = distinctions(one.name for one in meetings)
    clocks = {one.name.clock for one in meetings}
    return [
        f"{one.name.workload}{told[one.name]}" + (f", {one.name.clock} clock" if len(clocks) > 1 else "")
        for one in meetings
    ]


def _columns(comparison: StrategyComparison) -> Columns:
    """Columns by heading, which may have two lines."""
    first = comparison.strategies[0]
    return {
        "strategy": lambda one: one.name.strategy,
        "W": _workers,
        "tx/s": lambda one: _rate(one.own),
        f"{first}\ntx/s": lambda one: _rate(one.base),
        f"x {first}": lambda one: _NONE if one.found is None else _ratio(one.found.ratio, one.found.simulated),
        "verdict": lambda one: _verdict(comparison, one),
        "x serial": lambda one: _speedup(one.own),
        f"{first}\nx serial": lambda one: _speedup(one.base),
    }


def _workers(one: Meeting) -> str:
    """Number of workers; both numbers where the baseline has another one."""
    found = one.found
    if found is None or found.workers == found.baseline_workers:
        return str(one.name.workers)
    return f"{found.workers}:{found.baseline_workers}"


def _verdict(comparison: StrategyComparison, one: Meeting) -> str:
    kind = comparison.standing(one)
    return "not compared" if kind is None else kind.value + (" ~" if one.doubts else "")


def _rate(cell: Any) -> str:
    return _NONE if cell is None or not cell["tx_per_second"] else rate(cell["tx_per_second"])


def _ratio(ratio: Any, exact: bool) -> str:
    return times(ratio.median) if exact else f"{times(ratio.median)} {ends(ratio)}"


def _speedup(cell: Any) -> str:
    return _NONE if cell is None or not cell["speedup"] else f"{cell['speedup']['median']:.2f}"


def _fitting_table(console: Console, comparison: StrategyComparison) -> Table:
    """The table with as many columns as there is room for: the ratio and the verdict are always among them."""
    columns = _columns(comparison)
    first = comparison.strategies[0]
    wide = console.width >= _WIDE
    dispensable = ["tx/s", f"{first}\ntx/s", f"{first}\nx serial", "x serial"]
    # Titles on lines of their own are folded, and take no room from the columns.
    while dispensable and _width(_table(comparison, columns, wide, titled=False)) > console.width:
        columns.pop(dispensable.pop(0))
    return _table(comparison, columns, wide)


def _width(table: Table) -> int:
    console = Console(width=_ENDLESS)
    return console.measure(table).maximum


def _table(comparison: StrategyComparison, columns: Columns, wide: bool, titled: bool = True) -> Table:
    """The table; a wide one has the titles in a column, another one on lines of their own, unless not `titled`."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    if wide:
        table.add_column("workload", no_wrap=True)
    for place, heading in enumerate(columns):
        folded = not wide and place == 0
        least = max((len(show) for show in map(columns[heading], comparison.compared)), default=0)
        table.add_column(
            heading,
            justify="left" if heading in _TEXTS else "right",
            no_wrap=not folded,
            overflow="fold",
            min_width=least + len(_INDENT) if folded else None,
        )
    titles = zip(_titles(comparison.compared), comparison.compared, strict=True)
    for title, group in groupby(titles, key=lambda one: one[0]):
        rows = [one for _, one in group]
        if titled and not wide:
            table.add_row(Text(title, style="bold"))
        for place, one in enumerate(rows):
            kind = comparison.standing(one)
            shown = {heading: Text(show(one)) for heading, show in columns.items()}
            shown["verdict"].stylize(_STYLES[kind] if kind else "")
            if wide:
                shown = {"workload": Text(title if place == 0 else ""), **shown}
            else:
                shown["strategy"] = Text(_INDENT) + shown["strategy"]
            table.add_row(*shown.values(), end_section=place == len(rows) - 1)
    return table


def strategies_markdown(comparison: StrategyComparison) -> str:
    """GitHub-flavoured Markdown, ending with a line break."""
    parts = [f"### {comparison.summary}"]
    if comparison.compared:
        columns = _columns(comparison)
        headings = ["workload", *(heading.replace("\n", ", ") for heading in columns)]
        lines = [_line(headings), _line("---" if name in _TEXTS else "---:" for name in headings)]
        for title, one in zip(_titles(comparison.compared), comparison.compared, strict=True):
            lines.append(_line([title, *(show(one) for show in columns.values())]))
        parts.append("\n".join(lines))
        parts.append("\n".join(f"- {line}" for line in sentences(comparison)))
    if comparison.refused:
        parts.append("\n".join(f"- not compared: {line}" for line in refusals(comparison)))
    how = [f"`{comparison.command}`"] if comparison.command else []
    how += [f"records: {', '.join(comparison.records)}", *comparison.notes]
    parts.append("\n".join(f"- {line}" for line in how))
    return "\n\n".join(parts) + "\n"


def _line(values: Iterable[str]) -> str:
    return f"| {' | '.join(value.replace('|', chr(92) + '|').replace('<', '&lt;') for value in values)} |"
