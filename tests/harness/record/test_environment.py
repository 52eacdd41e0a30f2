from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from contend.harness.record import environment
from contend.harness.record.environment import (
    describe,
    git_state,
    load_average,
    machine_differences,
    machine_id,
    utc_now,
)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_has_a_revision_and_may_be_dirty(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert git_state(tmp_path) is None
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    clean = git_state(tmp_path)
    assert clean is not None
    assert len(clean["revision"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "untracked").touch()
    assert git_state(tmp_path) == clean
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path) == clean | {"dirty": True}


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


@pytest.mark.parametrize("runs", [True, False])
def test_an_installation_from_git_has_its_commit_if_it_is_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    info = tmp_path / "contend-9.dist-info"
    info.mkdir()
    origin = {"url": "https://example.org/contend", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}}
    (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(metadata, "distribution", lambda name: metadata.PathDistribution(info))
    monkeypatch.setattr(environment, "_ROOT", (tmp_path if runs else tmp_path / "elsewhere") / "contend")
    assert describe()["git"] == ({"revision": "ab" * 20, "dirty": False} if runs else None)


def test_the_environment_is_known() -> None:
    found = describe()
    assert found["cores"] >= 1
    assert found["numba"]
    assert found["cpu"]


def test_time_is_utc() -> None:
    read = datetime.datetime.fromisoformat(utc_now())
    assert read.utcoffset() == datetime.timedelta(0)
    assert abs((datetime.datetime.now(datetime.UTC) - read).total_seconds()) < 5


def test_a_machine_is_known_by_what_makes_times_comparable() -> None:
    here = describe()
    assert here["machine"] == machine_id(here)
    assert machine_differences(here, here) == []
    # Not by when it was, what was checked out, or the kilobytes that this boot's kernel keeps.
    later = here | {"time": "2030-01-01T00:00:00+00:00", "git": None, "governor": "powersave"}
    later["memory_bytes"] = here["memory_bytes"] + 4096
    assert machine_id(later) == here["machine"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu", "another"),
        ("cores", 3_000),
        ("memory_bytes", 1),
        ("platform", "another"),
        ("python", "3.99.0"),
        ("numba", "9.0"),
        ("llvmlite", "9.0"),
    ],
)
def test_another_machine_has_another_name_and_the_difference_is_told(name: str, value: object) -> None:
    here = describe()
    there = here | {name: value}
    assert machine_id(there) != machine_id(here)
    (difference,) = machine_differences(here, there)
    assert difference.startswith(f"{name}: ")


def test_what_changes_compilation_is_noted_without_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_OPT", "1")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "somewhere")
    settings = describe()["settings"]
    assert settings["NUMBA_OPT"] == "1"
    assert "NUMBA_CACHE_DIR" not in settings


def test_load_is_a_number() -> None:
    load = load_average()
    assert load is not None
    assert load >= 0
