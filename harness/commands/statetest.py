"""``contend statetest``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.common import EXIT_FAILED, bad_input, interruptible


@click.command("statetest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under, and results to compare with.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.option(
    "--timeout",
    type=float,
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="A test that has given no result after so long has failed.",
)
@click.pass_context
def command(context: click.Context, paths: tuple[Path, ...], fork: str, quiet: bool, timeout: float) -> None:
    """Run official state tests: JSON files, folders of them, or tar archives.

    Prints what fails, and one closing line. Exit code 0 only if all pass.
    """
    from harness.statetest import run_command

    with bad_input(), interruptible():
        context.exit(EXIT_FAILED if run_command(paths, fork, click.echo, quiet, timeout) else 0)
