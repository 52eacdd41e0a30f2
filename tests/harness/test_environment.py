from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.environment import describe, git_state, utc_now


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


def test_the_environment_is_known() -> None:
    found = describe()
    assert found["cores"] >= 1
    assert found["numba"]
    assert found["cpu"]


def test_time_is_utc() -> None:
    read = datetime.datetime.fromisoformat(utc_now())
    assert read.utcoffset() == datetime.timedelta(0)
    assert abs((datetime.datetime.now(datetime.UTC) - read).total_seconds()) < 5
