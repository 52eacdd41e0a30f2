"""The index of a decoded list finds each record by its key, tells who enters a key twice, and forgets by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.state import key_tuple, location_key
from contend.strategies.block_list.layout import BLOCK_LIST, RECORD
from contend.strategies.block_list.record_index import (
    ENTERED,
    IS_FULL,
    IS_THERE,
    MOST_PROBES,
    NO_RECORD,
    enter_record,
    find_record,
)
from contend.strategies.block_stm.layout import SHARED

FIRST_WORD = 8


class Index:
    """An index of so many slots, over an arena for so many records."""

    def __init__(self, slots: int, records: int) -> None:
        self.arena = np.zeros(FIRST_WORD + records * RECORD.words, np.uint64)
        self.words = np.zeros(slots, np.uint64)
        self._shared: Any = SHARED.lines(1)
        self._shared["arena"] = self.arena.ctypes.data
        self._list: Any = BLOCK_LIST.lines(1)
        self._list["index"], self._list["index_mask"] = self.words.ctypes.data, slots - 1
        self.begin(1)

    def begin(self, epoch: int) -> None:
        """Begin another list."""
        self._list["epoch"], self.count = epoch, 0

    def enter(self, slot: int) -> int:
        """Enter the record of a slot of one account."""
        at = FIRST_WORD + self.count * RECORD.words
        self.arena[at : at + 7] = location_key(bytes(20), 0, slot)
        self.count += 1
        return int(enter_record(self._shared_ref, self._list_ref, self.arena.ctypes.data + 8 * at))

    def find(self, slot: int) -> int | None:
        """Which record, in the order of entering, is that of a slot."""
        found = int(find_record(self._shared_ref, self._list_ref, key_tuple(location_key(bytes(20), 0, slot))))
        return None if found == NO_RECORD else ((found - self.arena.ctypes.data) // 8 - FIRST_WORD) // RECORD.words

    @property
    def _shared_ref(self) -> Any:
        return SHARED.ref(self._shared.ctypes.data)

    @property
    def _list_ref(self) -> Any:
        return BLOCK_LIST.ref(self._list.ctypes.data)


@pytest.mark.bounds
@settings(max_examples=50)
@given(slots=st.lists(st.integers(0, 2**256 - 1), max_size=60))
def test_what_was_entered_is_found(slots: list[int]) -> None:
    index = Index(64, 60)
    where: dict[int, int] = {}
    for slot in slots:
        number = index.count
        assert index.enter(slot) == (IS_THERE if slot in where else ENTERED)
        where.setdefault(slot, number)
    for slot, number in where.items():
        assert index.find(slot) == number
    assert index.find(2**256 - 1) == where.get(2**256 - 1)


@pytest.mark.bounds
def test_another_list_begins_with_nothing() -> None:
    index = Index(64, 60)
    for slot in range(60):
        index.enter(slot)
    index.begin(2)
    assert all(index.find(slot) is None for slot in range(60))
    assert index.enter(7) == ENTERED
    assert index.find(7) == 0


def test_a_full_index_says_so() -> None:
    index = Index(MOST_PROBES, MOST_PROBES + 1)
    assert all(index.enter(slot) == ENTERED for slot in range(MOST_PROBES))
    assert index.enter(MOST_PROBES) == IS_FULL
    assert index.find(MOST_PROBES) is None
