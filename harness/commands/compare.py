"""``contend compare``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands.asked import EVERYTHING, Asked, asks
from harness.commands.common import bad_input, interruptible
from harness.compare.exit_policy import EXIT_NOTHING, FAIL_ON, SLOWER
from harness.errors import BadInputError, CrashError
from harness.request import parse_names


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
@asks(
    *EVERYTHING,
    block_count={"help": "Blocks in a row, each on the state that the one before left."},
    repeat={
        "default": 20,
        "help": "Timed pairs of runs of each cell, the first time; cells that differ much from run to run get more.",
    },
    processes={"help": "Independent processes of each side, the first time."},
)
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
    asked: Asked,
    quiet: bool,
) -> None:
    """Say what got slower from A to B, and fail only where that is certain.

    A and B are records or folders of records, or versions of Contend: git revisions, or folders with a checkout (. is
    the work tree as it is). Versions are measured here and now in turns, A B B A, in one job. main..HEAD stands for
    main and HEAD, main...HEAD for HEAD and where it has branched off.

    Exit codes: 0 no regression, 1 regression, 2 bad input, 3 nothing was measured or could be compared.
    """
    from harness.compare.command import CompareCommand
    from harness.compare.targets import Records, parse_targets
    from harness.compare.verdict import Rule

    with bad_input(), interruptible():
        kinds = frozenset(parse_names(fail_on))
        unknown = sorted(kinds - set(FAIL_ON))
        if unknown:
            raise BadInputError(f"--fail-on: {unknown[0]!r} is not known; choose of {', '.join(FAIL_ON)}")
        for option, share in (("--threshold", threshold), ("--virtual-threshold", virtual_threshold)):
            if not 0.0 <= share < 1.0:
                raise BadInputError(f"{option}: {share} is not a share; give for instance 0.05 for 5 %")
        a, b = parse_targets(sides, Path.cwd())
        given = asked.first_given()
        if isinstance(a, Records) and given is not None:
            raise BadInputError(f"{given}: records have been measured already; the option is for revisions")
        # Measuring processes may look at a revision's own files from another folder.
        request = asked.request(
            blocks=tuple(str(Path(block).absolute()) for block in asked.blocks),
            costs=None if asked.costs is None else str(Path(asked.costs).absolute()),
        )
        comparing = CompareCommand(a, b, request, Rule(threshold, virtual_threshold), kinds, markdown, json_path, quiet)
        try:
            code = comparing.run()
        except CrashError as error:
            # Not 1, which is kept for regressions: a broken harness must not look like one.
            click.echo(f"contend: {error}", err=True)
            sys.exit(EXIT_NOTHING)
        context.exit(code)
