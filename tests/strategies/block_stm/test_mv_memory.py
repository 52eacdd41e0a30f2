"""Multi-version memory against a model, and under real threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.layout import LOCATION
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm import mv_memory as mv
from contend.strategies.block_stm.commit import count_written, list_written
from contend.strategies.block_stm.layout import LEVELS, ROW, SHARED, VERSION, WORKER
from contend.strategies.block_stm.workspace import addresses_of

LOCATIONS, TRANSACTIONS = 4, 300


@kernel()
def write(shared, worker, location, txn_idx, incarnation, word):  # type: ignore[no-untyped-def]  # a kernel
    return mv.write(SHARED.at(shared), WORKER.at(worker), location, txn_idx, U(incarnation), word)


@kernel()
def read(shared, location, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    return mv.read(SHARED.at(shared), location, txn_idx)


@kernel()
def final_version(shared, location):  # type: ignore[no-untyped-def]  # a kernel
    return mv.final_version(SHARED.at(shared), location)


@kernel()
def led_to(shared, head):  # type: ignore[no-untyped-def]  # a kernel
    return mv.led_to(SHARED.at(shared), head)


@kernel()
def mark_estimate(version):  # type: ignore[no-untyped-def]  # a kernel
    mv.mark_estimate(version)


@kernel()
def mark_absent(version, incarnation):  # type: ignore[no-untyped-def]  # a kernel
    return mv.mark_absent(version, U(incarnation))


@kernel()
def expect(shared, worker, location, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    return mv.expect(SHARED.at(shared), WORKER.at(worker), location, txn_idx)


@kernel()
def is_written_by(version, incarnation):  # type: ignore[no-untyped-def]  # a kernel
    return mv.is_written_by(version, U(incarnation))


@kernel()
def writer_of(version):  # type: ignore[no-untyped-def]  # a kernel
    return I(VERSION.at(version).txn_idx)


@kernel()
def links_followed(tower, txn_idx):  # type: ignore[no-untyped-def]  # a kernel
    """Links that a search on the lowest level goes along, found by searching level by level."""
    count = 0
    for level in range(LEVELS - 1, -1, -1):
        link, _ = mv._search(tower, txn_idx, level)
        start = tower + 8 * level
        if level < LEVELS - 1:
            above, _ = mv._search(tower, txn_idx, level + 1)
            start = above - 8
        while start != link:
            start = mv._follow(start) + mv._NEXT + 8 * level
            count += 1
    return count


def test_a_head_lies_beside_the_word_in_what_the_state_leaves_free() -> None:
    shared = {name: offset for name, offset in LOCATION.offsets.items() if name in ROW.offsets}
    assert shared == {name: ROW.offsets[name] for name in shared}
    assert (ROW.words, ROW.offsets["value"] // 8) == (LOCATION.words, ROW.offsets["head"] // 8)
    assert LOCATION.offsets["spare"] <= ROW.offsets["head"]


class Memory:
    """Multi-version memory alone, without a block."""

    def __init__(self, workers: int = 1, arena_words: int = 1 << 18) -> None:
        self.locations: Any = ROW.zeros(LOCATIONS)
        self.arena = np.zeros(arena_words, np.uint64)
        self.headers = SHARED.zeros()
        self.header = self.headers[0]
        self.header["arena_used"], self.header["epoch"] = 8, 1
        self.header["rows"], self.header["rows_count"] = self.locations.ctypes.data, LOCATIONS
        self.header["arena"], self.header["arena_words"] = self.arena.ctypes.data, arena_words
        self.shared = int(self.headers.ctypes.data)
        self.rows = WORKER.lines(workers)
        self.workers = addresses_of(self.rows)

    def write(self, location: int, transaction: int, incarnation: int, value: int, worker: int = 0) -> tuple[int, bool]:
        words = tuple(np.uint64(value + i) for i in range(4))
        node, repeated = write(self.shared, self.workers[worker], location, transaction, incarnation, words)
        return int(node), bool(repeated)

    def tower(self, location: int) -> int:
        return int(led_to(self.shared, self.locations["head"][location]))

    def read(self, location: int, transaction: int) -> tuple[int, int, int, Any]:
        found, node, version, words = read(self.shared, location, transaction)
        return int(found), int(node), int(version), tuple(int(w) for w in words)


@dataclass
class Modelled:
    """What a transaction's version at a location should be."""

    node: int
    value: int
    stamp: int  # the incarnation that gave it its word
    incarnation: int
    kind: str = "word"


