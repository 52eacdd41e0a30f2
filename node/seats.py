"""Seats: which workers of a node are a stage's, where stages of several blocks are at work at the same time.

All workers may be everybody's (``shared``): each takes a step of the oldest block that has one to give. Or each stage
has its own (``split:R,E,T``): the numbers are shares of recovery, execution and the root, by which any number of
workers is divided, each stage having one at least.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OPTION, SHARED, SPLIT = "pipeline", "shared", "split"
RECOVERY, EXECUTION, ROOT = "recover", "execute", "root"
_DIVIDED = (RECOVERY, EXECUTION, ROOT)
HINT = f"{SHARED}, or {SPLIT}:R,E,T, shares of recovery, execution and the root, such as {SPLIT}:2,1,1"


@dataclass(frozen=True)
class Seats:
    """How the workers of a node are divided.

    Attributes
    ----------
    shares : tuple of int
        Of recovery, execution and the root; empty where all workers are everybody's.
    """

    shares: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Seats:
        """Read what the option says.

        Raises
        ------
        ValueError
            If it is neither of the two.
        """
        kind, _, numbers = text.partition(":")
        if kind == SHARED and not numbers:
            return cls()
        parts = numbers.split(",")
        if kind != SPLIT or len(parts) != len(_DIVIDED) or not all(part.isdecimal() and int(part) for part in parts):
            raise ValueError(f"{text!r} is not known: {HINT}")
        return cls(tuple(map(int, parts)))

    @property
    def shared(self) -> bool:
        """Whether all workers are everybody's."""
        return not self.shares

    def divide(self, workers: int, stations: Iterable[str]) -> dict[str, int]:
        """Workers of each station.

        Where workers are divided, each station has one, and then one more whichever has the fewest for its share, until
        all are given away (the method of Sainte-Lague, whose divisors are odd numbers). One worker is everybody's.

        Parameters
        ----------
        workers : int
        stations : iterable of str
            Phases of stages, and `EXECUTION`. Others than those that are divided wait and do not work: they have all.

        Raises
        ------
        ValueError
            If there are too few workers.
        """
        names = list(stations)
        found = dict.fromkeys(names, workers)
        divided = [name for name in _DIVIDED if name in found]
        if self.shared or workers == 1:
            return found
        if workers < len(divided):
            raise ValueError(f"{workers} workers are too few for {len(divided)} stages; give as many, or {SHARED}")
        share = dict(zip(_DIVIDED, self.shares, strict=True))
        given = dict.fromkeys(divided, 1)
        for _ in range(workers - len(divided)):
            given[max(divided, key=lambda name: share[name] / (2 * given[name] + 1))] += 1
        return found | given
