"""Counters of the kernel at one moment; the difference of two moments tells what happened between them."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass

from contend.harness.doctor.cgroup import throttled_periods
from contend.harness.doctor.files import Files

_IDLE, _IOWAIT, _STEAL = 3, 4, 7
_FIELDS = 8  # of a line of /proc/stat; those that follow are parts of earlier ones


@dataclass(frozen=True)
class Counters:
    """Values of the counters at a moment.

    Attributes
    ----------
    moment : float
        Seconds of the monotonic clock.
    own : float
        CPU seconds of this process.
    busy, stolen : float or None
        CPU seconds of the usable cores together: at work for anyone here; and wanted here but given to other guests.
    swapped : int or None
        Pages moved from or to swap.
    throttled : int or None
        Periods in which the control group had used up its share of CPU time.
    hot : int or None
        Times that a core was slowed down because of its temperature.
    """

    moment: float
    own: float
    busy: float | None
    stolen: float | None
    swapped: int | None
    throttled: int | None
    hot: int | None

    @classmethod
    def now(cls, files: Files, usable: Collection[int]) -> Counters:
        """Read all of them; those of cores for the usable ones, by number."""
        busy, stolen = _cpu_seconds(files, usable)
        pages = files.table("/proc/vmstat")
        hot = [files.number(path) for path in files.matching("/sys/devices/system/cpu/cpu*/thermal_throttle/*_count")]
        return cls(
            moment=time.monotonic(),
            own=time.process_time(),
            busy=busy,
            stolen=stolen,
            swapped=pages["pswpin"] + pages.get("pswpout", 0) if "pswpin" in pages else None,
            throttled=throttled_periods(files),
            hot=sum(count or 0 for count in hot) if hot else None,
        )


def _cpu_seconds(files: Files, usable: Collection[int]) -> tuple[float | None, float | None]:
    names = {f"cpu{number}" for number in usable}
    rows = [line.split() for line in (files.text("/proc/stat") or "").splitlines()]
    counted = [[int(word) for word in row[1 : _FIELDS + 1]] for row in rows if row[:1] and row[0] in names]
    if not counted or min(len(ticks) for ticks in counted) < _FIELDS:
        return None, None
    tick = 1.0 / os.sysconf("SC_CLK_TCK")
    stolen = sum(ticks[_STEAL] for ticks in counted)
    busy = sum(sum(ticks) - ticks[_IDLE] - ticks[_IOWAIT] for ticks in counted) - stolen
    return tick * busy, tick * stolen
