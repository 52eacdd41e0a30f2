"""Tables of measured cells for the terminal, printed workload by workload as a run goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from contend.harness.plan.resolve import LIMIT
from contend.harness.present.formatting import count as number
from contend.harness.present.formatting import differing, duration, rate
from contend.harness.present.role_groups import by_role, bytes_of, given_line, heading_of, hints_of, limit_rows
from contend.harness.present.tables import execution_columns
from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay, left_out_line
from contend.harness.present.tables.spread_table import print_spreads
from contend.harness.present.tables.stage_lines import print_stages
from contend.harness.record.content.cell_facts import MEANING, given_in
from contend.harness.record.sample import PHASES, phase_names
from contend.harness.record.statistics import CONFIDENCE
from contend.harness.record.statistics.paired import ratios_to
from contend.harness.record.statistics.paired_verdict import FLOOR, standing
from contend.harness.record.statistics.rank_disagreement import WHY, rank_disagreements
from contend.harness.record.warnings import MOSTLY_FAILED, OVERSUBSCRIBED, mostly_failed

if TYPE_CHECKING:
    from contend.harness.plan.resolve import MeasurementPlan

_NONE = "-"
_NAMED = 4
_MOST_DISAGREEMENTS = 3
_ENDS = ("median", "low", "high")
# Widths that hold the figures of workloads to come, but for rare ones.
_USUAL_RATE, _USUAL_GAS, _USUAL_INTERVAL = len("999,999"), len("99,999"), len("0.99 [0.99, 0.99]")
_SIMULATED_RATE, _SIMULATED_GAS = len("9,999,999"), len("999,999")
# Lines of a terminal that a section and the progress below it need beside the headings.
_SPARE_LINES = 4
_NOTICED_SHARE = 0.01

Cell = Mapping[str, Any]


def print_results(console: Console, record: Mapping[str, Any]) -> None:
    """Print the cells of a record: a table, then what failed and what to doubt."""
    ResultTable(console).finish(record)


class ResultTable:
    """Prints the cells of a run: a section for each workload as soon as it is done, what they mean at the end.

    All sections stand under one heading. It is printed again where a section needs wider columns, and, as `vmstat` does
    it, in a terminal where it has scrolled out of sight. In a terminal sections come as workloads are finished; in a
    pipe in the order in which they were asked for, so that simulated runs, which measure several workloads at once,
    print the same text each time.

    Parameters
    ----------
    console : Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._table: FittedTable | None = None
        self._columns: list[Column] = []
        self._name: Callable[[Cell], str] = _namer([])
        self._planned: list[str] = []
        self._strategies: list[tuple[str, int]] = []
        self._waiting: dict[str, list[Cell]] = {}
        self._printed: set[str] = set()
        self._since_header = 0

    def planned(self, plan: MeasurementPlan) -> None:
        """Take note of what will be printed, so that names of workloads and widths do not change on the way."""
        self._name = _namer([(one.title, one.dials) for one in plan.workloads])
        self._planned = [self._name({"workload": one.title, "dials": one.dials}) for one in plan.workloads]
        if len(self._planned) > 1:
            self._strategies = [(cell.strategy, cell.workers) for cell in plan.cells if cell in plan.reported]

    def add(self, cells: Sequence[Cell]) -> None:
        """Print the section of a workload that is done, or keep it until those before it are printed."""
        if not cells:
            return
        self._waiting[self._name(cells[0])] = list(cells)
        if self._console.is_terminal:
            self._print_waiting(list(self._waiting))
            return
        for name in self._planned:
            if name not in self._printed and name not in self._waiting:
                break
            self._print_waiting([name])

    def finish(self, record: Mapping[str, Any]) -> None:
        """Print what of a record has not been printed, what the columns mean, what failed and what to doubt."""
        cells = record["cells"]
        if not cells:
            self._console.print("No cell was measured.")
            return
        if not self._planned:
            self._name = _namer([(cell["workload"], cell["dials"]) for cell in cells])
        groups = {name: list(group) for name, group in groupby(cells, key=self._name)}
        self._waiting |= {name: group for name, group in groups.items() if name not in self._printed}
        if self._table is None:
            self._fit([*cells, *limit_rows(cells)])
        self._print_waiting(list(groups))
        self._print_legend(cells)
        _print_given(self._console, cells, self._table.headings if self._table else ())
        print_stages(self._console, cells)
        _print_latency(self._console, cells)
        print_spreads(self._console, cells)
        _print_failures(self._console, cells)
        _print_refusals(self._console, cells)
        for line in warning_lines(cells):
            self._console.print(line, style="yellow", markup=False, highlight=False)
        _print_disagreements(self._console, cells)
        _print_standings(self._console, cells)

    def _print_waiting(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._waiting:
                self._print_section(name, self._waiting.pop(name))
                self._printed.add(name)

    def _print_section(self, name: str, cells: list[Cell]) -> None:
        groups, limits = by_role(cells), limit_rows(cells)
        console, is_new = self._console, self._fit([*cells, *limits])
        lines = len(cells) + len(limits) + 2 + (len(groups) + bool(limits) if len(groups) > 1 else 0)
        scrolled = console.is_terminal and self._since_header + lines > console.height - _SPARE_LINES
        assert self._table is not None
        _print_failing(console, name, cells)
        if is_new or scrolled or not self._printed:
            if not self._printed:
                console.print()
            self._table.print_header()
            self._since_header = 0
        console.print(Text(f" {name}", style="bold"))
        for role, own in groups.items():
            if len(groups) > 1:
                console.print(Text(f"  {heading_of(role)}", style="dim"))
            self._table.print_rows(own)
        if limits:
            if len(groups) > 1:
                console.print(Text("  any role", style="dim"))
            self._table.print_rows(limits)
        console.print()
        self._since_header += lines

    def _fit(self, cells: Sequence[Cell]) -> bool:
        """Make room for these cells; True if the headings have to be printed again."""
        if self._table is None:
            self._columns = _columns(cells, self._strategies)
            self._table = FittedTable(self._console, self._columns, _steps(cells))
            self._table.fit(cells)
            return True
        return self._table.fit(cells)

    def _print_legend(self, cells: Sequence[Cell]) -> None:
        assert self._table is not None
        headings, console = self._table.headings, self._console
        meanings = _legend(headings, cells) + left_out_line(self._table.left_out, console.width)
        if any(cell.get("simulated") for cell in cells):
            console.print(
                "SIMULATED by the virtual clock: W workers that do not slow each other down, costs from a table. The "
                "same figures in every run on every machine; not what this machine does. tx/s: of the block's whole "
                f"time. {meanings}ok: the result equalled the serial one.",
                style="bold",
                highlight=False,
            )
        elif any(cell["speedup"] for cell in cells):
            confidence = next(cell["speedup"]["confidence"] for cell in cells if cell["speedup"])
            told = "x: median paired ratio to serial" if "x" in headings else "x serial: median paired ratio"
            if "x serial" in headings:
                told += f" [{confidence:.0%} interval over processes and rounds]"
            if limit_rows(cells):
                told += f". {LIMIT}: W serial runs at once, each on a state of its own, in the same rounds"
            console.print(
                f"tx/s: median of the block's whole time. {told}. {meanings}"
                "ok: every timed run equalled the serial result.",
                style="dim",
                highlight=False,
            )


def _legend(headings: Iterable[str], cells: Sequence[Cell]) -> str:
    baseline = baseline_of(cells)
    noisy = "" if any(cell.get("simulated") for cell in cells) else f" [{CONFIDENCE:.0%} interval]"
    # Where stages overlap, each has its part of every moment.
    time = "part of the time" if any(cell.get("pipeline") for cell in cells) else "median time"
    meanings = {
        "of bound": "speed-up as a share of the best conceivable with W workers" + _and_of_role(cells),
        f"x {baseline}": f"ratio to {baseline} with as many workers, run beside run of one round{noisy}",
        "given": "beside the transactions",
        "B/tx": "bytes a transaction that came with the block for that",
        "r/p": "recall and precision of the hints in %, all entries",
        "r/p confl.": "the same of entries at locations that two transactions touch and one writes",
        "recover": f"{time} in which senders were found by signatures",
        "agree": f"{time} in which validators agreed on the block",
        "read": f"{time} in which records were read ahead of the execution",
        "store": f"{time} in which the block was committed to the database",
        "root": f"{time} in which the state root was computed",
        "latency": "for which a block is in the node, from the first stage to the last",
        "overlap": "time of all stages one after the other over that of the pipeline",
        "foretold": "error of the time that a stage model foretells",
        "prepare": "median time of hints and planning",
        _heading_of_phases(cells): f"share of {_listed(_phases_of(cells))} in %",
        **execution_columns.MEANINGS,
    }
    known = set(headings)
    return "".join(f"{heading}: {meaning}. " for heading, meaning in meanings.items() if heading in known)


# Why a contender's bound is that of independent transactions, by what a cell has of it.
_INDEPENDENT = {"values": "has the values that they read", "redoes": "redoes only what depends on a stale one"}


def _and_of_role(cells: Iterable[Cell]) -> str:
    """Said where a role has a bound of its own."""
    found = [cell.get("given") or {} for cell in cells]
    who = [text for name, text in _INDEPENDENT.items() if any(given.get(name) for given in found)]
    return f" (of independent transactions, for who {' or '.join(who)})" if who else ""


def _namer(workloads: Iterable[tuple[str, Mapping[str, Any]]]) -> Callable[[Cell], str]:
    """Name of a cell's workload, with the dials in which others of its cells differ: those of a sweep."""
    dials: dict[str, list[Mapping[str, Any]]] = {}
    for workload, values in workloads:
        dials.setdefault(workload, []).append(values)
    turned = {workload: differing(every) for workload, every in dials.items()}
    return lambda cell: ", ".join(
        [cell["workload"], *(f"{dial}={cell['dials'][dial]}" for dial in turned.get(cell["workload"], ()))]
    )


def _columns(cells: Sequence[Cell], to_come: Sequence[tuple[str, int]] = ()) -> list[Column]:
    """All columns that a table of these cells may have, and of others to come, of these strategies and workers.

    Where others come, columns are as wide as figures usually are.
    """
    rates, gas, ratio = (_USUAL_RATE, _USUAL_GAS, _USUAL_INTERVAL) if to_come else (0, 0, 0)
    if to_come and any(cell.get("simulated") for cell in cells):
        # More workers than a machine has, and no intervals.
        rates, gas, ratio = _SIMULATED_RATE, _SIMULATED_GAS, 0
    strategies = max((len(_INDENT + strategy) for strategy, _ in to_come), default=0)
    workers = max((len(str(count)) for _, count in to_come), default=0)
    columns = [
        Column("strategy", lambda cell: f"{_INDENT}{cell['strategy']}", is_text=True, folds=True, least=strategies),
        *([Column("given", lambda cell: given_in(cell) or _NONE, is_text=True)] if any(map(given_in, cells)) else []),
        Column("W", lambda cell: str(cell["workers"]), least=workers),
        Column("tx/s", _throughput, least=rates),
        Column("Mgas/s", _gas, least=gas),
        Column("x serial", _speedup, least=ratio),
    ]
    baseline = baseline_of(cells)
    if baseline:
        columns.append(Column(f"x {baseline}", _beside, least=ratio))
    # The bound is one on execution alone.
    if not any(cell.get("stages") for cell in cells):
        columns.append(Column("of bound", _share))
    if any("latency" in cell for cell in cells):
        columns.append(Column("p50", lambda cell: _latency(cell, "p50_seconds")))
        columns.append(Column("p99", lambda cell: _latency(cell, "p99_seconds")))
    if any(cell.get("pipeline") for cell in cells):
        columns += [Column(heading, show) for heading, show in _OF_PIPELINE.items()]
    columns += [
        Column(name, _time_of(name), least=len("999 ms") if to_come else 0)
        for name in _phases_of(cells)
        if name not in PHASES
    ]
    if any(map(_prepares, cells)):
        columns.append(Column("prepare", _prepare, least=len("99.9 ms") if to_come else 0))
    columns += [
        Column(_heading_of_phases(cells), _phases),
        *_hint_columns(cells),
        *(Column(heading, show) for heading, show in execution_columns.COLUMNS.items()),
        Column("ok", _mark, is_text=True, least=len("yes ~") if to_come else 0),
    ]
    return columns


def _hint_columns(cells: Sequence[Cell]) -> list[Column]:
    """Columns about hints, where any are told."""
    found = []
    if any(bytes_of(cell) != _NONE for cell in cells):
        found.append(Column("B/tx", bytes_of))
    if any(hints_of(cell, "all") != _NONE for cell in cells):
        found.append(Column("r/p", lambda cell: hints_of(cell, "all")))
        found.append(Column("r/p confl.", lambda cell: hints_of(cell, "conflicting")))
    return found


def _of_pipeline(show: Callable[[Mapping[str, Any]], str]) -> Callable[[Cell], str]:
    return lambda cell: show(cell["pipeline"]) if cell.get("pipeline") else _NONE


_OF_PIPELINE = {
    "latency": _of_pipeline(lambda told: duration(told["latency_seconds"])),
    "overlap": _of_pipeline(lambda told: f"{told['overlap']:.2f}"),
    "foretold": _of_pipeline(lambda told: f"{told['error']:+.1%}"),
}
_FEW_STAGES = 2
_INDENT = "  "
_SHORT_RATIO = Column("x", lambda cell: _ratio(cell))
_SHORT_RATE = Column("tx/s", lambda cell: _short_throughput(cell))


def _steps(cells: Sequence[Cell]) -> list[GivesWay]:
    """What gives way where a table is too wide, in this order; what is not named never does."""
    single = [heading for heading in execution_columns.COLUMNS if heading != execution_columns.WASTED]
    shares = _heading_of_phases(cells)
    first = ["r/p confl.", "r/p", *reversed(single), "B/tx", shares, "Mgas/s", "given", "prepare"]
    # Of several stages the lines below name the largest.
    stages = [name for name in reversed(_phases_of(cells)) if name not in PHASES]
    first += stages if len(stages) > _FEW_STAGES else []
    then = ["of bound", execution_columns.WASTED]
    if baseline_of(cells) or any("latency" in cell for cell in cells):
        # Of several blocks in a row latency is what they were measured for, and a baseline was asked for.
        first, then = [*first, "of bound"], [execution_columns.WASTED]
        return [*map(GivesWay, first), GivesWay("x serial", _SHORT_RATIO), *map(GivesWay, then), *_LAST]
    return [*map(GivesWay, [*first, *then]), GivesWay("x serial", _SHORT_RATIO), *_LAST]


_LAST = (GivesWay("tx/s", _SHORT_RATE), GivesWay("p50"), GivesWay("p99"))


def _print_failing(console: Console, name: str, cells: Sequence[Cell]) -> None:
    """Say first of all that a workload's figures are of transactions that fail."""
    cell = next((cell for cell in cells if mostly_failed(cell)), None)
    if cell is not None:
        console.print()
        console.print(
            f"{name}: {MOSTLY_FAILED.upper()}, {cell['failed_transactions']:,} of {cell['transactions']:,}: its "
            "speed-ups (marked !) are of failing, not of what the contracts are for.",
            style="bold yellow",
            markup=False,
            highlight=False,
        )


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
    if (cell["strategy"], cell["workers"]) == ("serial", 1):
        return "1"
    if cell.get("simulated"):
        return f"{ratio['median']:.2f}{_of_failing(cell)}"
    middle, low, high = (f"{ratio[name]:.1f}" if ratio[name] >= 10 else f"{ratio[name]:.2f}" for name in _ENDS)
    return f"{middle}{_of_failing(cell)} [{low}, {high}]"


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
        return f"{ratio['median']:.2f}{_of_failing(cell)}"
    middle, low, high = (f"{ratio[name]:.1f}" if ratio[name] >= 10 else f"{ratio[name]:.2f}" for name in _ENDS)
    return f"{middle}{_of_failing(cell)} [{low}, {high}]"


def _ratio(cell: Cell) -> str:
    """Speed-up without its interval, where there is no room."""
    ratio = cell["speedup"]
    if not ratio:
        return _NONE
    return "1" if (cell["strategy"], cell["workers"]) == ("serial", 1) else f"{ratio['median']:.2f}{_of_failing(cell)}"


def _of_failing(cell: Cell) -> str:
    """The mark of a speed-up that is one of transactions that fail."""
    return "!" if mostly_failed(cell) else ""


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
    shares = (f"{100 * cell['phases'][name] / whole:.0f}" for name in phase_names(cell["phases"]) if whole)
    return "/".join(shares) or _NONE


def _phases_of(cells: Iterable[Cell]) -> list[str]:
    """Phases that any of the cells has, in their order; those of every run where none has any."""
    return phase_names({name for cell in cells for name in cell["phases"]} or PHASES)


def _heading_of_phases(cells: Iterable[Cell]) -> str:
    """Initials of the phases: p/e/c."""
    return "/".join(name[0] for name in _phases_of(cells))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _time_of(phase: str) -> Callable[[Cell], str]:
    """Show the median time of a phase."""
    return lambda cell: duration(cell["phases"][phase]) if phase in cell["phases"] else _NONE


def _prepares(cell: Cell) -> bool:
    """Whether a noticeable share of the time is preparation; every strategy looks at the block first."""
    return bool(cell["phases"]) and cell["phases"]["prepare"] >= _NOTICED_SHARE * sum(cell["phases"].values())


def _prepare(cell: Cell) -> str:
    seconds = cell["phases"].get("prepare")
    return duration(seconds) if seconds else _NONE


def _mark(cell: Cell) -> Text:
    if cell["verified"] is None:
        return Text(_NONE)
    if cell["error"] is not None:
        return Text("FAILED", style="bold red")
    doubt = " ~" if any(warning.startswith("unstable") for warning in cell["warnings"]) else ""
    return Text(f"yes{doubt}", style="green") if cell["verified"] else Text("no")


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


def _print_given(console: Console, cells: Sequence[Cell], headings: Iterable[str]) -> None:
    """Say what roles mean, where there are several, and what was given, where its column found no room."""
    roles = by_role(cells)
    if len(roles) > 1:
        told = "; ".join(f"{role}: {MEANING[role]}" for role in roles)
        console.print(f"No ranking has two roles. {told}.", style="dim", markup=False, highlight=False)
    line = "" if "given" in headings else given_line(cells)
    if line:
        console.print(line, style="dim", markup=False, highlight=False)


def _print_refusals(console: Console, cells: Iterable[Cell]) -> None:
    """Say which access lists were wrong, and what in them: the results are right all the same."""
    for cell in cells:
        if cell.get("refused_list"):
            where = f"{cell['workload']}, {cell['strategy']}, workers {cell['workers']}"
            console.print(
                f"{where}: list refused: {cell['refused_list']}", style="yellow", markup=False, highlight=False
            )


def _print_failures(console: Console, cells: Iterable[Cell]) -> None:
    for cell in cells:
        if cell["error"] is not None:
            console.print()
            title = f"FAILED: {cell['workload']}, {cell['strategy']}, workers {cell['workers']}: {cell['error']}"
            console.print(title, style="bold red", markup=False, highlight=False)
            for difference in cell["differences"]:
                console.print(f"  {difference}", markup=False, highlight=False, soft_wrap=True)


def warning_lines(cells: Sequence[Cell]) -> list[str]:
    """One line a kind of warning: the figures behind it are in the record."""
    lines = []
    by_kind: dict[str, list[str]] = {}
    told: dict[str, list[str]] = {}
    for cell in cells:
        for warning in dict.fromkeys(_kind(warning) for warning in cell["warnings"]):
            kind, _, more = warning.partition(": ")
            told.setdefault(kind, []).append(more)
            by_kind.setdefault(kind, []).append(f"{cell['workload']} {cell['strategy']} x{cell['workers']}")
    measured = sum(not isinstance(cell["error"], str) for cell in cells)
    for kind, names in by_kind.items():
        which = f"{len(names)} of {measured} cells" if len(names) > _NAMED else ", ".join(names)
        every = list(dict.fromkeys(filter(None, told[kind])))
        # Of very many, one of each kind: the others are in the record.
        more = f": {every[0]}{', and so on' if len(every) > 1 else ''}" if every else ""
        lines.append(f"warning: {kind}{more}: {which}")
    return lines


def _kind(warning: str) -> str:
    if warning.startswith("unstable"):
        return "unstable samples (~), spread or drift above 10% of the median"
    if warning.startswith("busy"):
        return "busy machine, other programs take CPU time from the runs"
    if warning.startswith(OVERSUBSCRIBED):
        return f"{OVERSUBSCRIBED}: they take turns, so these figures tell of this machine and not of the strategy"
    return warning


def _print_disagreements(console: Console, cells: Sequence[Cell]) -> None:
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
