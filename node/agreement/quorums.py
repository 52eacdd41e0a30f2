"""Quorums: how many validators may fail, and how many have to say the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quorums:
    """Quorums of so many validators.

    Fewer than a third may fail: of two quorums, each all but `faults`, more than `faults` validators are in both
    (Pease, Shostak and Lamport, "Reaching agreement in the presence of faults", JACM 1980).

    Attributes
    ----------
    validators : int
    """

    validators: int

    @property
    def faults(self) -> int:
        """How many may fail: f of 3f + 1."""
        return (self.validators - 1) // 3

    @property
    def quorum(self) -> int:
        """How many have to say the same: 2f + 1 of 3f + 1."""
        return self.validators - self.faults
