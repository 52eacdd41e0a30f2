"""Errors: two ways in which a run ends early, and a file that cannot be read."""

from __future__ import annotations


class BadInputError(ValueError):
    """Bad input: one line that names what is wrong, where, and what would be right.

    The command line prints it and ends with exit code 2; nothing has been measured or written.
    """


class RefusedBlockError(BadInputError):
    """A block that no node would accept, or whose rules this version does not have: bad input, and no failure."""


class RecordWarning(UserWarning):
    """A file in a folder of records that could not be read, and why; the others have been."""


class CrashError(RuntimeError):
    """Nothing can be measured: processes die before a cell, or a workload does not build. The text says how."""
