"""What runs elsewhere: the workflows, and the scripts in .ci/ that they and people call."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="pre-commit brings PyYAML; it is not here")

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TO_COPY = ROOT / "docs" / "ci"
MARKER = "<!-- contend-benchmarks -->"


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_linter_of_workflows_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    if not zizmor.exists():
        pytest.skip("zizmor is not installed in this environment")
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", *WORKFLOWS, *TO_COPY.glob("*.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_there(path: Path) -> None:
    for step in steps(read(path)):
        for script in re.findall(r"(?:^|\s)(\.ci/\w+)", step.get("run", "")):
            assert os.access(ROOT / script, os.X_OK), f"{path.name}: {script}"


def test_the_code_of_a_pull_request_never_runs_with_a_token_that_writes() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        # YAML 1.1 reads the key `on` as the truth.
        triggers = workflow[True]  # type: ignore[index]
        assert "pull_request_target" not in triggers
        granted = [workflow["permissions"], *(job.get("permissions", {}) for job in workflow["jobs"].values())]
        writes = any(value == "write" for permissions in granted for value in permissions.values())
        assert not (writes and "pull_request" in triggers), path.name


def test_the_tests_run_on_every_python_that_is_promised() -> None:
    matrix = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["tests"]["strategy"]["matrix"]["python"]
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert matrix == promised


class Scripts:
    """A scratch repository with our scripts, and commands that answer as a test wants."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("bash") is None or shutil.which("git") is None:
            pytest.skip("bash or git is not on this machine")
        self.folder = folder / "repository"
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        shutil.copytree(ROOT / ".ci", self.folder / ".ci")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("first")

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder or self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def command(self, name: str, text: str) -> str:
        path = self.bin / name
        path.write_text(f"#!/usr/bin/env bash\nset -eu\n{text}")
        path.chmod(0o755)
        return str(path)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        return subprocess.run(
            [self.folder / ".ci" / script, *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path)


def run_contend(scripts: Scripts, virtual: int, wall: int) -> str:
    """A `contend` whose comparisons end as they are told to; 2 leaves no comment behind, as bad input does."""
    return scripts.command(
        "contend",
        f"""
echo "$@" >> "{scripts.bin}/calls"
case "$1" in
    compare)
        code={wall}; clock=wall
        case "$*" in *"--clock virtual"*) code={virtual}; clock=virtual ;; esac
        while [ $# -gt 0 ]; do [ "$1" != --markdown ] || [ "$code" = 2 ] || echo "found by $clock" > "$2"; shift; done
        exit "$code" ;;
    report) mkdir -p "$4"; echo page > "$4/index.html" ;;
esac
""",
    )


@pytest.mark.parametrize(
    ("virtual", "wall", "expected"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 2, 1), (2, 1, 1), (2, 0, 2), (3, 2, 2), (0, 3, 3), (3, 0, 3), (3, 1, 1)],
)
def test_a_benchmark_ends_with_the_weightier_answer(scripts: Scripts, virtual: int, wall: int, expected: int) -> None:
    done = scripts.run("benchmark", "main", CONTEND=run_contend(scripts, virtual, wall))
    assert done.returncode == expected, done.stderr
    comment = (scripts.folder / "results" / "compare" / "comment.md").read_text()
    assert comment.startswith(MARKER + "\n")
    for clock, code in (("virtual", virtual), ("wall", wall)):
        assert (f"found by {clock}" in comment) == (code != 2)
    assert ("exit code 2" in comment) == (2 in (virtual, wall))
    assert (scripts.folder / "results" / "compare" / "report" / "index.html").exists()


def test_a_benchmark_hands_its_options_to_both_comparisons(scripts: Scripts) -> None:
    command = run_contend(scripts, 0, 0)
    assert scripts.run("benchmark", "main", "--", "--strategy", "block_stm", CONTEND=command).returncode == 0
    calls = (scripts.bin / "calls").read_text().splitlines()
    compared = [call for call in calls if call.startswith("compare")]
    assert len(compared) == 2
    assert all("compare main . " in call and "--strategy block_stm" in call for call in compared)
    # Real time alone has a floor to find out.
    assert ["--null" in call for call in compared] == ["--clock wall" in call for call in compared] == [False, True]


def test_a_benchmark_of_another_version_makes_no_report_of_this_one(scripts: Scripts) -> None:
    scripts.git("branch", "old")
    scripts.commit("second")
    done = scripts.run("benchmark", "main", "old", CONTEND=run_contend(scripts, 0, 0))
    assert done.returncode == 0, done.stderr
    assert "no report" in done.stderr
    assert not (scripts.folder / "results" / "compare" / "report").exists()


