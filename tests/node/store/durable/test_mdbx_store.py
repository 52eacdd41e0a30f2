"""The durable store: a block is in it as a whole or not at all, and can be taken back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

from contend.node.store.base import ACCOUNT_BYTES, StoreError
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, KINDS, SLOTS, Records
from contend.node.store.durable.head import Head
from contend.node.store.durable.mdbx_store import MdbxStore

Model = dict[str, dict[bytes, bytes]]
ADDRESSES = [bytes([i]) * 20 for i in (0, 1, 2, 254, 255)]


def contents(store: MdbxStore) -> Model:
    return {kind: dict(store.rows(kind, at_once=3)) for kind in KINDS}


def random_records(draw: random.Random, most: int = 12) -> Records:
    found = Records()
    accounts = {key: draw.randbytes(ACCOUNT_BYTES) for key in draw.sample(ADDRESSES, draw.randrange(len(ADDRESSES)))}
    slots = {draw.choice(ADDRESSES) + bytes(31) + bytes([draw.randrange(4)]): draw.randbytes(32) for _ in range(most)}
    for kind, rows in ((ACCOUNTS, accounts), (SLOTS, slots)):
        found.rows[kind] = [(key, value if draw.random() < 0.7 else None) for key, value in sorted(rows.items())]
    found.rows[CODES] = [(bytes([draw.randrange(3)]) * 32, b"code" * 1000)]
    found.emptied = sorted(draw.sample(ADDRESSES, draw.randrange(3)))
    return found


def applied(model: Model, records: Records) -> Model:
    """What a plain dictionary has after a block."""
    emptied = tuple(records.emptied)
    after = {kind: dict(own) for kind, own in model.items()}
    after[SLOTS] = {key: value for key, value in after[SLOTS].items() if not key.startswith(emptied)}
    for kind, rows in records.rows.items():
        after[kind].update({key: value for key, value in rows if value is not None})
        for key, value in rows:
            if value is None:
                after[kind].pop(key, None)
    return after


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), syncs=st.booleans())
def test_it_holds_what_was_committed_and_goes_back_to_any_block(
    seed: int, syncs: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    draw = random.Random(seed)
    path = tmp_path_factory.mktemp("store") / "state"
    MdbxStore.make(path, Head(chain=7))
    history: list[tuple[Model, Head]] = []
    model: Model = {kind: {} for kind in KINDS}
    with MdbxStore(path, syncs) as store:
        history.append((model, store.head))
        for number in range(1, 5):
            records = random_records(draw)
            store.commit(records, root=bytes([number]) * 32)
            model = applied(model, records)
            history.append((model, store.head))
            assert contents(store) == model
            assert store.head.counts == {kind: len(own) for kind, own in model.items()}
            assert store.read_head() == store.head
    with MdbxStore(path, syncs) as store:
        assert (contents(store), store.head) == history[-1]
        assert store.head.block == 4
        for block in sorted(draw.sample(range(4), 2), reverse=True):
            before = contents(store)
            changed = store.rewind(block)
            assert (contents(store), store.head) == history[block]
            keys = {key for kind in KINDS for key in {**before[kind], **history[block][0][kind]}}
            different = {k for k in keys if {**before[_kind(k)]}.get(k) != history[block][0][_kind(k)].get(k)}
            assert different <= set(changed)
        # Forward again from there.
        store.commit(random_records(draw))


def _kind(key: bytes) -> str:
    return {20: ACCOUNTS, 52: SLOTS, 32: CODES}[len(key)]


def test_records_of_any_kind_are_read_in_the_order_of_their_keys(tmp_path: Path) -> None:
    MdbxStore.make(tmp_path / "state", Head())
    with MdbxStore(tmp_path / "state") as store:
        records = random_records(random.Random(5))
        records.emptied = []
        store.commit(records)
        flat = {key: value for rows in records.rows.values() for key, value in rows}
        keys = [*flat, b"\7" * 20, b"\7" * 52, b"\7" * 32]
        random.Random(1).shuffle(keys)
        assert store.get_many(keys) == [flat.get(key) for key in keys]
        assert store.get_many([]) == []


def test_what_fails_within_a_block_leaves_the_block_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MdbxStore.make(tmp_path / "state", Head())
    with MdbxStore(tmp_path / "state") as store:
        store.commit(random_records(random.Random(1)))
        before = contents(store), store.head

        def fails(self: Head) -> bytes:
            raise ZeroDivisionError

        monkeypatch.setattr(Head, "encode", fails)
        with pytest.raises(ZeroDivisionError):
            store.commit(random_records(random.Random(2)))
        monkeypatch.undo()
        assert (contents(store), store.head, store.read_head()) == (*before, before[1])


def test_without_its_undo_rows_a_block_cannot_be_taken_back(tmp_path: Path) -> None:
    MdbxStore.make(tmp_path / "state", Head())
    with MdbxStore(tmp_path / "state") as store:
        store.commit(random_records(random.Random(1)))
        environment: Any = store._env
        with environment.write() as transaction:
            store._undo.clear(transaction)
        with pytest.raises(StoreError, match="what block 1 has overwritten is not there"):
            store.rewind(0)
