"""Measuring processes stay on the cores that they are pinned to, and a record says how many these are."""

from __future__ import annotations

import os

import pytest

from contend.harness.errors import BadInputError
from contend.harness.measure.affinity import check_affinity
from contend.harness.measure.executor import LocalExecutor
from contend.harness.measure.worker_process import WorkerProcess
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.record.environment import describe, usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin processes")
def test_a_worker_runs_on_the_cores_that_it_is_pinned_to() -> None:
    core = max(usable_cores())
    worker = WorkerProcess(0, cores=[core])
    try:
        worker.send("plan", {"strategies": ["nonsense"], "workloads": ["dao"]})
        assert (worker.receive() or [""])[0] == "refused"
        # All its threads: imports have started some.
        threads = [int(thread) for thread in os.listdir(f"/proc/{worker._popen.pid}/task")]
        assert {frozenset(os.sched_getaffinity(thread)) for thread in threads} == {frozenset({core})}
    finally:
        worker.end()


def test_the_record_counts_the_cores_that_there_are_for_measuring() -> None:
    pinned, free = describe([0]), describe()
    assert (pinned["cores"], free["cores"]) == (1, len(usable_cores()))
    # Figures on one core are not those of a machine with several.
    assert (pinned["machine"] == free["machine"]) == (free["cores"] == 1)


def test_a_core_that_is_not_there_is_refused_before_anything_starts() -> None:
    with pytest.raises(BadInputError, match=r"^affinity: core 1023 is not one that this process may use; there are 0"):
        LocalExecutor(Request(affinity=1_023), Observer())


def test_a_system_that_cannot_pin_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    check_affinity(())
    with pytest.raises(BadInputError, match=r"^affinity: this system cannot pin processes to cores; leave it out$"):
        check_affinity((0,))
