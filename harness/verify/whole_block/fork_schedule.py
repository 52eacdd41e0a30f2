"""Which fork a chain is at, by number and time: one, or one after another as in tests of transitions."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from contend.evm.forks import Fork
from contend.harness.verify.official_forks import official_fork

_TRANSITION = re.compile(
    "(?P<first>[A-Za-z0-9]+?)To(?P<then>[A-Za-z0-9]+?)At(?P<time>Time)?(?P<at>[0-9]{1,15})(?P<thousands>k?)"
)


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


@functools.cache
def schedule_of(network: str) -> ForkSchedule | None:
    """What official tests call by this name (``Cancun``, ``ShanghaiToCancunAtTime15k``); None for what is not there."""
    whole = official_fork(network)
    if whole is not None:
        return ForkSchedule(whole, whole)
    found = _TRANSITION.fullmatch(network)
    if found is None:
        return None
    first, then = official_fork(found["first"]), official_fork(found["then"])
    if first is None or then is None:
        return None
    at = int(found["at"]) * (1000 if found["thousands"] else 1)
    return ForkSchedule(first, then, from_time=at) if found["time"] else ForkSchedule(first, then, from_number=at)