@pytest.mark.bounds
@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["write", "write", "write", "estimate", "absent", "read"]),
            st.integers(0, LOCATIONS - 1),
            st.integers(0, 20) | st.integers(0, TRANSACTIONS - 1),
            st.integers(0, 2),
        ),
        max_size=120,
    )
)
def test_reads_agree_with_a_model(events: list[tuple[str, int, int, int]]) -> None:
    memory = Memory()
    model: dict[tuple[int, int], Modelled] = {}
    for event, location, transaction, value in events:
        one = model.get((location, transaction))
        if event == "write" and one is None:
            node, repeated = memory.write(location, transaction, 0, value)
            assert not repeated
            model[location, transaction] = Modelled(node, value, 0, 0)
        elif event == "write" and one is not None:
            one.incarnation += 1
            node, repeated = memory.write(location, transaction, one.incarnation, value)
            assert node == one.node
            assert repeated == (one.kind == "estimate" or (one.kind == "word" and value == one.value))
            # Who has read the same word, and nothing was marked, need not know that it was written again.
            if value != one.value or one.kind != "word":
                one.value, one.stamp = value, one.incarnation
            one.kind = "word"
        elif event == "estimate" and one is not None and one.kind == "word":
            mark_estimate(one.node)
            one.kind = "estimate"
        elif event == "absent" and one is not None and one.kind != "absent":
            one.incarnation += 1
            assert mark_absent(one.node, one.incarnation) == (one.kind == "estimate")
            one.kind = "absent"
        below = [t for (at, t), it in model.items() if at == location and t < transaction and it.kind != "absent"]
        found, node, version, words = memory.read(location, transaction)
        if not below:
            assert found == mv.FOUND_STATE
            continue
        expected = model[location, max(below)]
        assert node == expected.node
        if expected.kind == "estimate":
            assert found == mv.FOUND_ESTIMATE
        else:
            assert found == mv.FOUND_WORD
            assert version >> 2 == expected.stamp
            assert words == tuple(expected.value + i for i in range(4))


@pytest.mark.bounds
def test_a_write_that_is_only_expected_was_written_by_nobody() -> None:
    memory = Memory()
    node, stood = expect(memory.shared, memory.workers[0], 0, 3)
    assert not stood
    assert expect(memory.shared, memory.workers[0], 0, 3) == (node, True)
    assert memory.read(0, 4)[0] == mv.FOUND_ESTIMATE
    assert not is_written_by(node, 0)
    memory.write(0, 3, 0, 0)
    assert is_written_by(node, 0)
    assert memory.read(0, 4)[0] == mv.FOUND_WORD


@pytest.mark.bounds
def test_the_final_version_is_the_highest_that_is_not_absent() -> None:
    memory = Memory()
    nodes = [memory.write(0, t, 0, 10 * t)[0] for t in (3, 9, 5)]
    assert final_version(memory.shared, 0) == nodes[1]
    mark_estimate(nodes[1])
    mark_absent(nodes[1], 1)
    assert final_version(memory.shared, 0) == nodes[2]
    assert final_version(memory.shared, 1) == mv.NO_VERSION


def test_a_full_arena_is_a_fault_and_writes_nothing() -> None:
    memory = Memory(arena_words=64)
    assert memory.write(0, 1, 0, 5)[0] == mv.NO_VERSION
    assert memory.header["fault"] == 1
    assert memory.read(0, 2)[0] == mv.FOUND_STATE


def test_finding_a_version_does_not_walk_all_writers() -> None:
    # The longest way from a tower to a version: along all links that a search follows, of the 20,000 versions.
    memory = Memory(arena_words=1 << 20)
    for t in range(20_000):
        memory.write(0, t, 0, t)
    readers = np.random.default_rng(1).integers(1, 20_000, 2000)
    for reader in readers:
        assert memory.read(0, int(reader))[3][0] == reader - 1
    tower = memory.tower(0)
    assert max(links_followed(tower, int(reader)) for reader in readers) < 300


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
                below = writer_of(node) if found == mv.FOUND_WORD else 0
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
@pytest.mark.parametrize("marked", [True, False])
def test_readers_never_see_half_a_word_while_a_writer_rewrites(marked: bool) -> None:
    memory = Memory(2)
    node, _ = memory.write(0, 0, 0, 0)
    stop, torn, seen = threading.Event(), [], set()

    def rewrite() -> None:
        for incarnation in range(1, 20_000):
            if marked:
                mark_estimate(node)
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


def test_each_written_location_is_noted_once() -> None:
    memory = Memory(2)
    for location, worker in ((2, 0), (0, 1), (2, 1), (0, 0), (3, 0)):
        memory.write(location, 5 + worker, 0, 1, worker)
    chunk = int(memory.header["written"])
    found = np.zeros(count_written(chunk), np.int64)
    list_written(chunk, found)
    assert sorted(found.tolist()) == [0, 2, 3]


def test_heads_of_another_block_lead_nowhere() -> None:
    memory = Memory()
    memory.write(0, 3, 0, 7)
    memory.header["epoch"] = 2
    memory.arena.fill(0xFFFF_FFFF_FFFF_FFFF)
    assert memory.tower(0) == 0
    assert memory.read(0, 5)[0] == mv.FOUND_STATE
    assert final_version(memory.shared, 0) == mv.NO_VERSION
    memory.write(0, 4, 0, 9)
    assert memory.read(0, 5)[3][0] == 9
    assert memory.read(0, 4)[0] == mv.FOUND_STATE
