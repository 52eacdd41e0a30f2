"""Check of dials: text or values in, a complete and valid set out."""

from __future__ import annotations

import math
from collections.abc import Mapping

from contend.workloads.base import Dial, DialValue, Workload
from contend.workloads.suggest import nearest

# Name under which a preset is given among the dials.
PRESET = "preset"
KINDS = {int: "a whole number", float: "a number", str: "a text"}


class DialError(ValueError):
    """Dial that does not exist, or a value that it cannot take. The message is one line."""


def resolve_dials(
    workload: Workload | type[Workload], overrides: Mapping[str, DialValue] | None = None
) -> dict[str, DialValue]:
    """Complete the dials of a workload: overrides, then a preset's values, then defaults.

    Parameters
    ----------
    workload : Workload, or the class
    overrides : mapping, optional
        Values by dial, each of the dial's type or a text that reads as one. ``preset`` names one of the workload's
        presets, whose values hold for the dials that are not overridden themselves.

    Returns
    -------
    dict
        Value by dial, in the order of the workload's dials.

    Raises
    ------
    DialError
        If a dial or preset is unknown, or a value is of the wrong type, out of range, or not among the choices.
    """
    known = {dial.name: dial for dial in workload.dials}
    values: dict[str, DialValue] = {name: dial.default for name, dial in known.items()}
    given = dict(overrides or {})
    for name, value in {**_preset(workload, given.pop(PRESET, None)), **given}.items():
        if name not in known:
            dials = ", ".join(known)
            raise DialError(
                f"workload {workload.name}: unknown dial {name!r}{nearest(name, known)}; its dials: {dials}"
            )
        values[name] = _checked(f"workload {workload.name}: dial {name} = {value}", known[name], value)
    return values


def _preset(workload: Workload | type[Workload], name: DialValue | None) -> Mapping[str, DialValue]:
    """Values of a preset, before which overrides of single dials go; empty where no preset is asked for."""
    if name is None:
        return {}
    known = {preset.name: preset.dials for preset in workload.presets}
    if name not in known:
        presets = ", ".join(known) or "none"
        raise DialError(
            f"workload {workload.name}: unknown preset {name!r}{nearest(str(name), known)}; known: {presets}"
        )
    return known[str(name)]


def _checked(what: str, dial: Dial, given: DialValue) -> DialValue:
    """Value of the dial's type within its range; raises `DialError` whose message begins with `what`."""
    kind = type(dial.default)
    value = _converted(kind, given)
    if value is None:
        raise DialError(f"{what} is not {KINDS[kind]}{_range(dial)}")
    if isinstance(value, str):
        if dial.choices and value not in dial.choices:
            raise DialError(f"{what} is not one of {', '.join(dial.choices)}{nearest(value, dial.choices)}")
        return value
    low = -math.inf if dial.low is None else dial.low
    high = math.inf if dial.high is None else dial.high
    if not low <= value <= high:
        raise DialError(f"{what} is out of range {_bound(dial.low)}..{_bound(dial.high)}")
    return value


def _converted(kind: type, given: DialValue) -> DialValue | None:
    """Value as the dial's type, None where it is none."""
    if isinstance(given, bool):
        return None
    if kind is str:
        return given if isinstance(given, str) else None
    try:
        number = float(given) if kind is float or isinstance(given, float) else int(given)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if kind is int:
        return int(number) if number == int(number) else None
    return float(number)


def _range(dial: Dial) -> str:
    """Range of a dial, as part of a message; the empty text where it has none."""
    if dial.low is None and dial.high is None:
        return ""
    return f" from {_bound(dial.low)} to {_bound(dial.high)}"


def _bound(bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}" if bound != int(bound) else str(int(bound))
