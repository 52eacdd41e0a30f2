"""Versions that are laid out whole: found as if they had been inserted one by one, and inserted among later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm import mv_memory as mv
from contend.strategies.block_stm import standing_versions as standing
from contend.strategies.block_stm.commit import count_written
from contend.strategies.block_stm.layout import ROW, SHARED, TOWER, VERSION, WORKER
from contend.strategies.block_stm.mv_memory import FOUND_ESTIMATE, FOUND_STATE, FOUND_WORD

LOCATIONS, TRANSACTIONS, HERE = 3, 200, 1
WORD = tuple(np.uint64(word) for word in (7, 8, 9, 10))


@kernel()
def make_room(shared, worker, location, count):  # type: ignore[no-untyped-def]  # a kernel
    return standing.make_room_for_versions(SHARED.at(shared), WORKER.at(worker), location, count)


@kernel()
def stand(versions, number, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    return standing.stand(versions, number, txn_idx)


@kernel()
def write(shared, worker, location, txn_idx, word):  # type: ignore[no-untyped-def]  # a kernel
    return mv.write(SHARED.at(shared), WORKER.at(worker), location, txn_idx, U(0), word)


@kernel()
def seen(shared, location, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    """What a transaction meets: a kind, and whose version."""
    found, version, _, _ = mv.read(SHARED.at(shared), location, txn_idx)
    return found, I(-1) if version == 0 else I(VERSION.at(version).txn_idx)


@kernel()
def hops(shared, location, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    """Versions that a search passes on its way to a transaction's place."""
    tower = I(mv.led_to(SHARED.at(shared), mv.head_of(SHARED.at(shared), location)))
    count, level = 0, I(TOWER.at(tower).top)
    link = tower + 8 * level
    while True:
        version = mv._follow(link)
        while version != 0 and VERSION.at(version).txn_idx > txn_idx:
            count += 1
            link = version + mv._NEXT + 8 * level
            version = mv._follow(link)
        if level == 0:
            return count
        level -= 1
        link -= 8


class Memory:
    """Multi-version memory with one worker, over an arena of an earlier block's leavings."""

    def __init__(self) -> None:
        self.locations, self.arena = ROW.zeros(LOCATIONS), np.full(1 << 16, 0xFFFF_FFFF_FFFF_FFFF, np.uint64)
        self.header: Any = SHARED.zeros()
        for name, value in (
            ("arena_used", 8),
            ("epoch", 3),
            ("rows", self.locations.ctypes.data),
            ("rows_count", LOCATIONS),
            ("arena", self.arena.ctypes.data),
            ("arena_words", len(self.arena)),
        ):
            self.header[0][name] = value
        self.rows: Any = WORKER.lines(1)
        self.shared, self.worker = int(self.header.ctypes.data), int(self.rows.ctypes.data)

    def lay_out(self, writers: list[int], order: list[int]) -> None:
        """Have versions of all writers stand, made in any order."""
        versions = make_room(self.shared, self.worker, HERE, len(writers))
        assert versions != 0
        for i in order:
            stand(versions, i + 1, writers[i])

    def seen(self, txn_idx: int) -> tuple[int, int]:
        """What a transaction meets."""
        found, writer = seen(self.shared, HERE, txn_idx)
        return int(found), int(writer)


@pytest.mark.bounds
@settings(max_examples=60)
@given(data=st.data(), writers=st.sets(st.integers(0, TRANSACTIONS - 1), min_size=1), later=st.data())
def test_each_transaction_meets_the_last_version_below_it(
    data: st.DataObject, writers: set[int], later: st.DataObject
) -> None:
    memory, listed = Memory(), sorted(writers)
    memory.lay_out(listed, data.draw(st.permutations(range(len(listed)))))
    unexpected = sorted(later.draw(st.sets(st.integers(0, TRANSACTIONS - 1), max_size=20)) - writers)
    kinds = dict.fromkeys(listed, FOUND_ESTIMATE)
    for txn_idx in [None, *unexpected]:
        if txn_idx is not None:
            assert write(memory.shared, memory.worker, HERE, txn_idx, WORD)[0] != 0
            kinds[txn_idx] = FOUND_WORD
        for reader in range(TRANSACTIONS + 1):
            below = max((one for one in kinds if one < reader), default=None)
            assert memory.seen(reader) == ((FOUND_STATE, -1) if below is None else (kinds[below], below))
    assert count_written(int(memory.rows[0]["written"])) == 1


def test_a_search_passes_few_versions() -> None:
    memory = Memory()
    memory.lay_out(list(range(1024)), list(range(1024)))
    # At most three of each level, of which there are six with any.
    assert max(hops(memory.shared, HERE, txn_idx) for txn_idx in range(1024)) <= 3 * 6
