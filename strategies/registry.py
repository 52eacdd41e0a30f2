"""Strategies by name: the built-in ones, and those that other packages bring by entry point."""

from __future__ import annotations

import difflib
import functools
import importlib
from importlib.metadata import EntryPoint, entry_points

from contend.inner_names import import_failure
from contend.strategies.base import Strategy
from contend.strategies.given import NOTHING, SEPARATOR, contender

GROUP = "contend.strategies"
# What a run measures that names none: of each role what a newcomer wants to see beside serial, in two minutes.
_BUILT_IN = {
    "serial": "contend.strategies.serial:Serial",
    "block_stm": "contend.strategies.block_stm.strategy:BlockSTM",
    "sharded": "contend.strategies.sharded:Sharded",
    "placeholder": "contend.strategies.placeholder.strategy:Placeholder",
    "bal": "contend.strategies.bal.strategy:Bal",
}
# Known by name and listed, but measured only where they are named, or all are: a user who names none wants few rows.
_VARIANTS = {
    "static_partition": "contend.strategies.planned.static_partition:StaticPartition",
    "groups": "contend.strategies.dependency.groups:Groups",
    "locks": "contend.strategies.dependency.locks:Locks",
    "occ_window": "contend.strategies.optimistic.occ_window.strategy:OccWindow",
    "aria": "contend.strategies.optimistic.aria.strategy:Aria",
    "aria_in_place": "contend.strategies.optimistic.aria.strategy:AriaInPlace",
    "adaptive": "contend.strategies.adaptive.strategy:Adaptive",
    "hint_trial": "contend.strategies.adaptive.hint_trial:HintTrial",
    "sharded_ordered": "contend.strategies.sharded:ShardedOrdered",
    "bal_longest": "contend.strategies.bal.strategy:BalLongest",
}


class UnknownName(LookupError):  # noqa: N818  # as in the workloads: it says what was given, not what went wrong
    """There is no strategy of this name."""


class PluginError(RuntimeError):
    """A package that brings a strategy cannot be used."""


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def is_built_in(name: str) -> bool:
    """Whether a strategy, or a contender, is one of this project's."""
    name = name.partition(SEPARATOR)[0]
    return name in _BUILT_IN or name in _VARIANTS


def built_in(variants: bool = False) -> tuple[str, ...]:
    """Names of this project's strategies, which a run measures that names none.

    Parameters
    ----------
    variants : bool
        With those that a run measures only where they are named, or all are.
    """
    return tuple(_BUILT_IN | _VARIANTS if variants else _BUILT_IN)


def names(variants: bool = False) -> list[str]:
    """Names of all strategies, the built-in ones first, without importing them.

    Parameters
    ----------
    variants : bool
        With those that a run measures only where they are named, or all are.
    """
    return [*built_in(variants), *sorted(set(_plugins()) - set(_BUILT_IN) - set(_VARIANTS))]


def usual_source(kind: type[Strategy]) -> str:
    """What a strategy is given where nobody says: the first of what it takes, or `given.NOTHING`."""
    return kind.takes[0] if kind.takes else NOTHING


def get(name: str) -> type[Strategy]:
    """Strategy class of this name, or of a contender's: ``strategy+source``.

    Raises
    ------
    UnknownName
        With the nearest known name; or for a source that the strategy does not take.
    PluginError
        If the package that brings it fails to import, or what it brings is no strategy.
    """
    strategy, separator, source = name.partition(SEPARATOR)
    if separator:
        return _given(strategy, source)
    ours = _BUILT_IN | _VARIANTS
    if name in ours:
        module, attribute = ours[name].split(":")
        found = getattr(importlib.import_module(module), attribute)
    else:
        plugins = _plugins()
        if name not in plugins:
            near = difflib.get_close_matches(name, names(variants=True), 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names(variants=True))}"
            raise UnknownName(f"unknown strategy '{name}'; {hint}")
        point = plugins[name]
        try:
            found = point.load()
        except Exception as error:  # a plug-in can fail in any way while it is imported
            raise PluginError(f"strategy '{name}' ({point.value}) fails to import: {import_failure(error)}") from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise PluginError(f"strategy '{name}' is {found!r}, not a subclass of contend.plugin.Strategy")
    return found


@functools.cache
def _given(strategy: str, source: str) -> type[Strategy]:
    """A strategy's class, given something else than usual."""
    kind = get(strategy)
    if source == usual_source(kind):
        return kind
    if source not in kind.takes:
        can = f"can be given {', '.join(kind.takes)}" if kind.takes else "uses nothing beside the transactions"
        near = difflib.get_close_matches(source, kind.takes, 1)
        hint = f" (did you mean '{strategy}{SEPARATOR}{near[0]}'?)" if near else ""
        raise UnknownName(f"strategy '{strategy}' cannot be given '{source}'{hint}: it {can}")
    name = contender(strategy, source, usual_source(kind))
    return type(kind.__name__, (kind,), {"name": name, "given": source, "__module__": kind.__module__})
