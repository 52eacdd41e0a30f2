"""Output of the schedule fuzzer: its progress, schedules that fail, and a closing table."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from contend.harness.record.atomic_write import write_json
from contend.harness.verify.schedule_fuzzer.campaign import FailingSchedule, Tally
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.registry import get, is_built_in

_LINE_SECONDS = 10.0


class ScheduleProgress:
    """Progress of a campaign on standard error: a bar on a terminal, now and then a line elsewhere.

    Used as a context, which gives what to call with the tally.
    """

    def __init__(self, schedules: int, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._total = schedules
        self._last = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Callable[[Tally], None]:
        if self._console.is_terminal:
            columns = (TextColumn("schedules"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        else:
            self._console.print("kernels that are not compiled yet are compiled first, which may take minutes")
        return self._show

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _show(self, tally: Tally) -> None:
        done = sum(tally.schedules.values())
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif time.monotonic() - self._last > _LINE_SECONDS:
            self._last = time.monotonic()
            self._console.print(f"{done:,} of {self._total:,} schedules, {len(tally.failures)} failed", highlight=False)


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
