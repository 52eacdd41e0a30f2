"""A plug-in that imports what is Contend's own affair is told where it should import from, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contend.inner_names import ROOMS, import_failure, refuse_top_level

ROOT = Path(__file__).resolve().parents[3]
OLD = [
    "from strategies.shared import C_OWN",
    "from evm.words import U1",
    "import harness.testing",
    "from workloads.draft import Draft",
    "from strategies.planned import PlannedStrategy",
    "from contend.strategies.shared import C_OWN",
    "from contend.strategies.planned import PlannedStrategy",
    "import contend.harness.testing.helpers",
]
LATE = """
from contend.plugin import Serial

class Late(Serial):
    name = "late"

    def execute(self, block, state, workers):
        from strategies.shared import C_OWN
"""


def install(folder: Path, source: str, name: str = "Old") -> None:
    """Make a plug-in importable as an installed package is: a strategy and a workload of one module."""
    (folder / "antique.py").write_text(source)
    information = folder / "antique-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: antique\nVersion: 1.0\n")
    points = "".join(f"[contend.{group}]\nantique = antique:{name}\n" for group in ("strategies", "workloads"))
    (information / "entry_points.txt").write_text(points)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "COLUMNS": "400"}
    command = [sys.executable, "-m", "contend", "run", "--block-size", "20", "--repeat", "1", "--no-charts", "--quiet"]
    return subprocess.run(
        [*command, "--results", str(folder / "results"), *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("statement", OLD)
def test_an_old_name_is_one_line_and_exit_code_2(statement: str, tmp_path: Path) -> None:
    install(tmp_path, f"{statement}\n")
    for arguments in (("--strategy", "antique"), ("--workload", "antique", "--strategy", "serial")):
        done = run(tmp_path, *arguments)
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert "antique" in done.stderr
        assert "contend.plugin" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_name_that_is_imported_late_is_explained_by_the_cell_that_fails(tmp_path: Path) -> None:
    install(tmp_path, LATE, "Late")
    done = run(tmp_path, "--strategy", "antique", "--workload", "payments", "--processes", "1")
    assert done.returncode == 1, done.stderr
    assert "No module named 'strategies'" in done.stdout + done.stderr
    assert "contend.plugin" in done.stdout + done.stderr


def test_what_else_is_missing_is_left_as_it_is() -> None:
    assert import_failure(ModuleNotFoundError("No module named 'torch'", name="torch")) == (
        "ModuleNotFoundError: No module named 'torch'"
    )
    assert import_failure(ImportError("no such\nlibrary")) == "ImportError: no such library"
    assert import_failure(ValueError()) == "ValueError"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_is_loaded_within_the_package_only(room: str) -> None:
    # As from the project's folder, where the room lies beside `contend`.
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert f"No module named '{room}' (it is contend.{room})" in done.stderr
    refuse_top_level(f"contend.{room}")
    refuse_top_level("other")
