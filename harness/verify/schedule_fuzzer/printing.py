"""Output of the schedule fuzzer: schedules that fail, and a closing table."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from contend.harness.record.atomic_write import write_json
from contend.harness.verify.schedule_fuzzer.campaign import FailingSchedule, Tally
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.registry import get, is_built_in


def print_failure(failure: FailingSchedule, folder: Path, console: Console) -> None:
    """Write a failing schedule to a file of the folder, and print what it is."""
    small = failure.small
    name = f"{small.strategy}-{small.source}-{small.block}-{small.schedule}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / name, small.as_json())
    console.print(
        f"FAILED {failure.case.strategy} with {failure.case.workers} workers, {failure.case.source} "
        f"block {failure.case.block}, schedule seed {failure.case.schedule}",
        style="bold red",
        markup=False,
        highlight=False,
    )
    count = len(small.kept or ())
    console.print(
        f"  shrunk to {count} transactions and {small.workers} workers: contend fuzz --replay {folder / name}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    for difference in failure.differences:
        console.print(f"  {difference}", markup=False, highlight=False, soft_wrap=True)


def print_tally(tally: Tally, seconds: float, console: Console) -> None:
    """Print the table that closes a campaign."""
    if not tally.schedules:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("strategy")
    for heading in ("schedules", "with damaged hints", "failed"):
        table.add_column(heading, justify="right")
    for name, count in sorted(tally.schedules.items()):
        failed = sum(failure.case.strategy == name for failure in tally.failures)
        table.add_row(name, f"{count:,}", f"{tally.damaged.get(name, 0):,}", str(failed))
    console.print(table)
    done = sum(tally.schedules.values())
    whole = sorted(name for name in tally.schedules if not is_built_in(name) and not _can_be_cut(name))
    if whole:
        console.print(
            f"Steps of {', '.join(whole)} were whole: what goes wrong within one step, threads may still show.",
            style="dim",
            markup=False,
            highlight=False,
        )
    console.print(
        f"{done:,} schedules, {tally.steps:,} steps, {len(tally.failures)} failed, in {seconds:,.0f} s", highlight=False
    )


def _can_be_cut(name: str) -> bool:
    return issubclass(get(name), OptimisticStrategy)
