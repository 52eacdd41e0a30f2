"""``contend run``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from harness.commands.common import EXIT_FAILED, bad_input, interruptible, tell
from harness.errors import BadInputError
from harness.request import (
    DEFAULT_BLOCK_SIZE,
    DEFAULT_REPEAT,
    DEFAULT_WORKERS,
    Request,
    parse_dials,
    parse_names,
    parse_sweep,
    parse_workers,
)

# Stands for the newest record; no file can have this name.
NEWEST = "\0"
WITH_RESUME = ("resume", "results", "json_path", "no_charts", "quiet")


@click.command("run")
@click.option(
    "--workload",
    "-w",
    "workloads",
    metavar="NAMES",
    help="Workloads, separated by commas, or all.  [default: payments,swaps,nft,dao]",
)
@click.option(
    "--suite", metavar="NAME", help="Measure the fixed blocks of a suite, for instance standard-1, or of a file."
)
@click.option(
    "--strategy", "-s", "strategies", metavar="NAMES", help="Strategies, separated by commas.  [default: all]"
)
@click.option(
    "--workers",
    metavar="COUNTS",
    help="Worker counts, separated by commas; 1,2,...,1024 for powers of two.  [default: 1,2; virtual: 1,2,...,32]",
)
@click.option(
    "--clock",
    type=click.Choice(["wall", "virtual"]),
    default="wall",
    show_default=True,
    help="Real threads and real time, or simulated workers, whose figures are the same everywhere.",
)
@click.option("--costs", metavar="FILE", help="Table of costs for the virtual clock.  [default: the project's]")
@click.option(
    "--network",
    metavar="NAME",
    help="Simulated network between shards: same_machine, rack, datacenter, region, wide_area, or latency:overhead in "
    "nanoseconds.  [default: same_machine]",
)
@click.option(
    "--set",
    "settings",
    metavar="DIAL=VALUE",
    multiple=True,
    help="Turn a dial, for instance pools=1 or swaps.pools=1; preset=NAME turns several. Repeatable.",
)
@click.option(
    "--contention",
    type=float,
    metavar="SHARE",
    help="Turn one workload's dials until this share of transactions depends on an earlier one, as recorded.",
)
@click.option("--chain", type=float, metavar="SHARE", help="The same for the longest chain, as a share of the block.")
@click.option(
    "--sweep",
    metavar="DIAL=VALUES",
    help="Measure every workload that has this dial with each of these values, for instance pools=1,10,100.",
)
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option(
    "--block-count",
    type=int,
    default=1,
    show_default=True,
    help="Blocks in a row, each on the state that the one before left; latency is then reported, too.",
)
@click.option(
    "--load",
    type=float,
    metavar="SHARE",
    help="Of several blocks: rate of arrivals as a share of serial throughput.  [default: 0.8]",
)
@click.option("--rate", type=float, metavar="TX/S", help="The same in transactions per second.")
@click.option("--block", "blocks", metavar="FILE", multiple=True, help="Block for the workload replay. Repeatable.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs of each cell.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workloads.")
@click.option(
    "--processes", type=int, default=2, show_default=True, help="Independent measuring processes; they take turns."
)
@click.option(
    "--timeout",
    type=float,
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="End a run that gives no sign of life for so long.",
)
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    help="Write the record to FILE as well; - is standard output, which then carries nothing else.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for records and charts.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[RECORD]",
    help="Measure what is missing of a record whose run was interrupted or killed; of the newest one in the results "
    "folder unless a file is named. The request is the record's own.",
)
@click.option("--no-charts", is_flag=True, help="Draw no charts.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    workloads: str | None,
    suite: str | None,
    strategies: str | None,
    workers: str | None,
    clock: str,
    costs: str | None,
    network: str | None,
    settings: tuple[str, ...],
    sweep: str | None,
    contention: float | None,
    chain: float | None,
    block_size: int,
    block_count: int,
    load: float | None,
    rate: float | None,
    blocks: tuple[str, ...],
    repeat: int,
    seed: int,
    processes: int,
    timeout: float,
    json_path: str | None,
    results: Path,
    resume: str | None,
    no_charts: bool,
    quiet: bool,
) -> None:
    """Measure strategies on workloads, every timed run verified against the serial result.

    Without options: the four default workloads, all strategies, 1 and 2 workers.
    """
    from harness.command import RunCommand

    command_line = ["contend", *sys.argv[1:]]
    with bad_input(), interruptible():
        if resume is not None:
            record = _resumed(context, resume, results)
            from harness.archive.resume import request_of

            request = request_of(record)
            command = RunCommand(request, results, json_path, not no_charts, quiet, command_line, record)
            context.exit(EXIT_FAILED if command.run() else 0)
        if suite is not None:
            seed, block_size = _fixed_by(suite, context, seed=seed, block_size=block_size)
        request = Request(
            workloads=parse_names(workloads),
            strategies=parse_names(strategies),
            workers=DEFAULT_WORKERS[clock] if workers is None else parse_workers(workers),
            dials=parse_dials(settings),
            block_size=block_size,
            blocks=blocks,
            repeat=repeat,
            seed=seed,
            processes=processes,
            timeout=timeout,
            clock=clock,
            costs=costs,
            network=network,
            sweep=parse_sweep(sweep),
            suite=suite,
            block_count=block_count,
            load=load,
            rate=rate,
        )
        if contention is not None or chain is not None:
            request = _aimed(request, contention, chain, quiet)
        command = RunCommand(request, results, json_path, not no_charts, quiet, command_line)
        context.exit(EXIT_FAILED if command.run() else 0)


def _resumed(context: click.Context, place: str, results: Path) -> Path:
    """The record to go on with; options that say what to measure are refused, since the record has said it."""
    from click.core import ParameterSource

    from harness.archive.resume import choose

    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and option.name not in WITH_RESUME:
            raise BadInputError(f"--resume: the request is the record's own; leave out {option.opts[0]}")
    return choose(None if place == NEWEST else Path(place), results, tell)


def _aimed(request: Request, contention: float | None, chain: float | None, quiet: bool) -> Request:
    """The request with the dials that give what was asked for."""
    from harness.analysis.target import aim

    one = len(request.workloads) == 1 and request.workloads[0] != "all"
    if not one or request.sweep or request.suite or (contention is not None and chain is not None):
        raise BadInputError("--contention, --chain: give one of them, one --workload, and neither --sweep nor --suite")
    (workload,) = request.workloads
    kind, wanted = ("contention", contention) if contention is not None else ("chain", chain)

    def report(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    found = aim(workload, kind, float(wanted or 0.0), request.seed, request.block_size, request.dials, report)
    settings = " ".join(f"--set {name}={value}" for name, value in found.dials.items())
    report(f"{kind} {found.share:.3f} is what was found for {wanted:g}: {settings}")
    return replace(request, dials={**request.dials, **found.dials})


def _fixed_by(suite: str, context: click.Context, seed: int, block_size: int) -> tuple[int, int]:
    """Seed and block size of a suite; what was given on the command line stands, and is refused if it differs."""
    from click.core import ParameterSource

    from harness.suite_file import read

    fixed = read(suite)
    given = {name: context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("seed", "block_size")}
    return seed if given["seed"] else fixed.seed, block_size if given["block_size"] else fixed.block_size
