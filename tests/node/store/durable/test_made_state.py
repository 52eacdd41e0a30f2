"""A made state: as many records as were asked for, in the order of their keys, the same for the same seed."""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

from contend.evm.crypto.keccak import keccak256
from contend.harness.cli import main
from contend.node.store import file_systems
from contend.node.store.base import StoreError, account_of
from contend.node.store.durable import made_state
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, KINDS, SLOTS
from contend.node.store.durable.head import Head
from contend.node.store.durable.made_state import make_state
from contend.node.store.durable.mdbx_store import MdbxStore


def made(path: Path, records: int, seed: int) -> tuple[Head, dict[str, list[tuple[bytes, bytes]]]]:
    deque(make_state(path, records, seed), maxlen=0)
    with MdbxStore(path) as store:
        return store.head, {kind: list(store.rows(kind)) for kind in KINDS}


@settings(max_examples=10, deadline=None)
@given(records=st.integers(1, 3000), seed=st.integers(0, 2**40))
def test_it_has_what_was_asked_for(records: int, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_state, "RECORDS_AT_ONCE", 700)
        folder = tmp_path_factory.mktemp("made")
        head, rows = made(folder / "one", records, seed)
        assert len(rows[ACCOUNTS]) + len(rows[SLOTS]) == records
        assert head.counts == {kind: len(own) for kind, own in rows.items()}
        assert head.block == 0
        codes = dict(rows[CODES])
        assert all(keccak256(code) == name for name, code in codes.items())
        accounts = {address: account_of(record) for address, record in rows[ACCOUNTS]}
        contracts = {address for address, account in accounts.items() if any(account.code_hash)}
        assert {accounts[address].code_hash for address in contracts} <= set(codes)
        # Slots are those of contracts, and no record is of nothing.
        assert {key[:20] for key, _ in rows[SLOTS]} <= contracts
        assert all(any(word) for _, word in rows[SLOTS])
        assert made(folder / "again", records, seed) == (head, rows)
        assert made(folder / "other", records, seed + 1)[1] != rows
        assert sorted(one.name for one in folder.iterdir()) == ["again", "one", "other"]


def test_addresses_that_begin_alike_are_moved_apart() -> None:
    heads = np.array([5, 5, 5, 6, 9], np.uint64)
    assert made_state._apart(heads, 5).tolist() == [5, 6, 7, 8, 9]


def make(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["make-state", *map(str, arguments)])


def test_the_command_says_what_it_made_and_makes_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "state"
    found = make(path, "--records", "10^3", "--seed", 4)
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith(f"{path}: 1,000 records (300 accounts, 700 slots) and 64 codes, ")
    again = make(path, "--records", "10^3")
    assert (again.exit_code, again.stderr) == (
        2,
        f"contend: {path}: is there already; name another path, or delete it\n",
    )


@pytest.mark.parametrize("records", ["0", "many", "1.5", "-3", "10^10", "10^", "^3", "9" * 30])
def test_a_number_that_is_none_is_refused(records: str, tmp_path: Path) -> None:
    found = make(tmp_path / "state", f"--records={records}")
    assert found.exit_code == 2
    assert found.stderr.count("\n") == 1
    assert "whole number from 1 to 1,000,000,000" in found.stderr
    assert not list(tmp_path.iterdir())


def test_no_room_and_a_place_that_will_not_do_are_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    found = make(tmp_path / "state", "--records", "10^5")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "100,000 records take some 0.0 GB, and the disk has 0.0 GB free" in found.stderr
    monkeypatch.setattr(file_systems, "_mounts", lambda: iter([("/", "tmpfs")]))
    assert "lies in memory" in make(tmp_path / "state").stderr
    assert not list(tmp_path.iterdir())


def test_what_an_earlier_one_has_left_is_cleared_away_unless_it_is_at_work(tmp_path: Path) -> None:
    first = make_state(tmp_path / "state", 100, 1)
    next(first)
    with pytest.raises(StoreError, match="is there already"):
        next(make_state(tmp_path / "state", 100, 1))
    first.close()
    assert not list(tmp_path.iterdir())
    MdbxStore.make(tmp_path / "state.part", Head())
    made(tmp_path / "state", 100, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


def test_the_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = make(tmp_path / "state")
    assert (found.exit_code, found.stderr) == (
        2,
        "contend: make-state needs the package clibmdbx; pip install 'clibmdbx>=1.0.4'\n",
    )
