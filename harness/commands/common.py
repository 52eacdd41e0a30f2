"""Common parts of commands: exit codes, bad input in one line, and an orderly end when interrupted."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from contend.harness.errors import BadInputError, CrashError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
# What a file option takes for standard output.
STANDARD_OUTPUT = "-"
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def tell(text: str) -> None:
    """Say something in one line on standard error, such as which record is skipped."""
    click.echo(f"contend: {text}", err=True)


def campaign_options(replayed: str) -> Callable[[Decorated], Decorated]:
    """Options of campaigns of random cases, of which each failure is a file; what ``--replay`` does is told."""
    options = (
        click.option("--replay", "replay_path", type=click.Path(path_type=Path), metavar="FILE", help=replayed),
        click.option(
            "--results",
            type=click.Path(path_type=Path),
            default=Path("results"),
            show_default=True,
            help="Results folder.",
        ),
        click.option("--quiet", "-q", is_flag=True, help="Show no progress."),
    )

    def add(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def check_numbers(**least_and_given: tuple[int, int]) -> None:
    """Refuse numbers that are too small, by their names: the least of each, and what it is.

    Raises
    ------
    BadInputError
        Naming the first of them.
    """
    for name, (least, given) in least_and_given.items():
        if given < least:
            raise BadInputError(f"{name}: {given} is out of range; give a whole number from {least}")


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn bad input into one line and exit code 2, and a crash of measuring processes into one line and code 1."""
    # Not imported before it is needed: the command line must be quick.
    from contend.outside_files import printable
    from contend.workloads.files.fields import FieldError

    try:
        yield
    except (BadInputError, FieldError) as error:
        click.echo(f"contend: {printable(str(error))}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except CrashError as error:
        click.echo(f"contend: {error}", err=True)
        sys.exit(EXIT_FAILED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt and exit code 130; ignore those that follow.

    What is measured is written while the exception passes, and a second Ctrl-C must not prevent it.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in signals}
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