def test_a_benchmark_replaces_its_own_results_and_nothing_else(scripts: Scripts) -> None:
    command = run_contend(scripts, 0, 0)
    kept = scripts.folder / "results" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    done = scripts.run("benchmark", "main", CONTEND=command, OUT="results")
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert kept.read_text() == "mine"
    old = scripts.folder / "results" / "compare" / "wall.md"
    for _ in range(2):
        assert scripts.run("benchmark", "main", CONTEND=command).returncode == 0
        assert old.read_text() == "found by wall\n"


@pytest.mark.parametrize("arguments", [[], ["--"], ["main", "HEAD", "third"], ["--help"]])
def test_a_benchmark_refuses_what_it_does_not_know(scripts: Scripts, arguments: list[str]) -> None:
    done = scripts.run("benchmark", *arguments, CONTEND=run_contend(scripts, 0, 0))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: .ci/benchmark BASE")


def gh(scripts: Scripts, comments: list[dict[str, Any]]) -> None:
    """A `gh` that knows these comments, answers by their own jq program, and notes what it is told to write."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not on this machine")
    (scripts.bin / "comments.json").write_text(json.dumps(comments))
    scripts.command(
        "gh",
        f"""
case "$*" in
    *--method*)
        echo "$*" >> "{scripts.bin}/written"
        for one; do case "$one" in body=@*) cp "${{one#body=@}}" "{scripts.bin}/body" ;; esac; done ;;
    *) while [ "$1" != --jq ]; do shift; done; jq -r "$2" "{scripts.bin}/comments.json" ;;
