"""``contend validate-clock``."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.commands.options import Asked, request_options, tell_settings


@click.command("validate-clock")
@request_options(
    "workloads",
    "strategies",
    "workers",
    "block_size",
    "repeat",
    "costs",
    "hints",
    "access_list",
    "signatures",
    "keys",
    "root",
    strategies={"default_text": "one of each engine, some with two sources"},
    workers={"default_text": "all that this machine has cores for"},
    repeat={"help": "Timed runs by the wall clock."},
    costs={"help": "File of the cost table for the virtual clock."},
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found here.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    asked: Asked,
    json_path: Path | None,
    quiet: bool,
) -> None:
    """Measure cells under both clocks and report the virtual clock's error, cell by cell.

    How much the cores of this machine slow each other down is measured first and given to the virtual clock.
    """
    from rich.console import Console

    from contend.harness.calibrate.validate import CONTENDERS, print_validation, validate
    from contend.harness.plan.clock_options import read_costs
    from contend.harness.present.progress.progress_bar import display
    from contend.harness.record.atomic_write import check_file, write_json
    from contend.harness.record.environment import usable_cores

    with bad_input(), interruptible():
        counts = asked.value("workers") or range(1, len(usable_cores()) + 1)
        strategies = asked.value("strategies") or CONTENDERS
        request = asked.request(workers=counts, strategies=strategies, costs=None)
        tell_settings(asked.settings, quiet)
        table = read_costs(asked.value("costs"))
        if json_path is not None:
            check_file(json_path)
        with display(quiet) as observer:
            found = validate(request, table, observer)
        print_validation(Console(), found)
        if json_path is not None:
            write_json(json_path, found.as_json())
