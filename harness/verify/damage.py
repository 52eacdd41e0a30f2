"""Damage: hints made wrong on purpose, since whatever hints get wrong must cost time and never the result.

What is damaged is a share of all entries of a block, whichever transaction they are of. An entry that is added, or put
in another's place, is a location that the block touches elsewhere: a conflict that is none, which hurts more than a
location that nobody touches.

Access lists, which have entries of another kind, are damaged by `harness.verify.damaged_list`; who is given what is
damaged, by `harness.verify.given_damage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.harness.errors import BadInputError
from contend.outside_files import shown
from contend.strategies.given import RecordedSets
from contend.workloads.building.sampling import RandomStream

DROPPED, ADDED, EXCHANGED, MIXED = "dropped", "added", "exchanged", "mixed"
KINDS = (DROPPED, ADDED, EXCHANGED, MIXED)
SHARES = (5, 20, 50)
_WHOLE = 100

Integers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Damage:
    """What is done to a block's hints.

    Attributes
    ----------
    kind : str
        One of `KINDS`: of the entries that are hit, all are dropped, or to each is added another one of its
        transaction, or it is exchanged for another one; ``mixed`` is a third of each.
    percent : int
        Of the entries that are hit, 0 to 100.
    seed : int
    """

    kind: str
    percent: int
    seed: int

    @classmethod
    def from_json(cls, content: Any, where: str) -> Damage:
        """Read what `dataclasses.asdict` made.

        Raises
        ------
        BadInputError
            If it is something else.
        """
        if isinstance(content, Mapping) and content.get("kind") in KINDS:
            percent, seed = content.get("percent"), content.get("seed")
            # True is an int, and no number here.
            if type(percent) is int and type(seed) is int and 0 <= percent <= _WHOLE and 0 <= seed < 1 << 63:
                return cls(content["kind"], percent, seed)
        raise BadInputError(
            f"{where}: {shown(content)} is no damage; it has a kind ({', '.join(KINDS)}), percent and seed"
        )

    def choose(self, count: int, pool: int) -> tuple[Marks, Integers, Integers]:
        """Choose which of so many entries are hit.

        Parameters
        ----------
        count : int
        pool : int
            What there is to add or to exchange for.

        Returns
        -------
        kept : ndarray of bool, shape (count,)
            Whether the entry stays.
        grown : ndarray of int64, shape (k,)
            Entries for each of which there is a new one.
        others : ndarray of int64, shape (k,)
            What of the pool that is.
        """
        stream = RandomStream(self.seed, "damage")
        hit = stream.permutation(count)[: -(-count * self.percent // _WHOLE)]
        turn = np.arange(len(hit)) % 3 if self.kind == MIXED else np.full(len(hit), KINDS.index(self.kind))
        kept = np.ones(count, np.bool_)
        kept[hit[turn != KINDS.index(ADDED)]] = False
        grown = hit[turn != KINDS.index(DROPPED)]
        return kept, grown, stream.below(max(pool, 1), len(grown))

    def of_entries(
        self, offsets: Integers, entries: Integers, writes: Marks, pool: int
    ) -> tuple[Integers, Integers, Marks]:
        """Damage access sets in compressed rows.

        Parameters
        ----------
        offsets : ndarray of int64, shape (n + 1,)
            Transaction i has entries ``offsets[i]`` to ``offsets[i + 1]``.
        entries : ndarray of int64, shape (m,)
            Locations by number, each once a transaction.
        writes : ndarray of bool, shape (m,)
        pool : int
            Locations that there are.

        Returns
        -------
        tuple of ndarray
            The same, with other entries; each location once a transaction.
        """
        owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        stays, grown, others = self.choose(len(entries), pool)
        owner = np.concatenate([owners[stays], owners[grown]])
        entry = np.concatenate([entries[stays], others])
        write = np.concatenate([writes[stays], writes[grown]])
        # What was there stands before what is new, so that it stays where a transaction would have a location twice.
        _, first = np.unique(owner * max(pool, 1) + entry, return_index=True)
        kept = np.sort(first)
        kept = kept[np.argsort(owner[kept], kind="stable")]
        found = np.zeros(len(offsets), np.int64)
        np.cumsum(np.bincount(owner[kept], minlength=len(offsets) - 1), out=found[1:])
        return found, entry[kept], write[kept]

    def of_sets(self, sets: RecordedSets) -> RecordedSets:
        """Damage recorded access sets."""
        offsets, entries, writes = self.of_entries(sets.offsets, sets.entries, sets.writes, len(sets.keys))
        return replace(sets, offsets=offsets, entries=entries, writes=writes)
