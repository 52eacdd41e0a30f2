"""Records as a pandas DataFrame, one row a cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from contend.harness.plan.resolve import BASELINE
from contend.harness.record.bound import Bounds, waits_for_nobody
from contend.harness.record.content.bottleneck import bottleneck
from contend.harness.record.content.cell_facts import given_in, role_in
from contend.harness.record.derived import BESIDE_BOUND
from contend.harness.record.sessions import environment_of
from contend.harness.record.statistics.paired import ratios_to
from contend.harness.record.warnings import mostly_failed

if TYPE_CHECKING:
    import pandas

COLUMNS = {
    "record": "id of the record",
    "time": "start of the run, UTC",
    "workload": "name",
    "workload_title": "what charts call it, or None where that is its name",
    "strategy": "name, with what it is given where that is not its usual source, as in `block_stm+truth`",
    "given": "what it was told beside the transactions, None where nobody noted it",
    "role": "who has that: `builder`, `validator` or `ceiling`; figures of two roles are never ranked together",
    "workers": "worker count",
    "clock": "`wall`, or `virtual` where time is simulated",
    "simulated": "whether times are those of simulated workers",
    "block_size": "transactions asked for",
    "seed": "of the workload",
    "quick": "whether it was measured for a first look (`--quick`)",
    "transactions": "in the block",
    "failed_transactions": "with a status other than success, in the serial run",
    "mostly_failed": "whether these are more than half: the speed-up is then one of failing",
    "gas": "used by the block",
    "seconds": "median time of the block",
    "tx_per_second": "transactions / median seconds",
    "gas_per_second": "gas / median seconds",
    "cpu_seconds": "median CPU time of all threads and processes",
    "stages": "of a node, in the time beside the execution, a mapping; None where none was asked for",
    "agree_seconds": "median; None where no agreement was asked for",
    "recover_seconds": "median; None where signatures were not asked for",
    "read_seconds": "median; None where no reading ahead was asked for",
    "prepare_seconds": "median",
    "execute_seconds": "median",
    "commit_seconds": "median",
    "root_seconds": "median; None where the state root was not asked for",
    "store_seconds": "median; None where blocks were not committed to a database",
    "speedup": "median paired ratio of serial seconds to own seconds",
    "speedup_low": "lower end of its interval",
    "speedup_high": "upper end of its interval",
    "baseline": "strategy that the run asked to hold the others against, beside serial",
    "over_baseline": "median paired ratio of the baseline's seconds to own, with as many workers; None of serial",
    "over_baseline_low": "lower end of its interval",
    "over_baseline_high": "upper end of its interval",
    "bound_speedup": "best conceivable speed-up with these workers, balances as they are",
    "bound_speedup_commutative": "the same with additions to balances taken as commutative",
    "role_bound_speedup": "best conceivable of the role: where it has values, every transaction is independent",
    "uses_values": "whether no transaction waits for another: it has the values read, or redoes what depends on them",
    "list_schedule_speedup": "what a list schedule reaches that knows everything and costs nothing",
    "share_of_bound": "speed-up / role_bound_speedup",
    "share_of_location_bound": "speed-up / bound_speedup",
    "share_of_list_schedule": "speed-up / list_schedule_speedup",
    "limit": "of the machine: what as many independent serial runs at once reach; None where not measured",
    "limit_low": "lower end of its interval",
    "limit_high": "upper end of its interval",
    "bytes_per_transaction": "that had to come with the block for what is given",
    "recall": "share of what transactions touched that was hinted",
    "recall_writes": "the same of what they wrote",
    "recall_conflicting": "the same at locations that two touch and one writes",
    "precision": "share of what was hinted that transactions touched",
    "precision_writes": "the same of what was said to be written",
    "precision_conflicting": "the same at locations that by the hints two touch and one writes",
    "list_kind": "kind of the access list, where one is given",
    "list_origin": "where the access list is from",
    "refused_list": "what was found wrong with it, or None",
    "dependent_share": "share of the block's transactions that depend on an earlier one",
    "chain_share": "longest chain of dependent transactions / transactions",
    "critical_share": "critical path / whole work, by the cost table",
    "wasted_per_transaction": "executions that were thrown away / transactions",
    "aborts_per_transaction": "aborted executions / transactions",
    "waits_per_transaction": "waits of executions that then went on / transactions",
    "dry_runs_per_transaction": "dry runs / transactions",
    "verified": "every timed run equalled the serial result",
    "error": "why the cell failed, or None",
    "differences": "first differences from the serial result, a list",
    "warnings": "why to doubt the figures, a list",
    "figures_digest": "of simulated figures, the same in every run; None under the wall clock",
    "block_count": "blocks in a row",
    "block_transactions": "of several blocks: transactions in each, a list",
    "load": "of several blocks: rate of arrivals as a share of serial throughput, if it was given so",
    "offered_tx_per_second": "of several blocks: rate at which transactions arrive, median",
    "pipeline_latency_seconds": "of stages that overlap: for which a block is in the node, on average",
    "pipeline_interval_seconds": "the same: between two blocks that leave it",
    "pipeline_overlap": "the same: time of all stages one after the other over that of the pipeline",
    "pipeline_error": "the same: time that the stage model foretells over the measured one, less one",
    "bottleneck": "the stage that takes longest, where any is in the time beside the execution",
    "latency_p50_seconds": "of several blocks: from arrival to commit, median of all transactions",
    "latency_p99_seconds": "the same, 99th percentile",
    "latency": "the same by block and the length of an interval, a mapping; None of one block",
    "samples_seconds": "raw samples, a list",
    "samples": "raw samples with process, round, phases, CPU seconds and counters, a list",
    "runs": "timed and verified runs of the cell",
    "repeat": "runs asked for",
    "began": "start of the cell's first timed run, UTC; None where it was not noted (version 1)",
    "ended": "end of its last, UTC; other cells ran in between",
    "complete": "whether the record's run went to its end",
    "sessions": "sittings in which the record was measured",
    "genesis_digest": "of the state before the block",
    "block_digest": "of the block",
    "kernels": "digest of all kernel sources",
    "costs": "digest of the cost table, where time is simulated",
    "node": "node of a cluster that it was measured on in real time; None of one machine",
    "machine": "digest of what makes wall-clock times comparable",
    "cpu": "model of the processor",
    "cores": "that the run could use",
    "contend": "version",
    "revision": "of the checkout, or None outside one",
    "dirty": "whether tracked files differed from it",
    "plugins": "packages that brought strategies or workloads of the run, a list of mappings; None where not noted",
}
"""Columns that are always there, in this order. After them come ``dial.<name>`` and ``count.<name>``, one column for
every dial and counter that any cell has."""

_OF_ENVIRONMENT = ("time", "kernels", "costs", "machine", "cpu", "cores", "contend", "plugins")
_OF_PIPELINE = ("latency_seconds", "interval_seconds", "overlap", "error")
_ENDS = {"": "median", "_low": "low", "_high": "high"}
_VIEWS = {"": "all", "_writes": "writes", "_conflicting": "conflicting"}


def to_frame(records: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """Cells of records, one a row.

    Parameters
    ----------
    records : iterable of mapping
        As `harness.records.read` gives them.

    Returns
    -------
    DataFrame
        Columns as in `COLUMNS`, then ``dial.*`` and ``count.*``.
    """
    import pandas

    rows = [_row(record, cell) for record in records for cell in record["cells"]]
    extra = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    dials = [name for name in extra if name.startswith("dial.")]
    counts = [name for name in extra if name.startswith("count.")]
    return pandas.DataFrame(rows, columns=[*COLUMNS, *dials, *counts])


def over(cells: pandas.DataFrame, baseline: str) -> pandas.DataFrame:
    """The same cells with their speed-up over another baseline than serial.

    Parameters
    ----------
    cells : DataFrame
        As `to_frame` gives them; of several records, or a part of them.
    baseline : str
        Strategy whose cell with as many workers, in the same record, is 1.

    Returns
    -------
    DataFrame
        With ``speedup``, ``speedup_low`` and ``speedup_high`` of the paired ratio to `baseline`, NaN where there is no
        pair; without a bound, which is one on the speed-up over serial.
    """
    if baseline == BASELINE:
        return cells
    ratios = [None if one is None else one.ratio for one in ratios_to(cells.to_dict("records"), baseline)]
    nothing = float("nan")
    return cells.assign(
        speedup=[nothing if one is None else one.median for one in ratios],
        speedup_low=[nothing if one is None else one.low for one in ratios],
        speedup_high=[nothing if one is None else one.high for one in ratios],
        **dict.fromkeys(BESIDE_BOUND, nothing),
    )


def _surroundings(record: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    environment = environment_of(record, cell)
    git = environment.get("git") or {}
    return {
        "record": record["id"],
        "complete": record.get("complete"),
        "baseline": record.get("request", {}).get("baseline", BASELINE),
        "sessions": len(record.get("sessions", ())),
        **{name: environment.get(name) for name in _OF_ENVIRONMENT},
        **{name: git.get(name) for name in ("revision", "dirty")},
    }


def _row(record: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    speedup = cell["speedup"] or {}
    row = {name: cell.get(name) for name in COLUMNS}
    # NaN also where no cell has any, as with stages in the time.
    row |= {name: float("nan") for name in BESIDE_BOUND if row.get(name) is None}
    row["mostly_failed"] = mostly_failed(cell)
    row |= {name: bool(cell.get(name)) for name in ("simulated", "quick")}
    row |= _surroundings(record, cell)
    row["runs"] = len(cell.get("samples", ()))
    row |= {f"{phase}_seconds": seconds for phase, seconds in cell["phases"].items()}
    row |= {"speedup": speedup.get("median"), "speedup_low": speedup.get("low"), "speedup_high": speedup.get("high")}
    row |= _given(cell)
    row |= {f"limit{end}": (cell.get("limit") or {}).get(name) for end, name in _ENDS.items()}
    beside = cell.get("over_baseline") or {}
    row |= {f"over_baseline{end}": beside.get(name) for end, name in _ENDS.items()}
    waited = cell.get("latency") or {}
    row |= {"block_count": cell.get("block_count", 1), "offered_tx_per_second": waited.get("offered_tx_per_second")}
    row["block_transactions"] = [sum(parts) for parts in cell["arrivals"]] if cell.get("arrivals") else None
    row |= {f"latency_{name}": waited.get(name) for name in ("p50_seconds", "p99_seconds")}
    overlapped = cell.get("pipeline") or {}
    row |= {f"pipeline_{name}": overlapped.get(name) for name in _OF_PIPELINE}
    row["bottleneck"] = bottleneck(cell)
    if cell.get("bounds"):
        bound = Bounds.from_json(cell["bounds"]).plain
        row |= {name: getattr(bound, name) for name in ("dependent_share", "chain_share", "critical_share")}
    row |= {f"dial.{name}": value for name, value in cell["dials"].items()}
    row |= {f"count.{name}": value for name, value in cell["counters"].items()}
    return row


def _given(cell: Mapping[str, Any]) -> dict[str, Any]:
    """What the strategy was given, and how good it was."""
    given = cell.get("given") or {}
    told: dict[str, Any] = {"given": given_in(cell) or None, "role": role_in(cell)}
    told |= {name: given.get(name) for name in ("bytes_per_transaction", "list_kind")}
    told["uses_values"] = waits_for_nobody(given)
    for name in ("recall", "precision"):
        views = given.get(name) or {}
        told |= {f"{name}{end}": views.get(view) for end, view in _VIEWS.items()}
    return told
