"""Tables of ``contend explain``, for 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from contend.harness.record.bound import KINDS, Bound, Bounds
from contend.harness.record.content.execution_counts import DRY_RUNS, EXECUTIONS, WAITS, WASTED, wasted

_NONE = "-"
_LINK_RUNS = 10
_HOT_ABORTS = 5

Explanation = Mapping[str, Any]


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print what `harness.analysis.explain.Explainer.run` gave."""
    bounds = Bounds.from_json(explanation["bounds"])
    dials = ", ".join(f"{name}={value}" for name, value in explanation["dials"].items())
    console.print(Text(f"{explanation['workload']}: {bounds.plain.transactions:,} transactions", style="bold"))
    console.print(f"{dials}, seed {explanation['seed']}", style="dim", highlight=False, markup=False)
    work = bounds.plain.work / 1e9
    console.print(
        f"{bounds.plain.gas / 1e6:,.0f} million gas, {work:,.2f} ms of work by the cost table {explanation['costs']}",
        highlight=False,
    )
    _print_failures(console, explanation["failures"], bounds.plain.transactions)
    _print_dependencies(console, bounds)
    _print_speedups(console, explanation["speedups"])
    _print_classes(console, explanation["classes"])
    _print_hottest(console, explanation["hottest"])
    _print_chain(console, explanation["critical_path"], bounds.plain)
    _print_strategies(console, explanation, bounds.plain)


