"""The lock table by itself: who is granted what, who is wounded, and that nobody waits in a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evm import State
from strategies import shard_layout as s
from strategies.rings import RingEndpoint, rings_words
from strategies.segments import words_at
from strategies.shard_locks import EXCLUSIVE, GRANTED, SHARED, WAITING, lock, release, upgrade, write
from strategies.shard_memory import ShardMemory, coupling

SLOTS, LOCATIONS = 8, 3
CONTRACT = bytes([0xAB]) * 20


@dataclass
class Node:
    session: int
    place: int
    held: int
    wanted: int

    @property
    def waits(self) -> bool:
        return self.held != self.wanted


class Table:
    """A shard whose own slots lock its locations. A slot's number is its session's; its age is given."""

    def __init__(self) -> None:
        self.rings = np.zeros(rings_words(1, SLOTS), np.uint64)
        self.shard = ShardMemory(0, 1, SLOTS, RingEndpoint(int(self.rings.ctypes.data), 0, 1, SLOTS))
        self.control = np.zeros(int(s.C_WORDS), np.uint64)
        self.coupling = coupling(int(self.control.ctypes.data))

    def reset(self, places: list[int]) -> None:
        state = State()
        for slot in range(LOCATIONS):
            state.set_storage(CONTRACT, slot, 1)
        self.shard.load(state.contents(), 16)
        self.shard.header[s.W_RUNNABLE] = 0
        self.slots[:] = 0
        for session, place in enumerate(places):
            self.sessions[session, s.E_PLACE] = place

    def _rows(self, field: np.int64, count: int, width: int) -> npt.NDArray[np.uint64]:
        return words_at(int(self.shard.header[field]), count * width).reshape(count, width)

    @property
    def sessions(self) -> npt.NDArray[np.uint64]:
        return self._rows(s.W_SESSIONS, SLOTS, s.E_WORDS)

    @property
    def slots(self) -> npt.NDArray[np.uint64]:
        return self._rows(s.W_SLOTS, SLOTS, s.S_WORDS)

    def nodes(self, number: int) -> list[Node]:
        rows = self._rows(s.W_NODES, int(self.shard.header[s.W_NODES_SIZE]), s.N_WORDS)
        at, found = int(self.shard.lock_words[number]) & s.LOCK_NODE_MASK, []
        while at != s.NO_NODE:
            fields = (s.N_SESSION, s.N_PLACE, s.N_HELD, s.N_WANTED)
            found.append(Node(*(int(rows[at, field]) for field in fields)))
            at = int(rows[at, s.N_NEXT])
        return found

    def wounded(self, session: int) -> bool:
        return bool(self.sessions[session, s.E_WOUNDED])

    def lock(self, session: int, number: int, mode: np.uint64) -> int:
        return int(lock(self.coupling, self.shard.header, session, number, mode))

    def upgrade(self, session: int, number: int) -> int:
        return int(upgrade(self.coupling, self.shard.header, session, number))

    def release(self, session: int) -> None:
        release(self.coupling, self.shard.header, session)

    def phase(self, session: int) -> int:
        return int(self.slots[session, s.S_PHASE])


@pytest.fixture(scope="module")
def kept() -> Table:
    return Table()


@pytest.fixture
def table(kept: Table) -> Table:
    kept.reset([10, 20, 30, 40, 50, 60, 70, 80])
    return kept


def test_readers_share(table: Table) -> None:
    assert [table.lock(session, 0, SHARED) for session in (0, 2, 1)] == [GRANTED] * 3


def test_a_younger_one_waits_for_an_older_one(table: Table) -> None:
    assert table.lock(0, 0, EXCLUSIVE) == GRANTED
    assert table.lock(1, 0, SHARED) == WAITING
    assert not table.wounded(0)
    table.release(0)
    assert table.phase(1) == s.PHASE_GRANTED


def test_an_older_one_wounds_a_younger_one_once(table: Table) -> None:
    table.lock(3, 0, EXCLUSIVE)
    assert table.lock(1, 0, EXCLUSIVE) == WAITING
    assert table.wounded(3)
    assert int(table.slots[3, s.S_WOUNDED]) == 1  # a storage slot's kind, plus one
    assert int(table.shard.header[s.W_RUNNABLE]) == 1 << 3
    table.release(3)
    assert not table.wounded(3)
    assert table.phase(1) == s.PHASE_GRANTED


def test_those_who_wait_are_served_by_age(table: Table) -> None:
    table.lock(0, 0, EXCLUSIVE)
    for session in (5, 2, 7, 4):
        assert table.lock(session, 0, EXCLUSIVE) == WAITING
    assert [node.session for node in table.nodes(0)] == [0, 2, 4, 5, 7]
    for session, after in ((0, 2), (2, 4), (4, 5), (5, 7)):
        table.release(session)
        assert table.phase(after) == s.PHASE_GRANTED


def test_readers_do_not_overtake_an_older_writer(table: Table) -> None:
    table.lock(0, 0, SHARED)
    assert table.lock(3, 0, EXCLUSIVE) == WAITING
    assert table.lock(5, 0, SHARED) == WAITING
    assert table.lock(2, 0, SHARED) == GRANTED
    table.release(3)
    assert table.phase(5) == s.PHASE_GRANTED


def test_an_upgrade_waits_until_it_holds_alone(table: Table) -> None:
    for session in (0, 1, 2):
        table.lock(session, 0, SHARED)
    assert table.upgrade(1, 0) == WAITING
    assert [table.wounded(session) for session in (0, 1, 2)] == [False, False, True]
    assert table.lock(4, 0, SHARED) == WAITING
    table.slots[1, s.S_PENDING] = 1
    table.release(2)
    assert int(table.slots[1, s.S_PENDING]) == 1
    table.release(0)
    assert int(table.slots[1, s.S_PENDING]) == 0
    assert table.phase(4) != s.PHASE_GRANTED
    table.release(1)
    assert table.phase(4) == s.PHASE_GRANTED


def test_an_upgrade_of_the_only_holder_is_immediate(table: Table) -> None:
    table.lock(4, 0, SHARED)
    assert table.upgrade(4, 0) == GRANTED
    assert table.upgrade(4, 0) == GRANTED


def test_that_a_location_was_written_outlives_its_locks(table: Table) -> None:
    table.lock(0, 1, EXCLUSIVE)
    write(table.shard.header, 1, (np.uint64(7), np.uint64(0), np.uint64(0), np.uint64(0)))
    table.release(0)
    assert int(table.shard.lock_words[1]) == s.LOCK_WRITTEN
    assert table.shard.state.values[1, 0] == 7


def conflict(left: int, right: int) -> bool:
    return int(EXCLUSIVE) in (left, right)


def assert_sound(table: Table) -> None:
    """The three properties that the argument in `strategies.shard_locks` needs of the lists."""
    for number in range(LOCATIONS):
        nodes = table.nodes(number)
        holders = [node for node in nodes if node.held]
        queue = [node for node in nodes if not node.held]
        assert nodes == holders + queue
        assert [node.place for node in queue] == sorted(node.place for node in queue)
        assert len(holders) < 2 or all(node.held == SHARED for node in holders)
        for node in nodes:
            if not node.waits:
                continue
            obstacles = [other for other in holders if other is not node and conflict(other.held, node.wanted)]
            # Whoever is younger and in the way has been wounded: every unwounded wait is for an older transaction.
            assert all(other.place < node.place or table.wounded(other.session) for other in obstacles)
            ahead = [other for other in nodes if other.waits and other.place < node.place]
            assert obstacles or any(conflict(other.wanted, node.wanted) for other in ahead), "could be granted"


@pytest.mark.bounds
@settings(max_examples=300)
@given(
    places=st.permutations(range(1, SLOTS + 1)),
    acts=st.lists(
        st.tuples(
            st.integers(0, SLOTS - 1), st.integers(0, LOCATIONS - 1), st.sampled_from(["read", "write", "up", "end"])
        ),
        max_size=60,
    ),
)
def test_any_history_is_sound(kept: Table, places: list[int], acts: list[tuple[int, int, str]]) -> None:
    kept.reset(places)
    for session, number, act in acts:
        mine = {place: node for place in range(LOCATIONS) for node in kept.nodes(place) if node.session == session}
        if act == "end":
            kept.release(session)
        elif any(node.waits for node in mine.values()):
            continue
        elif number not in mine and act != "up":
            kept.lock(session, number, SHARED if act == "read" else EXCLUSIVE)
        elif number in mine and act == "up":
            kept.upgrade(session, number)
        assert_sound(kept)
    for session in range(SLOTS):
        kept.release(session)
        assert_sound(kept)
    assert not (kept.shard.lock_words & np.uint64(s.LOCK_NODE_MASK)).any()
