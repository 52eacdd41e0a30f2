"""Files of pages: what is read is what was written, and what is not whole is refused in a line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from adversarial import adversarial_state
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import State
from contend.node.base import StageError
from contend.node.cold_state.stage import check, share_of
from contend.node.store.base import Account, StoreError, account_of, account_record, records_of
from contend.node.store.disk import DISKS, Disk, disk_named
from contend.node.store.page_file import PageFile, write_page_file
from contend.node.store.place import forget_oldest

addresses = st.binary(min_size=20, max_size=20)
word = st.integers(1, 2**256 - 1)


def store_of(state: State, folder: Path, direct: bool = False) -> PageFile:
    path = folder / "state.pages"
    write_page_file(path, state, state.digest())
    return PageFile(path, state.digest(), direct)


@settings(max_examples=30, deadline=None)
@given(
    accounts=st.dictionaries(addresses, st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1)), max_size=80),
    slots=st.dictionaries(st.tuples(addresses, st.integers(0, 2**256 - 1)), word, max_size=120),
    codes=st.lists(st.binary(min_size=1, max_size=70_000), max_size=3),
    strangers=st.lists(addresses, max_size=5),
)
def test_all_records_of_a_state_are_found_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
    accounts: dict[bytes, tuple[int, int]],
    slots: dict[tuple[bytes, int], int],
    codes: list[bytes],
    strangers: list[bytes],
) -> None:
    state = State()
    for address, (nonce, balance) in accounts.items():
        state.set_nonce(address, nonce)
        state.set_balance(address, balance)
    for (address, slot), value in slots.items():
        state.set_storage(address, slot, value)
    for number, code in enumerate(codes):
        state.set_code(bytes([1 + number]) * 20, code)
    store = store_of(state, tmp_path_factory.mktemp("pages"))
    expected = dict(records_of(state))
    assert store.get_many(list(expected)) == list(expected.values())
    facts = store.facts
    assert (facts["accounts"], facts["slots"], facts["codes"]) == tuple(
        sum(len(key) == size for key in expected) for size in (20, 52, 32)
    )
    unknown = [key for key in (*strangers, *(one + bytes(32) for one in strangers)) if key not in expected]
    assert store.get_many(unknown) == [None] * len(unknown)


@given(nonce=st.integers(0, 2**64 - 1), balance=st.integers(0, 2**256 - 1), code=st.binary(min_size=32, max_size=32))
def test_an_account_s_record_is_read_back(nonce: int, balance: int, code: bytes) -> None:
    account = Account(nonce, balance, code)
    assert account_of(account_record(account)) == account


def _damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "short":
        content = content[:-4096]
    elif how == "cut in the header":
        content = content[:100]
    elif how == "foreign":
        content[:8] = b"SQLite f"
    elif how == "newer":
        content[8] = 99
    elif how == "header":
        content[24] ^= 1
    elif how == "page":
        content[4096 * 2 + 77] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("short", "bytes of"),
        ("cut in the header", "cut short"),
        ("foreign", "no snapshot of a state"),
        ("newer", "newer version of Contend (99)"),
        ("header", "damaged in its header"),
        ("page", "damaged; delete it"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_in_a_line(how: str, words: str, tmp_path: Path) -> None:
    state = adversarial_state()
    store = store_of(state, tmp_path)
    _damage(store.path, how)
    with pytest.raises(StoreError) as refused:
        PageFile(store.path, state.digest())
    assert words in str(refused.value)
    assert str(store.path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_snapshot_of_another_state_is_refused(tmp_path: Path) -> None:
    store = store_of(adversarial_state(), tmp_path)
    with pytest.raises(StoreError, match="snapshot of another state"):
        PageFile(store.path, State().digest())


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device; --state-path"):
        write_page_file(tmp_path / "state.pages", State(), State().digest())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_page_file(tmp_path / "file" / "state.pages", State(), State().digest())


def test_only_the_latest_files_are_kept(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / f"{number}.pages"
        path.write_text("")
        os.utime(path, (number, number))
    forget_oldest(tmp_path, tmp_path / "0.pages")
    assert {path.stem for path in tmp_path.iterdir()} == {"0", *(str(number) for number in range(4, 12))}


def test_devices_are_named_or_described() -> None:
    assert disk_named("nvme") == Disk(90_000_000, 45) == DISKS["nvme"]
    assert disk_named("55us:4") == Disk(55_000_000, 4)
    assert disk_named("1.5ms:1").latency_ps == 1_500_000_000
    assert disk_named("nvme").reads_per_second == 500_000
    for text in ("", "fast", "90us", "90:4", "0us:4", "90us:0", "90us:5000", "11s:1", "90us:4 "):
        with pytest.raises(StageError, match="is no device"):
            disk_named(text)


def test_shares_are_cold_or_numbers() -> None:
    assert (share_of("cold"), share_of("0.25"), share_of("1")) == (0.0, 0.25, 1.0)
    for text in ("warm", "-1", "1.1", "nan", ""):
        with pytest.raises(StageError, match="is no share"):
            share_of(text)
    with pytest.raises(StageError, match="state: 'disc' is not known"):
        check({"state": "disc"})
