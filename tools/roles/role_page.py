"""The page of the study: where each contender wins and loses, by role, beside what its role allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contend.harness.analysis.version_path import VersionPath
from contend.strategies.clocks.base import PS_PER_SECOND
from contend.strategies.clocks.cost_table import default_costs
from contend.workloads.registry import BUILT_IN
from tools.roles.role_cells import Study, nanoseconds

Kept = Mapping[tuple[int, str, str], Mapping[str, Any]]

WORKERS = Study.workers
VALIDATORS = ("placeholder", "locks", "groups", "block_stm+block", "static_partition+block")
CEILINGS = ("placeholder+truth", "locks+truth", "groups+truth", "block_stm+truth", "static_partition+truth")
BUILDERS = ("block_stm", "block_stm_v2", "redo", "occ_window", "static_partition", "sharded", "aria")
SINGLE_BLOCK_CONTENDERS = ("serial", "bal", *VALIDATORS, *CEILINGS, *BUILDERS)
BUILDER_CONTENDERS = (
    "serial",
    "block_stm",
    "block_stm_v2",
    "redo",
    "hint_trial",
    "block_stm+template",
    "placeholder+template",
    "placeholder+dry_run",
    "locks+template",
    "groups+template",
    "static_partition+template",
)

_HEAD = """# Contenders

Every contender on every workload, simulated: {workers} workers, {size:,} transactions, default dials, seed {seed}, the
cost table of the project ({costs}). Made by `python -m tools.contenders`; every cell's result is the serial one.
Speed-ups are over serial. What is given is in the name after the plus sign; the roles are never ranked together
([glossary](glossary.md)).

