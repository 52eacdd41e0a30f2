"""``contend calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible


@click.command("calibrate")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("costs.json"),
    show_default=True,
    help="File for the table.",
)
@click.option(
    "--only",
    metavar="CLASS,...",
    default="",
    help="Fit these classes; the others keep the costs of the project's table.",
)
@click.option(
    "--prior",
    metavar="FILE",
    help="Table towards which costs are drawn where times cannot tell them apart.  [default: the project's]",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(output: Path, only: str, prior: str | None, quiet: bool) -> None:
    """Fit a cost table for the virtual clock to this machine.

    Takes a few minutes, in which nothing else should run. `contend run --clock virtual --costs FILE` uses the table.
    """
    from rich.console import Console

    from contend.harness.calibrate.calibrate import calibrate, print_calibration, write
    from contend.harness.errors import BadInputError
    from contend.harness.plan.clock_options import read_costs
    from contend.harness.present.progress.progress_bar import display
    from contend.harness.record.atomic_write import check_file

    with bad_input(), interruptible():
        check_file(output)
        drawn = read_costs(prior)
        with display(quiet) as observer:
            try:
                found = calibrate(observer, [name for name in only.split(",") if name], drawn)
            except ValueError as error:
                raise BadInputError(f"--only: {error}") from None
        write(found.costs, output)
        print_calibration(Console(), found)
        click.echo(f"table: {output}")
