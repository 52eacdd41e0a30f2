from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest
from running import WAIT_SECONDS

from contend.harness.errors import CrashError
from contend.harness.measure import worker_pool
from contend.harness.measure.worker_process import WorkerProcess
from contend.harness.observer import Observer
from contend.harness.plan.request import MAX_PROCESSES, Request


@pytest.fixture
def child() -> Iterator[WorkerProcess]:
    made = WorkerProcess(0)
    yield made
    made.end()


def pid_of(child: WorkerProcess) -> int:
    return child._popen.pid


def test_a_child_answers_and_ends_when_it_is_asked_to(child: WorkerProcess) -> None:
    child.send("plan", {"strategies": ["serial"], "workloads": ["nonsense"]})
    message = child.receive()
    assert message is not None
    assert message[0] == "refused"
    assert "nonsense" in message[1]
    child.ask_to_close()
    assert child.receive() is None
    assert child.exit_reason() == "the measuring process ended with exit code 0"


def test_a_child_leads_a_group_of_its_own(child: WorkerProcess) -> None:
    assert os.getpgid(pid_of(child)) == pid_of(child)


def test_a_killed_child_is_gone_and_its_exit_reason_says_how(child: WorkerProcess) -> None:
    os.kill(pid_of(child), signal.SIGKILL)
    assert child.receive() is None
    assert child.exit_reason() == "the measuring process was ended by SIGKILL"
    # Nothing is raised, whoever speaks to it: the end is noticed where an answer is awaited.
    child.send("run", {})


def test_a_child_whose_pipe_closes_ends(child: WorkerProcess) -> None:
    child.connection.close()
    assert child._popen.wait(WAIT_SECONDS) == -signal.SIGTERM


def test_ending_twice_does_no_harm() -> None:
    made = WorkerProcess(0)
    pid = pid_of(made)
    made.end()
    assert not Path(f"/proc/{pid}").exists()
    made.end()


def test_compiling_is_no_silence(child: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("contend.harness.measure.worker_process.time.monotonic", lambda: now)
    ours, theirs = Pipe()
    child.connection.close()
    child.connection = ours
    theirs.send_bytes(b'["compile", "resume", true, 0.0]')
    child.receive()
    now += 50.0
    assert child.silence() == 0.0
    theirs.send_bytes(b'["compile", "resume", false, 60.0]')
    child.receive()
    now += 8.0
    assert child.silence() == 8.0


def test_as_many_processes_as_a_request_may_ask_for_are_no_deaths(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        def __init__(self, number: int, version: object, cores: object) -> None:
            self.number = number

        def send(self, *message: object) -> None:
            pass

        def end(self) -> None:
            pass

    monkeypatch.setattr(worker_pool, "WorkerProcess", Idle)
    monkeypatch.setattr(worker_pool.WorkerPool, "plan", lambda self, slot: None)
    one = worker_pool.WorkerPool(Request(), Observer())
    one.start(MAX_PROCESSES)
    assert [child.number for child in one] == list(range(MAX_PROCESSES))
    for _ in range(50):
        one.restart(0)
    with pytest.raises(CrashError, match="died 50 times"):
        one.restart(0)
