"""How fast a disk gives random pages, and whether many can be asked for at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contend.cache_places import places
from contend.harness.doctor.finding import DOUBTFUL, UNKNOWN, Finding

Probe = Callable[[Path], "DiskSpeed"]
_GAIN = 2.0  # with many reads under way


@dataclass(frozen=True)
class DiskSpeed:
    """Random reads of 4 KiB a second, past the system's cache.

    Attributes
    ----------
    alone : float
        One after the other.
    together : float or None
        With `depth` under way by io_uring; None where there is none.
    depth : int
    why : str
        Why there is no io_uring; empty where there is one.
    """

    alone: float
    together: float | None
    depth: int
    why: str = ""


def measure(folder: Path) -> DiskSpeed:
    """Write a file of 32 MiB, and read pages of it at random for some tenths of a second.

    Raises
    ------
    OSError
        If it cannot be written, or not be read past the system's cache.
    """
    from contend.node.store.ahead.device_speed import probe
    from contend.node.store.ahead.ring import DEPTH, why_no_ring

    alone, together = probe(folder)
    return DiskSpeed(alone, together, DEPTH, why_no_ring())


def disk(probe: Probe = measure) -> list[Finding]:
    """What cold state would be read with (``--state file``): the disk of the cache folder, and io_uring."""
    from contend.node.base import StageError
    from contend.node.store.file_systems import check_place

    folder = places("-states").written
    if folder is None:
        return [Finding("disk", "no cache folder can be written", UNKNOWN)]
    try:
        check_place(folder)
        speed = probe(folder)
    except (StageError, OSError) as error:
        return [Finding("disk", f"not measured: {error}", UNKNOWN, "for --state file only")]
    figures = {"alone_per_s": speed.alone}
    if speed.together is None:
        found = f"{speed.alone:,.0f} random reads/s, one after the other ({1e6 / speed.alone:.0f} us each)"
        return [
            Finding("disk", found, figures=figures),
            Finding("io_uring", speed.why, DOUBTFUL, "--state file reads ahead by threads, which take more CPU"),
        ]
    figures["together_per_s"] = speed.together
    found = f"{speed.alone:,.0f} random reads/s one after the other, {speed.together:,.0f} with {speed.depth} under way"
    slow = speed.together < _GAIN * speed.alone
    advice = "many reads at once gain little here: reading ahead will, too" if slow else ""
    return [Finding("disk", found, DOUBTFUL if slow else "ok", advice, figures), Finding("io_uring", "there")]
