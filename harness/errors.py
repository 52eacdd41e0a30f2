"""Errors: two ways in which a run ends early, and a file that cannot be read."""

from __future__ import annotations


def _in_one_line(error: BaseException) -> list[str]:
    """What IPython prints instead of a traceback, which would be of Contend's own files and help nobody."""
    return [f"{type(error).__name__}: {error}"]


class BadInputError(ValueError):
    """Bad input: one line that names what is wrong, where, and what would be right.

    The command line prints it and ends with exit code 2; nothing has been measured or written.
    """

    _render_traceback_ = _in_one_line


class RecordWarning(UserWarning):
    """A file in a folder of records that could not be read, or a record that could not be written, and why."""


class CrashError(RuntimeError):
    """Nothing can be measured: processes die before a cell, or a workload does not build. The text says how."""

    _render_traceback_ = _in_one_line
