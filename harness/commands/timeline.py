"""``contend timeline``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.commands.options import Asked, request_options, tell_settings


@click.command("timeline")
@request_options(
    "workloads",
    "strategies",
    "workers",
    "dials",
    "block_size",
    "blocks",
    "seed",
    "costs",
    workloads={"metavar": "NAME", "required": True, "help": "One workload."},
    strategies={"metavar": "NAME", "required": True, "help": "One strategy."},
    workers={"metavar": "COUNT", "default": "8", "help": "Simulated workers."},
    block_size={"default": 200},
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results folder."
)
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def command(asked: Asked, results: Path, quiet: bool) -> None:
    """Draw what each simulated worker did when: execute, validate, wait, commit, or nothing."""
    from contend.harness.present.progress.compile_notice import compilations_told
    from contend.harness.present.timeline import draw, tell, trace
    from contend.harness.record.atomic_write import check_folder

    with bad_input(), interruptible(), compilations_told(quiet):
        request = asked.request(clock="virtual")
        tell_settings(asked.settings, quiet)
        check_folder(results)
        with asked.naming_sources():
            traced = trace(request)
        if not quiet:
            for line in tell(traced, Console().width):
                click.echo(line)
        for path in draw(traced, results / "charts"):
            if not quiet:
                click.echo(f"chart: {path}")
