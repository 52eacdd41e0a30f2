"""``contend explain``."""

from __future__ import annotations

import json

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.commands.options import Asked, request_options, tell_settings


@click.command("explain")
@request_options(
    "workloads",
    "strategies",
    "workers",
    "dials",
    "block_size",
    "blocks",
    "seed",
    "clock",
    "costs",
    "model",
    "hints",
    "access_list",
    workloads={"metavar": "NAME", "required": True, "help": "One workload."},
    workers={"metavar": "COUNT", "default": "32", "help": "Workers of each strategy."},
    clock={"default": "virtual", "help": "Simulated workers, the same on every machine; or threads."},
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    asked: Asked,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what conflicts in a workload's block, how fast it could be at best, and what made strategies abort."""
    from rich.console import Console

    from contend.harness.analysis.explain import Explainer
    from contend.harness.present.progress.progress_bar import display
    from contend.harness.present.tables.explain_tables import print_explanation

    with bad_input(), interruptible():
        request = asked.request(repeat=1)
        tell_settings(asked.settings, quiet)
        with asked.naming_sources(), display(quiet) as observer:
            found = Explainer(request, observer).run()
        if as_json:
            click.echo(json.dumps(found, indent=1))
        else:
            print_explanation(Console(), found)
        failed = any(one["error"] for one in found["strategies"])
        context.exit(EXIT_FAILED if failed else 0)