"""


def write_page(path: Path, kept: Kept, single: Study, builder: Study) -> None:
    """Write the page of what has been measured."""
    head = _HEAD.format(workers=single.workers, size=single.block_size, seed=single.seed, costs=default_costs().digest)
    parts = [
        _values(kept),
        _locations("Validator with locations", "the block's access list, whose values stay unused", VALIDATORS, kept),
        _locations("Ceiling", "the recorded access sets, which nobody has", CEILINGS, kept),
        _given_nothing(kept),
        _builders(kept, builder),
    ]
    path.write_text(head + "\n".join(parts))


def _values(kept: Kept) -> str:
    """How close `bal` comes to as many times serial as there are workers."""
    rows = []
    for name, facts in _facts(kept, 1):
        cell = kept.get((1, name, "bal"))
        serial_us = nanoseconds(facts["work"] / facts["transactions"]) / 1e3
        conceivable = facts["work"] / max(facts["work"] / WORKERS, facts["longest"])
        speedup = _speedup(kept, 1, name, "bal")
        share = "-" if speedup is None else f"{speedup / WORKERS:.2f}"
        of_bound = "-" if speedup is None else f"{speedup / conceivable:.2f}"
        rows.append([name, f"{serial_us:.1f}", _number(speedup), share, f"{conceivable:.1f}", of_bound, _error(cell)])
    heading = ["workload", "us a transaction, serial", "x serial", "of 32", "bound", "share of bound", ""]
    return (
        "## Validator with values\n\n`bal`: every transaction is seeded with the values before its index and held "
        "against the list. The bound is the role's: every transaction is independent, so it is 32 times serial, or "
        "less where one transaction takes longer than that.\n\n" + _table(heading, rows)
    )


def _locations(title: str, given: str, contenders: Sequence[str], kept: Kept) -> str:
    """How close contenders that know locations come to the list schedule and to the floor over versions."""
    rows = []
    for name, facts in _facts(kept, 1):
        schedule = facts["work"] / facts["list_schedule"]
        speedups = {one: _speedup(kept, 1, name, one) for one in contenders}
        best = max((one for one in speedups.values() if one is not None), default=None)
        shown = [
            f"**{_number(one)}**" if one is not None and one == best else _number(one) for one in speedups.values()
        ]
        share = "-" if best is None else f"{best / schedule:.2f}"
        floor, hops, per_hop = _over_versions(kept, name, facts, contenders)
        rows.append([name, *shown, f"{schedule:.2f}", share, floor, hops, per_hop])
    heading = ["workload", *(f"`{one}`" for one in contenders), "list schedule", "best's share"]
    return (
        f"## {title}\n\nGiven {given}. The list schedule is what could be had if whole transactions were begun in "
        "their best order at a serial run's costs, and nothing else cost anything. Who waits in the middle of a "
        "transaction, and reads versions, can beat it, but not the *floor*, which goes by the accesses (the path over "
        "versions, [glossary](glossary.md)). *ns a hop*: what the best one takes beyond the floor, for each of the "
        "*hops* along that path.\n\n" + _table([*heading, "floor", "hops", "ns a hop"], rows)
    )


def _over_versions(kept: Kept, name: str, facts: Mapping[str, Any], contenders: Iterable[str]) -> tuple[str, str, str]:
    """Speed-up of the floor over versions, hops of its path, and nanoseconds of the best contender for each."""
    path = VersionPath(**facts["version_path"])
    floor = f"{facts['work'] / path.floor(WORKERS):.2f}"
    seconds = [kept[1, name, one]["seconds"] for one in contenders if _speedup(kept, 1, name, one) is not None]
    per_hop = path.per_hop(min(seconds) * PS_PER_SECOND, WORKERS) if seconds else None
    return floor, f"{path.hops:,}", "-" if per_hop is None else f"{nanoseconds(per_hop):,.0f}"


def _given_nothing(kept: Kept) -> str:
    """What contenders reach on one block of which they know only the transactions."""
    rows = []
    for name, facts in _facts(kept, 1):
        best, shown = _shown([_speedup(kept, 1, name, one) for one in BUILDERS])
        schedule = facts["work"] / facts["list_schedule"]
        rows.append([name, *shown, f"{schedule:.2f}", "-" if best is None else f"{best / schedule:.2f}"])
    heading = ["workload", *(f"`{one}`" for one in BUILDERS), "list schedule", "best's share"]
    return (
        "## Builder who is given nothing\n\nOne block, and nothing known but its transactions. The list schedule is of "
        "whole transactions; `redo` executes again only the operations that depend on a stale word, and can beat it. "
        "`aria` and `sharded` have orders of their own.\n\n" + _table(heading, rows)
    )


def _builders(kept: Kept, study: Study) -> str:
    """What who knows only the transactions reaches on the last block of several, learning included."""
    contenders = [one for one in BUILDER_CONTENDERS if one != "serial"]
    rows = []
    for name, facts in _facts(kept, study.block_count):
        speedups = [_speedup(kept, study.block_count, name, one) for one in contenders]
        _, shown = _shown(speedups)
        quality = kept.get((study.block_count, name, "placeholder+template"), {})
        told = "-" if "recall" not in quality else f"{quality['precision']:.2f} / {quality['recall']:.2f}"
        rows.append([name, *shown, f"{facts['work'] / facts['list_schedule']:.2f}", told])
    heading = ["workload", *(f"`{one}`" for one in contenders), "list schedule", "precision / recall"]
    return (
        f"## Builder\n\nThe last of {study.block_count} blocks of {study.block_size:,} transactions in a row; the time "
        "includes the learning from it. Precision and recall are those of the templates, over all entries.\n\n"
        + _table(heading, rows)
    )


def _shown(speedups: Sequence[float | None]) -> tuple[float | None, list[str]]:
    """The best speed-up, and all of them as text, the best in bold."""
    best = max((one for one in speedups if one is not None), default=None)
    return best, [f"**{_number(one)}**" if one is not None and one == best else _number(one) for one in speedups]


def _facts(kept: Kept, blocks: int) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return [(name, kept[blocks, name, ""]) for name in BUILT_IN if (blocks, name, "") in kept]


def _speedup(kept: Kept, blocks: int, workload: str, contender: str) -> float | None:
    cell, serial = kept.get((blocks, workload, contender)), kept.get((blocks, workload, "serial"))
    if cell is None or serial is None or cell["error"] or serial["error"]:
        return None
    return float(serial["seconds"] / cell["seconds"])


def _error(cell: Mapping[str, Any] | None) -> str:
    return "" if cell is None or not cell["error"] else str(cell["error"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heading) + " |", "| --- |" + " ---: |" * (len(heading) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