esac
""",
    )


def comment(identity: int, login: str, body: str) -> dict[str, Any]:
    return {"id": identity, "user": {"login": login}, "body": body}


def test_the_first_comment_is_a_new_one(scripts: Scripts) -> None:
    gh(scripts, [comment(1, "github-actions[bot]", "of another workflow"), comment(2, "mallory", MARKER)])
    (scripts.folder / "comment.md").write_text(f"{MARKER}\nfine\n")
    done = scripts.run("comment", "me/mine", "7", "comment.md")
    assert done.returncode == 0, done.stderr
    assert "POST repos/me/mine/issues/7/comments" in (scripts.bin / "written").read_text()
    assert (scripts.bin / "body").read_text() == f"{MARKER}\nfine\n"


def test_a_later_comment_takes_its_place(scripts: Scripts) -> None:
    gh(scripts, [comment(2, "mallory", MARKER), comment(3, "github-actions[bot]", f"{MARKER}\nold")])
    (scripts.folder / "comment.md").write_text(f"{MARKER}\nnew\n")
    assert scripts.run("comment", "me/mine", "7", "comment.md").returncode == 0
    written = (scripts.bin / "written").read_text()
    assert "PATCH repos/me/mine/issues/comments/3" in written
    assert "POST" not in written


def test_a_comment_is_no_longer_than_it_may_be(scripts: Scripts) -> None:
    gh(scripts, [])
    (scripts.folder / "comment.md").write_text(f"{MARKER}\n<details>\n" + "one line\n" * 20_000)
    assert scripts.run("comment", "me/mine", "7", "comment.md").returncode == 0
    body = (scripts.bin / "body").read_text()
    assert len(body) < 65_536
    assert body.startswith(MARKER)
    assert "</details>\n\nShortened" in body


@pytest.mark.parametrize(("number", "text"), [("7; id", MARKER), ("0", MARKER), ("7", "no marker")])
def test_a_comment_is_refused_unless_it_is_ours(scripts: Scripts, number: str, text: str) -> None:
    gh(scripts, [])
    (scripts.folder / "comment.md").write_text(f"{text}\n")
    assert scripts.run("comment", "me/mine", number, "comment.md").returncode == 2
    assert not (scripts.bin / "written").exists()


ASV = """
case "$1" in
    run)
        commit=$3; machine=$5
        mkdir -p "results/asv/$machine"
        echo "{}" > "results/asv/$machine/$commit.json"; echo "{}" > results/asv/benchmarks.json ;;
    publish) mkdir -p results/asv/html; ls results/asv/*/*.json > results/asv/html/index.html ;;
esac
"""


def test_the_history_grows_on_a_branch_of_its_own(scripts: Scripts, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    scripts.git("init", "--quiet", "--bare", str(origin))
    scripts.git("remote", "add", "origin", str(origin))
    (scripts.folder / ".gitignore").write_text("results/asv/\n")
    asv = scripts.command("asv", ASV)
    commits = []
    for message in ("second", "third"):
        commits.append(scripts.commit(message))
        done = scripts.run("history", "--push", ASV=asv)
        assert done.returncode == 0, done.stderr
        # A runner begins with nothing.
        shutil.rmtree(scripts.folder / "results")
    kept = scripts.git("ls-tree", "-r", "--name-only", "benchmark-history", folder=origin).splitlines()
    assert sorted(kept) == sorted([*(f"runner/{commit}.json" for commit in commits), "benchmarks.json"])
    assert scripts.git("rev-list", "--count", "benchmark-history", folder=origin) == "2"
    assert scripts.git("worktree", "list").count("\n") == 0
    assert scripts.git("branch", "--format", "%(refname:short)") == "main"
    assert scripts.git("status", "--porcelain") == ""


def test_the_history_of_a_clone_stays_there(scripts: Scripts) -> None:
    done = scripts.run("history", ASV=scripts.command("asv", ASV), MACHINE="here")
    assert done.returncode == 0, done.stderr
    assert len(list((scripts.folder / "results" / "asv" / "here").glob("*.json"))) == 1


PACKAGE = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "planted"
version = "1.0"

[project.entry-points."contend.strategies"]
planted = "planted:Planted"

[tool.setuptools]
py-modules = ["planted"]
"""


@pytest.fixture
def package(scripts: Scripts) -> Scripts:
    """A package with one strategy, as docs/ci.md has it, on its branch main."""
    pytest.importorskip("setuptools", reason="installing the package needs setuptools, which is not here")
    scripts.command("python", f'exec "{sys.executable}" "$@"')
    shutil.copy(TO_COPY / "benchmark", scripts.folder / ".ci" / "benchmark")
    shutil.copy(ROOT / "tests" / "harness" / "fakes" / "planted.py", scripts.folder)
    (scripts.folder / "pyproject.toml").write_text(PACKAGE)
    (scripts.folder / ".gitignore").write_text("build/\n*.egg-info/\nbenchmark-results/\n__pycache__/\n")
    scripts.commit("a strategy")
    return scripts


def judged(package: Scripts, base: str = "main", **more: str) -> subprocess.CompletedProcess[str]:
    # Without isolation a build fetches nothing; it is pip's way to say so.
    variables = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": str(ROOT)}
    options = ["--workload", "payments", "--workers", "1", "--block-size", "100"]
    return package.run("benchmark", base, "planted", *options, **variables, **more)


def plant(package: Scripts, before: str, after: str, file: str = "planted.py") -> None:
    source = package.folder / file
    assert before in source.read_text()
    source.write_text(source.read_text().replace(before, after))


def test_a_package_is_held_against_its_own_past(package: Scripts) -> None:
    done = judged(package)
    results = package.folder / "benchmark-results"
    assert done.returncode == 0, done.stderr
    assert (results / "comment.md").read_text().startswith(MARKER + "\n### ")
    assert (results / "report" / "index.html").exists(), done.stderr
    commit = package.git("rev-parse", "HEAD")
    assert (results / "comment.md").read_text().count(f"(planted 1.0 at {commit[:10]}; Contend ") == 2

    # One thousandth more work: no clock but the simulated one could tell.
    plant(package, "WORK = 4.0", "WORK = 4.004")
    done = judged(package, REPORT="no")
    assert done.returncode == 1, done.stderr
    comment = (results / "comment.md").read_text()
    assert "slower" in comment
    # Base and head by their own commits, not by that of Contend, which both share.
    a, b = re.findall(r"^[AB]: .*$", comment, re.M)
    assert f"planted 1.0 at {commit[:10]}; Contend " in a
    assert f"planted 1.0 at {commit[:10]}, with uncommitted changes; Contend " in b


def test_what_cannot_be_installed_is_no_regression(package: Scripts) -> None:
    done = judged(package, base="main~1", REPORT="no")
    assert done.returncode == 2, done.stderr
    assert "not installable" in done.stderr


def test_a_strategy_that_is_new_has_nothing_to_be_compared_with(package: Scripts) -> None:
    plant(package, "planted = ", "sketched = ", "pyproject.toml")
    package.commit("a strategy by another name")
    plant(package, "sketched = ", "planted = ", "pyproject.toml")
    done = judged(package, REPORT="no")
    assert done.returncode == 3, done.stderr
    assert "nothing to compare with" in (package.folder / "benchmark-results" / "comment.md").read_text()