def _table(*headings: str, text: int = 1) -> Table:
    """A table whose first `text` columns are text and the others figures; the first one gives way where it is tight."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for place, heading in enumerate(headings):
        if place < text:
            table.add_column(heading, no_wrap=place > 0, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def _print(console: Console, title: str, table: Table) -> None:
    # Not the table's own title: that would be wrapped to the table's width.
    console.print(Text(title, style="bold"))
    console.print(table)


def _print_failures(console: Console, failures: list[Explanation], transactions: int) -> None:
    if not failures:
        return
    count = sum(one["failed"] for one in failures)
    title = f"Failed transactions, by method: {count:,} of {transactions:,} ({count / transactions:.0%})"
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("method", "failed", "of", "reasons"):
        is_text = heading in ("method", "reasons")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    for one in failures:
        reasons = [f"{reason} ({number:,})" for reason, number in one["reasons"].items()]
        table.add_row(escape(one["method"]), f"{one['failed']:,}", f"{one['calls']:,}", escape("; ".join(reasons)))
    _print(console, title, table)


def _print_dependencies(console: Console, bounds: Bounds) -> None:
    table = _table("", "balances as they are", "credits commutative")
    views = (bounds.plain, bounds.commutative)
    rows = {
        "dependent transactions": [f"{one.dependent:,} ({one.dependent_share:.1%})" for one in views],
        "longest chain, transactions": [f"{one.longest_chain:,} ({one.chain_share:.1%})" for one in views],
        "critical path, share of the work": [f"{one.critical_share:.2%}" for one in views],
        "critical path, share of the gas": [f"{one.critical_gas / max(one.gas, 1):.2%}" for one in views],
    }
    for kind in KINDS:
        rows[f"chain through {_PLURAL[kind]} alone"] = [f"{one.depth[kind]:,}" for one in views]
    for name, figures in rows.items():
        table.add_row(name, *figures)
    _print(console, "Dependencies", table)


_PLURAL = {"nonce": "nonces", "balance": "balances", "storage": "storage", "code": "codes"}


def _print_speedups(console: Console, speedups: list[Mapping[str, float]]) -> None:
    title = "Best possible speed-up: bound, and list schedule of the true dependencies"
    table = _table("workers", "bound", "schedule", "bound, commut.", "schedule, commut.", text=0)
    names = ("bound", "schedule", "bound_commutative", "schedule_commutative")
    for one in speedups:
        table.add_row(f"{one['workers']:,}", *(f"{one[name]:,.1f}" for name in names))
    _print(console, title, table)


def _print_classes(console: Console, classes: list[Explanation]) -> None:
    if not classes:
        console.print("No transaction depends on another.\n")
        return
    table = _table("class", "locations", "dependent", "chain", "chain, commut.")
    for one in classes:
        names = ("locations", "dependent", "longest_chain", "longest_chain_commutative")
        table.add_row(one["class"], *(f"{one[name]:,}" for name in names))
    _print(console, "Dependencies by class of location", table)


def _print_hottest(console: Console, hottest: list[Explanation]) -> None:
    if not hottest:
        return
    table = _table("location", "class", "dependent", "readers", "writers", text=2)
    for one in hottest:
        figures = (f"{one[name]:,}" for name in ("dependent", "readers", "writers"))
        table.add_row(escape(one["name"]), one["class"], *figures)
    _print(console, "Hottest locations", table)


def _print_chain(console: Console, chain: Explanation, bound: Bound) -> None:
    from contend.harness.analysis.conflicts import link_runs

    transactions, links = chain["transactions"], chain["links"]
    if not links:
        return
    title = f"Critical path: {len(transactions):,} transactions, {bound.critical_share:.1%} of the work"
    table = _table("linked by", "links", "from", "to")
    runs = link_runs(transactions, links)
    shown = runs if len(runs) <= _LINK_RUNS else [*runs[: _LINK_RUNS // 2], None, *runs[-_LINK_RUNS // 2 :]]
    for run in shown:
        if run is None:
            table.add_row(f"... {len(runs) - _LINK_RUNS:,} more runs ...", "", "", "")
        else:
            name, count, first, last = run
            table.add_row(escape(name), f"{count:,}", f"#{first:,}", f"#{last:,}")
    _print(console, title, table)
    if len(runs) > _LINK_RUNS:
        most = ", ".join(f"{name} {count:,}" for name, count in list(chain["by_location"].items())[:_HOT_ABORTS])
        console.print(f"Most links: {most}", highlight=False, markup=False)
        console.print()


def _print_strategies(console: Console, explanation: Explanation, bound: Bound) -> None:
    strategies = explanation["strategies"]
    if not strategies:
        return
    simulated = explanation["clock"] == "virtual"
    title = "Strategies, one verified run each" + (", simulated" if simulated else "")
    table = _table("strategy", "W", "x serial", "of bound", "executions", "waste")
    for one in strategies:
        if one["error"] is not None:
            continue
        ratio = bound.work / 1e12 / one["seconds"] if one["seconds"] else None
        waste = wasted(one["counters"], bound.transactions)
        table.add_row(
            one["strategy"],
            str(one["workers"]),
            _NONE if ratio is None else f"{ratio:,.2f}",
            _NONE if ratio is None else f"{ratio / bound.speedup(one['workers']):.0%}",
            f"{one['counters'].get('executions', bound.transactions):,}",
            _NONE if waste is None else f"{waste / max(bound.transactions, 1):.2f}",
        )
    if table.row_count:
        _print(console, title, table)
    for one in strategies:
        if one["error"] is not None:
            console.print(f"FAILED {one['strategy']}: {one['error']}", style="bold red", markup=False, highlight=False)
    _print_executions(console, [one for one in strategies if one["error"] is None], bound.transactions)
    _print_aborts(console, [one for one in strategies if one["error"] is None and one["aborts_by_class"]])


def _print_executions(console: Console, strategies: list[Explanation], transactions: int) -> None:
    """What became of each execution, where a strategy counts more than those that stand."""
    counting = [one for one in strategies if WASTED.keys() & one["counters"].keys()]
    if not counting:
        return
    table = _table("strategy", "W", "executions", "aborted", "restarted", "repaired", "waits", "dry runs")
    for one in counting:
        counted = [one["counters"].get(name) for name in (EXECUTIONS, *WASTED, WAITS, DRY_RUNS)]
        texts = [_NONE if count is None else f"{count:,}" for count in counted]
        table.add_row(one["strategy"], str(one["workers"]), *texts)
    title = f"What became of executions: {transactions:,} stand (restarted: begun again after a wait)"
    _print(console, title, table)


def _print_aborts(console: Console, strategies: list[Explanation]) -> None:
    if not strategies:
        return
    table = _table("class of location", *(one["strategy"] for one in strategies))
    classes: dict[str, int] = {}
    for one in strategies:
        for name, count in one["aborts_by_class"].items():
            classes[name] = classes.get(name, 0) + count
    for name in sorted(classes, key=lambda one: (-classes[one], one)):
        table.add_row(name, *(_share(one["aborts_by_class"], name) for one in strategies))
    _print(console, "What aborts were due to", table)
    table = _table("location", "class", "strategy", "aborts", text=3)
    for one in strategies:
        for place in one["aborts_by_location"][:_HOT_ABORTS]:
            table.add_row(escape(place["name"]), place["class"], one["strategy"], f"{place['aborts']:,}")
    _print(console, "Locations that caused most aborts", table)


def _share(by_class: Mapping[str, int], name: str) -> str:
    count, whole = by_class.get(name, 0), sum(by_class.values())
    return f"{count:,} ({count / whole:.0%})" if count else _NONE
