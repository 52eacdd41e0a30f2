"""``contend new``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from contend.harness.commands.common import bad_input

if TYPE_CHECKING:
    from contend.harness.scaffold.scaffold import Skeleton

_output = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the package, which must not exist yet.  [default: contend-NAME here]",
)

_quiet = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")


@click.group("new")
def command() -> None:
    """Begin a package that brings a strategy or a workload: it works and is tested from the start."""


@command.command("strategy")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["plan", "step"]),
    default="plan",
    show_default=True,
    help="A plan in plain Python that the shared engine executes, validates and repairs; or a compiled step, which is "
    "a scheduler of its own.",
)
@_output
@_quiet
def _strategy(name: str, kind: str, output: Path | None, quiet: bool) -> None:
    """Write a package that brings the strategy NAME."""
    from contend.harness.scaffold import scaffold as skeleton

    with bad_input():
        _write(skeleton.strategy(name, kind), output, quiet)


@command.command("workload")
@click.argument("name")
@_output
@_quiet
def _workload(name: str, output: Path | None, quiet: bool) -> None:
    """Write a package that brings the workload NAME."""
    from contend.harness.scaffold import scaffold as skeleton

    with bad_input():
        _write(skeleton.workload(name), output, quiet)


def _write(skeleton: Skeleton, output: Path | None, quiet: bool) -> None:
    from contend.harness.scaffold.scaffold import write

    folder = output or Path(skeleton.distribution)
    written = write(skeleton, folder)
    if quiet:
        return
    for path in written:
        click.echo(f"wrote {folder / path}")
    click.echo(f"next: cd {folder}, then what its README.md says: install it, run its tests, measure it")
