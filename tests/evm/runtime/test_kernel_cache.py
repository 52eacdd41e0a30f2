"""What is compiled once is loaded wherever the same sources lie; what differs is compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from numba.core.caching import CacheImpl, IndexDataCacheFile
from numba.core.registry import cpu_target
from numba.core.types import int64
from numba.core.typing import signature
from unprivileged import close_to_writing, open_to_writing, run_unprivileged, writes_everywhere

from contend.evm.runtime.kernel_cache import KernelCache, KernelFolders

ROOT = Path(__file__).resolve().parents[3]
KEYED = ("evm", "strategies")
ASK = """
from ctypes import CFUNCTYPE, c_int64
import numba
import {module} as found
assert {root!r} in found.__file__, found.__file__
native = CFUNCTYPE(c_int64)(found.pointed.address)()
print(found.whole(), native, sum(found.whole.stats.cache_misses.values()), numba.config.CACHE_DIR)
"""
MODULE = """
from contend.evm.runtime.jit import kernel, native

@kernel()
def whole():
    return {value}

@native("int64()")
def pointed():
    return {value}
"""


def ask(root: Path, module: str, cache: Path) -> list[str]:
    """What a module's kernels give, in a new process; how many had to be compiled; and what others' caches are."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", ASK.format(module=module, root=str(root))],
        env={**os.environ, "PYTHONPATH": str(root), "CONTEND_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def checkouts(tmp_path: Path) -> list[Path]:
    """Two copies of the rooms that have kernels, and of one that has none."""
    folders = [tmp_path / "here", tmp_path / "elsewhere" / "deeper"]
    for folder in folders:
        for room in KEYED:
            shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "harness").mkdir()
        (folder / "harness" / "__init__.py").write_text(
            "from contend.evm.runtime.source_digest import register\nregister(__name__, __path__[0], whole=False)\n"
        )
        # One top-level name, over links to the rooms.
        (folder / "contend").mkdir()
        (folder / "contend" / "__init__.py").write_text("")
        for room in (*KEYED, "harness"):
            (folder / "contend" / room).symlink_to(folder / room)
    return folders


@pytest.mark.parametrize("room", KEYED)
def test_checkouts_of_one_version_share_what_one_has_compiled(checkouts: list[Path], room: str, tmp_path: Path) -> None:
    for folder in checkouts:
        (folder / room / "planted.py").write_text(MODULE.format(value=41))
    here, elsewhere = checkouts
    assert ask(here, f"contend.{room}.planted", tmp_path / "cache")[:3] == ["41", "41", "1"]
    assert ask(elsewhere, f"contend.{room}.planted", tmp_path / "cache")[:3] == ["41", "41", "0"]
    # Another version, of which nothing else is different.
    (elsewhere / room / "planted.py").write_text(MODULE.format(value=42))
    assert ask(elsewhere, f"contend.{room}.planted", tmp_path / "cache")[:3] == ["42", "42", "1"]
    assert ask(here, f"contend.{room}.planted", tmp_path / "cache")[:3] == ["41", "41", "0"]


HELPER = """
from contend.evm.runtime.jit import kernel

@kernel()
def helper():
    return {value}
"""
CALLER = """
from contend.evm.runtime.jit import kernel, native
from contend.evm.code.tables.helper import helper

@kernel()
def whole():
    return helper()

@native("int64()")
def pointed():
    return helper()
"""


def test_an_edit_two_folders_down_is_seen(checkouts: list[Path], tmp_path: Path) -> None:
    here = checkouts[0]
    deep = here / "evm" / "code" / "tables"
    deep.mkdir()
    (deep / "__init__.py").write_text("")
    (here / "evm" / "caller.py").write_text(CALLER)
    for value in (41, 42, 41):
        (deep / "helper.py").write_text(HELPER.format(value=value))
        assert ask(here, "contend.evm.caller", tmp_path / "cache")[:2] == [str(value)] * 2


def test_an_edit_of_an_upper_floor_leaves_the_kernels_of_the_lower(checkouts: list[Path], tmp_path: Path) -> None:
    here = checkouts[0]
    (here / "evm" / "planted.py").write_text(MODULE.format(value=41))
    assert ask(here, "contend.evm.planted", tmp_path / "cache")[2] == "1"
    (here / "strategies" / "planted.py").write_text(MODULE.format(value=41))
    assert ask(here, "contend.evm.planted", tmp_path / "cache")[2] == "0"


def test_what_the_digest_does_not_cover_is_kept_by_where_it_lies(checkouts: list[Path], tmp_path: Path) -> None:
    for folder in checkouts:
        (folder / "harness" / "planted.py").write_text(MODULE.format(value=41))
    here, elsewhere = checkouts
    assert ask(here, "contend.harness.planted", tmp_path / "cache")[2] == "1"
    assert ask(elsewhere, "contend.harness.planted", tmp_path / "cache")[2] == "1"
    assert ask(here, "contend.harness.planted", tmp_path / "cache")[2] == "0"


def test_caches_of_others_are_left_where_they_are(checkouts: list[Path], tmp_path: Path) -> None:
    (checkouts[0] / "evm" / "planted.py").write_text(MODULE.format(value=41))
    answer = ask(checkouts[0], "contend.evm.planted", tmp_path / "cache")
    assert str(tmp_path / "cache") not in answer


