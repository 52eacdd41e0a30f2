"""Tables of ``contend explain``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from rich.console import Console
from rich.text import Text

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.formatting import duration
from contend.harness.present.role_groups import by_role
from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay
from contend.harness.record.bound import KINDS, Bound, Bounds, waits_for_nobody
from contend.harness.record.content.cell_facts import given_in
from contend.harness.record.content.execution_counts import DRY_RUNS, EXECUTIONS, WAITS, WASTED, wasted
from contend.harness.record.warnings import MOSTLY_FAILED, mostly_failed

_NONE = "-"
_LINK_RUNS = 10
_HOT_ABORTS = 5

Explanation = Mapping[str, Any]


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print what `harness.analysis.explain.Explainer.run` gave."""
    bounds = Bounds.from_json(explanation["bounds"])
    if mostly_failed(explanation):
        failed, count = explanation["failed_transactions"], explanation["transactions"]
        console.print(
            f"{explanation['workload']}: {MOSTLY_FAILED.upper()}, {failed:,} of {count:,}: what follows is about "
            "failing, and so are its speed-ups (marked !), not about what the contracts are for.",
            style="bold yellow",
            markup=False,
            highlight=False,
        )
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
    _print_strategies(console, explanation, bounds)


def _print(
    console: Console,
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    text: int = 1,
    gives_way: Sequence[str] = (),
) -> None:
    """Print a table.

    Parameters
    ----------
    console : Console
    title : str
    headings : sequence of str
        All different.
    rows : sequence of sequence of str
    text : int
        So many columns are text, the others figures.
    gives_way : sequence of str
        Headings of columns that are left out, in this order, while the table is too wide.
    """
    columns = [
        Column(heading, itemgetter(place), is_text=place < text, folds=place < text)
        for place, heading in enumerate(headings)
    ]
    # Not the table's own title: that would be wrapped to the table's width.
    console.print(Text(title, style="bold"))
    FittedTable(console, columns, [*map(GivesWay, gives_way)]).print_all(rows)


def _print_failures(console: Console, failures: list[Explanation], transactions: int) -> None:
    if not failures:
        return
    count = sum(one["failed"] for one in failures)
    title = f"Failed transactions, by method: {count:,} of {transactions:,} ({count / transactions:.0%})"
    rows = [
        (
            one["method"],
            "; ".join(f"{reason} ({number:,})" for reason, number in one["reasons"].items()),
            f"{one['failed']:,}",
            f"{one['calls']:,}",
        )
        for one in failures
    ]
    _print(console, title, ("method", "reasons", "failed", "of"), rows, text=2)


def _print_dependencies(console: Console, bounds: Bounds) -> None:
    views = (bounds.plain, bounds.commutative)
    rows = {
        "dependent transactions": [f"{one.dependent:,} ({one.dependent_share:.1%})" for one in views],
        "longest chain, transactions": [f"{one.longest_chain:,} ({one.chain_share:.1%})" for one in views],
        "critical path, share of the work": [f"{one.critical_share:.2%}" for one in views],
        "critical path, share of the gas": [f"{one.critical_gas / max(one.gas, 1):.2%}" for one in views],
    }
    for kind in KINDS:
        rows[f"chain through {_PLURAL[kind]} alone"] = [f"{one.depth[kind]:,}" for one in views]
    headings = ("", "balances as they are", "credits commutative")
    _print(console, "Dependencies", headings, [(name, *figures) for name, figures in rows.items()])


_PLURAL = {"nonce": "nonces", "balance": "balances", "storage": "storage", "code": "codes"}


def _print_speedups(console: Console, speedups: list[Mapping[str, float]]) -> None:
    title = "Best possible speed-up: bound, and list schedule of the true dependencies"
    headings = ("workers", "bound", "schedule", "bound, commut.", "schedule, commut.")
    names = ("bound", "schedule", "bound_commutative", "schedule_commutative")
    rows = [(f"{one['workers']:,}", *(f"{one[name]:,.1f}" for name in names)) for one in speedups]
    _print(console, title, headings, rows, text=0, gives_way=headings[:2:-1])


