"""``contend list``."""

from __future__ import annotations

import json
from typing import Any

import click

from contend.harness.commands.common import bad_input


@click.command("list")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Show strategies, and workloads with their dials, defaults, ranges and presets; and suites.

    With names: only what goes by them, such as `contend list swaps`, and which dials presets set.
    """
    from contend.harness.plan.kept_catalogue import kept_catalogue

    with bad_input():
        content: dict[str, Any] = kept_catalogue()
        if names:
            from contend.harness.plan.catalogue import chosen

            content = chosen(content, names)
    if as_json:
        click.echo(json.dumps(content, indent=1))
        return
    from rich.console import Console

    from contend.harness.present.tables.catalogue_tables import print_catalogue

    print_catalogue(Console(), content, with_dials=bool(names))
