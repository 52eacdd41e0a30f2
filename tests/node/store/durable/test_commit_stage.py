"""The stage that commits blocks to the durable store, under every strategy."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

from contend.cache_places import Places
from contend.evm import Block, State
from contend.harness.verify.knowledge import BlockKnowledge
from contend.node.base import StageError
from contend.node.state_root.stage import StateRoot
from contend.node.store.base import StoreError, records_of
from contend.node.store.durable import private_place
from contend.node.store.durable.changed_records import KINDS, changed_records, records_at
from contend.node.store.durable.commit_stage import StoreCommit
from contend.node.store.durable.made_state import make_state
from contend.node.store.durable.mdbx_store import MdbxStore
from contend.node.store.durable.run_store import RunStore
from contend.node.whole_node import Node
from contend.strategies import registry as strategies
from contend.strategies.serial import Serial


def blocks() -> list[Block]:
    """Two in a row: the nonces of the second one follow those of the first."""
    names = ("counter", "keyed", "chaser", "reader")
    acts = [Act(SENDERS[i % 4], CONTRACTS[names[i // 4 % 4]], (i % 5).to_bytes(32, "big")) for i in range(48)]
    whole = block_of(acts)
    return [replace(whole, transactions=whole.transactions[at : at + 24]) for at in (0, 24)]


BLOCKS = blocks()


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache-states"
    folder.mkdir()
    monkeypatch.setattr(private_place, "places", lambda suffix: Places(folder, (folder,), ""))


def in_store(store: RunStore) -> dict[bytes, bytes]:
    found = {key: value for kind in KINDS for key, value in store.store.rows(kind)}
    store.close()
    return found


def in_state(state: State) -> dict[bytes, bytes]:
    """By the plain way, of a state without storage generations."""
    return dict(records_of(state))


@pytest.mark.parametrize("name", strategies.names())
def test_the_store_has_the_state_after_every_block_and_every_repetition(name: str) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    store = RunStore.new(state, "none")
    root = StateRoot(state, {})
    node = Node({"root": root, "state": StoreCommit(store)})
    assert in_store(store) == in_state(state)
    with strategies.get(name)() as strategy:
        if "wall" not in strategy.clocks:
            pytest.skip(f"{name} does not run under the wall clock")
        for _ in range(2):
            state.restore(genesis)
            for place, one in enumerate(BLOCKS):
                before = state.snapshot()
                strategy.knowledge = BlockKnowledge([one], state, Serial()).of(0, strategy.given)
                state.restore(before)
                outcome = node.execute(strategy, one, state, 3, place)
                assert outcome.phases["store"] > 0
                assert outcome.counters["store_records"] > 0
                assert in_store(store) == in_state(state)
                assert store.store.head.root == root.root
                assert store.store.head.block == place + 2
                store.close()


def test_what_another_run_has_left_is_taken_back(tmp_path: Path) -> None:
    deque(make_state(tmp_path / "made", 500, 1), maxlen=0)
    state = adversarial_state()
    genesis = state.snapshot()
    with MdbxStore(tmp_path / "made") as store:
        made = {key: value for kind in KINDS for key, value in store.rows(kind)}
    for begins_with in (1, 2):
        # The second one is another workload's run, over what the first has left; each comes twice.
        state.restore(genesis)
        state.set_balance(SENDERS[0], 10**20 + begins_with)
        before = state.snapshot()
        for _ in range(2):
            state.restore(before)
            run = RunStore(state, tmp_path / "made", "none")
            assert run.facts == {**run.store.head.counts, "sync": "none"}
            assert in_store(run) == {**made, **in_state(state)}
            Node({"state": StoreCommit(run)}).execute(Serial(), BLOCKS[0], state, 1)
            assert in_store(run) == {**made, **in_state(state)}


def test_another_has_a_store_of_its_own_and_all_are_gone_with_the_run(tmp_path: Path) -> None:
    deque(make_state(tmp_path / "made", 500, 1), maxlen=0)
    state = adversarial_state()
    genesis = state.snapshot()
    for store in (RunStore.new(state, "block"), RunStore(state, tmp_path / "made", "block")):
        state.restore(genesis)
        first = StoreCommit(store)
        second = first.again()
        assert first.facts == second.facts
        for stage in (first, second):
            state.restore(genesis)
            Node({"state": stage}).execute(Serial(), BLOCKS[0], state, 1)
        assert in_store(second._store) == in_store(store)
        del second, stage
    (places,) = tmp_path.glob("cache-states")
    del first, store
    assert not list(places.iterdir())
    assert (tmp_path / "made").exists()


def test_what_a_killed_run_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    RunStore.new(adversarial_state(), "none")
    left = tmp_path / "cache-states" / "run-gone"
    left.mkdir()
    (left / "lock").touch()
    (left / "state").mkdir()
    at_work = RunStore.new(adversarial_state(), "none")
    other = RunStore.new(adversarial_state(), "none")
    assert not left.exists()
    assert len(list(left.parent.iterdir())) == 2
    del at_work, other


def test_a_record_that_is_not_the_state_s_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    run = RunStore.new(state, "none")
    node = Node({"state": StoreCommit(run)})
    commit = MdbxStore.commit

    def forgets_one(self: MdbxStore, records: object, root: bytes | None = None) -> None:
        rows = records.rows["accounts"]  # type: ignore[attr-defined]
        kept, rows[:] = list(rows), rows[1:]
        commit(self, records, root)  # type: ignore[arg-type]
        rows[:] = kept

    monkeypatch.setattr(MdbxStore, "commit", forgets_one)
    with pytest.raises(StageError, match=r"block 0: record 0x[0-9a-f]{40} was not stored as it is"):
        node.execute(Serial(), BLOCKS[0], state, 1)
    monkeypatch.undo()
    # What is written back is checked, too.
    state.restore(genesis)
    state.set_balance(SENDERS[1], 1)
    with pytest.raises(StoreError, match="is not what the state before the block has"):
        node.execute(Serial(), BLOCKS[0], state, 1)


def test_blocks_come_in_a_row() -> None:
    state = adversarial_state()
    node = Node({"state": StoreCommit(RunStore.new(state, "none"))})
    with pytest.raises(StoreError, match="is at block 1, and not at block 2 of this run"):
        node.execute(Serial(), BLOCKS[1], state, 1, 1)


def test_destroyed_storage_and_deleted_accounts_are_gone_from_the_store() -> None:
    state = State()
    one, other, keeps = b"\1" * 20, b"\2" * 20, b"\3" * 20
    for address in (one, other, keeps):
        state.set_code(address, b"\0")
        state.set_nonce(address, 1)
        for slot in range(5):
            state.set_storage(address, slot, slot + 7)
    store = RunStore.new(state, "none")
    assert in_store(store) == in_state(state)
    before = state.snapshot()
    state.settle_generations(True)
    # One was destroyed and made again; the other is gone.
    state._set(one, 5, 0, 1)
    state.set_storage(one, 3, 99)
    state._set(other, 5, 0, 1)
    state.set_nonce(other, 0)
    state.set_code(other, b"")
    after = {key: value for key, value in in_store(store).items() if key[:20] not in (one, other)}
    store.store.commit(changed_records(state.changes_since(before), state))
    remade = one + (3).to_bytes(32, "big")
    for key in (one, remade):
        (record,) = records_at([key], state)
        assert record is not None
        after[key] = record
    assert in_store(store) == after
    assert after[remade] == (99).to_bytes(32, "big")
    state.restore(before)
    store.go_to(0, state)
    assert in_store(store) == in_state(state)
