"""``contend validate-clock``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.common import bad_input, interruptible
from harness.request import DEFAULT_BLOCK_SIZE, DEFAULT_REPEAT, Request, parse_names, parse_workers


@click.command("validate-clock")
@click.option("--workload", "-w", "workloads", metavar="NAMES", help="Workloads.  [default: all]")
@click.option("--strategy", "-s", "strategies", metavar="NAMES", help="Strategies.  [default: all]")
@click.option("--workers", metavar="COUNTS", help="Worker counts.  [default: all that this machine has cores for]")
@click.option("--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in a block.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs by the wall clock.")
@click.option("--costs", metavar="FILE", help="Table of costs for the virtual clock.  [default: the project's]")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found here.")
def command(
    workloads: str | None,
    strategies: str | None,
    workers: str | None,
    block_size: int,
    repeat: int,
    costs: str | None,
    json_path: Path | None,
) -> None:
    """Measure cells under both clocks and report the virtual clock's error, cell by cell.

    How much the cores of this machine slow each other down is measured first and given to the virtual clock.
    """
    from rich.console import Console

    from harness.archive.store import check_file
    from harness.calibration.validate import cores, print_validation, validate
    from harness.clocks import read_costs
    from harness.progress import display
    from harness.records import write_json

    with bad_input(), interruptible():
        request = Request(
            workloads=parse_names(workloads),
            strategies=parse_names(strategies),
            workers=tuple(range(1, cores() + 1)) if workers is None else parse_workers(workers),
            block_size=block_size,
            repeat=repeat,
        )
        table = read_costs(costs)
        if json_path is not None:
            check_file(json_path)
        with display(quiet=False) as observer:
            found = validate(request, table, observer)
        print_validation(Console(), found)
        if json_path is not None:
            write_json(json_path, found.as_json())
