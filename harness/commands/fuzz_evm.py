"""``contend fuzz-evm``."""

from __future__ import annotations

import click

from harness.commands.common import EXIT_FAILED, bad_input, interruptible


@click.command("fuzz-evm")
@click.option("--programs", type=int, default=1_000, show_default=True, help="Programs to compare.")
@click.option("--seed", type=int, default=0, show_default=True, help="Number of the first program.")
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(context: click.Context, programs: int, seed: int, fork: str, quiet: bool) -> None:
    """Run random programs here and on revm, and compare what they do.

    A difference is made small and printed as assembly. Exit code 0 only if there is none.
    """
    from harness.fuzz.command import run_command

    with bad_input(), interruptible():
        context.exit(EXIT_FAILED if run_command(programs, seed, fork, click.echo, quiet) else 0)
