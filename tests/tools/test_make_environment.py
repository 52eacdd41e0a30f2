"""The environment: what a run needs follows from the lock file, and how far its making is can be seen anywhere."""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tools.environment import Installation, Progress, needed_to_run, normalised, packages

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("contend", "evm", "strategies", "workloads", "harness")
LOCK = (ROOT / "requirements.lock").read_text()
# Imported where something asks for them that no run does: a fuzzer, the compiler of contracts, asv, learning.
ON_REQUEST = {"asv-runner", "pyrevm", "vyper", "pytest", "hypothesis", "ipython", "scikit-learn"}


def of_a_run() -> set[str]:
    return set(needed_to_run(LOCK, tomllib.loads((ROOT / "pyproject.toml").read_text())))


def test_a_run_gets_all_that_it_imports() -> None:
    imported = set()
    for room in ROOMS:
        for source in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    imported.add(str(node.module).partition(".")[0])
    installed = packages_distributions()
    needed = {normalised(name) for module in imported for name in installed.get(module, [])} - {"contend"}
    assert {"numba", "click", "jinja2"} <= needed
    assert needed - of_a_run() <= ON_REQUEST


def test_a_run_gets_nothing_that_serves_development_alone() -> None:
    found = of_a_run()
    assert found & {"pytest", "mypy", "ruff", "uv", "selenium", "vyper", "asv", "zizmor", "pre-commit"} == set()
    assert found < set(packages(LOCK))


def test_a_part_of_the_lock_file_is_as_it_stands_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name, block in needed_to_run(LOCK, project).items():
        assert block in LOCK
        assert block.startswith(name)
        assert "--hash=sha256:" in block


def test_what_leads_to_a_package_is_followed_through_several_others() -> None:
    lock = (
        "# made by hand\na==1 \\\n    --hash=sha256:0\n    # via contend (pyproject.toml)\n"
        "b-c==1 ; python_version < '3.14' \\\n    --hash=sha256:1\n    # via\n    #   a\n    #   z\n"
        "d==1 \\\n    --hash=sha256:2\n    # via b-c\n"
        "z==1 \\\n    --hash=sha256:3\n    # via contend (pyproject.toml)\n"
    )
    project = {"project": {"dependencies": ["A>=1 ; python_version > '3'"]}, "build-system": {"requires": list[str]()}}
    assert list(needed_to_run(lock, project)) == ["a", "b-c", "d"]


@pytest.mark.parametrize(
    ("target", "way"),
    [("setup", "run"), ("run", "run"), ("compare", "run"), ("goals", "run")]
    + [(target, "develop") for target in ("develop", "test", "test-bounds", "lint", "types", "bench", "lock")],
)
def test_make_installs_for_each_target_what_it_needs(target: str, way: str, tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    command = ["make", "-n", "-C", str(ROOT), f"VENV={tmp_path / 'venv'}", target]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"environment\.py (\w+)", shown) == [way]


PIP = """\
Ignoring pywin32: markers 'sys_platform == "win32"' don't match your environment
Collecting numba==0.68.1 (from -r requirements.txt (line 1))
  Downloading numba-0.68.1-cp311-cp311-manylinux_2_17_x86_64.whl (3.9 MB)
Collecting rich==14.0 (from -r requirements.txt (line 9))
  Using cached rich-14.0-py3-none-any.whl (500 kB)
Installing collected packages: numba, rich
"""


def test_what_pip_says_becomes_figures(tmp_path: Path) -> None:
    heard = Installation(tmp_path, 3)
    lines = PIP.splitlines()
    for line in lines[:-1]:
        heard.hear(line)
    assert heard.text() == "found 2 of 2 packages, 4 MB"
    heard.hear(lines[-1])
    (tmp_path / "numba-0.68.1.dist-info").mkdir()
    assert heard.text() == "unpacked 1 of 2 packages, 4 MB packed"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_lines_now_and_then(moment: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("setting up .venv", stream)
    for number in range(100):
        moment[0] = number / 5
        progress.show(f"found {number} of 100")
    progress.close("41 packages installed")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "setting up .venv: found 25 of 100, 5 s"
    assert lines[-1] == "setting up .venv: 41 packages installed, 20 s"
    assert len(lines) == 4


def test_a_terminal_gets_one_line_that_is_as_wide_as_it_at_most(
    moment: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((30, 24)))
    stream = Terminal()
    progress = Progress("setting up .venv", stream)
    progress.show("found 99 of 100 packages, 400 MB")
    progress.show("done")
    progress.close("41 packages installed")
    shown = [re.sub(r"\s+$", "", part) for part in stream.getvalue().split("\r")]
    assert shown[1:] == [
        "setting up .venv: found 99 of",
        "setting up .venv: done, 0 s",
        "setting up .venv: 41 packages",
    ]
    assert stream.getvalue().count("\n") == 1


def test_another_way_to_call_it_is_refused() -> None:
    command = [sys.executable, str(ROOT / "tools" / "environment.py"), "everything", ".venv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr == "usage: environment.py run|develop FOLDER\n"
