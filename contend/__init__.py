"""Make execution strategies for smart contracts contend on the same blocks.

`run` measures, `resume` goes on with a record, `compare` holds two versions against each other, `load` reads records
as a DataFrame, `list` says what there is. Those who add a strategy or a workload import `contend.plugin`, and
`contend.testing` for its tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contend.harness.api import resume, run
    from contend.harness.errors import BadInputError, RecordWarning
    from contend.harness.observer import Observer
    from contend.harness.records import load

__all__ = ["BadInputError", "Observer", "RecordWarning", "load", "resume", "run"]

_HOMES = {
    "run": "contend.harness.api",
    "resume": "contend.harness.api",
    "load": "contend.harness.records",
    "BadInputError": "contend.harness.errors",
    "RecordWarning": "contend.harness.errors",
    "Observer": "contend.harness.observer",
}


def __getattr__(name: str) -> Any:
    # Lazily, because the command line must answer before numpy and pandas are imported.
    if name not in _HOMES:
        raise AttributeError(f"module 'contend' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
