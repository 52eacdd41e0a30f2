"""Which fork a chain is at, by number and time: one, or one after another as in tests of transitions."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from contend.evm.forks import FORKS, Fork

_TRANSITION = re.compile(r"(?P<first>\w+?)To(?P<then>\w+?)At(?P<time>Time)?(?P<at>\d+)(?P<thousands>k?)")
_ALIASES = {"merge": "paris"}
_BY_NAME = {name.lower(): fork for name, fork in FORKS.items()}


@dataclass(frozen=True)
class ForkSchedule:
    """A fork, and the one that takes its place from a number or a time on."""

    first: Fork
    then: Fork
    from_number: int = 0
    from_time: int = 0

    def at(self, number: int, time: int) -> Fork:
        """The fork of a block."""
        return self.then if number >= self.from_number and time >= self.from_time else self.first


def _fork(name: str) -> Fork | None:
    lower = name.lower()
    return _BY_NAME.get(_ALIASES.get(lower, lower))


@functools.cache
def schedule_of(network: str) -> ForkSchedule | None:
    """What official tests call by this name (``Cancun``, ``ShanghaiToCancunAtTime15k``); None for what is not there."""
    whole = _fork(network)
    if whole is not None:
        return ForkSchedule(whole, whole)
    found = _TRANSITION.fullmatch(network)
    if found is None:
        return None
    first, then = _fork(found["first"]), _fork(found["then"])
    if first is None or then is None:
        return None
    at = int(found["at"]) * (1000 if found["thousands"] else 1)
    return ForkSchedule(first, then, from_time=at) if found["time"] else ForkSchedule(first, then, from_number=at)
