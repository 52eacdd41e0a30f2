"""Quality of hints: recall and precision.

Recall is the share of what transactions touched that was foretold, precision the share of what was foretold that they
touched.

An entry is a transaction with a location that it touches. Three views: all entries; writes, of which both sides have to
say that the location is written; and conflicting entries, at locations that at least two transactions of the block
touch and at least one writes. These alone decide what waits for what. Which locations those are, recall takes from what
happened and precision from what was foretold: a false conflict costs time as well.

The beneficiary's balance is left out on both sides. An access list names it for every transaction that pays a fee,
while the recorded sets have no fees (`evm.drivers.recorder`), and strategies credit them once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.strategies.base import HintedSets
from contend.strategies.given import RecordedSets

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NOWHERE = -1
VIEWS = ("all", "writes", "conflicting")


@dataclass(frozen=True)
class HintTally:
    """Entries counted under one view.

    Attributes
    ----------
    touched, foretold : int
        Entries that there were, and those of them that were hinted.
    hinted, right : int
        Entries that were hinted, and those of them that there were.
    """

    touched: int = 0
    foretold: int = 0
    hinted: int = 0
    right: int = 0

    def __add__(self, other: HintTally) -> HintTally:
        return HintTally(
            self.touched + other.touched,
            self.foretold + other.foretold,
            self.hinted + other.hinted,
            self.right + other.right,
        )

    @property
    def recall(self) -> float | None:
        """Share of what there was that was hinted; None where there was nothing."""
        return self.foretold / self.touched if self.touched else None

    @property
    def precision(self) -> float | None:
        """Share of what was hinted that there was; None where nothing was hinted."""
        return self.right / self.hinted if self.hinted else None


Tallies = dict[str, HintTally]


def tally(hinted: HintedSets, recorded: RecordedSets, left_out: npt.NDArray[np.uint64] | None = None) -> Tallies:
    """Count a block's hints against its recorded access sets, by view.

    Parameters
    ----------
    hinted : HintedSets
    recorded : RecordedSets
    left_out : ndarray of uint64, shape (7,), optional
        Key of a location that does not count.
    """
    numbers: dict[bytes, int] = {}
    known = _numbered(recorded.keys, numbers)
    named = _numbered(hinted.keys, numbers)
    without = NOWHERE if left_out is None else numbers.get(left_out.tobytes(), NOWHERE)
    there = _Entries.of(recorded.offsets, known[recorded.entries], recorded.writes, without)
    told = _Entries.of(hinted.offsets, named, hinted.writes, without)
    size = len(numbers)
    own, other = there.places(size), told.places(size)
    conflicting_there, conflicting_told = there.conflicting(size), told.conflicting(size)
    return {
        "all": _tally(own, other),
        "writes": _tally(own[there.writes], other[told.writes]),
        "conflicting": HintTally(
            int(conflicting_there.sum()),
            int(np.isin(own[conflicting_there], other).sum()),
            int(conflicting_told.sum()),
            int(np.isin(other[conflicting_told], own).sum()),
        ),
    }


def total(tallies: Iterable[Tallies]) -> Tallies:
    """Sum of what several blocks gave."""
    sums = {view: HintTally() for view in VIEWS}
    for one in tallies:
        sums = {view: sums[view] + one[view] for view in VIEWS}
    return sums


def quality(tallies: Tallies) -> dict[str, dict[str, float | None]]:
    """Recall and precision by view, as a record has them."""
    return {
        "recall": {view: tallies[view].recall for view in VIEWS},
        "precision": {view: tallies[view].precision for view in VIEWS},
    }


@dataclass(frozen=True)
class _Entries:
    """Entries with the number of each one's location, each location once a transaction."""

    owners: Integers
    locations: Integers
    writes: Flags

    @classmethod
    def of(cls, offsets: Integers, locations: Integers, writes: Flags, without: int) -> _Entries:
        owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        counts = locations != without
        owners, locations, writes = owners[counts], locations[counts], writes[counts]
        # A location that is named twice is written if either says so.
        order = np.lexsort((~writes, locations, owners))
        owners, locations, writes = owners[order], locations[order], writes[order]
        first = np.ones(len(owners), np.bool_)
        first[1:] = (owners[1:] != owners[:-1]) | (locations[1:] != locations[:-1])
        return cls(owners[first], locations[first], writes[first])

    def places(self, size: int) -> Integers:
        """A number for each entry, the same wherever it is found."""
        return self.owners * size + self.locations

    def conflicting(self, size: int) -> Flags:
        touched = np.bincount(self.locations, minlength=size)
        written = np.bincount(self.locations[self.writes], minlength=size)
        return ((touched > 1) & (written > 0))[self.locations]


def _tally(there: Integers, told: Integers) -> HintTally:
    both = len(np.intersect1d(there, told, assume_unique=True))
    return HintTally(len(there), both, len(told), both)


def _numbered(keys: npt.NDArray[np.uint64], numbers: dict[bytes, int]) -> Integers:
    """Number of each key, equal keys alike; `numbers` grows."""
    raw, width = np.ascontiguousarray(keys).tobytes(), keys.dtype.itemsize * keys.shape[1]
    rows = (raw[at : at + width] for at in range(0, len(raw), width))
    return np.fromiter((numbers.setdefault(row, len(numbers)) for row in rows), np.int64, len(keys))
