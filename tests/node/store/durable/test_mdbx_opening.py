"""What is no store is refused in one line and left as it was."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

import clibmdbx as mdbx

from contend.node.store import file_systems
from contend.node.store.base import ACCOUNT_BYTES, StoreError
from contend.node.store.durable import head as heads
from contend.node.store.durable.changed_records import ACCOUNTS, Records
from contend.node.store.durable.head import Head, decode_head
from contend.node.store.durable.mdbx_opening import DATA_FILE, HEAD_KEY
from contend.node.store.durable.mdbx_store import MdbxStore


def records(count: int, seed: int = 0) -> Records:
    found = Records()
    found.rows[ACCOUNTS] = [(i.to_bytes(20, "big"), bytes([seed]) * ACCOUNT_BYTES) for i in range(count)]
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    MdbxStore.make(made, Head())
    with MdbxStore(made) as store:
        store.commit(records(5000))
    return made


def change_head(path: Path, data: bytes | None) -> None:
    with mdbx.Environment(path, max_dbs=8) as environment, environment.write() as transaction:
        if data is None:
            transaction.delete(HEAD_KEY)
        else:
            transaction.put(HEAD_KEY, data)


def overwrite(path: Path, data: bytes, at: int = 0) -> None:
    with (path / DATA_FILE).open("r+b") as file:
        file.seek(at)
        file.write(data)


def later_format(path: Path) -> None:
    data = bytearray(Head(block=1, accounts=5000).encode())
    data[len(heads.MAGIC) + 3] += 1
    change_head(path, bytes(data) + b"more")


def damaged_head(path: Path) -> None:
    data = bytearray(Head(block=1, accounts=5000).encode())
    data[30] ^= 1
    change_head(path, bytes(data))


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "foreign": (lambda path: overwrite(path, b"SQLite format 3\0" * 4096), "no MDBX database, or one whose head"),
    "of another's": (lambda path: change_head(path, None), "an MDBX database, but none that Contend has made"),
    "short": (lambda path: os.truncate(path / DATA_FILE, 100_000), "damaged, or its file is too short"),
    "very short": (lambda path: os.truncate(path / DATA_FILE, 8000), "no MDBX database, or one whose head"),
    "empty": (lambda path: os.truncate(path / DATA_FILE, 0), "no MDBX database, or one whose head"),
    "later": (later_format, "format 2 of a later Contend; this one reads format 1"),
    "damaged head": (damaged_head, "its head is damaged"),
    "other counts": (lambda path: change_head(path, Head(accounts=4).encode()), "names other numbers of records"),
    "no file": (lambda path: (path / DATA_FILE).unlink(), "no store of Contend; `contend make-state` makes one"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("syncs", [True, False])
def test_what_is_no_store_is_refused_and_stays_as_it_is(
    name: str, syncs: bool, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage, message = WRONG[name]
    damage(path)
    file = path / DATA_FILE
    before = file.read_bytes() if file.exists() else None
    capfd.readouterr()
    for _ in range(2):
        with pytest.raises(StoreError, match=message) as caught:
            MdbxStore(path, syncs)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (file.read_bytes() if file.exists() else None) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["", "nothing/there", "file"])
def test_a_path_where_no_store_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="no store of Contend"):
        MdbxStore(tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


def test_damage_of_pages_is_found_when_they_are_read(path: Path) -> None:
    shutil.copytree(path, path.with_name("good"))
    size = (path / DATA_FILE).stat().st_size
    for at in range(5 * 4096, min(size, 1 << 20), 4096):
        overwrite(path, os.urandom(4096), at)
    with pytest.raises(StoreError, match="damaged"), MdbxStore(path) as store:
        dict(store.rows(ACCOUNTS))


def test_a_store_in_use_is_refused(path: Path) -> None:
    source = f"""
from pathlib import Path
from contend.node.store.durable.mdbx_store import MdbxStore
try:
    MdbxStore(Path({str(path)!r}))
except Exception as error:
    print(error)
"""
    with MdbxStore(path) as store:
        with pytest.raises(StoreError, match="in use by this process"):
            MdbxStore(path, patience_s=60)
        found = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
        assert found.stdout == f"{path}: in use by another process\n"
        assert found.stderr == ""
        store.commit(records(10, 1))
    MdbxStore(path).close()


def test_processes_of_one_measurement_wait_for_each_other(path: Path) -> None:
    source = f"""
import sys, time
from pathlib import Path
from contend.node.store.durable.mdbx_store import MdbxStore
with MdbxStore(Path({str(path)!r}), patience_s=60) as store:
    block = store.head.block
    print(block, flush=True)
    time.sleep(float(sys.argv[1]))
    store.rewind(0)
"""
    first = subprocess.Popen([sys.executable, "-c", source, "1"], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "1\n"
    second = subprocess.run([sys.executable, "-c", source, "0"], capture_output=True, text=True, check=True)
    assert first.wait() == 0
    first.stdout.close()
    # It has found what the first one has left.
    assert second.stdout == "0\n"


def test_a_full_disk_loses_nothing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with MdbxStore(path) as store:
        before = store.head
        resource.setrlimit(resource.RLIMIT_FSIZE, ((path / DATA_FILE).stat().st_size, limits[1]))
        try:
            with pytest.raises(StoreError, match="the disk is full; nothing of this block has been written"):
                store.commit(records(200_000, 1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert store.head == store.read_head() == before
        store.commit(records(6000, 2))
    with MdbxStore(path) as store:
        assert dict(store.rows(ACCOUNTS)) == {
            key: value for key, value in records(6000, 2).rows[ACCOUNTS] if value is not None
        }
    assert capfd.readouterr() == ("", "")


def test_nothing_is_made_over_what_is_there(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for there in (path, tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError, match="is there already"):
            MdbxStore.make(there, Head())
    (tmp_path / "empty").mkdir()
    MdbxStore.make(tmp_path / "empty", Head())


@pytest.mark.parametrize(
    ("kind", "message"), [("tmpfs", "lies in memory"), ("nfs4", "network file system"), ("fuse.sshfs", "network")]
)
def test_some_file_systems_will_not_do(kind: str, message: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "_mounts", lambda: iter([("/", "ext4"), (str(path), kind)]))
    for call in (lambda: MdbxStore(path), lambda: MdbxStore.make(path / "new" / "one", Head())):
        with pytest.raises(StoreError, match=message):
            call()
    assert not (path / "new").exists()
    file_systems.check_place(path.parent)


def test_mounts_are_read_from_what_systems_print() -> None:
    line = "98 31 0:44 / /a\\040b rw,relatime shared:52 - tmpfs none rw,size=4k"
    assert list(file_systems._linux_mounts([line])) == [("/a b", "tmpfs")]
    lines = ["/dev/disk3s1 on / (apfs, sealed, local)", "host:/home on /Network/my home (nfs, nodev)"]
    assert list(file_systems._listed_mounts(lines)) == [("/", "apfs"), ("/Network/my home", "nfs")]


def test_a_head_says_what_it_was_given() -> None:
    head = Head(3, 4, b"r" * 32, b"m" * 16, b"b" * 16, 1, 2, 3)
    assert decode_head(head.encode(), "x") == head
    assert decode_head(replace(head, block=5).encode(), "x") != head
