"""What there is to measure: strategies, workloads, and their dials with ranges."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from harness.plan import lookup


def catalogue() -> dict[str, list[dict[str, Any]]]:
    """List registered strategies and workloads.

    Returns
    -------
    dict
        ``strategies``: ``name``, ``summary``, ``parallel``. ``workloads``: ``name``, ``summary`` and ``dials``, each
        with ``name``, ``default``, ``summary``, ``low``, ``high`` and ``choices``.

    Raises
    ------
    BadInputError
        If a plug-in cannot be imported.
    """
    from strategies import registry as strategies
    from workloads import registry as workloads

    return {
        "strategies": [_strategy(name, lookup(strategies, name)) for name in strategies.names()],
        "workloads": [_workload(name, lookup(workloads, name)) for name in workloads.names()],
    }


def _strategy(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "summary": kind.summary, "parallel": bool(kind.parallel)}


def _workload(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "summary": kind.summary, "dials": [asdict(dial) for dial in kind.dials]}
