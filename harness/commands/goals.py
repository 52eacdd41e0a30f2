"""``contend goals``."""

from __future__ import annotations

import click

from harness.commands.common import bad_input, interruptible
from harness.plan.request import DEFAULT_BLOCK_SIZE, DEFAULT_REPEAT


@click.command("goals")
@click.option("--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in a block.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs of each cell.")
def command(block_size: int, repeat: int) -> None:
    """Measure what Contend itself has to reach, and print it beside the goals."""
    from rich.console import Console

    from harness.goals import findings, print_findings
    from harness.progress import display

    with bad_input(), interruptible():
        with display(quiet=False) as observer:
            found = list(findings(observer, block_size, repeat))
        print_findings(Console(), found)
