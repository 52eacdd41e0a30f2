"""The README's examples, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from documents import blocks

from tools.docs import readme

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return [block.text for block in blocks(TEXT) if block.language == language]


def _named(name: str) -> str:
    return next(block.text for block in blocks(TEXT) if block.path == name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two modules of the README, with the entry points that it names, as an installed package has them."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "waves.py").write_text(_named("waves.py"))
    (folder / "tips.py").write_text(_named("tips.py"))
    project = tomllib.loads(_blocks("toml")[0])["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    group, point = re.findall(r"`(tips = \"tips:Tips\")` under `\[project.entry-points.\"(.*?)\"\]`", TEXT)[0][::-1]
    lines += [f"[{group}]", point.replace('"', "")]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def _run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=site, capture_output=True, text=True, timeout=600, check=False)


def test_the_added_strategy_and_workload_run_and_are_verified(site: Path) -> None:
    done = _run(
        site, "-m", "contend", "run", "--strategy", "serial,waves", "--workload", "tips,payments", "--workers", "2",
        "--block-size", "300", "--repeat", "2", "--processes", "1", "--set", "tips.artists=3", "--no-charts",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "waves" in done.stdout
    assert "tips" in done.stdout
    assert "FAILED" not in done.stdout


def test_the_python_interface_runs(site: Path) -> None:
    (site / "notebook.py").write_text(next(b for b in _blocks("python") if b.startswith("import contend")))
    guarded = "import runpy\nif __name__ == '__main__':\n    runpy.run_path('notebook.py', run_name='notebook')\n"
    (site / "run.py").write_text(guarded)
    done = _run(site, "run.py")
    assert done.returncode == 0, done.stderr
    assert "block_stm" in done.stdout


def test_the_commands_that_it_shows_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", TEXT, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_there_is_a_place_for_the_generated_part() -> None:
    assert TEXT.count(readme.BEGIN) == 1
    assert TEXT.count(readme.END) == 1
    assert TEXT.index(readme.BEGIN) < TEXT.index(readme.END)
