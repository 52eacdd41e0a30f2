"""``contend timeline``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.common import bad_input, interruptible
from harness.request import Request, parse_dials


@click.command("timeline")
@click.option("--workload", "-w", required=True, metavar="NAME", help="Workload.")
@click.option("--strategy", "-s", required=True, metavar="NAME", help="Strategy.")
@click.option("--workers", type=int, default=8, show_default=True, help="Simulated workers.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option("--block-size", type=int, default=200, show_default=True, help="Transactions in the block.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
@click.option("--costs", metavar="FILE", help="Table of costs.  [default: the project's]")
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results folder."
)
def command(
    workload: str,
    strategy: str,
    workers: int,
    settings: tuple[str, ...],
    block_size: int,
    seed: int,
    costs: str | None,
    results: Path,
) -> None:
    """Draw what each simulated worker did when: execute, validate, wait, commit, or nothing."""
    from harness.archive.store import check_folder
    from harness.timeline import draw

    with bad_input(), interruptible():
        request = Request(
            workloads=(workload,),
            strategies=(strategy,),
            workers=(workers,),
            dials=parse_dials(settings),
            block_size=block_size,
            seed=seed,
            clock="virtual",
            costs=costs,
        )
        check_folder(results)
        for path in draw(request, results / "charts"):
            click.echo(f"chart: {path}")
