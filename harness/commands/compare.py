"""``contend compare``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands.common import bad_input, interruptible
from harness.comparison.policy import EXIT_NOTHING, FAIL_ON, SLOWER
from harness.errors import BadInputError, CrashError
from harness.request import (
    DEFAULT_BLOCK_SIZE,
    DEFAULT_WORKERS,
    Request,
    parse_dials,
    parse_names,
    parse_sweep,
    parse_workers,
)


@click.command("compare", no_args_is_help=True)
@click.argument("sides", nargs=-1, required=True, metavar="A B | A..B")
@click.option(
    "--threshold", type=float, default=0.05, show_default=True, metavar="SHARE", help="Growth of real time that counts."
)
@click.option(
    "--virtual-threshold",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Growth of simulated time that counts; it has no noise.",
)
@click.option(
    "--fail-on",
    default=SLOWER,
    show_default=True,
    metavar="KINDS",
    help=f"What gives exit code 1, separated by commas: {', '.join(FAIL_ON)}. slower: also cells that fail in B only; "
    "waste: more aborts, executions or validations in simulated time, even where they cost no time.",
)
@click.option("--markdown", metavar="FILE", help="Write a comment for a pull request; - is standard output.")
@click.option("--json", "json_path", metavar="FILE", help="Write the comparison with all samples; - as above.")
@click.option("--workload", "-w", "workloads", metavar="NAMES", help="As for contend run; so are those that follow.")
@click.option("--suite", metavar="NAME", help="Measure the fixed blocks of a suite, or of a file.")
@click.option("--strategy", "-s", "strategies", metavar="NAMES", help="Strategies.  [default: all]")
@click.option("--workers", metavar="COUNTS", help="Worker counts.  [default: 1,2; virtual: 1,2,...,32]")
@click.option("--clock", type=click.Choice(["wall", "virtual"]), default="wall", show_default=True, help="Clock.")
@click.option("--costs", metavar="FILE", help="Table of costs for the virtual clock.")
@click.option("--network", metavar="NAME", help="Simulated network between shards.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option("--sweep", metavar="DIAL=VALUES", help="Measure with each of these values of a dial.")
@click.option("--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions.")
@click.option("--block", "blocks", metavar="FILE", multiple=True, help="Block for the workload replay. Repeatable.")
@click.option("--repeat", type=int, default=20, show_default=True, help="Timed pairs of runs of each cell.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workloads.")
@click.option("--processes", type=int, default=2, show_default=True, help="Independent processes of each side.")
@click.option("--timeout", type=float, default=300.0, show_default=True, metavar="SECONDS", help="End a silent run.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    sides: tuple[str, ...],
    threshold: float,
    virtual_threshold: float,
    fail_on: str,
    markdown: str | None,
    json_path: str | None,
    workloads: str | None,
    suite: str | None,
    strategies: str | None,
    workers: str | None,
    clock: str,
    costs: str | None,
    network: str | None,
    settings: tuple[str, ...],
    sweep: str | None,
    block_size: int,
    blocks: tuple[str, ...],
    repeat: int,
    seed: int,
    processes: int,
    timeout: float,
    quiet: bool,
) -> None:
    """Say what got slower from A to B, and fail only where that is certain.

    A and B are records or folders of records, or versions of Contend: git revisions, or folders with a checkout (. is
    the work tree as it is). Versions are measured here and now in turns, A B B A, in one job. main..HEAD stands for
    main and HEAD, main...HEAD for HEAD and where it has branched off.

    Exit codes: 0 no regression, 1 regression, 2 bad input, 3 nothing was measured or could be compared.
    """
    from harness.comparison.command import CompareCommand
    from harness.comparison.sides import Records, parse_sides
    from harness.comparison.verdict import Rule

    with bad_input(), interruptible():
        kinds = frozenset(parse_names(fail_on))
        unknown = sorted(kinds - set(FAIL_ON))
        if unknown:
            raise BadInputError(f"--fail-on: {unknown[0]!r} is not known; choose of {', '.join(FAIL_ON)}")
        for option, share in (("--threshold", threshold), ("--virtual-threshold", virtual_threshold)):
            if not 0.0 <= share < 100.0:
                raise BadInputError(f"{option}: {share} is not a share; give for instance 0.05 for 5 %")
        a, b = parse_sides(sides, Path.cwd())
        given = [name for name in _MEASURING if context.get_parameter_source(name) is _ON_COMMAND_LINE]
        if isinstance(a, Records) and given:
            option = _MEASURING[given[0]]
            raise BadInputError(f"{option}: records have been measured already; the option is for revisions")
        if suite is not None:
            from harness.suite_file import read

            fixed = read(suite)
            seed = seed if "seed" in given else fixed.seed
            block_size = block_size if "block_size" in given else fixed.block_size
        request = Request(
            workloads=parse_names(workloads),
            strategies=parse_names(strategies),
            workers=DEFAULT_WORKERS[clock] if workers is None else parse_workers(workers),
            dials=parse_dials(settings),
            block_size=block_size,
            blocks=tuple(str(Path(block).absolute()) for block in blocks),
            repeat=repeat,
            seed=seed,
            processes=processes,
            timeout=timeout,
            clock=clock,
            costs=None if costs is None else str(Path(costs).absolute()),
            network=network,
            sweep=parse_sweep(sweep),
            suite=suite,
        )
        comparing = CompareCommand(a, b, request, Rule(threshold, virtual_threshold), kinds, markdown, json_path, quiet)
        try:
            code = comparing.run()
        except CrashError as error:
            # Not 1, which is kept for regressions: a broken harness must not look like one.
            click.echo(f"contend: {error}", err=True)
            sys.exit(EXIT_NOTHING)
        context.exit(code)


_ON_COMMAND_LINE = click.core.ParameterSource.COMMANDLINE
_MEASURING = {
    "workloads": "--workload",
    "suite": "--suite",
    "strategies": "--strategy",
    "workers": "--workers",
    "clock": "--clock",
    "costs": "--costs",
    "network": "--network",
    "settings": "--set",
    "sweep": "--sweep",
    "block_size": "--block-size",
    "blocks": "--block",
    "repeat": "--repeat",
    "seed": "--seed",
    "processes": "--processes",
}
