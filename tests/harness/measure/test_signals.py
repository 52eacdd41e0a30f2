from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
from running import WAIT_SECONDS, contend_run, lives, until

from contend.harness.records import schema

Pids = Callable[[str], list[int]]


@contextmanager
def run_contend(environment: dict[str, str], folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with contend_run(environment, folder, "--block-size", "50", *arguments) as popen:
        yield popen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_was_measured_and_leaves_no_process(
    number: signal.Signals, plugin_environment: dict[str, str], pids: Pids, tmp_path: Path
) -> None:
    with run_contend(
        plugin_environment, tmp_path, "-w", "ledger,restless", "-s", "honest", "--workers", "1", "--repeat", "4"
    ) as run:
        # The second workload makes the strategy sleep; the first is finished by then.
        until(lambda: pids("asleep"), "a strategy sleeps")
        run.send_signal(number)
        # The sleeper would sleep for an hour: that the run ends at all is what the signal does.
        output, errors = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130
    assert "Traceback" not in errors
    assert "Interrupted" in output
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    record = json.loads(path.read_text())
    jsonschema.validate(record, schema())
    assert record["complete"] is False
    (cell,) = record["cells"]
    assert cell["workload"] == "ledger"
    assert cell["verified"]
    assert len(cell["samples_seconds"]) == 4
    assert not any(map(lives, pids("asleep") + pids("honest") + pids("kept")))


def test_an_interrupted_workload_keeps_the_rounds_that_were_complete(
    plugin_environment: dict[str, str], tmp_path: Path
) -> None:
    with run_contend(
        plugin_environment, tmp_path, "-w", "ledger", "-s", "serial", "--repeat", "10000", "--processes", "1"
    ) as run:
        assert run.stderr is not None
        # A line comes every few seconds, and names runs that are done.
        for line in run.stderr:
            if "of each cell" in line:
                break
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    (cell,) = json.loads(path.read_text())["cells"]
    assert 0 < len(cell["samples_seconds"]) < 10_000
    assert any(warning.startswith("interrupted after") for warning in cell["warnings"])


def test_a_run_interrupted_before_it_has_begun_writes_nothing(
    plugin_environment: dict[str, str], pids: Pids, tmp_path: Path
) -> None:
    with run_contend(plugin_environment, tmp_path, "-w", "restless", "-s", "honest", "--workers", "1") as run:
        until(lambda: pids("asleep"), "a strategy sleeps")
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130
    assert "before anything was measured" in errors
    assert list((tmp_path / "results" / "records").iterdir()) == []


def test_a_killed_parent_leaves_no_process(plugin_environment: dict[str, str], pids: Pids, tmp_path: Path) -> None:
    with run_contend(plugin_environment, tmp_path, "-w", "ledger", "-s", "slow", "--workers", "1") as run:
        until(lambda: pids("kept"), "a strategy has started a process of its own")
        everyone = pids("slow") + pids("kept")
        assert all(map(lives, everyone))
        os.kill(run.pid, signal.SIGKILL)
        until(lambda: not any(map(lives, everyone)), "all processes end", seconds=10)


def test_a_second_interrupt_does_not_lose_the_record(
    plugin_environment: dict[str, str], pids: Pids, tmp_path: Path
) -> None:
    with run_contend(
        plugin_environment, tmp_path, "-w", "ledger,restless", "-s", "honest", "--workers", "1", "--repeat", "2"
    ) as run:
        until(lambda: pids("asleep"), "a strategy sleeps")
        for _ in range(5):
            run.send_signal(signal.SIGINT)
            time.sleep(0.002)
        run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130
    (path,) = (tmp_path / "results" / "records").glob("*.json")
    assert len(json.loads(path.read_text())["cells"]) == 1


def test_strategies_are_closed_at_the_end(plugin_environment: dict[str, str], pids: Pids, tmp_path: Path) -> None:
    with run_contend(plugin_environment, tmp_path, "-w", "ledger", "-s", "honest", "--repeat", "2") as run:
        run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 0
    assert len(pids("closed")) == 2
