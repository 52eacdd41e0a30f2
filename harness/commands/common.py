"""Common parts of commands: exit codes, bad input in one line, and an orderly end when interrupted."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from contend.harness.errors import BadInputError, CrashError

# What a file option takes for standard output.
STANDARD_OUTPUT = "-"
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def tell(text: str) -> None:
    """Say something in one line on standard error, such as which record is skipped."""
    click.echo(f"contend: {text}", err=True)


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
