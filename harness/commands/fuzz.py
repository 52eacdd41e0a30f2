"""``contend fuzz``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.common import EXIT_FAILED, bad_input, interruptible
from harness.plan.request import parse_names, parse_workers


@click.command("fuzz")
@click.option("--strategy", "-s", "strategies", metavar="NAMES", help="Strategies.  [default: all that are parallel]")
@click.option(
    "--workload",
    "-w",
    "workloads",
    metavar="NAMES",
    help="Workloads, of which small blocks are taken, and adversarial_blocks.  [default: those of contend run, and it]",
)
@click.option("--workers", metavar="COUNTS", help="Worker counts.  [default: 2,3,4,8]")
@click.option("--schedules", type=int, default=5_000, show_default=True, help="Schedules to run.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of blocks and schedules.")
@click.option("--processes", type=click.IntRange(1, 256), help="Processes that share them.  [default: one a core]")
@click.option(
    "--replay", "replay_path", type=click.Path(path_type=Path), metavar="FILE", help="Run one again, exactly."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results folder."
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    strategies: str | None,
    workloads: str | None,
    workers: str | None,
    schedules: int,
    seed: int,
    processes: int | None,
    replay_path: Path | None,
    results: Path,
    quiet: bool,
) -> None:
    """Drive strategies under random schedules and compare every result with the serial one.

    A schedule that fails is shrunk to the shortest block that still fails, and written to a file that --replay runs
    again exactly. Exit codes: 0 none failed, 1 some failed, 2 bad input.
    """
    from rich.console import Console

    from harness.schedules import command

    with bad_input(), interruptible():
        if replay_path is not None:
            context.exit(EXIT_FAILED if command.replay(replay_path, Console()) else 0)
        from harness.archive.writing import check_folder
        from harness.environment import usable_cores

        check_folder(results)
        failed = command.run_campaign(
            parse_names(strategies),
            parse_names(workloads),
            () if workers is None else parse_workers(workers),
            schedules,
            seed,
            processes or len(usable_cores()),
            results / "schedules",
            Console(),
            quiet,
        )
        context.exit(EXIT_FAILED if failed else 0)
