"""Where compiled kernels may lie: the nearest place that can be written, and nothing that others could have planted."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from contend import cache_places
from contend.cache_places import VARIABLE, Places, places


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, an installation and a folder for temporary files; nothing is there yet."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    cache_places._places.cache_clear()
    return tmp_path


def block(place: Path) -> None:
    """Make a place that nobody can write, root included."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("")


def temporary(home: Path) -> Path:
    return home / "tmp" / f"contend-{os.geteuid()}"


def test_it_is_the_user_s_own_where_that_can_be_written(home: Path) -> None:
    own = home / "home" / ".cache" / "contend"
    assert places() == Places(own, (own,), "")
    assert places().notice() == ""


def test_the_standard_variable_moves_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "caches"))
    assert places().written == home / "caches" / "contend"


def test_what_was_chosen_stands_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Kernels lie in the other places, and an empty folder is how to begin without them.
    (home / "home" / ".cache" / "contend").mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, str(home / "chosen"))
    assert places() == Places(home / "chosen", (home / "chosen",), "")


def test_an_installation_s_kernels_are_read_beside_one_s_own(home: Path) -> None:
    beside = home / "prefix" / "var" / "cache" / "contend"
    beside.mkdir(parents=True)
    own = home / "home" / ".cache" / "contend"
    assert places() == Places(own, (own, beside), "")


def test_without_a_home_it_is_beside_the_installation(home: Path) -> None:
    block(home / "home")
    beside = home / "prefix" / "var" / "cache" / "contend"
    found = places()
    assert found.written == beside
    assert str(home / "home" / ".cache" / "contend") in found.notice()
    assert str(beside) in found.notice()
    assert VARIABLE in found.notice()


def test_last_it_is_a_temporary_folder_of_the_user_s_own(home: Path) -> None:
    block(home / "home")
    block(home / "prefix")
    assert places().written == temporary(home)
    assert temporary(home).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_temporary_folder_that_others_can_write_is_not_used(home: Path, mode: int) -> None:
    block(home / "home")
    block(home / "prefix")
    temporary(home).mkdir()
    temporary(home).chmod(mode)
    found = places()
    assert found == Places(None, (), found.refused)
    assert "cannot be kept" in found.notice()


def test_a_link_in_the_place_of_the_temporary_folder_is_not_followed(home: Path) -> None:
    block(home / "home")
    block(home / "prefix")
    (home / "planted").mkdir(mode=0o700)
    temporary(home).symlink_to(home / "planted")
    assert places().written is None


def test_a_chosen_place_that_cannot_be_written_is_read_before_all_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = home / "chosen"
    chosen.mkdir()
    monkeypatch.setenv(VARIABLE, str(chosen))
    refusal = cache_places._refusal
    monkeypatch.setattr(
        cache_places, "_refusal", lambda place: "Read-only file system" if place.path == chosen else refusal(place)
    )
    own = home / "home" / ".cache" / "contend"
    assert places() == Places(own, (chosen, own), f"{chosen} cannot be written (Read-only file system)")


def test_a_user_without_a_name_or_a_home_has_a_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")

    def nameless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nameless)
    assert places().written == home / "prefix" / "var" / "cache" / "contend"


def test_revisions_lie_beside_the_kernels_and_not_among_them(home: Path) -> None:
    assert places("-revisions").written == home / "home" / ".cache" / "contend-revisions"


def test_a_full_device_is_no_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this machine")
    # An empty file can be made on it; only writing fails.
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115
    found = places()
    assert found.written is None
    assert "No space left on device" in found.refused
