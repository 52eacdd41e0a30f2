"""Measure execution strategies on the same blocks, prove every result, keep a record.

The Python interface: `run` measures, `resume` goes on with a record, `load` reads records; each gives
a pandas DataFrame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import resume, run
    from harness.errors import BadInputError, RecordWarning
    from harness.observer import Observer
    from harness.records import load

__all__ = ["BadInputError", "Observer", "RecordWarning", "load", "resume", "run"]

_HOMES = {
    "run": "harness.api",
    "resume": "harness.api",
    "load": "harness.records",
    "BadInputError": "harness.errors",
    "RecordWarning": "harness.errors",
    "Observer": "harness.observer",
}


def __getattr__(name: str) -> Any:
    # Lazily, because the command line must answer before numpy and pandas are imported.
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
