"""``contend fuzz``: what the command does with its options."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from harness.archive.writing import write_json
from harness.errors import BadInputError
from harness.schedules.campaign import WORKERS, Failure, Tally, batches, campaign, default_sources
from harness.schedules.cases import ADVERSARIAL, Case
from strategies.registry import is_built_in

MOST_FAILURES = 5
_LINE_SECONDS = 10.0
_PARALLEL = "a strategy that is not parallel has one schedule only"


def run_campaign(
    strategies: tuple[str, ...],
    sources: tuple[str, ...],
    workers: tuple[int, ...],
    schedules: int,
    seed: int,
    processes: int,
    folder: Path,
    console: Console,
    quiet: bool,
) -> bool:
    """Run a campaign, write each failing schedule to a file, print a closing table.

    Returns
    -------
    bool
        Whether anything failed.

    Raises
    ------
    BadInputError
        If a name or a number is refused.
    KeyboardInterrupt
        After what was found has been printed.
    """
    names = _strategies(strategies)
    chosen = sources or default_sources()
    _check_sources(chosen)
    if schedules < 1:
        raise BadInputError(f"schedules: {schedules} is out of range; give a whole number from 1")
    if seed < 0:
        raise BadInputError(f"seed: {seed} is out of range; give a whole number from 0")
    tally, began = Tally(), time.monotonic()
    try:
        with _display(schedules, quiet) as progress:
            planned = batches(names, chosen, workers or WORKERS, schedules, seed)
            campaign(planned, processes, tally, progress, MOST_FAILURES)
    finally:
        for failure in tally.failures:
            _report(failure, folder, console)
        _close(tally, time.monotonic() - began, console)
    return bool(tally.failures)


def _strategies(wanted: tuple[str, ...]) -> tuple[str, ...]:
    from harness.plan.resolve import lookup
    from strategies import registry

    kinds = {name: lookup(registry, name) for name in wanted or registry.names(variants=True)}
    for name, kind in kinds.items():
        if wanted and not kind.parallel:
            raise BadInputError(f"strategy {name!r}: {_PARALLEL}")
        if wanted and "virtual" not in kind.clocks:
            raise BadInputError(f"strategy {name!r} runs under the wall clock only, and so under no schedule")
    return tuple(name for name, kind in kinds.items() if kind.parallel and "virtual" in kind.clocks)


def _check_sources(names: tuple[str, ...]) -> None:
    from harness.plan.resolve import lookup
    from workloads import registry

    for name in names:
        if name != ADVERSARIAL:
            lookup(registry, name)


class _display:  # noqa: N801  # used as a function that gives a context
    """Progress on standard error: a bar on a terminal, now and then a line elsewhere."""

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
            self._console.print("kernels that are not compiled yet are compiled first, which takes a minute")
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


def _report(failure: Failure, folder: Path, console: Console) -> None:
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


def _close(tally: Tally, seconds: float, console: Console) -> None:
    if not tally.schedules:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("strategy")
    for heading in ("schedules", "failed"):
        table.add_column(heading, justify="right")
    for name, count in sorted(tally.schedules.items()):
        failed = sum(failure.case.strategy == name for failure in tally.failures)
        table.add_row(name, f"{count:,}", str(failed))
    console.print(table)
    done = sum(tally.schedules.values())
    whole = sorted(name for name in tally.schedules if not is_built_in(name))
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


def replay(path: Path, console: Console) -> bool:
    """Run the schedule of a file again, exactly, and print block and differences.

    Returns
    -------
    bool
        Whether it failed.

    Raises
    ------
    BadInputError
        If the file is no schedule, or names what there is not.
    """
    from harness.schedules.cases import scene_of
    from harness.schedules.judge import Judge
    from strategies import registry

    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a readable schedule ({error})") from error
    case = Case.from_json(content, str(path))
    _strategies((case.strategy,))
    _check_sources((case.source,))
    scene = scene_of(case)
    names = {address: name for name, address in scene.contracts.items()}
    for place, transaction in enumerate(scene.block):
        to = names.get(transaction.to or b"", (transaction.to or b"").hex())
        console.print(
            f"{place:4d}  from {transaction.sender.hex()[:8]}  nonce {transaction.nonce}  to {to}  value "
            f"{transaction.value}  gas {transaction.gas_limit}  data {transaction.data.hex()[:64]}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    judge = Judge(registry.get)
    differences = judge.differences(case)
    judge.close()
    for difference in differences:
        console.print(difference, markup=False, highlight=False, soft_wrap=True)
    verdict = "FAILED" if differences else "equals the serial result"
    console.print(f"{case.strategy} with {case.workers} workers, schedule seed {case.schedule}: {verdict}")
    return bool(differences)
