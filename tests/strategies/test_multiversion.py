"""Multi-version memory against a model, and under real threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import multiversion as mv
from strategies import shared as s

LOCATIONS, TRANSACTIONS = 4, 300


class Memory:
    """Multi-version memory alone, without a block."""

    def __init__(self, workers: int = 1, arena_words: int = 1 << 18) -> None:
        self.counters = np.zeros(s.C_COUNT, np.uint64)
        self.counters[s.C_ARENA] = 8
        self.heads = np.zeros(LOCATIONS, np.uint64)
        self.arena = np.zeros(arena_words, np.uint64)
        self.shared = np.zeros(s.S_WORDS, np.uint64)
        self.shared[s.S_COUNTERS] = self.counters.ctypes.data
        self.shared[s.S_HEADS], self.shared[s.S_HEADS_SIZE] = self.heads.ctypes.data, LOCATIONS
        self.shared[s.S_ARENA], self.shared[s.S_ARENA_WORDS] = self.arena.ctypes.data, arena_words
        self.workers = np.zeros((workers, s.W_WORDS), np.uint64)

    def write(self, location: int, transaction: int, incarnation: int, value: int, worker: int = 0) -> tuple[int, bool]:
        words = tuple(np.uint64(value + i) for i in range(4))
        node, repeated = mv.write_version(self.shared, self.workers[worker], location, transaction, incarnation, words)
        return int(node), bool(repeated)

    def read(self, location: int, transaction: int) -> tuple[int, int, int, Any]:
        found, node, version, words = mv.find_version(self.shared, location, transaction)
        return int(found), int(node), int(version), tuple(int(w) for w in words)


@pytest.mark.bounds
@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["write", "write", "write", "estimate", "absent", "read"]),
            st.integers(0, LOCATIONS - 1),
            st.integers(0, 20) | st.integers(0, TRANSACTIONS - 1),
        ),
        max_size=120,
    )
)
def test_reads_agree_with_a_model(events: list[tuple[str, int, int]]) -> None:
    memory = Memory()
    model: dict[tuple[int, int], tuple[str, int]] = {}
    incarnations: dict[tuple[int, int], int] = {}
    nodes: dict[tuple[int, int], int] = {}
    for value, (event, location, transaction) in enumerate(events):
        key = (location, transaction)
        if event == "write" and model.get(key, ("absent", 0))[0] != "word":
            incarnations[key] = incarnations.get(key, -1) + 1
            nodes[key], repeated = memory.write(location, transaction, incarnations[key], value)
            assert repeated == (model.get(key, ("absent", 0))[0] == "estimate")
            model[key] = ("word", value)
        elif event == "estimate" and model.get(key, ("absent", 0))[0] == "word":
            mv.mark_estimate(memory.shared, nodes[key])
            model[key] = ("estimate", 0)
        elif event == "absent" and model.get(key, ("absent", 0))[0] == "estimate":
            incarnations[key] += 1
            mv.mark_absent(memory.shared, nodes[key], incarnations[key])
            model[key] = ("absent", 0)
        below = [t for (at, t), (kind, _) in model.items() if at == location and t < transaction and kind != "absent"]
        found, node, version, words = memory.read(location, transaction)
        if not below:
            assert found == mv.FOUND_STATE
            continue
        expected = (location, max(below))
        assert node == nodes[expected]
        if model[expected][0] == "estimate":
            assert found == mv.FOUND_ESTIMATE
        else:
            written = model[expected][1]
            assert found == mv.FOUND_WORD
            assert version >> 2 == incarnations[expected]
            assert words == tuple(written + i for i in range(4))


@pytest.mark.bounds
def test_the_final_version_is_the_highest_that_is_not_absent() -> None:
    memory = Memory()
    nodes = [memory.write(0, t, 0, 10 * t)[0] for t in (3, 9, 5)]
    assert mv.final_version(memory.shared, 0) == nodes[1]
    mv.mark_absent(memory.shared, nodes[1], 1)
    assert mv.final_version(memory.shared, 0) == nodes[2]
    assert mv.final_version(memory.shared, 1) == mv.NODE_NONE


def test_a_full_arena_is_a_fault_and_writes_nothing() -> None:
    memory = Memory(arena_words=64)
    assert memory.write(0, 1, 0, 5)[0] == mv.NODE_NONE
    assert memory.counters[s.C_FAULT] == 1
    assert memory.read(0, 2)[0] == mv.FOUND_STATE


def test_finding_a_version_does_not_walk_all_writers() -> None:
    # A search leaves a level near its end: on level k, some 4**k transactions before it. So whatever lies farther off
    # on that level may be ruined without its noticing, and one that walks the writers falls into the trap.
    memory, size = Memory(arena_words=1 << 20), 20_000
    nodes = np.array([memory.write(0, t, 0, t)[0] for t in range(size)])
    whole = memory.arena.copy()
    levels = [nodes[[int(mv._height(0, t)) > level for t in range(size)]] for level in range(mv.LEVELS)]
    assert len(levels[0]) == size
    assert 0 < len(levels[6]) < len(levels[3]) < size // 32

    def ruin(reader: int, reach: int) -> None:
        memory.arena[:] = whole
        for level, members in enumerate(levels):
            far = members[memory.arena[members] > np.uint64(reader + reach * 4**level)]
            memory.arena[far + mv.N_NEXT + level] = nodes[0]

    for reader in np.random.default_rng(1).integers(1, size, 100).tolist():
        ruin(reader, 64)
        assert memory.read(0, reader)[3][0] == reader - 1
    # The trap works: with every link ruined, the search ends at the first writer.
    ruin(size // 2, 0)
    assert memory.read(0, size // 2)[3][0] == 0


@pytest.mark.stress
@pytest.mark.parametrize("round_number", range(5))
def test_threads_insert_into_one_hot_location(round_number: int) -> None:
    workers, each = 4, 3000
    memory = Memory(workers, arena_words=1 << 20)
    order = np.random.default_rng(round_number).permutation(workers * each)
    torn: list[int] = []

    def work(number: int) -> None:
        for k, transaction in enumerate(order[number::workers]):
            memory.write(0, int(transaction), 0, 4 * int(transaction), number)
            if k % 3 == 0:
                found, node, _, words = memory.read(0, int(order[-1 - k]))
                below = int(memory.arena[node]) if found == mv.FOUND_WORD else 0
                if found == mv.FOUND_WORD and words != tuple(4 * below + i for i in range(4)):
                    torn.append(k)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not torn
    for transaction in range(1, workers * each):
        assert memory.read(0, transaction)[3][0] == 4 * (transaction - 1)


@pytest.mark.stress
def test_readers_never_see_half_a_word_while_a_writer_rewrites() -> None:
    memory = Memory(2)
    node, _ = memory.write(0, 0, 0, 0)
    stop, torn, seen = threading.Event(), [], set()

    def rewrite() -> None:
        for incarnation in range(1, 20_000):
            mv.mark_estimate(memory.shared, node)
            memory.write(0, 0, incarnation, 16 * incarnation)
        stop.set()

    def watch() -> None:
        while not stop.is_set():
            found, _, version, words = memory.read(0, 1)
            seen.add(found)
            if found == mv.FOUND_WORD and words != tuple(16 * (version >> 2) + i for i in range(4)):
                torn.append(version)

    threads = [threading.Thread(target=rewrite), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not torn
    assert mv.FOUND_WORD in seen
