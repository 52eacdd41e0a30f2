"""Recall and precision, held against sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.analysis.hint_quality import VIEWS, HintTally, quality, tally, total
from contend.strategies.base import HintedSets
from contend.strategies.given import RecordedSets

Sets = Sequence[dict[int, bool]]
"""Of each transaction: by location, whether it is written."""

sets = st.lists(st.dictionaries(st.integers(0, 5), st.booleans(), max_size=4), min_size=3, max_size=3)


def key(location: int) -> list[int]:
    """Two locations differ in one word or in several."""
    return [location, 0, 0, 0, 0, 0, location << 60]


def rows(found: Sets) -> tuple[np.ndarray, list[int], np.ndarray]:
    offsets = np.cumsum([0, *map(len, found)])
    return offsets, [one for own in found for one in own], np.array([w for own in found for w in own.values()], bool)


def counted(there: Sets, told: Sets, left_out: int | None = None) -> dict[str, HintTally]:
    offsets, locations, writes = rows(there)
    known = sorted(set(locations))
    entries = np.array([known.index(one) for one in locations], np.int64)
    keys = np.array([key(one) for one in known], np.uint64).reshape(-1, 7)
    recorded = RecordedSets(offsets, entries, writes, keys, np.zeros(3, np.int64), np.zeros(3, np.int64))
    offsets, locations, writes = rows(told)
    hinted = HintedSets(offsets, np.array([key(one) for one in locations], np.uint64).reshape(-1, 7), writes)
    return tally(hinted, recorded, None if left_out is None else np.array(key(left_out), np.uint64))


def conflicting(found: Sets) -> set[int]:
    places = {one for own in found for one in own}
    return {one for one in places if sum(one in own for own in found) > 1 and any(own.get(one, False) for own in found)}


@given(sets, sets)
def test_entries_are_counted_as_sets_are(there: Sets, told: Sets) -> None:
    found = counted(there, told)
    touched, hinted = ({(i, one) for i, own in enumerate(each) for one in own} for each in (there, told))
    assert found["all"] == HintTally(len(touched), len(touched & hinted), len(hinted), len(touched & hinted))
    written, foretold = (
        {(i, one) for i, own in enumerate(each) for one, is_written in own.items() if is_written}
        for each in (there, told)
    )
    assert found["writes"] == HintTally(len(written), len(written & foretold), len(foretold), len(written & foretold))
    of_truth, of_hints = conflicting(there), conflicting(told)
    own, other = ({one for one in each if one[1] in at} for each, at in ((touched, of_truth), (hinted, of_hints)))
    assert found["conflicting"] == HintTally(len(own), len(own & hinted), len(other), len(other & touched))


def test_blocks_are_summed_and_nothing_is_no_share() -> None:
    one = counted([{1: True}, {1: False}, {}], [{1: True}, {}, {2: False}])
    both = quality(total([one, counted([{}, {}, {}], [{}, {}, {3: True}])]))
    assert both["recall"] == {"all": 0.5, "writes": 1.0, "conflicting": 0.5}
    assert both["precision"] == {"all": 1 / 3, "writes": 0.5, "conflicting": None}
    assert list(both["recall"]) == list(VIEWS)


@given(sets, sets, st.integers(0, 6))
def test_a_location_that_is_left_out_counts_on_neither_side(there: Sets, told: Sets, left_out: int) -> None:
    own, other = ([{at: w for at, w in of.items() if at != left_out} for of in each] for each in (there, told))
    assert counted(there, told, left_out) == counted(own, other)
