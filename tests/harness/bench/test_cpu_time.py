from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from contend.harness.bench import cpu_time as cpu

# In a process that leads its group, as a measuring process does, with a child that lives.
SCRIPT = """
import os, signal
from contend.harness.bench import cpu_time as cpu

before = cpu._group_members()
child = os.fork()
if child == 0:
    signal.pause()
print(before, cpu._group_members() == [child])
"""


def test_own_work_that_of_dead_children_and_that_of_the_group_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock_gettime(clock: int) -> float:
        pid = ~clock >> 3
        if pid == 13:
            raise ProcessLookupError("it has ended since it was listed")
        # The lowest bits ask for the CPU time of a whole process, as its scheduler counts it.
        assert clock & 7 == 2
        return {11: 100.0, 12: 200.0}[pid]

    # Seconds asleep show in no clock that is asked.
    monkeypatch.setattr(cpu, "time", SimpleNamespace(process_time=lambda: 1.0, clock_gettime=clock_gettime))
    children = SimpleNamespace(ru_utime=10.0, ru_stime=20.0)
    monkeypatch.setattr("resource.getrusage", {resource.RUSAGE_CHILDREN: children}.__getitem__)
    monkeypatch.setattr(cpu, "_group_members", lambda: [11, 12, 13])
    assert cpu.cpu_seconds() == 331.0


def test_a_process_that_leads_no_group_counts_no_other() -> None:
    if os.getpgrp() == os.getpid():
        pytest.skip("this process leads its group")
    assert cpu._group_members() == []


@pytest.mark.skipif(sys.platform != "linux", reason="live processes are counted on Linux only")
def test_a_living_process_of_the_group_is_found() -> None:
    popen = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert popen.stdout is not None
        line = popen.stdout.readline()
    finally:
        os.killpg(popen.pid, signal.SIGKILL)
        popen.communicate()
    assert line == "[] True\n"