def _print_classes(console: Console, classes: list[Explanation]) -> None:
    if not classes:
        console.print("No transaction depends on another.\n")
        return
    headings = ("class", "locations", "dependent", "chain", "chain, commut.")
    names = ("locations", "dependent", "longest_chain", "longest_chain_commutative")
    rows = [(one["class"], *(f"{one[name]:,}" for name in names)) for one in classes]
    _print(console, "Dependencies by class of location", headings, rows, gives_way=headings[-1:])


def _print_hottest(console: Console, hottest: list[Explanation]) -> None:
    if not hottest:
        return
    figures = ("dependent", "readers", "writers")
    rows = [(one["name"], one["class"], *(f"{one[name]:,}" for name in figures)) for one in hottest]
    _print(console, "Hottest locations", ("location", "class", *figures), rows, text=2, gives_way=("class",))


def _print_chain(console: Console, chain: Explanation, bound: Bound) -> None:
    from contend.harness.analysis.conflicts import link_runs

    transactions, links = chain["transactions"], chain["links"]
    if not links:
        return
    title = f"Critical path: {len(transactions):,} transactions, {bound.critical_share:.1%} of the work"
    rows = []
    runs = link_runs(transactions, links)
    shown = runs if len(runs) <= _LINK_RUNS else [*runs[: _LINK_RUNS // 2], None, *runs[-_LINK_RUNS // 2 :]]
    for run in shown:
        if run is None:
            rows.append((f"... {len(runs) - _LINK_RUNS:,} more runs ...", "", "", ""))
        else:
            name, count, first, last = run
            rows.append((name, f"{count:,}", f"#{first:,}", f"#{last:,}"))
    _print(console, title, ("linked by", "links", "from", "to"), rows)
    if len(runs) > _LINK_RUNS:
        most = ", ".join(f"{name} {count:,}" for name, count in list(chain["by_location"].items())[:_HOT_ABORTS])
        console.print(f"Most links: {most}", highlight=False, markup=False)
        console.print()


def _chosen(one: Explanation) -> str:
    """Whom a block was handed to, and why."""
    choice, reasons = one["choice"], " and ".join(one["choice"]["reasons"])
    workers = max(one["workers"] // choice["divisor"], 1)
    if not reasons:
        return f"{one['strategy']}: handed to {choice['contender']}: a single worker, or so few transactions"
    whom = choice["contender"] if choice["contender"] == BASELINE else f"{choice['contender']}, {workers:,} workers"
    return f"{one['strategy']}: handed to {whom}, expected {choice['speedup']:.2f} times as fast as serial: {reasons}"


def _print_strategies(console: Console, explanation: Explanation, bounds: Bounds) -> None:
    strategies, bound = explanation["strategies"], bounds.plain
    if not strategies:
        return
    simulated = explanation["clock"] == "virtual"
    title = "Strategies, one verified run each" + (", simulated" if simulated else "")
    headings = (
        "strategy", "given", "W", "x serial", "of bound", "of schedule", "ns a hop", "prepare", "executions", "waste"
    )  # fmt: skip
    rows = []
    # Those of one role stand together; nobody compares them with others.
    for one in chain.from_iterable(by_role(one for one in strategies if one["error"] is None).values()):
        ratio = bound.work / 1e12 / one["seconds"] if one["seconds"] else None
        own = bounds.of_given(one["given"]) or bound
        waste = wasted(one["counters"], bound.transactions)
        prepare = one["prepare_seconds"]
        rows.append(
            (
                one["strategy"],
                given_in(one),
                str(one["workers"]),
                _NONE if ratio is None else f"{ratio:,.2f}{'!' if mostly_failed(explanation) else ''}",
                _NONE if ratio is None else f"{ratio / own.speedup(one['workers']):.0%}",
                _NONE if ratio is None else f"{one['list_schedule'] / 1e12 / one['seconds']:.0%}",
                _NONE if one["hop_picoseconds"] is None else f"{one['hop_picoseconds'] / 1e3:,.0f}",
                duration(prepare) if prepare else _NONE,
                f"{one['counters'].get('executions', bound.transactions):,}",
                _NONE if waste is None else f"{waste / max(bound.transactions, 1):.2f}",
            )
        )
    if rows:
        gives_way = ("executions", "prepare", "ns a hop", "waste", "of schedule")
        _print(console, title, headings, rows, text=2, gives_way=gives_way)
        _print_whose_bound(console, [one for one in strategies if one["error"] is None], bounds)
    for one in strategies:
        if one.get("choice"):
            console.print(_chosen(one), markup=False, highlight=False)
    for one in strategies:
        if one.get("refused_list"):
            text = f"{one['strategy']}: list refused: {one['refused_list']}"
            console.print(text, style="yellow", markup=False, highlight=False)
    for one in strategies:
        if one["error"] is not None:
            console.print(f"FAILED {one['strategy']}: {one['error']}", style="bold red", markup=False, highlight=False)
    _print_executions(console, [one for one in strategies if one["error"] is None], bound.transactions)
    _print_aborts(console, [one for one in strategies if one["error"] is None and one["aborts_by_class"]])


def _print_whose_bound(console: Console, strategies: list[Explanation], bounds: Bounds) -> None:
    """For each role, and who has values in it: the bound that its shares are shares of."""
    held: dict[tuple[str, bool, float], list[str]] = {}
    timed = (one for one in strategies if one["strategy"] != BASELINE and one["seconds"])
    for role, own in by_role(timed).items():
        for one in own:
            values = waits_for_nobody(one["given"])
            bound = (bounds.of_given(one["given"]) or bounds.plain).speedup(one["workers"])
            held.setdefault((role, values, bound), []).append(one["strategy"])
    rows = [
        (role, ", ".join(names), "nobody" if values else "writers", f"{bound:,.2f}")
        for (role, values, bound), names in held.items()
    ]
    if rows:
        headings = ("role", "strategies", "a transaction waits for", "bound")
        _print(console, "Whose bound that is", headings, rows, text=3)


def _print_executions(console: Console, strategies: list[Explanation], transactions: int) -> None:
    """What became of each execution, where a strategy counts more than those that stand."""
    counting = [one for one in strategies if WASTED.keys() & one["counters"].keys()]
    if not counting:
        return
    headings = ("strategy", "W", "executions", "aborted", "restarted", "repaired", "waits", "dry runs")
    rows = []
    for one in counting:
        counted = [one["counters"].get(name) for name in (EXECUTIONS, *WASTED, WAITS, DRY_RUNS)]
        texts = [_NONE if count is None else f"{count:,}" for count in counted]
        rows.append((one["strategy"], str(one["workers"]), *texts))
    title = f"What became of executions: {transactions:,} stand (restarted: begun again after a wait)"
    _print(console, title, headings, rows, gives_way=("dry runs", "waits"))


def _print_aborts(console: Console, strategies: list[Explanation]) -> None:
    if not strategies:
        return
    classes: dict[str, int] = {}
    for one in strategies:
        for name, count in one["aborts_by_class"].items():
            classes[name] = classes.get(name, 0) + count
    rows = [
        (name, *(_share(one["aborts_by_class"], name) for one in strategies))
        for name in sorted(classes, key=lambda one: (-classes[one], one))
    ]
    # Strategies that were asked for first stay longest.
    headings = ("class of location", *(one["strategy"] for one in strategies))
    _print(console, "What aborts were due to", headings, rows, gives_way=headings[:1:-1])
    places = [
        (place["name"], place["class"], one["strategy"], f"{place['aborts']:,}")
        for one in strategies
        for place in one["aborts_by_location"][:_HOT_ABORTS]
    ]
    headings = ("location", "class", "strategy", "aborts")
    _print(console, "Locations that caused most aborts", headings, places, text=3, gives_way=("class",))


def _share(by_class: Mapping[str, int], name: str) -> str:
    count, whole = by_class.get(name, 0), sum(by_class.values())
    return f"{count:,} ({count / whole:.0%})" if count else _NONE
