"""``contend new``: what it writes is what the linters like, and nothing is overwritten or half written."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from documents import ROOT

from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.scaffold import scaffold

EVERY = [("strategy", "my_idea", "--kind", "plan"), ("strategy", "my_idea", "--kind", "step"), ("workload", "my_idea")]


def new(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["new", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize("what", EVERY, ids=lambda what: "-".join(what[::3]))
def test_what_is_written_is_clean(what: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "package"
    code, shown = new(*what, "--output", str(folder))
    assert code == 0, shown
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    kind = what[0]
    assert files == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/contend_my_idea/__init__.py",
        f"src/contend_my_idea/{kind}.py",
        f"tests/test_{kind}.py",
    }
    assert all(str(path) in shown for path in files)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    group = {"strategy": "contend.strategies", "workload": "contend.workloads"}[kind]
    assert project["entry-points"] == {group: {"my_idea": f"contend_my_idea.{kind}:MyIdea"}}
    assert not [path for path in files if "$" in (folder / path).read_text()]
    for arguments in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
        done = subprocess.run(ruff, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_is_named_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new("workload", "my_idea")[0] == 0
    assert (tmp_path / "contend-my-idea" / "src" / "contend_my_idea" / "workload.py").is_file()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("My-Idea", "'my_idea' would do"),
        ("myIdea", "'my_idea' would do"),
        ("2fast", "'fast' would do"),
        ("a__b", "'a_b' would do"),
        ("class", "no word of Python"),
        ("", "a letter first"),
        ("a" * 41, "at most 40"),
        ("../escape", "'escape' would do"),
        ("naïve", "give lower-case letters"),
    ],
)
def test_names_that_cannot_be(name: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in ("strategy", "workload"):
        code, shown = new(kind, name)
        assert code == 2
        assert hint in shown
        assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("strategy", "block_stm"),
        ("strategy", "all"),
        ("workload", "payments"),
        ("workload", "replay"),
        ("workload", "adversarial_blocks"),
    ],
)
def test_names_that_are_taken(kind: str, name: str, tmp_path: Path) -> None:
    code, shown = new(kind, name, "--output", str(tmp_path / "x"))
    assert code == 2
    assert "is taken" in shown
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_there_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "contend_my_idea.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    code, shown = new("workload", "my_idea", "--output", str(tmp_path / "x"))
    assert code == 2
    assert "contend_my_idea is installed already" in shown


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for place in ("here", "dangling", "missing/folder"):
        code, shown = new("strategy", "my_idea", "--output", str(tmp_path / place))
        assert code == 2
        assert shown.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "here"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path.write_text
    written: list[Path] = []

    def write(path: Path, text: str) -> int:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        return whole(path, text)

    monkeypatch.setattr(Path, "write_text", write)
    with pytest.raises(BadInputError, match="No space left on device"):
        scaffold.write(scaffold.workload("my_idea"), tmp_path / "package")
    assert len(written) == 3
    assert not list(tmp_path.iterdir())


def test_templates_are_installed_with_the_package() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = data["contend.harness.scaffold"]
    covered = {path for pattern in patterns for path in scaffold.TEMPLATES.parent.glob(pattern)}
    templates = {path for path in scaffold.TEMPLATES.rglob("*") if path.is_file()}
    assert templates
    assert templates <= covered, json.dumps(sorted(str(path) for path in templates - covered))
