"""Tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contend.harness.present.formatting import count as number
from contend.harness.present.formatting import differing, rate
from contend.harness.record.sample import PHASES
from contend.harness.record.statistics import CONFIDENCE
from contend.harness.record.statistics.paired import ratios_to
from contend.harness.record.statistics.paired_verdict import FLOOR, standing
from contend.harness.record.statistics.rank_disagreement import WHY, rank_disagreements
from contend.harness.record.warnings import OVERSUBSCRIBED

_TINY, _WIDE, _WIDE_OF_CHAIN = 74, 96, 102
_NONE = "-"
_NAMED = 4
_MOST_DISAGREEMENTS = 3
_ENDS = ("median", "low", "high")

Cell = Mapping[str, Any]
Columns = dict[str, Callable[[Cell], str | Text]]


def print_results(console: Console, record: Mapping[str, Any]) -> None:
    """Print the cells of a record: a table, then what failed and what to doubt.

    Fits 80 columns; from 96 on it has a workload column, gas per second and phases as well.
    """
    cells = record["cells"]
    if not cells:
        console.print("No cell was measured.")
        return
    wide = console.width >= (_WIDE_OF_CHAIN if any("latency" in cell for cell in cells) else _WIDE)
    columns = _columns(cells, wide, console.width < _TINY)
    console.print(_wide_table(cells, columns) if wide else _narrow_table(cells, columns))
    if any(cell.get("simulated") for cell in cells):
        console.print(
            "SIMULATED by the virtual clock: W workers that do not slow each other down, costs from a table. The same "
            "figures in every run on every machine; not what this machine does. tx/s: of the block's whole time. "
            + _legend(columns, cells)
            + "ok: the result equalled the serial one.",
            style="bold",
            highlight=False,
        )
    elif any(cell["speedup"] for cell in cells):
        confidence = next(cell["speedup"]["confidence"] for cell in cells if cell["speedup"])
        told = "x: median paired ratio to serial" if "x" in columns else "x serial: median paired ratio"
        if columns.get("x serial") is _speedup:
            told += f" [{confidence:.0%} interval over processes and rounds]"
        console.print(
            f"tx/s: median of the block's whole time. {told}. "
            + _legend(columns, cells)
            + "ok: every timed run equalled the serial result.",
            style="dim",
            highlight=False,
        )
    _print_latency(console, cells)
    _print_failures(console, cells)
    _print_warnings(console, cells)
    _print_disagreements(console, cells)
    _print_standings(console, cells)


def _legend(columns: Columns, cells: list[Cell]) -> str:
    baseline = baseline_of(cells)
    noisy = "" if any(cell.get("simulated") for cell in cells) else f" [{CONFIDENCE:.0%} interval]"
    meanings = {
        "of bound": "speed-up as a share of the best conceivable with W workers",
        f"x {baseline}": f"ratio to {baseline} with as many workers, run beside run of one round{noisy}",
        "p/e/c": "share of prepare, execute and commit in %",
        "ab/tx": "aborted incarnations per transaction",
    }
    return "".join(f"{heading}: {meaning}. " for heading, meaning in meanings.items() if heading in columns)


def _wide_table(cells: list[Cell], columns: Columns) -> Table:
    table = _table("workload", *columns)
    for workload, group in groupby(cells, key=_named(cells)):
        rows = list(group)
        for place, cell in enumerate(rows):
            name = workload if place == 0 else ""
            table.add_row(name, *(show(cell) for show in columns.values()), end_section=place == len(rows) - 1)
    return table


def _narrow_table(cells: list[Cell], columns: Columns) -> Table:
    table, indent = _table(*columns), "" if "x" in columns else "  "
    for workload, group in groupby(cells, key=_named(cells)):
        rows = list(group)
        table.add_row(Text(workload, style="bold"))
        for place, cell in enumerate(rows):
            name, *rest = (show(cell) for show in columns.values())
            table.add_row(f"{indent}{name}", *rest, end_section=place == len(rows) - 1)
    return table


def _named(cells: list[Cell]) -> Callable[[Cell], str]:
    """Name of a cell's workload, with the dials in which others of its cells differ: those of a sweep."""
    dials: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        dials.setdefault(cell["workload"], []).append(cell["dials"])
    turned = {workload: differing(every) for workload, every in dials.items()}
    return lambda cell: ", ".join(
        [cell["workload"], *(f"{dial}={cell['dials'][dial]}" for dial in turned[cell["workload"]])]
    )