def test_only_caches_are_cleared_away(checkouts: list[Path], tmp_path: Path) -> None:
    # A folder with other things in it, and more old caches than are kept.
    cache = tmp_path / "cache"
    others = [cache / f"project{number}" for number in range(9)] + [cache / "planted-notes"]
    old = [cache / f"{number:016x}" for number in range(19)]
    for age, folder in enumerate([*others, *old]):
        folder.mkdir(parents=True)
        (folder / "thesis.txt").touch()
        os.utime(folder, (age, age))
    (checkouts[0] / "evm" / "planted.py").write_text(MODULE.format(value=41))
    ask(checkouts[0], "contend.evm.planted", cache)
    assert all((folder / "thesis.txt").exists() for folder in others)
    left = [folder for folder in old if folder.exists()]
    assert left
    assert left == old[-len(left) :]
    assert len(left) < len(old)


@pytest.fixture
def planted(checkouts: list[Path]) -> Path:
    """A checkout with a kernel of its own."""
    (checkouts[0] / "evm" / "planted.py").write_text(MODULE.format(value=41))
    return checkouts[0]


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody can write once `close_to_writing` was called."""
    folder = tmp_path / "closed"
    folder.mkdir()
    yield folder
    open_to_writing(folder)


def asked(root: Path, program: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The same question as `ask`, by a user who has to heed rights, after a program of one line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTEND_", "XDG_"))}
    return run_unprivileged(
        [sys.executable, "-P", "-c", program + ASK.format(module="contend.evm.planted", root=str(root))],
        env={**kept, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **variables},
    )


def test_what_cannot_be_written_is_read(planted: Path, closed: Path, tmp_path: Path) -> None:
    assert ask(planted, "contend.evm.planted", closed)[:3] == ["41", "41", "1"]
    close_to_writing(closed)
    done = asked(planted, CONTEND_CACHE_DIR=str(closed), HOME=str(tmp_path))
    assert done.stdout.split()[:3] == ["41", "41", "0"], done.stderr
    assert done.stderr == "", "nothing had to be kept, so there is nothing to say"


def test_without_a_home_kernels_are_kept_all_the_same_and_that_is_said_once(planted: Path, closed: Path) -> None:
    close_to_writing(closed)
    if writes_everywhere(closed):
        pytest.skip("this file system heeds no rights")
    # What is nearest then is the folder of the installation, which is not for a test to write.
    program = f"import sys; sys.prefix = {str(closed)!r}\n"
    with tempfile.TemporaryDirectory() as temporary:
        first, second = (asked(planted, program, HOME=str(closed / "nobody"), TMPDIR=temporary) for _ in range(2))
    assert first.stdout.split()[:3] == ["41", "41", "1"], first.stderr
    assert second.stdout.split()[:3] == ["41", "41", "0"], second.stderr
    (line,) = first.stderr.splitlines()
    assert line.startswith(f"compiled kernels are kept in {temporary}/contend-")
    assert str(closed / "nobody") in line
    assert second.stderr == ""


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))\n"


def test_a_kernel_that_cannot_be_kept_is_no_error(planted: Path, tmp_path: Path) -> None:
    # As on a full disk: the first bytes find room, and those of a kernel do not.
    cache = tmp_path / "cache"
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED + ASK.format(module="contend.evm.planted", root=str(planted))],
        env={**os.environ, "PYTHONPATH": str(planted), "CONTEND_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split()[:3] == ["41", "41", "1"], done.stderr
    (line,) = done.stderr.splitlines()
    assert f"cannot be kept in {cache}: File too large" in line
    assert not list(cache.rglob("*.tmp.*")), "half of a file was left behind"


class PlainForm(CacheImpl):  # type: ignore[misc]  # numba ships no types
    """Keeps text instead of what a function compiles to."""

    def reduce(self, data: Text) -> str:
        return data.text

    def rebuild(self, target_context: object, payload: str) -> str:
        return payload

    def check_cachable(self, data: Text) -> bool:
        return True


class PlainCache(KernelCache):
    _impl_class = PlainForm


@dataclass
class Text:
    text: str
    codegen: ClassVar[Any] = cpu_target.target_context.codegen()


def test_no_entry_is_lost_where_two_processes_keep_one_function_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_slowly(self: Any, overloads: Any, save: Any = IndexDataCacheFile._save_index) -> None:
        time.sleep(0.05)
        save(self, overloads)

    monkeypatch.setattr(IndexDataCacheFile, "_save_index", save_slowly)
    signatures = [signature(int64, *[int64] * count) for count in range(8)]

    def keep_one(count: int) -> None:
        PlainCache(keep_one, KernelFolders(tmp_path)).save_overload(signatures[count], Text(f"{count} arguments"))

    with ThreadPoolExecutor(len(signatures)) as pool:
        list(pool.map(keep_one, range(len(signatures))))
    found = PlainCache(keep_one, KernelFolders(tmp_path))
    loaded = [found.load_overload(one, cpu_target.target_context) for one in signatures]
    assert loaded == [f"{count} arguments" for count in range(8)]
