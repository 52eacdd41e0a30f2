"""What a measuring process reports: plain data that the parent can read without importing a compiler."""

from __future__ import annotations

from dataclasses import dataclass

from harness.bound import Bounds

PHASES = ("prepare", "execute", "commit")


@dataclass(frozen=True)
class Sample:
    """One timed and verified run.

    Attributes
    ----------
    seconds : float
        Sum of the phases: the time of the block.
    wall_seconds : float
        Of the whole call, with what is in no phase because no node would do it: reading the changes off the state
        for the oracle, keeping what is needed to run again.
    cpu_seconds : float
        User and system time of all threads and processes in the whole call: to be held against `wall_seconds`. Where
        time is simulated, seconds that all simulated workers together were at work.
    phases : dict
        Seconds of ``prepare``, ``execute`` and ``commit``.
    counters : dict
        What the strategy counted.
    """

    seconds: float
    wall_seconds: float
    cpu_seconds: float
    phases: dict[str, float]
    counters: dict[str, int | float]


@dataclass(frozen=True)
class Facts:
    """What the serial run of a workload's block showed.

    Attributes
    ----------
    bounds : Bounds or None
        What no strategy can beat on the block; None where nobody has computed it.
    """

    genesis_digest: str
    block_digest: str
    transactions: int
    gas: int
    failed_transactions: int
    changed_locations: int
    bounds: Bounds | None = None