def _columns(cells: list[Cell], wide: bool, tiny: bool = False) -> Columns:
    """Columns by heading. Of several blocks in a row latency takes the place of what is wanted less."""
    of_chain = any("latency" in cell for cell in cells)
    baseline = baseline_of(cells)
    columns: Columns = {
        "strategy": lambda cell: str(cell["strategy"]),
        "W": lambda cell: str(cell["workers"]),
        "tx/s": _throughput,
        "Mgas/s": _gas,
        "x serial": _ratio if not wide and (of_chain or baseline) else _speedup,
        **({f"x {baseline}": _beside} if baseline else {}),
        "of bound": _share,
        "p50": lambda cell: _latency(cell, "p50_seconds"),
        "p99": lambda cell: _latency(cell, "p99_seconds"),
        "p/e/c": _phases,
        "ab/tx": _aborts,
        "ok": _mark,
    }
    if tiny:
        # Room for what nobody can do without.
        short: Columns = {"tx/s": _short_throughput, "x": _ratio, "ok": _short_mark}
        if baseline:
            short = {"x": _ratio, f"x {baseline}": _beside, "ok": _short_mark}
        return {"strategy": columns["strategy"], "W": columns["W"], **short}
    left_out = set() if wide and not (of_chain or baseline) else {"Mgas/s", "p/e/c"}
    left_out |= set() if of_chain else {"p50", "p99"}
    left_out |= {"of bound"} if (of_chain or baseline) and not wide else set()
    return {heading: show for heading, show in columns.items() if heading not in left_out}


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in headings:
        text = heading in ("workload", "strategy", "ok")
        table.add_column(heading, justify="left" if text else "right", no_wrap=True)
    return table


def _throughput(cell: Cell) -> str:
    return f"{cell['tx_per_second']:,.0f}" if cell["tx_per_second"] else _NONE


def _short_throughput(cell: Cell) -> str:
    return rate(cell["tx_per_second"]) if cell["tx_per_second"] else _NONE


def _gas(cell: Cell) -> str:
    return f"{cell['gas_per_second'] / 1e6:,.0f}" if cell["gas_per_second"] else _NONE


def _speedup(cell: Cell) -> str:
    ratio = cell["speedup"]
    if not ratio:
        return _NONE
    if cell["strategy"] == "serial":
        return "1"
    if cell.get("simulated"):
        return f"{ratio['median']:.2f}"
    middle, low, high = (f"{ratio[name]:.1f}" if ratio[name] >= 10 else f"{ratio[name]:.2f}" for name in _ENDS)
    return f"{middle} [{low}, {high}]"


def baseline_of(cells: Iterable[Cell]) -> str | None:
    """The baseline that a run asked for; None for serial, which every cell has anyway."""
    return next((str(cell["over_baseline"]["strategy"]) for cell in cells if cell.get("over_baseline")), None)


def _beside(cell: Cell) -> str:
    """Ratio to the baseline that was asked for, with its interval."""
    ratio = cell.get("over_baseline")
    if not ratio:
        return _NONE
    if (cell["strategy"], cell["workers"]) == (ratio["strategy"], ratio["workers"]):
        return "1"
    if cell.get("simulated"):
        return f"{ratio['median']:.2f}"
    middle, low, high = (f"{ratio[name]:.1f}" if ratio[name] >= 10 else f"{ratio[name]:.2f}" for name in _ENDS)
    return f"{middle} [{low}, {high}]"


def _ratio(cell: Cell) -> str:
    """Speed-up without its interval, where there is no room."""
    ratio = cell["speedup"]
    return _NONE if not ratio else "1" if cell["strategy"] == "serial" else f"{ratio['median']:.2f}"


def _share(cell: Cell) -> str:
    share = cell.get("share_of_bound")
    return _NONE if share is None else f"{share:.0%}"


def _latency(cell: Cell, which: str) -> str:
    found = cell.get("latency")
    return _seconds(found[which]) if found else _NONE


