"""``contend compare``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from contend.harness.commands.common import STANDARD_OUTPUT, bad_input, interruptible, tell
from contend.harness.commands.options import SHARED_OPTIONS, Asked, request_options, tell_settings
from contend.harness.compare.comparison_request import ComparisonRequest
from contend.harness.compare.exit_policy import (
    EXIT_NOTHING,
    FAIL_ON,
    SLOWER,
    checked_fail_on,
    checked_rate,
    checked_share,
)
from contend.harness.errors import BadInputError, CrashError
from contend.harness.plan.option_types import parse_names
from contend.harness.plan.request import Request
from contend.harness.plan.setting import Setting, shown

if TYPE_CHECKING:
    from contend.harness.compare.result import Comparison
    from contend.harness.compare.targets import Target
    from contend.harness.compare.verdict import Rule


@click.command("compare", no_args_is_help=True)
@click.argument("sides", nargs=-1, required=True, metavar="A B | A..B | RECORDS")
@click.option(
    "--threshold",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Growth of real time that counts; with --strategies, difference.",
)
@click.option(
    "--virtual-threshold",
    type=float,
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="The same of simulated time, which has no noise.",
)
@click.option(
    "--null",
    is_flag=True,
    help="Hold each version against itself, too, in exchanged places; what it differs by from itself is the floor "
    "below which no difference is claimed. Costs no further runs.",
)
@click.option(
    "--false-discovery-rate",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Share of the differences claimed over all cells that may be none, on average; of versions, in real time.",
)
@click.option(
    "--fail-on",
    default=SLOWER,
    show_default=True,
    metavar="KINDS",
    help=f"What gives exit code 1, separated by commas: {', '.join(FAIL_ON)}. slower: also cells that fail in B only; "
    "waste: more aborts, executions or validations in simulated time, even where they cost no time.",
)
@click.option(
    "--strategies",
    "among",
    metavar="A,B",
    help="Hold strategies within the records against each other, by pairs of runs of one round: is B faster than A? "
    "With more names, each against the first.",
)
@click.option("--markdown", metavar="FILE", help="Write a comment for a pull request; - is standard output.")
@click.option("--json", "json_path", metavar="FILE", help="Write the comparison with all samples; - as above.")
@request_options(*SHARED_OPTIONS, kind=ComparisonRequest)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    sides: tuple[str, ...],
    threshold: float,
    virtual_threshold: float,
    null: bool,
    false_discovery_rate: float,
    fail_on: str,
    among: str | None,
    markdown: str | None,
    json_path: str | None,
    asked: Asked,
    quiet: bool,
) -> None:
    """Say what got slower from A to B, and fail only where that is certain.

    A and B are records or folders of records, or versions of Contend: git revisions, or folders with a checkout (. is
    the work tree as it is). Versions are measured here and now in turns, A B B A, in one job. main..HEAD stands for
    main and HEAD, main...HEAD for HEAD and where it has branched off.

    With --strategies A,B it says instead which of two strategies is faster, cell by cell, within one record or several.

    Exit codes: 0 no regression, 1 regression, 2 bad input, 3 nothing was measured or could be compared.
    """
    from contend.harness.compare.targets import Records, parse_targets
    from contend.harness.compare.verdict import Rule

    with bad_input(), interruptible():
        if among is not None:
            _refuse_others(context, asked)
            shares = checked_share("--threshold", threshold), checked_share("--virtual-threshold", virtual_threshold)
            context.exit(_compare_strategies(sides, parse_names(among), shares, Output(markdown, json_path)))
        kinds = checked_fail_on("--fail-on", parse_names(fail_on))
        rule = Rule(
            checked_share("--threshold", threshold),
            checked_share("--virtual-threshold", virtual_threshold),
            checked_rate("--false-discovery-rate", false_discovery_rate),
        )
        a, b = parse_targets(sides, Path.cwd())
        of_runs = ("null", "false_discovery_rate")
        source = context.get_parameter_source
        mine = [f"--{name.replace('_', '-')}" for name in of_runs if source(name) is ParameterSource.COMMANDLINE]
        given = mine[0] if mine else asked.first_given()
        if isinstance(a, Records) and given is not None:
            raise BadInputError(f"{given}: records have been measured already; the option is for revisions")
        request, settings = Request(), tuple[Setting, ...]()
        if not isinstance(a, Records):
            request, settings = asked.request(), asked.settings
            tell_settings(settings, quiet)
        output = Output(markdown, json_path)
        output.check()
        try:
            with asked.naming_sources():
                comparison = compare(a, b, request, rule, kinds, output, quiet, null, settings)
        except CrashError as error:
            # Not 1, which is kept for regressions: a broken harness must not look like one.
            tell(str(error))
            sys.exit(EXIT_NOTHING)
        context.exit(comparison.exit_code)


@dataclass(frozen=True)
class Output:
    """Files that a comparison is written to, beside the terminal.

    Attributes
    ----------
    markdown_path, json_path : str or None
        ``-`` is standard output, and the table then goes to standard error.
    """

    markdown_path: str | None
    json_path: str | None

    def check(self) -> None:
        """Make sure that all can be written.

        Raises
        ------
        BadInputError
            If a place cannot be written, or both are to be standard output.
        """
        from contend.harness.record.atomic_write import check_file

        if self.markdown_path == self.json_path == STANDARD_OUTPUT:
            raise BadInputError("--markdown and --json: only one of them can be standard output")
        for option, path in (("--markdown", self.markdown_path), ("--json", self.json_path)):
            if path not in (None, STANDARD_OUTPUT):
                check_file(Path(str(path)), option)


def compare(
    a: Target,
    b: Target,
    request: Request,
    rule: Rule,
    fail_on: frozenset[str],
    output: Output,
    quiet: bool,
    null: bool = False,
    settings: Sequence[Setting] = (),
) -> Comparison:
    """Hold two sides against each other, measuring them where they are versions; print and write what came of it.

    Parameters
    ----------
    a, b : Target
        Both records, or neither.
    request : Request
        What to measure, where they are no records.
    rule : Rule
    fail_on : frozenset of str
        Kinds of `harness.compare.exit_policy.FAIL_ON`.
    output : Output
    quiet : bool
        Whether to keep silent about progress.
    null : bool, optional
        Whether to hold each version against itself, too.
    settings : sequence of Setting, optional
        Those that the request takes values from.

    Raises
    ------
    BadInputError
        If a side cannot be read, or a version refuses the request.
    CrashError
        If nothing can be measured.
    KeyboardInterrupt
        If the user ended it; what had been compared has been printed and written.
    """
    from contend.harness.compare.from_records import compare_records, read_side
    from contend.harness.compare.targets import Records

    if isinstance(a, Records) and isinstance(b, Records):
        read = read_side(a.path, _warn), read_side(b.path, _warn)
        comparison = compare_records(*read, (a.label, b.label), rule, fail_on)
    elif isinstance(a, Records) or isinstance(b, Records):
        raise BadInputError(f"{a.label} and {b.label}: a record can only be compared with records")
    else:
        from contend.harness.compare.runner import VersionComparison
        from contend.harness.present.progress.progress_bar import display

        versions = VersionComparison(a, b, request, rule, fail_on, null)
        if request.quick:
            versions.comparison.notes.append("quick: a first look (--quick), by smaller blocks or fewer runs")
        if settings:
            versions.comparison.notes.append(f"settings: {shown(settings)}")
        versions.comparison.settings = [one.as_json() for one in settings]
        try:
            with display(quiet) as observer:
                versions.run(observer)
        except KeyboardInterrupt:
            if versions.comparison.cells:
                versions.comparison.interrupted = True
                versions.comparison.notes.append("interrupted: the cells above are those compared until then")
                _report(versions.comparison, output)
            raise
        comparison = versions.comparison
    _report(comparison, output)
    return comparison


def _refuse_others(context: click.Context, asked: Asked) -> None:
    """Refuse what has no meaning where strategies of records are held against each other."""
    from click.core import ParameterSource

    given = asked.first_given()
    if given is not None:
        raise BadInputError(f"{given}: records have been measured already; --strategies says what is compared in them")
    if context.get_parameter_source("fail_on") is ParameterSource.COMMANDLINE:
        raise BadInputError("--fail-on: that one strategy is slower than another is no regression; leave it out")


def _compare_strategies(
    places: tuple[str, ...], strategies: tuple[str, ...], shares: tuple[float, float], output: Output
) -> int:
    """Hold strategies of records against each other; print and write what came of it; the exit code."""
    from contend.harness.compare.by_strategy.head_to_head import compare_strategies
    from contend.harness.compare.by_strategy.head_to_head_text import print_strategies, strategies_markdown
    from contend.harness.compare.by_strategy.strategy_records import read_records

    records = read_records(places, _warn)
    output.check()
    comparison = compare_strategies(records, strategies, *shares)
    comparison.command = shlex.join(["contend", *sys.argv[1:]])
    _give(
        output,
        lambda console: print_strategies(console, comparison),
        lambda: strategies_markdown(comparison),
        comparison.as_json,
    )
    return comparison.exit_code


def _report(comparison: Comparison, output: Output) -> None:
    from contend.harness.compare.markdown import markdown
    from contend.harness.compare.terminal import print_comparison

    comparison.command = shlex.join(["contend", *sys.argv[1:]])
    _give(
        output, lambda console: print_comparison(console, comparison), lambda: markdown(comparison), comparison.as_json
    )


def _give(
    output: Output, show: Callable[[Any], object], markdown: Callable[[], str], as_json: Callable[[], Any]
) -> None:
    """Print a comparison, and write it where it was asked for."""
    from rich.console import Console

    from contend.harness.record.atomic_write import write_json, write_text

    if output.markdown_path == STANDARD_OUTPUT:
        sys.stdout.write(markdown())
    if output.json_path == STANDARD_OUTPUT:
        sys.stdout.write(json.dumps(as_json(), indent=1, allow_nan=False) + "\n")
    sys.stdout.flush()
    # First of all what a full disk cannot take away.
    show(Console(stderr=STANDARD_OUTPUT in (output.markdown_path, output.json_path)))
    if output.markdown_path not in (None, STANDARD_OUTPUT):
        write_text(Path(str(output.markdown_path)), markdown())
    if output.json_path not in (None, STANDARD_OUTPUT):
        write_json(Path(str(output.json_path)), as_json())


def _warn(text: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
