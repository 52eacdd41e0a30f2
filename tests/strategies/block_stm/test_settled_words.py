"""Settled words: against a model, and that a worker who is alone leaves nothing else behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm import settled_words as settled
from contend.strategies.block_stm.commit import count_written, list_written
from contend.strategies.block_stm.layout import ESTIMATE, HEAD_SHIFT, ROW, SETTLING, SHARED, TAG_SHIFT, WORKER
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.serial import Serial
from contend.workloads import registry
from contend.workloads.dials import resolve_dials

LOCATIONS = 4


@kernel()
def settle(shared, worker, location, word):  # type: ignore[no-untyped-def]  # a kernel, as all below
    return settled.settle(SHARED.at(shared), WORKER.at(worker), location, word)


@kernel()
def settled_word(shared, location):  # type: ignore[no-untyped-def]
    return settled.settled_word(SHARED.at(shared), location)


@kernel()
def settled_tag(shared, location):  # type: ignore[no-untyped-def]
    return settled.settled_tag(SHARED.at(shared), location)


class Memory:
    """Rows of a state, and one worker."""

    def __init__(self) -> None:
        self.rows: Any = ROW.zeros(LOCATIONS)
        self.arena = np.zeros(1 << 14, np.uint64)
        self.header: Any = SHARED.zeros()
        for name, value in (
            ("arena_used", 8),
            ("epoch", 3),
            ("rows", self.rows.ctypes.data),
            ("rows_count", LOCATIONS),
            ("arena", self.arena.ctypes.data),
            ("arena_words", len(self.arena)),
        ):
            self.header[0][name] = value
        self.worker: Any = WORKER.lines(1)
        self.places = int(self.header.ctypes.data), int(self.worker.ctypes.data)

    def settle(self, txn_idx: int, location: int, value: int) -> None:
        self.worker[0]["txn_idx"] = txn_idx
        assert settle(*self.places, location, tuple(np.uint64(value + i) for i in range(4)))

    def seen(self, location: int) -> tuple[int, int]:
        tag, word = settled_word(self.places[0], location)
        assert [int(limb) - int(word[0]) for limb in word] in ([0, 0, 0, 0], [0, 1, 2, 3])
        return int(tag) >> int(TAG_SHIFT), int(word[0])


@pytest.mark.bounds
@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, LOCATIONS - 1), st.integers(0, 2), st.integers(0, 9)), max_size=200))
def test_a_location_has_the_last_word_and_says_whose_it_is(writes: list[tuple[int, int, int]]) -> None:
    memory, txn_idx = Memory(), 0
    model: dict[int, tuple[int, int]] = {}
    for location, further, value in writes:
        # No transaction writes a location twice.
        txn_idx += max(further, model.get(location, (0, 0))[0] == txn_idx + 1)
        memory.settle(txn_idx, location, value)
        model[location] = txn_idx + 1, value
        for other in range(LOCATIONS):
            assert memory.seen(other) == model.get(other, (0, 0))
    chunk = int(memory.worker[0]["settled"])
    found = np.zeros(count_written(chunk), np.int64)
    list_written(chunk, found)
    assert sorted(found.tolist()) == sorted(model)
    # In the next block nobody has settled anything; the words stay.
    memory.header[0]["epoch"] += 1
    for other in range(LOCATIONS):
        assert memory.seen(other) == (0, model.get(other, (0, 0))[1])


@pytest.mark.bounds
def test_a_word_that_is_being_written_is_no_word_yet() -> None:
    memory = Memory()
    memory.settle(4, 1, 7)
    memory.rows["settled_by"][1] = np.uint64(3) << HEAD_SHIFT | SETTLING | np.uint64(6)
    tag = int(settled_tag(memory.places[0], 1))
    assert (tag & int(ESTIMATE), tag >> int(TAG_SHIFT)) == (int(ESTIMATE), 6)


@pytest.mark.parametrize("workload", ["payments", "nft"])
def test_one_worker_validates_nothing_and_makes_no_version(workload: str) -> None:
    kind = registry.get(workload)
    scenario = kind().build(resolve_dials(kind), 5, 40)
    block, state = scenario.blocks[0], scenario.genesis
    before = state.snapshot()
    expected = Serial().execute(block, state, 1)
    state.restore(before)
    strategy = BlockSTM()
    found = strategy.execute(block, state, 1)
    assert found.changes is not None
    assert expected.changes is not None
    assert found.changes.digest == expected.changes.digest
    assert found.counters["validations"] == 0
    assert strategy._workspace is not None
    assert strategy._workspace.shared["written"] == 0
