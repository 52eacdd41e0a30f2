"""Two wall-clock runs on one machine know of each other, never wait, and leave nothing that stands in the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import WAIT_SECONDS, contend_run, until

from contend.harness.doctor.run_mark import RunMark, marks_folder, runs_under_way
from contend.harness.record.sessions import runs_beside

HOLDER = "import sys\nfrom contend.harness.doctor.run_mark import RunMark\nmark = RunMark()\nprint(flush=True)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONTEND_MARKS_DIR", str(tmp_path / "marks"))
    return tmp_path / "marks"


def another(program: str = "sys.stdin.read()") -> subprocess.Popen[str]:
    """A process that has a mark when this returns, until its input is closed."""
    popen = subprocess.Popen(
        [sys.executable, "-c", HOLDER + program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert popen.stdout is not None
    popen.stdout.readline()
    return popen


def test_a_run_knows_of_one_before_it_and_of_one_after_it(folder: Path) -> None:
    with another() as first:
        mark = RunMark()
        (before,) = mark.others()
        with another() as last:
            assert [run["process"] for run in mark.others()] == [first.pid, last.pid]
            assert [run["ended"] for run in mark.others()] == [None, None]
            assert len(runs_under_way()) == 3
            last.communicate()
        first.communicate()
        ended = mark.others()
        assert all(run["ended"] is not None for run in ended)
        assert ended[0]["began"] == before["began"]
        mark.release()
    assert mark.others() == ended
    # What they left means nothing, and whoever looks next removes it.
    assert runs_under_way() == []
    assert list(folder.iterdir()) == []


def test_a_run_between_two_looks_is_not_missed() -> None:
    mark = RunMark()
    with another() as short:
        short.communicate()
    (run,) = mark.others()
    assert run["process"] == short.pid
    mark.release()


def test_a_killed_run_leaves_nothing_that_counts(folder: Path) -> None:
    with another() as killed:
        killed.kill()
    (left,) = folder.iterdir()
    mark = RunMark()
    assert mark.others() == []
    assert not left.exists()
    mark.release()


def test_a_child_does_not_keep_the_mark_of_its_parent(folder: Path) -> None:
    program = "import subprocess\nprint(subprocess.Popen(['sleep', '60']).pid, flush=True)\nsys.stdin.read()"
    with another(program) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        try:
            assert runs_under_way() == []
        finally:
            os.kill(child, signal.SIGKILL)


def test_nothing_fails_where_marks_cannot_be_kept(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where a folder should be")
    mark = RunMark()
    assert mark.others() == runs_under_way() == []
    mark.release()


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b'{"mark": "../../x", "process": 1}\n', b'{"mark": 3}\n'])
def test_what_others_scribble_into_a_mark_is_passed_over(folder: Path, line: bytes) -> None:
    mark = RunMark()
    (path,) = folder.iterdir()
    with path.open("ab") as file:
        file.write(line)
    assert mark.others() == []
    mark.release()


def test_all_users_share_the_folder(folder: Path) -> None:
    mark = RunMark()
    (path,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    mark.release()
    assert marks_folder() == folder


SAMPLE = {"process": 2, "began": "2026-01-02T03:04:05.000+00:00", "wall_seconds": 2.0}


@pytest.mark.parametrize(
    ("began", "ended", "met"),
    [
        ("2026-01-02T03:04:00.000+00:00", None, 1),
        ("2026-01-02T03:04:06.000+00:00", None, 1),
        ("2026-01-02T03:04:08.000+00:00", None, 0),
        ("2026-01-02T03:04:00.000+00:00", "2026-01-02T03:04:04.000+00:00", 0),
        ("2026-01-02T03:04:00.000+00:00", "2026-01-02T03:04:05.500+00:00", 1),
    ],
)
def test_only_samples_that_another_run_overlaps_are_doubted(began: str, ended: str | None, met: int) -> None:
    session = {"first_process": 2, "other_runs": [{"process": 9, "began": began, "ended": ended}]}
    assert runs_beside([SAMPLE], [{"first_process": 0}, session]) == met
    # A later session's neighbours are none of an earlier one's samples.
    assert runs_beside([{**SAMPLE, "process": 1}], [{"first_process": 0}, session]) == 0


def test_two_runs_at_once_both_warn_and_both_records_say_so(
    plugin_environment: dict[str, str],
    pids: Callable[[str], list[int]],
    folder: Path,
    tmp_path: Path,
) -> None:
    environment = plugin_environment | {"CONTEND_MARKS_DIR": str(folder)}
    places = tmp_path / "long", tmp_path / "short"
    for place in places:
        place.mkdir()
    small = ("--block-size", "50", "-w", "ledger", "--workers", "1", "--processes", "1")
    with contend_run(environment, places[0], *small, "-s", "serial", "--repeat", "10000") as long:
        until(lambda: list(places[0].glob("results/records/*.json")), "the first run measures")
        with contend_run(environment, places[1], *small, "-s", "honest", "--repeat", "2") as short:
            # It ends while the other goes on: it has not waited.
            output, errors = short.communicate(timeout=WAIT_SECONDS)
        assert long.poll() is None
        long.send_signal(signal.SIGINT)
        outputs = [long.communicate(timeout=WAIT_SECONDS), (output, errors)]
    assert short.returncode == 0
    for place, (shown, said), other in zip(places, outputs, (short.pid, long.pid), strict=True):
        assert f"Another wall-clock run is under way on this machine (process {other}, since" in said
        assert "warning: another wall-clock run at the same time" in shown
        (path,) = place.glob("results/records/*.json")
        record: dict[str, Any] = json.loads(path.read_text())
        assert [run["process"] for run in record["sessions"][0]["other_runs"]] == [other]
        (cell,) = record["cells"]
        assert cell["other_runs"] == 1
    assert list(folder.iterdir()) == []
