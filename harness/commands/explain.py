"""``contend explain``."""

from __future__ import annotations

import json

import click

from harness.commands.common import EXIT_FAILED, bad_input, interruptible
from harness.request import DEFAULT_BLOCK_SIZE, Request, parse_dials, parse_names


@click.command("explain")
@click.option("--workload", "-w", metavar="NAME", required=True, help="One workload.")
@click.option(
    "--strategy", "-s", "strategies", metavar="NAMES", help="Strategies, separated by commas.  [default: all]"
)
@click.option("--workers", type=int, default=32, show_default=True, help="Workers of each strategy.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
@click.option(
    "--clock",
    type=click.Choice(["virtual", "wall"]),
    default="virtual",
    show_default=True,
    help="Simulated workers, the same on every machine; or threads.",
)
@click.option("--costs", metavar="FILE", help="Table of costs for simulated time.  [default: the project's]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    workload: str,
    strategies: str | None,
    workers: int,
    settings: tuple[str, ...],
    block_size: int,
    seed: int,
    clock: str,
    costs: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what conflicts in a workload's block, how fast it could be at best, and what made strategies abort."""
    from rich.console import Console

    from harness.analysis.explain import Explainer
    from harness.analysis.tables import print_explanation
    from harness.progress import display

    with bad_input(), interruptible():
        request = Request(
            workloads=parse_names(workload),
            strategies=parse_names(strategies),
            workers=(workers,),
            dials=parse_dials(settings),
            block_size=block_size,
            repeat=1,
            seed=seed,
            clock=clock,
            costs=costs,
        )
        with display(quiet) as observer:
            found = Explainer(request, observer).run()
        if as_json:
            click.echo(json.dumps(found, indent=1))
        else:
            print_explanation(Console(), found)
        failed = any(one["error"] for one in found["strategies"])
        context.exit(EXIT_FAILED if failed else 0)
