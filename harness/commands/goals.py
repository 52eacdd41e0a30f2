"""``contend goals``."""

from __future__ import annotations

import click

from harness.commands.common import bad_input, interruptible
from harness.commands.options import Asked, request_options


@click.command("goals")
@request_options("block_size", "repeat")
def command(asked: Asked) -> None:
    """Measure what Contend itself has to reach, and print it beside the goals."""
    from rich.console import Console

    from harness.goals import findings, print_findings
    from harness.progress import display

    with bad_input(), interruptible():
        request = asked.request()
        with display(quiet=False) as observer:
            found = list(findings(observer, request.block_size, request.repeat))
        print_findings(Console(), found)
