"""Failures of a worker's measurement and their reasons: one run of a cell, or the whole workload."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

from contend.harness.plan.resolve import one_line
from contend.inner_names import hint


class RunError(RuntimeError):
    """A run that cannot count: it raised, returned something malformed, or differs from the serial result.

    Attributes
    ----------
    differences : list of str
        From the oracle, where it is the oracle that refused the run.
    """

    def __init__(self, message: str, differences: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.differences = list(differences)


class WorkloadError(RuntimeError):
    """A workload that cannot be measured at all: it does not build, its serial run fails, or its invariant breaks."""


def described(error: BaseException, module: str = "") -> str:
    """The error in a line; if it passed through the package of a plug-in's module, with the last place there."""
    text, package = f"{type(error).__name__}: {one_line(error)}{hint(error)}", module.partition(".")[0]
    if package in ("", __name__.partition(".")[0]):
        return text
    places = [
        f"{Path(frame.f_code.co_filename).name}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return f"{text} ({places[-1]})" if places else text
