"""``contend statetest``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.errors import BadInputError


@click.command("statetest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under, and results to compare with.")
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
def command(context: click.Context, paths: tuple[Path, ...], fork: str, quiet: bool, timeout: float) -> None:
    """Run official state tests: JSON files, folders of them, or tar archives.

    Prints what fails, and one closing line. Exit code 0 only if all pass.
    """
    with bad_input(), interruptible():
        context.exit(EXIT_FAILED if run_vectors(paths, fork, quiet, timeout) else 0)


def run_vectors(paths: tuple[Path, ...], fork_name: str, quiet: bool, timeout: float) -> int:
    """Run all vectors at the paths, print failures as they come, and close with one line.

    Parameters
    ----------
    paths : tuple of Path
    fork_name : str
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
        If a file is malformed, there is no vector for this fork, or the time is none.
    """
    if not timeout > 0:
        raise BadInputError(f"timeout: {timeout:g} is not a positive number of seconds")
    from contend.harness.measure.timeout import within
    from contend.harness.present.track import track
    from contend.harness.verify.statetest import VectorRunner, fork_of, read_vectors

    fork, passed, failed = fork_of(fork_name), 0, 0
    # All is read before anything runs, so that a malformed file is found first.
    vectors = [vector for path in paths for vector in read_vectors(path, fork)]
    if not vectors:
        raise BadInputError(f"{', '.join(str(path) for path in paths)}: no state test says what happens at {fork.name}")
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
            click.echo(f"{vector.name}: {wrong}")
    click.echo(f"{passed} passed, {failed} failed")
    return failed
