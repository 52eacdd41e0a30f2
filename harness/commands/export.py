"""``contend export``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.common import bad_input, interruptible
from harness.request import DEFAULT_BLOCK_SIZE, Request, parse_dials, parse_names


@click.command("export")
@click.option("--workload", "-w", required=True, metavar="NAME", help="Workload whose first block is written.")
@click.option("--output", "-o", required=True, metavar="FILE", help="File to write; gzip if its name ends in .gz.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option("--block", "block", metavar="FILE", help="Block for the workload replay.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
def command(
    workload: str, output: str, settings: tuple[str, ...], block_size: int, block: str | None, seed: int
) -> None:
    """Write a workload's block to a file, with the state before it and what a serial run gave.

    The file runs here by `contend run --workload replay --block FILE`, and elsewhere by whoever reads the form.
    """
    from harness.export import export

    with bad_input(), interruptible():
        request = Request(
            workloads=parse_names(workload),
            dials=parse_dials(settings),
            block_size=block_size,
            seed=seed,
            blocks=() if block is None else (block,),
        )
        click.echo(export(request, Path(output)))
