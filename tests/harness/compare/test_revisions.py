"""``contend compare`` of versions: laid out, measured in turns, judged, put away."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jsonschema
import miniature
import pytest
from running import lives, until

from contend.harness.compare import checkout
from contend.harness.compare.result import SCHEMA_FILE
from contend.harness.compare.runner import VersionComparison
from contend.harness.compare.sample_size import AGAIN_PROCESSES
from contend.harness.compare.targets import Checkout, Revision
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.doctor.run_mark import OtherRun
from contend.harness.measure.executor import LocalExecutor
from contend.harness.observer import Observer
from contend.harness.plan.request import Request

ROOT = Path(__file__).resolve().parents[3]
FAST = {"even": 1.0, "odd": 1.0}
SLOW = {"even": 1.0, "odd": 1.1}
Compare = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a version ``fast``; tests add what they compare it with."""
    folder = tmp_path / "repository"
    miniature.write(folder, FAST, label="fast")
    miniature.commit(folder, "fast")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of the command: caches of its own, and a file to which versions write what they run."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CONTEND_CACHE_DIR": str(tmp_path / "cache"),
        "MINIATURE_LOG": str(tmp_path / "log"),
        "COLUMNS": "120",
    }


@pytest.fixture
def compare(repository: Path, environment: dict[str, str]) -> Compare:
    """The command in a process of its own, in the repository."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "contend", "compare", *arguments, "--repeat", "8"]
        return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=120)

    return run


def runs(tmp_path: Path) -> list[tuple[str, int, str]]:
    """What was run, in order: label of the version, process, strategy."""
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    return [(label, int(process), strategy) for label, process, strategy in lines]


def test_a_planted_slow_down_is_a_regression_seen_twice(compare: Compare, repository: Path, tmp_path: Path) -> None:
    miniature.write(repository, SLOW, label="slow")
    slow = miniature.commit(repository, "slow")
    done = compare("fast", "HEAD", "--json", str(tmp_path / "c.json"), "--markdown", "-")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("### 🔺 Regression: 1 of 2 cells. Worst: counting, odd x1, +10 % in time.")
    assert "measured again by fresh processes" in done.stderr
    content = json.loads((tmp_path / "c.json").read_text())
    jsonschema.validate(content, json.loads(SCHEMA_FILE.read_text()))
    assert content["b"]["revision"] == slow
    assert content["interleaved"]
    verdicts = {cell["strategy"]: (cell["verdict"], len(cell["measurements"])) for cell in content["cells"]}
    assert verdicts == {"even": ("same", 1), "odd": ("slower", 2)}
    # Two pairs of processes look; then fresh pairs measure what looked slower, without noise one run each.
    assert len({process for _, process, _ in runs(tmp_path)}) == 2 * (2 + AGAIN_PROCESSES)
    assert Counter(strategy for _, _, strategy in runs(tmp_path)) == {
        "even": 2 * (8 + 2),
        "odd": 2 * (8 + 2) + 2 * AGAIN_PROCESSES * (1 + 1),
    }


def test_a_speed_up_and_the_same_commit_pass(compare: Compare, repository: Path) -> None:
    miniature.write(repository, SLOW)
    miniature.commit(repository, "slow")
    # A range from the slower to the faster version, written as git writes it.
    faster = compare("slow..fast")
    assert faster.returncode == 0, faster.stderr
    assert "1 faster, 1 same" in faster.stdout
    same = compare("slow", "HEAD")
    assert same.returncode == 0
    assert "No regression: 2 cells (2 same)" in same.stdout


def test_versions_take_turns_run_by_run(compare: Compare, repository: Path, tmp_path: Path) -> None:
    miniature.write(repository, FAST, label="other")
    miniature.commit(repository, "other")
    assert compare("fast", "other", "-s", "even").returncode == 0
    order = [label for label, _, _ in runs(tmp_path)][4:]
    # Two pairs of processes, four rounds each, after a warm-up of every process. Who is first changes.
    assert order == ["fast", "other"] * 2 + ["other", "fast"] * 2 + ["fast", "other"] * 2 + ["other", "fast"] * 2


def test_a_work_tree_is_measured_as_it_is(compare: Compare, repository: Path) -> None:
    miniature.write(repository, SLOW)
    done = compare("HEAD", ".", "-s", "odd")
    assert done.returncode == 1, done.stderr
    assert "with uncommitted changes" in done.stdout


def test_three_dots_begin_where_the_branch_began(compare: Compare, repository: Path) -> None:
    subprocess.run(["git", "-C", str(repository), "checkout", "--quiet", "-b", "topic"], check=True)
    miniature.write(repository, SLOW)
    miniature.commit(repository, "topic-work")
    subprocess.run(["git", "-C", str(repository), "checkout", "--quiet", "main"], check=True)
    miniature.write(repository, {"even": 1.0, "odd": 2.0})
    miniature.commit(repository, "main-work")
    done = compare("main...topic", "-s", "odd")
    assert done.returncode == 1, done.stderr
    assert "merge base of main and topic" in done.stdout
    assert "+10 %" in done.stdout


def test_a_cell_that_fails_or_dies_in_b_is_broken(compare: Compare, repository: Path) -> None:
    miniature.write(repository, FAST, broken="even", deadly="odd")
    miniature.commit(repository, "bad")
    done = compare("fast", "bad")
    assert done.returncode == 1
    assert "differs from the serial result: planted" in done.stdout
    assert "the measuring process ended with exit code 7" in done.stdout
    # The other way about nothing got worse, and there is nothing to compare with.
    back = compare("bad", "fast")
    assert back.returncode == 3
    assert "it failed in A" in back.stdout


def test_a_cell_that_never_ends_in_b_is_broken(compare: Compare, repository: Path) -> None:
    miniature.write(repository, FAST, sleepy="odd")
    miniature.commit(repository, "sleepy")
    done = compare("fast", "sleepy", "--timeout", "4")
    assert done.returncode == 1, done.stderr
    assert "no sign of life for 4 s" in done.stdout
    assert "Regression: 1 of 2 cells. Worst: counting, odd x1, which fails." in done.stdout


def test_other_blocks_are_refused(compare: Compare, repository: Path) -> None:
    miniature.write(repository, SLOW, block="cc" * 16)
    miniature.commit(repository, "other-blocks")
    done = compare("fast", "other-blocks")
    assert done.returncode == 3
    assert "other block: digest bbbbbbbbbbbb in A, cccccccccccc in B" in done.stdout


def test_a_dial_that_only_one_version_has_is_left_to_the_digests(compare: Compare, repository: Path) -> None:
    miniature.write(repository, FAST, dials={"size": 3, "new": 0})
    miniature.commit(repository, "new-dial")
    done = compare("fast", "new-dial")
    assert done.returncode == 0, done.stderr
    assert "No regression: 2 cells (2 same)" in done.stdout
    miniature.write(repository, FAST, dials={"size": 4})
    miniature.commit(repository, "other-default")
    refused = compare("fast", "other-default")
    assert refused.returncode == 3
    assert "other dials than in B: size 3 here, 4 there" in refused.stdout


def test_a_strategy_that_only_one_version_has_is_named(compare: Compare, repository: Path) -> None:
    miniature.write(repository, {"even": 1.0, "new": 1.0})
    miniature.commit(repository, "more")
    done = compare("fast", "more")
    assert done.returncode == 0, done.stderr
    assert "not compared: counting, new x1: only in B" in done.stdout
    assert "not compared: counting, odd x1: only in A" in done.stdout


def test_an_environment_of_its_own_is_made_from_another_lock_file(
    compare: Compare, repository: Path, tmp_path: Path
) -> None:
    miniature.write(repository, FAST, lock="# nothing\n")
    miniature.commit(repository, "other-lock")
    done = compare("fast", "other-lock", "-s", "even")
    assert done.returncode == 0, done.stderr
    assert "installing it in an environment of its own" in done.stderr
    again = compare("fast", "other-lock", "-s", "even")
    assert again.returncode == 0
    assert "installing" not in again.stderr
    # One that cannot be installed is no regression.
    miniature.write(repository, FAST, lock="no-such-file-anywhere @ file:///nowhere/at/all.whl\n")
    miniature.commit(repository, "bad-lock")
    failed = compare("fast", "bad-lock", "-s", "even")
    assert failed.returncode == 3
    assert "bad-lock: its environment cannot be made" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fast", "nosuch"), "nosuch: no such file or folder, and no revision of repository"),
        (("fast", "empty"), "empty: git archive fails"),
        (("fast", "foreign"), "holds no sources of Contend to measure"),
        (("fast", "ancient"), "ancient: too old to be measured by this version"),
        (("fast", "HEAD", "-s", "nosuch"), "fast: unknown strategy 'nosuch'"),
        (("fast", "HEAD", "--block-count", "2"), "fast: this version does not know the option 'block_count'"),
        (("fast", "--output"), "No such option"),
        (("..HEAD",), "a range names where it begins"),
        (("fast",), "compare takes two things"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    compare: Compare, repository: Path, arguments: tuple[str, ...], message: str
) -> None:
    if "ancient" in arguments:
        (repository / "harness" / "measuring" / "bench.py").unlink()
        miniature.commit(repository, "ancient")
    if "foreign" in arguments:
        (repository / "pyproject.toml").unlink()
        miniature.commit(repository, "foreign")
    if "empty" in arguments:
        message = "empty: no such file or folder"
    done = compare(*arguments)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_comparison_leaves_no_process(
    repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    miniature.write(repository, FAST, label="sleepy", sleepy="odd")
    miniature.commit(repository, "sleepy")
    popen = subprocess.Popen(
        [sys.executable, "-P", "-m", "contend", "compare", "sleepy", "sleepy"],
        cwd=repository,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    (tmp_path / "log").touch()
    until(lambda: sum(strategy == "odd" for _, _, strategy in runs(tmp_path)) >= 4, "four processes sleep")
    popen.send_signal(signal.SIGINT)
    _, errors = popen.communicate(timeout=60)
    assert popen.returncode == 130
    assert "Traceback" not in errors
    for process in {process for _, process, _ in runs(tmp_path)}:
        # A zombie of a group that has been ended may still be listed; a process that runs may not.
        assert not lives(process)


def test_what_is_kept_of_old_revisions_has_a_limit_and_what_is_used_stays(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTEND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(checkout, "_KEPT_TREES", 1)
    sides = []
    for number in range(4):
        miniature.write(repository, FAST, label=str(number))
        sides.append(Revision(str(number), repository, miniature.commit(repository, str(number))))
    trees = checkout.folder() / "trees"
    with checkout.laid_out(sides[0], print) as first:
        # Begun long ago, as far as the others can tell, but not over.
        os.utime(trees / f"{sides[0].commit}.lock", (0, 0))
        for number, side in enumerate(sides[1:], 1):
            with checkout.laid_out(side, print) as tree:
                assert tree.root is not None
                assert (tree.root / "strategies" / "registry.py").read_text().count(f"LABEL = '{number}'") == 1
                os.utime(trees / f"{side.commit}.lock", (number, number))
        assert first.root is not None
        assert first.root.is_dir()
    kept = {path.name for path in trees.iterdir() if path.is_dir()}
    assert kept == {sides[0].commit, sides[3].commit}
    with open(trees / f"{sides[0].commit}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_several_blocks_in_a_row_are_compared_under_their_own_name() -> None:
    asked = Request(("payments",), ("block_stm",), (2,), block_size=50, block_count=3, clock="virtual", processes=1)
    sides = (Checkout("A", ROOT), Checkout("B", ROOT))
    found = VersionComparison(*sides, asked, Rule(), frozenset()).run(Observer())
    (cell,) = found.cells
    assert cell.verdict is Verdict.SAME
    assert cell.name.block_count == 3
    jsonschema.validate(found.as_json(), json.loads(SCHEMA_FILE.read_text()))


def test_a_run_beside_a_comparison_is_noted_with_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_runs(executor: LocalExecutor) -> list[OtherRun]:
        return [{"process": 12, "began": "2026-01-02T03:04:05.678+00:00", "ended": None}]

    monkeypatch.setattr(LocalExecutor, "other_runs", other_runs)
    asked = Request(("payments",), ("serial",), (1,), block_size=20, clock="virtual", processes=1)
    found = VersionComparison(Checkout("A", ROOT), Checkout("B", ROOT), asked, Rule(), frozenset()).run(Observer())
    assert "another wall-clock run at the same time on this machine: process 12, since 03:04:05 UTC" in found.notes


def test_comparisons_may_tidy_at_the_same_moment(tmp_path: Path) -> None:
    stop = threading.Event()

    def others() -> None:
        while not stop.is_set():
            for number in range(20):
                (tmp_path / f"other{number}.lock").touch()
            for number in range(20):
                (tmp_path / f"other{number}.lock").unlink(missing_ok=True)

    thread = threading.Thread(target=others)
    thread.start()
    try:
        for _ in range(300):
            with checkout._held(tmp_path, "mine", 2):
                # Nobody can tidy away what is in use, since the file that is locked is the one that is there.
                assert (tmp_path / "mine.lock").exists()
    finally:
        stop.set()
        thread.join()
