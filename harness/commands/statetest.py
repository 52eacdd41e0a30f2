"""``contend statetest``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.evm.forks import Fork


@click.command("statetest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--fork",
    help="Rules to run under, and results to compare with.  [default: each fork that a test says something of]",
)
@click.option(
    "--results",
    metavar="FORK",
    help="Compare with what the tests say of this fork instead, at Cancun unless --fork says otherwise: for old tests "
    "of what no fork has changed since.",
)
@click.option("--strict", is_flag=True, help="End at the first file that is malformed, with exit code 2.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.option(
    "--timeout",
    type=float,
    # Tests may give a transaction more gas than can be spent in a lifetime. An honest one takes seconds at most.
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="A test that has given no result after so long has failed.",
)
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    fork: str | None,
    results: str | None,
    strict: bool,
    quiet: bool,
    timeout: float,
) -> None:
    """Run official state tests: JSON files, folders of them, or tar archives.

    Prints what fails, and one closing line. A file that is malformed is one failure among the others; what a test
    says of forks that have no rules here, or that were not asked for, is not run, and counted as such. Exit code 0 only
    if all pass.
    """
    with bad_input(), interruptible():
        context.exit(EXIT_FAILED if run_vectors(paths, fork, results, strict, quiet, timeout) else 0)


def run_vectors(
    paths: tuple[Path, ...], fork_name: str | None, results: str | None, strict: bool, quiet: bool, timeout: float
) -> int:
    """Run all vectors at the paths, print failures as they come, and close with one line.

    Parameters
    ----------
    paths : tuple of Path
    fork_name : str or None
        None for each fork that is here.
    results : str or None
        Fork whose results are right, where it is another one.
    strict : bool
        Whether a malformed file ends it.
    quiet : bool
        Whether to show no progress.
    timeout : float
        Seconds after which a vector that has given no result has failed.

    Returns
    -------
    int
        How many failed.

    Raises
    ------
    BadInputError, FieldError
        If there is nothing to run: no vector for this fork, or none that can be read; if the time is none; and with
        `strict`, if anything is malformed.
    """
    if not timeout > 0:
        raise BadInputError(f"timeout: {timeout:g} is not a positive number of seconds")
    from contend.evm.forks import DEFAULT
    from contend.harness.measure.timeout import within
    from contend.harness.present.progress.tracked_loop import track
    from contend.harness.verify.statetest import Malformed, OtherForks, Vector, VectorRunner, fork_of, read_entries
    from contend.outside_files import printable

    if fork_name is None and results is not None:
        fork_name = DEFAULT.name
    fork = None if fork_name is None else fork_of(fork_name)
    entries = [entry for path in paths for entry in read_entries(path, fork, results)]
    vectors = [entry for entry in entries if isinstance(entry, Vector)]
    malformed = [entry for entry in entries if isinstance(entry, Malformed)]
    others = [entry for entry in entries if isinstance(entry, OtherForks)]
    if malformed and (strict or not vectors):
        raise BadInputError(malformed[0].error)
    if not vectors:
        raise BadInputError(
            _nothing(paths, _asked(fork, results), sorted({name for one in others for name in one.forks}))
        )
    for one in malformed:
        click.echo(printable(f"{one.name}: malformed: {one.error}"))
    passed, failed = 0, len(malformed)
    runner = VectorRunner()
    for vector in track(vectors, "state tests", quiet):
        try:
            wrong = within(timeout, partial(runner.check, vector))
        except TimeoutError as error:
            wrong = str(error)
            # The old one is still at it.
            runner = VectorRunner()
        if wrong is None:
            passed += 1
        else:
            failed += 1
            click.echo(printable(f"{vector.name}: {wrong}"))
    count = sum(one.vectors for one in others)
    skipped = f", {count} not run: they say nothing of {_asked(fork, results)}" if others else ""
    click.echo(f"{passed} passed, {failed} failed{skipped}")
    return failed


def _asked(fork: Fork | None, results: str | None) -> str:
    """The forks that are run, as the closing line names them."""
    return results or ("a fork that has rules here" if fork is None else fork.name)


def _nothing(paths: tuple[Path, ...], fork: str, others: list[str]) -> str:
    if not others and not any(path.is_file() for path in paths):
        return f"{', '.join(map(str, paths))}: no state test in there; they are JSON files, also in tar archives"
    of = f"; they speak of {', '.join(others)} (--results FORK compares with those)" if others else ""
    return f"{', '.join(str(path) for path in paths)}: no state test says what happens at {fork}{of}"
