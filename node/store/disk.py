"""Simulated devices: so many channels, each of which serves one read after the other, in a constant time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contend.node.base import StageError

MOST_CHANNELS, MOST_SECONDS = 4096, 10
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s):([0-9]+)")
_PS = 1e12


@dataclass(frozen=True)
class Disk:
    """A device.

    Attributes
    ----------
    latency_ps : int
        Picoseconds that a read takes, once a channel is free.
    channels : int
    """

    latency_ps: int
    channels: int

    @property
    def reads_per_second(self) -> float:
        """As many as it serves where all channels are always busy."""
        return self.channels * _PS / self.latency_ps


DISKS = {"nvme": Disk(90_000_000, 45), "cloud": Disk(500_000_000, 8)}
"""A drive beside the processor, of half a million reads a second; and a volume over a network, of 16,000."""


def disk_named(text: str) -> Disk:
    """The device that an option names: by name, or as latency and channels, such as ``90us:45``.

    Raises
    ------
    StageError
        If it is neither.
    """
    if text in DISKS:
        return DISKS[text]
    found = _TEXT.fullmatch(text)
    if found is not None:
        latency, channels = float(found[1]) * _UNITS[found[2]], int(found[3])
        if 1e-9 <= latency <= MOST_SECONDS and 1 <= channels <= MOST_CHANNELS:
            return Disk(round(latency * _PS), channels)
    raise StageError(
        f"disk: {text!r} is no device; give {', '.join(DISKS)}, or latency and channels such as 90us:45 (at most "
        f"{MOST_SECONDS} s and {MOST_CHANNELS})"
    )
