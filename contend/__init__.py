"""Make execution strategies for smart contracts contend on the same blocks.

`run`
    Measure strategies on workloads, every timed run verified; a DataFrame, one row a cell.
`resume`
    Complete a record whose run was interrupted.
`compare`, `ComparisonResult`
    Hold two records, two versions, or strategies within records against each other; and what comes of it.
`load`, `read`
    Records as a DataFrame; one record as a dict.
`list`
    The strategies, workloads with their dials, and suites that there are.
`Observer`
    Base of what is told about progress.
`BadInputError`, `CrashError`, `RecordWarning`
    What was asked for cannot be done; nothing can be measured; a file was left out.

They do exactly what the commands of the same name do. Those who add a strategy or a workload import `contend.plugin`,
`contend.testing` for its tests, and perhaps `contend.asv_suite` for its history. Everything else is Contend's own
affair, and moves without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contend.harness.api import compare, resume, run
    from contend.harness.api import list_ as list
    from contend.harness.compare.result_frame import ComparisonResult
    from contend.harness.errors import BadInputError, CrashError, RecordWarning
    from contend.harness.observer import Observer
    from contend.harness.records import load, read

__all__ = [
    "BadInputError",
    "ComparisonResult",
    "CrashError",
    "Observer",
    "RecordWarning",
    "compare",
    "list",
    "load",
    "read",
    "resume",
    "run",
]

# Where each is. Imported on first use, because the command line must answer before numpy and pandas are imported.
_HOMES = {
    "run": "contend.harness.api:run",
    "resume": "contend.harness.api:resume",
    "compare": "contend.harness.api:compare",
    "list": "contend.harness.api:list_",
    "load": "contend.harness.records:load",
    "read": "contend.harness.records:read",
    "ComparisonResult": "contend.harness.compare.result_frame:ComparisonResult",
    "BadInputError": "contend.harness.errors:BadInputError",
    "CrashError": "contend.harness.errors:CrashError",
    "RecordWarning": "contend.harness.errors:RecordWarning",
    "Observer": "contend.harness.observer:Observer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'contend' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> Any:
    return sorted({*globals(), *__all__})
