"""``contend list``."""

from __future__ import annotations

import json
from typing import Any

import click

from contend.harness.commands.common import bad_input


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show strategies, and workloads with their dials, defaults, ranges and presets; and suites."""
    from contend.harness.plan.catalogue import catalogue

    with bad_input():
        content: dict[str, Any] = catalogue()
    if as_json:
        click.echo(json.dumps(content, indent=1))
        return
    from rich.console import Console

    from contend.harness.present.catalogue_tables import print_presets, print_strategies, print_suites, print_workloads

    console = Console()
    print_strategies(console, content["strategies"])
    print_workloads(console, content["workloads"])
    print_presets(console, content["workloads"])
    print_suites(console, content["suites"])
