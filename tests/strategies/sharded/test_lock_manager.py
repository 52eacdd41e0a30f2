"""The lock table by itself: who is granted what, who is wounded, and that nobody waits in a circle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import State
from contend.evm.runtime.jit import kernel
from contend.strategies.sharded.memory import Cluster, ShardMemory
from contend.strategies.sharded.protocol.layout import (
    CLUSTER,
    CONTROL,
    LOCK_EXCLUSIVE,
    LOCK_NODE_MASK,
    LOCK_SHARED,
    LOCK_WRITTEN,
    NO_NODE,
    PHASE_FREE,
    PHASE_GRANTED,
    PHASE_WAITING,
    SHARD,
)
from contend.strategies.sharded.protocol.lock_manager import GRANTED, WAITING, lock, release, upgrade, write
from contend.strategies.sharded.transport.rings import RingEndpoint, rings_words

SLOTS, LOCATIONS = 8, 3
CONTRACT = bytes([0xAB]) * 20


@kernel()
def lock_at(cluster, shard, context, location, mode):  # type: ignore[no-untyped-def]  # a kernel
    return lock(CLUSTER.at(cluster), SHARD.at(shard), context, location, mode)


@kernel()
def upgrade_at(cluster, shard, context, location):  # type: ignore[no-untyped-def]  # a kernel
    return upgrade(CLUSTER.at(cluster), SHARD.at(shard), context, location)


@kernel()
def release_at(cluster, shard, context):  # type: ignore[no-untyped-def]  # a kernel
    release(CLUSTER.at(cluster), SHARD.at(shard), context)


@kernel()
def write_at(shard, location, word):  # type: ignore[no-untyped-def]  # a kernel
    write(SHARD.at(shard), location, word)


@dataclass
class Node:
    context: int
    index: int
    held: int
    wanted: int

    @property
    def waits(self) -> bool:
        return self.held != self.wanted


class Table:
    """A shard whose own slots lock its locations. A slot's number is its context's; its age is given."""

    def __init__(self) -> None:
        self.rings = np.zeros(rings_words(1, SLOTS), np.uint64)
        self.shard = ShardMemory(0, 1, SLOTS, RingEndpoint(int(self.rings.ctypes.data), 0, 1, SLOTS))
        self.control = CONTROL.zeros()
        self.cluster = Cluster(int(self.control.ctypes.data))

    def reset(self, indices: list[int]) -> None:
        state = State()
        for slot in range(LOCATIONS):
            state.set_storage(CONTRACT, slot, 1)
        self.shard.load(state.contents(), 16)
        self.shard.header["runnable_slots"] = 0
        self.slots[:] = np.zeros(1, self.slots.dtype)
        for context, index in enumerate(indices):
            self.contexts[context]["index"] = index

    @property
    def contexts(self) -> Any:
        return self.shard.contexts

    @property
    def slots(self) -> Any:
        return self.shard.slots

    def nodes(self, location: int) -> list[Node]:
        rows = self.shard.nodes
        at, found = int(self.shard.lock_words[location] & LOCK_NODE_MASK), []
        while at != NO_NODE:
            found.append(Node(*(int(rows[at][field]) for field in ("context", "index", "held", "wanted"))))
            at = int(rows[at]["next"])
        return found

    def wounded(self, context: int) -> bool:
        return bool(self.contexts[context]["is_wounded"])

    def lock(self, context: int, location: int, mode: np.int64) -> int:
        self.slots[context]["phase"] = PHASE_WAITING  # what a transaction is that has to wait for the lock
        return int(lock_at(self.cluster.address, self.shard.address, context, location, mode))

    def upgrade(self, context: int, location: int) -> int:
        found = int(upgrade_at(self.cluster.address, self.shard.address, context, location))
        self.slots[context]["pending"] += found == WAITING
        return found

    def release(self, context: int) -> None:
        release_at(self.cluster.address, self.shard.address, context)
        self.slots[context]["phase"], self.slots[context]["pending"] = PHASE_FREE, 0

    def phase(self, context: int) -> int:
        return int(self.slots[context]["phase"])


@pytest.fixture(scope="module")
def kept() -> Table:
    return Table()


@pytest.fixture
def table(kept: Table) -> Table:
    kept.reset([10, 20, 30, 40, 50, 60, 70, 80])
    return kept


def test_readers_share(table: Table) -> None:
    assert [table.lock(context, 0, LOCK_SHARED) for context in (0, 2, 1)] == [GRANTED] * 3


def test_a_younger_one_waits_for_an_older_one(table: Table) -> None:
    assert table.lock(0, 0, LOCK_EXCLUSIVE) == GRANTED
    assert table.lock(1, 0, LOCK_SHARED) == WAITING
    assert not table.wounded(0)
    table.release(0)
    assert table.phase(1) == PHASE_GRANTED


def test_an_older_one_wounds_a_younger_one_once(table: Table) -> None:
    table.lock(3, 0, LOCK_EXCLUSIVE)
    assert table.lock(1, 0, LOCK_EXCLUSIVE) == WAITING
    assert table.wounded(3)
    assert int(table.slots[3]["wounded"]) == 1  # a storage slot's kind, plus one
    assert int(table.shard.header["runnable_slots"]) == 1 << 3
    table.release(3)
    assert not table.wounded(3)
    assert table.phase(1) == PHASE_GRANTED


def test_those_who_wait_are_served_by_age(table: Table) -> None:
    table.lock(0, 0, LOCK_EXCLUSIVE)
    for context in (5, 2, 7, 4):
        assert table.lock(context, 0, LOCK_EXCLUSIVE) == WAITING
    assert [node.context for node in table.nodes(0)] == [0, 2, 4, 5, 7]
    for context, after in ((0, 2), (2, 4), (4, 5), (5, 7)):
        table.release(context)
        assert table.phase(after) == PHASE_GRANTED


def test_readers_do_not_overtake_an_older_writer(table: Table) -> None:
    table.lock(0, 0, LOCK_SHARED)
    assert table.lock(3, 0, LOCK_EXCLUSIVE) == WAITING
    assert table.lock(5, 0, LOCK_SHARED) == WAITING
    assert table.lock(2, 0, LOCK_SHARED) == GRANTED
    table.release(3)
    assert table.phase(5) == PHASE_GRANTED


def test_an_upgrade_waits_until_it_holds_alone(table: Table) -> None:
    for context in (0, 1, 2):
        table.lock(context, 0, LOCK_SHARED)
    assert table.upgrade(1, 0) == WAITING
    assert [table.wounded(context) for context in (0, 1, 2)] == [False, False, True]
    assert table.lock(4, 0, LOCK_SHARED) == WAITING
    table.release(2)
    assert int(table.slots[1]["pending"]) == 1
    table.release(0)
    assert int(table.slots[1]["pending"]) == 0
    assert table.phase(4) != PHASE_GRANTED
    table.release(1)
    assert table.phase(4) == PHASE_GRANTED


def test_an_upgrade_of_the_only_holder_is_immediate(table: Table) -> None:
    table.lock(4, 0, LOCK_SHARED)
    assert table.upgrade(4, 0) == GRANTED
    assert table.upgrade(4, 0) == GRANTED


def test_that_a_location_was_written_outlives_its_locks(table: Table) -> None:
    table.lock(0, 1, LOCK_EXCLUSIVE)
    write_at(table.shard.address, 1, (np.uint64(7), np.uint64(0), np.uint64(0), np.uint64(0)))
    table.release(0)
    assert int(table.shard.lock_words[1]) == LOCK_WRITTEN
    assert table.shard.state.values[1, 0] == 7


def conflict(left: int, right: int) -> bool:
    return int(LOCK_EXCLUSIVE) in (left, right)


def assert_sound(table: Table) -> None:
    """The three properties that the argument in `strategies.sharded.protocol.lock_manager` needs of the lists."""
    for number in range(LOCATIONS):
        nodes = table.nodes(number)
        holders = [node for node in nodes if node.held]
        queue = [node for node in nodes if not node.held]
        assert nodes == holders + queue
        assert [node.index for node in queue] == sorted(node.index for node in queue)
        assert len(holders) < 2 or all(node.held == LOCK_SHARED for node in holders)
        for node in nodes:
            if not node.waits:
                continue
            obstacles = [other for other in holders if other is not node and conflict(other.held, node.wanted)]
            # Whoever is younger and in the way has been wounded: every unwounded wait is for an older transaction.
            assert all(other.index < node.index or table.wounded(other.context) for other in obstacles)
            ahead = [other for other in nodes if other.waits and other.index < node.index]
            assert obstacles or any(conflict(other.wanted, node.wanted) for other in ahead), "could be granted"


@pytest.mark.bounds
@settings(max_examples=300)
@given(
    indices=st.permutations(range(1, SLOTS + 1)),
    acts=st.lists(
        st.tuples(
            st.integers(0, SLOTS - 1), st.integers(0, LOCATIONS - 1), st.sampled_from(["read", "write", "up", "end"])
        ),
        max_size=60,
    ),
)
def test_any_history_is_sound(kept: Table, indices: list[int], acts: list[tuple[int, int, str]]) -> None:
    kept.reset(indices)
    for context, number, act in acts:
        mine = {place: node for place in range(LOCATIONS) for node in kept.nodes(place) if node.context == context}
        if act == "end":
            kept.release(context)
        elif any(node.waits for node in mine.values()):
            continue
        elif number not in mine and act != "up":
            kept.lock(context, number, LOCK_SHARED if act == "read" else LOCK_EXCLUSIVE)
        elif number in mine and act == "up":
            kept.upgrade(context, number)
        assert_sound(kept)
    for context in range(SLOTS):
        kept.release(context)
        assert_sound(kept)
    assert not (kept.shard.lock_words & LOCK_NODE_MASK).any()
