"""The state: one map from location to word, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm import Location, State, layout
from contend.evm.block import Words
from contend.evm.code.directory import EMPTY_HASH, CodeDirectory, code_number
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import DEFAULT, rules_address
from contend.evm.layout import RULES
from contend.evm.runtime import atomics
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.state import (
    NO_ROOM,
    NOT_FOUND,
    Changes,
    find_location,
    intern_location,
    key_tuple,
    location_key,
    location_of,
    word_to_int,
)

ADDRESSES = [bytes([i]) * 20 for i in range(1, 6)]
KINDS = (layout.KIND_STORAGE, layout.KIND_BALANCE, layout.KIND_NONCE)
ENTRIES = st.dictionaries(
    st.tuples(
        st.sampled_from(ADDRESSES),
        st.sampled_from(KINDS),
        st.one_of(st.integers(0, 3), st.integers(0, (1 << 256) - 1)),
    ),
    st.one_of(st.integers(0, 3), st.integers(0, (1 << 256) - 1)),
    max_size=30,
)
Numbers = npt.NDArray[np.int64]
Entry = tuple[tuple[bytes, int, int], int]


def fill(state: State, entries: list[Entry]) -> State:
    for (address, kind, slot), value in entries:
        state._set(address, kind, slot if kind == layout.KIND_STORAGE else 0, value)
    return state


def unique(entries: dict[tuple[bytes, int, int], int]) -> list[Entry]:
    """Entries, at most one a location: only storage has slots."""
    return list({(a, k, s if k == layout.KIND_STORAGE else 0): v for (a, k, s), v in entries.items()}.items())


@pytest.mark.bounds
@given(entries=ENTRIES.map(unique), seed=st.integers(0, 100))
def test_the_digest_does_not_depend_on_the_order_or_on_zeros(entries: list[Entry], seed: int) -> None:
    shuffled = list(entries)
    Random(seed).shuffle(shuffled)
    state, other = fill(State(64), entries), State(2)
    for address in ADDRESSES:
        other.set_storage(address, 12345, 6)
        other.set_storage(address, 12345, 0)
    fill(other, shuffled)
    assert state.digest() == other.digest()
    assert [(*row,) for row in state.contents()] == [(*row,) for row in other.contents()]
    changed = other.copy()
    changed.set_nonce(ADDRESSES[0], other.nonce(ADDRESSES[0]) ^ 1)
    assert changed.digest() != state.digest()
    assert other.digest() == state.digest()


@pytest.mark.bounds
@given(first=ENTRIES.map(unique), second=ENTRIES.map(unique))
def test_a_snapshot_is_restored_and_changes_lead_from_it_to_now(first: list[Entry], second: list[Entry]) -> None:
    state = fill(State(4), first)
    before, count, digest = state.snapshot(), state.count, state.digest()
    fill(state, second)
    after, changes = state.digest(), state.changes_since(before)
    expected = {location: word for location, word in state.contents()}  # noqa: C416  # Changes is no mapping
    was = {location: word for location, word in fill(State(4), first).contents()}  # noqa: C416  # likewise
    found = {location: word for location, word in changes}  # noqa: C416  # likewise
    assert found == {
        key: expected.get(key, 0) for key in expected.keys() | was.keys() if expected.get(key, 0) != was.get(key, 0)
    }
    state.restore(before)
    assert (state.digest(), state.count) == (digest, count)
    assert not len(state.changes_since(before))
    state.apply(changes)
    assert state.digest() == after
    state.restore(before)
    assert state.digest() == digest


def test_restoring_forgets_what_was_interned_meanwhile() -> None:
    state = fill(State(16), [((ADDRESSES[0], layout.KIND_STORAGE, 1), 5)])
    before = state.snapshot()
    state.set_storage(ADDRESSES[1], 2, 9)
    state.restore(before)
    assert find_location(state.address, key_tuple(location_key(ADDRESSES[1], layout.KIND_STORAGE, 2))) == NOT_FOUND
    assert intern_location(state.address, key_tuple(location_key(ADDRESSES[2], layout.KIND_NONCE))) == before.count
    assert state.nonce(ADDRESSES[2]) == 0


def test_a_snapshot_outlives_growth() -> None:
    state = fill(State(2), [((a, layout.KIND_STORAGE, s), s + 1) for a in ADDRESSES for s in range(3)])
    before, digest = state.snapshot(), state.digest()
    fill(state, [((a, layout.KIND_STORAGE, s), s + 2) for a in ADDRESSES for s in range(300)])
    state.restore(before)
    assert state.digest() == digest
    assert state.storage(ADDRESSES[4], 2) == 3


def test_a_copy_is_independent() -> None:
    state = fill(State(8), [((ADDRESSES[0], layout.KIND_BALANCE, 0), 5)])
    state.set_code(ADDRESSES[0], b"\x01\x02")
    twin = state.copy()
    twin.set_balance(ADDRESSES[0], 6)
    assert (state.balance(ADDRESSES[0]), twin.balance(ADDRESSES[0])) == (5, 6)
    assert twin.code(ADDRESSES[0]) == b"\x01\x02"


def test_locations_and_keys_stand_for_each_other() -> None:
    for kind, name in enumerate(layout.KIND_NAMES):
        for slot in (0, 1, 1 << 64, (1 << 256) - 1):
            address = bytes(range(20))
            assert location_of(location_key(address, kind, slot)) == Location(address, name, slot)
    assert str(Location(b"\xab" * 20, "storage", 16)) == f"0x{'ab' * 20} storage[0x10]"
    assert str(Location(b"\xab" * 20, "nonce", 0)) == f"0x{'ab' * 20} nonce"


@pytest.mark.parametrize("value", [-1, 1 << 256])
def test_a_value_that_is_no_word_is_refused(value: int) -> None:
    state = State(4)
    with pytest.raises(ValueError, match=r"storage\[0x7\].*not a 256-bit word"):
        state.set_storage(ADDRESSES[0], 7, value)
    assert state.count == 0


def test_keys_that_share_their_hash_tag_stay_apart() -> None:
    # A table of four slots makes every probe sequence run into others.
    state = State(2)
    for slot in range(200):
        state.set_storage(ADDRESSES[0], slot << 192, slot)
    assert [state.storage(ADDRESSES[0], slot << 192) for slot in range(200)] == list(range(200))


def test_a_full_state_is_told_and_stays_whole() -> None:
    state = State(4)
    keys = [location_key(ADDRESSES[0], layout.KIND_STORAGE, slot) for slot in range(6)]
    numbers = [intern_location(state.address, key_tuple(key)) for key in keys]
    assert numbers == [0, 1, 2, 3, NO_ROOM, NO_ROOM]
    assert state.count == 4
    assert [intern_location(state.address, key_tuple(key)) for key in keys[:4]] == [0, 1, 2, 3]
    assert find_location(state.address, key_tuple(keys[5])) == NOT_FOUND
    state.reserve(5)
    assert intern_location(state.address, key_tuple(keys[5])) == 4


def test_growth_keeps_to_the_number_that_won_a_race() -> None:
    # Two workers met a location together: one took number 0 and lost the slot to the other's number 1. Growing the
    # state entered every number again in order, so that the loser's zero word stood for the location from then on.
    state = State(4)
    key = location_key(ADDRESSES[0], layout.KIND_STORAGE, 1)
    state._keys[0] = key
    state._counter["count"] = 1
    assert intern_location(state.address, key_tuple(key)) == 1
    state.set_storage(ADDRESSES[0], 1, 77)
    before = state.snapshot()
    state.reserve(100)
    assert state.storage(ADDRESSES[0], 1) == 77
    state.set_storage(ADDRESSES[0], 1, 78)
    state.restore(before)
    assert state.storage(ADDRESSES[0], 1) == 77
    assert state.copy().storage(ADDRESSES[0], 1) == 77


# Several threads.


@kernel()
def _intern_all(state: Any, keys: Any, order: Any, numbers: Any) -> Any:
    for i in range(order.size):
        at = order[i] * 7
        key = keys[at], keys[at + 1], keys[at + 2], keys[at + 3], keys[at + 4], keys[at + 5], keys[at + 6]
        numbers[order[i]] = intern_location(state, key)


@kernel()
def _increment(address: Any, times: Any) -> Any:
    counter = view_u64(address, 64)
    for _ in range(times):
        atomics.add(counter, 0, np.uint64(1))
        atomics.subtract(counter, 8, np.uint64(1))
        while True:
            seen = atomics.load(counter, 16)
            if atomics.compare_and_swap(counter, 16, seen, seen + np.uint64(3)) == seen:
                break


@kernel()
def _claim(address: Any, marks: Any, count: Any, mine: Any) -> Any:
    """Take numbers below `count` from the shared counter, marking those taken; each must be taken once."""
    counter = view_u64(address, 64)
    taken = view_u64(marks, count)
    total = 0
    while True:
        number = np.int64(atomics.add(counter, 0, np.uint64(1)))
        if number >= count:
            return total
        if atomics.exchange(taken, number, np.uint64(mine)) != np.uint64(0):
            return -1
        atomics.minimum(counter, 8, np.uint64(number))
        total += 1


@kernel()
def _ping_pong(address: Any, mine: Any, rounds: Any) -> Any:
    """Alternate with another thread that has the other number; ends only if loads are not hoisted."""
    turn = view_u64(address, 8)
    for _ in range(rounds):
        while atomics.load(turn, 0) != np.uint64(mine):
            pass
        atomics.acquire_fence()
        turn[np.uint64(1)] += np.uint64(1)  # a plain write, ordered by the release below
        atomics.store(turn, 0, np.uint64(1 - mine))


def together(work: list[Callable[[], None]]) -> None:
    """Run these in threads that start at the same moment."""
    barrier, failures = threading.Barrier(len(work)), []

    def begin(task: Callable[[], None]) -> None:
        barrier.wait()
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=begin, args=(task,)) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def intern_together(state: State, keys: Words, orders: list[Numbers], numbers: list[Numbers]) -> None:
    """A thread for each order; each leaves the numbers that it was given."""
    together([partial(_intern_all, state.address, keys, *pair) for pair in zip(orders, numbers, strict=True)])


@pytest.mark.stress
def test_threads_that_intern_together_agree_on_every_number() -> None:
    count, workers = 4_000, 4
    keys = np.concatenate([location_key(ADDRESSES[i % 5], i % 4, i // 5) for i in range(count)])
    _intern_all(State(8).address, keys, np.zeros(0, np.int64), np.zeros(count, np.int64))
    for seed in range(25):
        random = np.random.default_rng(seed)
        state = State(count * workers)
        # Nearly the same order in all threads, so that they meet at the same locations.
        orders = [np.arange(count) for _ in range(workers)]
        for order in orders[1:]:
            for at in random.integers(0, count - 8, 200):
                random.shuffle(order[at : at + 8])
        numbers = [np.full(count, -9, np.int64) for _ in range(workers)]
        intern_together(state, keys, orders, numbers)
        assert all((found == numbers[0]).all() for found in numbers[1:])
        assert len(set(numbers[0].tolist())) == count
        assert numbers[0].min() >= 0
        assert numbers[0].max() < state.count <= count * workers
        state._values[numbers[0], 0] = np.arange(count) + 1
        digest = state.digest()
        assert len(state.contents()) == count
        state.reserve(4 * count * workers)
        assert state.digest() == digest
        again = np.full(count, -9, np.int64)
        _intern_all(state.address, keys, orders[0], again)
        assert (again == numbers[0]).all()


@pytest.mark.stress
def test_threads_that_fill_the_state_together_leave_it_whole() -> None:
    count, workers, room = 2_000, 4, 1_000
    keys = np.concatenate([location_key(ADDRESSES[0], layout.KIND_STORAGE, i) for i in range(count)])
    for seed in range(25):
        state = State(room)
        orders = [np.random.default_rng((seed, worker)).permutation(count) for worker in range(workers)]
        numbers = [np.full(count, -9, np.int64) for _ in range(workers)]
        intern_together(state, keys, orders, numbers)
        assert state.count == room
        stacked = np.array(numbers)
        assert stacked.min() >= NO_ROOM
        for column in range(count):
            assert len(set(stacked[:, column].tolist()) - {NO_ROOM}) <= 1


@pytest.mark.stress
def test_atomic_operations_are_exact_under_contention() -> None:
    memory, times, workers = np.zeros(64, np.uint64), 200_000, 4
    _increment(memory.ctypes.data, 0)
    together([partial(_increment, memory.ctypes.data, times)] * workers)
    assert int(memory[0]) == times * workers
    assert int(memory[8]) == (1 << 64) - times * workers
    assert int(memory[16]) == 3 * times * workers


@pytest.mark.stress
def test_every_number_is_handed_out_once() -> None:
    count, workers = 300_000, 4
    memory, marks, totals = np.zeros(64, np.uint64), np.zeros(count, np.uint64), [0] * workers
    memory[8] = count

    def claim(worker: int) -> None:
        totals[worker] = _claim(memory.ctypes.data, marks.ctypes.data, count, worker + 1)

    together([partial(claim, worker) for worker in range(workers)])
    assert min(totals) >= 0
    assert sum(totals) == count
    assert marks.all()
    assert [int((marks == worker + 1).sum()) for worker in range(workers)] == totals
    assert memory[8] == 0


@pytest.mark.stress
def test_an_atomic_load_sees_what_another_thread_stored() -> None:
    memory, rounds = np.zeros(8, np.uint64), 300
    _ping_pong(memory.ctypes.data, 0, 0)
    together([partial(_ping_pong, memory.ctypes.data, mine, rounds) for mine in (0, 1)])
    assert memory[1] == 2 * rounds


# Code.


def test_the_code_directory_finds_by_hash_and_grows() -> None:
    directory = CodeDirectory()
    codes = [i.to_bytes(2, "big") for i in range(300)]
    numbers = [directory.add(code) for code in codes]
    assert numbers == list(range(1, 301))
    assert [directory.add(code) for code in codes] == numbers
    for code, number in zip(codes, numbers, strict=True):
        word = np.frombuffer(keccak256(code)[::-1], np.uint64)
        assert code_number(directory.address, RULES.ref(rules_address(DEFAULT)), tuple(word), 0, 0) == number
        assert directory.number_of(keccak256(code)) == number
        assert bytes(directory[number].code) == code
    unknown = np.frombuffer(keccak256(b"unknown")[::-1], np.uint64)
    assert code_number(directory.address, RULES.ref(rules_address(DEFAULT)), tuple(unknown), 0, 0) == 0
    assert code_number(directory.address, RULES.ref(rules_address(DEFAULT)), (np.uint64(0),) * 4, 0, 0) == 0
    assert directory.number_of(EMPTY_HASH) == 0
    with pytest.raises(KeyError):
        directory.number_of(b"\0" * 32)


def test_changes_are_in_canonical_order() -> None:
    state = fill(
        State(16),
        [
            ((ADDRESSES[1], layout.KIND_NONCE, 0), 1),
            ((ADDRESSES[1], layout.KIND_STORAGE, 1 << 200), 2),
            ((ADDRESSES[0], layout.KIND_STORAGE, 5), 3),
            ((ADDRESSES[1], layout.KIND_STORAGE, 5), 4),
            ((ADDRESSES[0], layout.KIND_BALANCE, 0), 5),
        ],
    )
    contents = state.contents()
    assert [word for _, word in contents] == [3, 4, 2, 5, 1]
    assert [word_to_int(row) for row in contents.words] == [3, 4, 2, 5, 1]
    reversed_rows = Changes.sorted(contents.keys[::-1], contents.words[::-1])
    assert reversed_rows.digest == contents.digest
