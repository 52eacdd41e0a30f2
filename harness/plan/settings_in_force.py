"""Settings in force: which of a user's own defaults hold, beside what the command line says.

Command line, environment, file, built-in, in this order. For each option the strongest says it, and of dials for each
dial. Options are not independent, and a default must not stand in the way of what was asked for, so that a setting
gives way, too, where something stronger contradicts it (a suite fixes what makes a block) or leaves no use for it (a
network between shards, when time is real). Of two that are equally strong neither gives way, and the request refuses
them as it refuses them on the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.options import options
from contend.harness.plan.request import QUICK_SHARES, Request
from contend.harness.plan.setting import FROM_COMMAND_LINE, Setting

_LOG = logging.getLogger(__name__)


def in_force(found: Iterable[Setting], said: Mapping[str, Any]) -> list[Setting]:
    """Settings that hold.

    Parameters
    ----------
    found : iterable of Setting
        All that a command can use, the weaker before the stronger.
    said : mapping
        What the command line says, by name of an option, as the request takes it.

    Returns
    -------
    list of Setting
        The weaker before the stronger, which matters among dials.

    Raises
    ------
    BadInputError
        If there is no such dial in any workload.
    """
    every = [single for one in found for single in _by_dial(one)]
    left = _strongest(every, said)
    strength = dict.fromkeys(said, FROM_COMMAND_LINE) | {one.name: one.strength for one in reversed(left)}
    left = [one for one in left if not _contradicted(one, strength)]
    values = with_settings(left, said)
    left = [one for one in left if one.option.applies(values) and not _is_swept(one, values, strength)]
    if values.get("quick"):
        left = [one for one in left if one.name not in QUICK_SHARES or one.strength >= strength["quick"]]
    left = _with_a_taker(left, said)
    for one in every:
        _LOG.info("%s %s (%s): %s", one.option.key, one.text, one.source, "in force" if one in left else "gives way")
    return left


def with_settings(settings: Iterable[Setting], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for, by name of an option: what settings say, and before it what the command line says."""
    values: dict[str, Any] = {}
    for one in settings:
        values[one.name] = {**values.get(one.name, {}), **one.value} if one.name == "dials" else one.value
    for name, value in said.items():
        values[name] = {**values.get(name, {}), **value} if name == "dials" and value is not None else value
    return values


def _by_dial(setting: Setting) -> list[Setting]:
    if setting.name != "dials":
        return [setting]
    return [
        Setting(setting.option, {dial: value}, setting.source, setting.strength)
        for dial, value in setting.value.items()
    ]


def _what(setting: Setting) -> tuple[str, ...]:
    return (setting.name, *(setting.value if setting.name == "dials" else ()))


def _strongest(found: list[Setting], said: Mapping[str, Any]) -> list[Setting]:
    held = {_what(one): one for one in found}
    dials = said.get("dials") or {}
    return [
        one
        for one in held.values()
        if (not dials.keys() & one.value.keys() if one.name == "dials" else one.name not in said)
    ]


def _contradicted(setting: Setting, strength: Mapping[str, int]) -> bool:
    """Whether something stronger, of those that are said, cannot be said together with it."""
    declared = options(Request)
    others = [
        name
        for name, option in declared.items()
        if setting.name in option.contradicts or name in setting.option.contradicts
    ]
    return any(strength.get(name, 0) > setting.strength for name in others)


def _is_swept(setting: Setting, values: Mapping[str, Any], strength: Mapping[str, int]) -> bool:
    """Whether a sweep that is stronger takes its dial through values of its own, or it is that sweep and weaker."""
    sweep = values.get("sweep")
    if not sweep:
        return False
    swept = sweep[0].rpartition(".")[2]
    if setting.name == "dials":
        return swept in {dial.rpartition(".")[2] for dial in setting.value} and strength["sweep"] >= setting.strength
    dials = {dial.rpartition(".")[2] for dial in values.get("dials") or {}}
    return setting.name == "sweep" and swept in dials and strength.get("dials", 0) > setting.strength


def _with_a_taker(settings: list[Setting], said: Mapping[str, Any]) -> list[Setting]:
    """The settings without dials that no chosen workload has, if another workload has them."""
    if not any(one.name == "dials" for one in settings):
        return settings
    from contend.harness.plan.resolve import chosen_workloads, dials_of
    from contend.workloads import registry
    from contend.workloads.suggest import nearest

    values = with_settings(settings, said)
    try:
        own = {name: dials_of(name) for name in chosen_workloads(values.get("workloads") or ())}
    except BadInputError:
        # A workload that does not exist is the plan's to refuse.
        return settings
    kept = []
    for one in settings:
        (setting,) = one.value if one.name == "dials" else ("",)
        workload, _, dial = setting.rpartition(".")
        if one.name != "dials" or any(dial in taken and workload in ("", name) for name, taken in own.items()):
            kept.append(one)
            continue
        every = own | {name: dials_of(name) for name in registry.BUILT_IN}
        known = {f"{name}.{each}" if workload else each for name, taken in every.items() for each in taken}
        if setting not in known and (not workload or workload in every):
            raise BadInputError(f"{one.source}: set: unknown dial {setting!r}{nearest(setting, known)}")
    return kept