def _seconds(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1 or unit == "us":
            return f"{seconds * factor:#.3g}".rstrip(".") + f" {unit}"
    raise AssertionError("microseconds fit everything")


def _phases(cell: Cell) -> str:
    whole = sum(cell["phases"].values())
    return "/".join(f"{100 * cell['phases'][name] / whole:.0f}" for name in PHASES) if whole else _NONE


def _aborts(cell: Cell) -> str:
    aborts = cell["counters"].get("aborts")
    return _NONE if aborts is None else f"{aborts / cell['transactions']:.2f}"


def _mark(cell: Cell) -> Text:
    if cell["error"] is not None:
        return Text("FAILED", style="bold red")
    doubt = " ~" if any(warning.startswith("unstable") for warning in cell["warnings"]) else ""
    return Text(f"yes{doubt}", style="green") if cell["verified"] else Text("no")


def _short_mark(cell: Cell) -> Text:
    """The same without the doubt, which is told below the table."""
    return _mark(cell)[: len("FAILED")] if cell["error"] is not None else _mark(cell)[: len("yes")]


def _print_latency(console: Console, cells: list[Cell]) -> None:
    """Say of each workload of several blocks what was offered, without which a latency means nothing."""
    offered = {cell["workload"]: cell for cell in cells if cell.get("latency")}
    if not offered:
        return
    console.print(
        "p50, p99: from arrival to commit, of all transactions, in an open system (docs/latency.md). Offered:",
        style="dim",
        highlight=False,
    )
    for workload, cell in offered.items():
        found = cell["latency"]
        load = f" ({cell['load']:g} of serial)" if "load" in cell else ""
        console.print(
            f"  {workload}: {found['offered_tx_per_second']:,.0f} tx/s{load} on average, {cell['block_count']} blocks "
            f"of {cell['transactions'] / cell['block_count']:,.0f}, one every {_seconds(found['interval_seconds'])}",
            style="dim",
            markup=False,
            highlight=False,
        )


def _print_failures(console: Console, cells: Iterable[Cell]) -> None:
    for cell in cells:
        if cell["error"] is not None:
            console.print()
            title = f"FAILED: {cell['workload']}, {cell['strategy']}, workers {cell['workers']}: {cell['error']}"
            console.print(title, style="bold red", markup=False, highlight=False)
            for difference in cell["differences"]:
                console.print(f"  {difference}", markup=False, highlight=False, soft_wrap=True)


def _print_warnings(console: Console, cells: list[Cell]) -> None:
    """One line a kind of warning: the figures behind it are in the record."""
    by_kind: dict[str, list[str]] = {}
    for cell in cells:
        for kind in dict.fromkeys(_kind(warning) for warning in cell["warnings"]):
            by_kind.setdefault(kind, []).append(f"{cell['workload']} {cell['strategy']} x{cell['workers']}")
    measured = sum(cell["error"] is None for cell in cells)
    for kind, names in by_kind.items():
        which = f"{len(names)} of {measured} cells" if len(names) > _NAMED else ", ".join(names)
        console.print(f"warning: {kind}: {which}", style="yellow", markup=False, highlight=False)


def _kind(warning: str) -> str:
    if warning.startswith("unstable"):
        return "unstable samples (~), spread or drift above 10% of the median"
    if warning.startswith("busy"):
        return "busy machine, other programs take CPU time from the runs"
    if warning.startswith(OVERSUBSCRIBED):
        return f"{OVERSUBSCRIBED}: they take turns, so these figures tell of this machine and not of the strategy"
    return warning


def _print_disagreements(console: Console, cells: list[Cell]) -> None:
    """Say where the column of tx/s and that of speed-ups put two cells in different orders, and why both are right."""
    found = rank_disagreements(cells)
    if not found:
        return
    told = [f"{one.workload}: {one.fact}" for one in found[:_MOST_DISAGREEMENTS]]
    if len(found) > len(told):
        told.append(f"and {len(found) - len(told)} more pairs of cells")
    console.print(f"note: {'; '.join(told)}: {WHY}", style="dim", markup=False, highlight=False)


def _print_standings(console: Console, cells: list[Cell]) -> None:
    """Say in how many cells each strategy is faster or slower than the baseline that was asked for."""
    baseline = baseline_of(cells)
    if baseline is None:
        return
    counts: dict[str, Counter[str]] = {}
    for ratio in ratios_to(cells, baseline):
        if ratio is not None and ratio.strategy != baseline:
            counts.setdefault(ratio.strategy, Counter())[standing(ratio).value] += 1
    told = []
    for name, found in counts.items():
        words = ", ".join(f"{word} in {count}" for word, count in found.items())
        told.append(f"{name} {words} of {number(sum(found.values()), 'cell')}")
    if told:
        floor = "exactly" if any(cell.get("simulated") for cell in cells) else f"by more than {100 * FLOOR:.0f} %"
        console.print(f"beside {baseline}, {floor}: {'; '.join(told)}", markup=False, highlight=False)
