"""The state's root, from block to block, against tries of the library `trie`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st
from trie import HexaryTrie

from contend.evm import Changes, State, keccak256
from contend.evm.accounts import Account, accounts_of, load_accounts, new_state
from contend.evm.layout import KIND_BALANCE, KIND_CODE, KIND_GENERATION, KIND_NONCE, KIND_STORAGE
from contend.evm.state import location_key
from contend.node.state_root.rehashing import EMPTY_ROOT, NO_CODE
from contend.node.state_root.state_trie import StateTrie
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock

NOTHING = keccak256(bytes(rlp.encode(b"")))
ADDRESSES = [bytes(19) + bytes([i]) for i in range(6)] + [keccak256(bytes([i]))[:20] for i in range(6)]
WORDS = st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x100, (1 << 64) - 1, 1 << 64, (1 << 256) - 1]) | st.integers(
    0, (1 << 256) - 1
)


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def library_root(contents: Mapping[bytes, bytes]) -> bytes:
    """Root of the trie with these keys, hashed first."""
    trie = HexaryTrie({})
    for key, value in contents.items():
        trie[keccak256(key)] = value
    return bytes(trie.root_hash) if contents else NOTHING


def expected_root(state: State) -> bytes:
    """Root of a state by the library."""
    accounts = {}
    for address, account in accounts_of(state).items():
        slots = {slot.to_bytes(32, "big"): rlp.encode(number(word)) for slot, word in account.storage.items() if word}
        fields = [number(account.nonce), number(account.balance), library_root(slots), keccak256(account.code)]
        accounts[address] = bytes(rlp.encode(fields))
    return library_root(accounts)


slots = st.dictionaries(st.integers(0, 20) | WORDS, WORDS, max_size=8)
accounts = st.builds(Account, WORDS, st.integers(0, 300), st.sampled_from([b"", b"\x00", b"code"]), slots)
worlds = st.dictionaries(st.sampled_from(ADDRESSES), accounts, max_size=len(ADDRESSES))


def go_to(state: State, world: Mapping[bytes, Account]) -> None:
    """Change a state to these accounts and no others."""
    state.values[:] = 0
    load_accounts(state, world)


@pytest.mark.bounds
@given(st.lists(worlds, min_size=1, max_size=5), st.sampled_from([1, 2, 5]))
def test_the_root_is_that_of_the_library_after_every_change(states: list[dict[bytes, Account]], workers: int) -> None:
    state = State()
    trie = StateTrie.of(state)
    for world in states:
        before = state.snapshot()
        go_to(state, world)
        assert trie.update(state.changes_since(before), workers) == expected_root(state)
    assert StateTrie.of(state).root == trie.root


@given(worlds, worlds, st.integers(0, 7))
def test_changes_come_in_any_order(first: dict[bytes, Account], then: dict[bytes, Account], seed: int) -> None:
    state = new_state(first)
    trie, before = StateTrie.of(state), state.snapshot()
    go_to(state, then)
    changes = state.changes_since(before)
    order = np.random.default_rng(seed).permutation(len(changes))
    assert trie.update(Changes(changes.keys[order], changes.words[order])) == expected_root(state)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("clock", [WALL, VirtualClock()])
def test_many_accounts_and_slots(workers: int, clock: Clock) -> None:
    draw = np.random.default_rng(7)
    contract = ADDRESSES[0]

    def world() -> dict[bytes, Account]:
        found = {draw.bytes(20): Account(int(draw.integers(1, 1 << 60)), 1) for _ in range(300)}
        found |= {address: Account(1, 2, b"c", {int(draw.integers(3)): 5}) for address in ADDRESSES[1:]}
        return found | {
            contract: Account(0, 1, b"x", {int(draw.integers(900)): int(draw.integers(3)) for _ in range(700)})
        }

    state = new_state(world())
    trie = StateTrie.of(state)
    for _ in range(3):
        before = state.snapshot()
        go_to(state, world())
        assert trie.update(state.changes_since(before), workers, clock) == expected_root(state)


def test_the_same_changes_take_the_same_simulated_time() -> None:
    state = new_state({address: Account(1, 1, b"c", {1: 2, 3: 4}) for address in ADDRESSES})
    times = []
    for _ in range(2):
        clock = VirtualClock()
        StateTrie().update(state.contents(), 4, clock)
        times.append(clock.now())
    assert times[0] == times[1] > 0


@given(worlds, worlds)
@example({ADDRESSES[0]: Account(0, 1, b"c", {1: 1})}, {})
def test_changes_taken_back_lead_back(first: dict[bytes, Account], then: dict[bytes, Account]) -> None:
    state = new_state(first)
    trie, root, before = StateTrie.of(state), StateTrie.of(state).root, state.snapshot()
    go_to(state, then)
    trie.update(state.changes_since(before))
    after = state.snapshot()
    go_to(state, first)
    assert trie.update(state.changes_since(after)) == root


@pytest.mark.parametrize("workers", [1, 2])
def test_an_account_may_be_destroyed_and_created_again(workers: int) -> None:
    # As before Cancun: its slots are then others, and those that it had stay where nobody looks.
    address = ADDRESSES[0]
    state = new_state({address: Account(5, 1, b"code", {1: 2, 3: 4}), ADDRESSES[1]: Account(1)})
    trie = StateTrie.of(state)

    def changed(words: Mapping[tuple[int, int, int], int]) -> None:
        """Change locations of the account: kind, slot and generation with the new word."""
        before = state.snapshot()
        keys = np.array([location_key(address, *named) for named in words])
        rows = b"".join(word.to_bytes(32, "little") for word in words.values())
        state.apply(Changes(keys, np.frombuffer(rows, np.uint64).reshape(-1, 4)))
        assert trie.update(state.changes_since(before), workers) == expected_root(state)
        assert StateTrie.of(state).root == trie.root

    gone = {(KIND_BALANCE, 0, 0): 0, (KIND_NONCE, 0, 0): 0, (KIND_CODE, 0, 0): 0}
    changed({**gone, (KIND_GENERATION, 0, 0): 1, (KIND_STORAGE, 3, 0): 9})
    changed({(KIND_NONCE, 0, 0): 1, (KIND_STORAGE, 3, 1): 7, (KIND_STORAGE, 8, 1): 1})
    changed({(KIND_STORAGE, 3, 1): 0})
    # At once: destroyed, created again, and written before and after.
    changed({(KIND_GENERATION, 0, 0): 2, (KIND_STORAGE, 8, 1): 3, (KIND_STORAGE, 1, 2): 6, (KIND_NONCE, 0, 0): 2})


def test_no_changes_leave_the_root() -> None:
    assert StateTrie().update(Changes.sorted(np.zeros((0, 7), np.uint64), np.zeros((0, 4), np.uint64))) == NOTHING
    state = new_state({ADDRESSES[0]: Account(1)})
    trie = StateTrie.of(state)
    assert trie.update(state.changes_since(state.snapshot()), 2) == trie.root == expected_root(state)


def test_nothing_has_these_hashes() -> None:
    assert np.array(EMPTY_ROOT).tobytes() == NOTHING
    assert np.array(NO_CODE).tobytes() == keccak256(b"")
