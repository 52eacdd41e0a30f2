"""Verbosity: how much a command says. ``--quiet`` and ``--verbose``, which every command has.

Results go to standard output whatever is asked for, errors and warnings to standard error. Quiet leaves out progress
and remarks; verbose adds a log. The log is that of the `logging` module, whose loggers are named as the modules are, so
that who calls Contend from Python can have the same: ``logging.getLogger("contend").setLevel("INFO")``.
"""

from __future__ import annotations

import logging
import sys
import time

import click

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_ROOT = "contend"


class _StandardError(logging.Handler):
    """Writes to whatever standard error is then: a live display puts itself in its place."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()

    def emit(self, record: logging.LogRecord) -> None:
        place = record.name.rpartition(".")[2]
        print(f"[{record.created - self._began:7.3f} s] {place}: {record.getMessage()}", file=sys.stderr, flush=True)


def _log(_: click.Context, __: click.Parameter, count: int) -> None:
    if count:
        logger = logging.getLogger(_ROOT)
        logger.setLevel(_LEVELS[min(count, len(_LEVELS) - 1)])
        # A command that another one calls in this process has the log already.
        if not any(isinstance(handler, _StandardError) for handler in logger.handlers):
            logger.addHandler(_StandardError())


def add_verbosity(command: click.Command) -> None:
    """Give a command, and those of a group, the options ``-q`` and ``-v``; a ``-q`` of its own stays."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            add_verbosity(one)
        return
    if not any("--quiet" in one.opts for one in command.params):
        # Such a command prints results and nothing else.
        command.params.append(
            click.Option(["--quiet", "-q"], is_flag=True, expose_value=False, help="Print results and errors only.")
        )
    command.params.append(
        click.Option(
            ["--verbose", "-v"],
            count=True,
            expose_value=False,
            callback=_log,
            help="Log to standard error what is done and how long it takes; -vv more.",
        )
    )
