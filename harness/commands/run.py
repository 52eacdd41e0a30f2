"""``contend run``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from harness.commands.asked import EVERYTHING, Asked, asks
from harness.commands.common import EXIT_FAILED, bad_input, interruptible, tell
from harness.errors import BadInputError
from harness.plan.request import Request

# Stands for the newest record; no file can have this name.
NEWEST = "\0"
WITH_RESUME = ("resume", "results", "json_path", "no_charts", "quiet")


@click.command("run")
@asks(*EVERYTHING)
@click.option(
    "--contention",
    type=float,
    metavar="SHARE",
    help="Turn one workload's dials until this share of transactions depends on an earlier one, as recorded.",
)
@click.option("--chain", type=float, metavar="SHARE", help="The same for the longest chain, as a share of the block.")
@click.option(
    "--load",
    type=float,
    metavar="SHARE",
    help="Of several blocks: rate of arrivals as a share of serial throughput.  [default: 0.8]",
)
@click.option("--rate", type=float, metavar="TX/S", help="The same in transactions per second.")
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
    asked: Asked,
    contention: float | None,
    chain: float | None,
    load: float | None,
    rate: float | None,
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
        request = asked.request(load=load, rate=rate)
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
