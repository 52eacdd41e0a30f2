"""What is compiled once is loaded wherever the same sources lie; what differs is compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
