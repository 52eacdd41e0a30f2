"""Catalogue: the strategies, the workloads, and their dials with ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import lookup


def catalogue() -> dict[str, list[dict[str, Any]]]:
    """List registered strategies and workloads.

    Returns
    -------
    dict
        ``strategies``: ``name``, ``summary``, ``parallel``, ``takes`` (what it can be given, the usual first),
        ``default`` (whether a run measures it that names none), ``error``. ``workloads``: ``name``, ``summary``,
        ``dials`` (each with ``name``, ``default``, ``summary``, ``low``, ``high`` and ``choices``), ``presets`` (each
        with ``name``, ``summary`` and ``dials``), ``error``. The error says why a plug-in cannot be used, and is None
        where it can. ``suites``: ``name``, ``summary``.
    """
    from contend.harness.plan import suites
    from contend.strategies import registry as strategies
    from contend.workloads import registry as workloads

    return {
        "strategies": [_strategy(strategies, name) for name in strategies.names(variants=True)],
        "workloads": [_workload(workloads, name) for name in workloads.names()],
        "suites": [{"name": name, "summary": suites.read(name).summary} for name in suites.names()],
    }


def chosen(content: dict[str, list[dict[str, Any]]], names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Choose what goes by these names, of whatever kind.

    Parameters
    ----------
    content : dict
        As `catalogue` gives it.
    names : iterable of str

    Raises
    ------
    BadInputError
        For a name that nothing has.
    """
    from contend.workloads.suggest import nearest

    known = [one["name"] for every in content.values() for one in every]
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise BadInputError(
                f"no strategy, workload or suite is called {name!r}{nearest(name, known)}; contend list shows them all"
            )
    return {kind: [one for one in every if one["name"] in wanted] for kind, every in content.items()}


def _strategy(registry: Any, name: str) -> dict[str, Any]:
    try:
        kind = lookup(registry, name)
    except BadInputError as error:
        return {"name": name, "summary": "", "parallel": False, "takes": [], "default": False, "error": str(error)}
    return {
        "name": name,
        "summary": kind.summary,
        "parallel": bool(kind.parallel),
        "takes": list(kind.takes),
        "default": name in registry.built_in(),
        "error": None,
    }


def _workload(registry: Any, name: str) -> dict[str, Any]:
    try:
        kind = lookup(registry, name)
    except BadInputError as error:
        return {"name": name, "summary": "", "dials": [], "presets": [], "error": str(error)}
    return {
        "name": name,
        "summary": kind.summary,
        "dials": [asdict(dial) for dial in kind.dials],
        "presets": [{**asdict(preset), "dials": dict(preset.dials)} for preset in kind.presets],
        "error": None,
    }
