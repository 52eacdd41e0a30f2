"""``contend export``."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.commands.options import Asked, request_options


@click.command("export")
@request_options(
    "workloads",
    "dials",
    "block_size",
    "blocks",
    "seed",
    workloads={"metavar": "NAME", "required": True, "help": "Workload whose first block is written."},
)
@click.option("--output", "-o", required=True, metavar="FILE", help="File to write; gzip if its name ends in .gz.")
def command(asked: Asked, output: str) -> None:
    """Write a workload's block to a file, with the state before it and what a serial run gave.

    The file runs here by `contend run --workload replay --block FILE`, and elsewhere by any program that reads the
    format.
    """
    from contend.harness.export import export

    with bad_input(), interruptible():
        click.echo(export(asked.request(), Path(output)))
