"""The kept catalogue is the one that would be made now, and listing what there is imports no compiler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contend import cache_places
from contend.cache_places import VARIABLE, Places
from contend.harness.plan import kept_catalogue as kept
from contend.harness.plan.catalogue import catalogue
from contend.harness.plan.kept_catalogue import PLUGIN_GROUPS, kept_catalogue
from contend.strategies import registry as strategies
from contend.workloads import registry as workloads

ASK = """
import sys
from contend.harness.cli import main
try:
    main(["list"])
except SystemExit:
    pass
sys.exit("numba" in sys.modules)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to keep catalogues in, of what one source and no plug-in says."""
    (tmp_path / "source.py").write_text("")
    monkeypatch.setattr(cache_places, "places", lambda: Places(tmp_path, (tmp_path,), ""))
    monkeypatch.setattr(kept, "_sources", lambda: iter([tmp_path / "source.py"]))
    monkeypatch.setattr(kept, "entry_points", lambda group: ())
    return tmp_path


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a catalogue is made: one number each time."""
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(len(made))
        return {"strategies": [], "number": len(made)}

    monkeypatch.setattr(kept, "_made", make)
    return made


def test_it_is_what_would_be_made_now(place: Path) -> None:
    made_now = json.loads(json.dumps(catalogue()))
    assert kept_catalogue() == made_now
    assert kept_catalogue() == made_now


def test_it_is_made_anew_when_a_source_differs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    assert kept_catalogue() == kept_catalogue()
    assert len(made) == 1
    os.utime(place / "source.py", (1, 1))
    kept_catalogue()
    assert len(made) == 2
    assert len(list(place.glob("catalogue-*"))) == 1


def test_a_damaged_one_is_made_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    kept_catalogue()
    for damaged in ("{", "[]"):
        (file,) = place.glob("catalogue-*.json")
        file.write_text(damaged)
        assert kept_catalogue() == {"strategies": [], "number": len(made)}
    assert len(made) == 3


def test_with_a_plug_in_nothing_is_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "entry_points", lambda group: (group,))
    kept_catalogue()
    assert list(place.glob("catalogue-*")) == []
    assert (strategies.GROUP, workloads.GROUP) == PLUGIN_GROUPS


def test_where_nothing_can_be_kept_it_is_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    monkeypatch.setattr(cache_places, "places", lambda: Places(None, (), "no room"))
    kept_catalogue()
    kept_catalogue()
    assert len(made) == 2


def test_a_second_listing_imports_no_compiler(tmp_path: Path) -> None:
    environment = {**os.environ, VARIABLE: str(tmp_path)}
    for imported in (1, 0):
        done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == imported, done.stderr
        assert "block_stm" in done.stdout
