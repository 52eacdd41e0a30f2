from __future__ import annotations

import subprocess
import sys
import time

import pytest

from harness.measure.cpu_time import cpu_seconds

# In a process that leads its group, as a measuring process does: burn CPU here, in a child that lives, or in a thread.
SCRIPT = """
import os, sys, time
from harness.measure.cpu_time import cpu_seconds

def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

before = cpu_seconds()
reader, writer = os.pipe()
if os.fork() == 0:
    burn(0.3)
    os.write(writer, b"x")
    time.sleep(60)
os.read(reader, 1)
print(cpu_seconds() - before)
"""


def test_own_work_counts_and_sleep_does_not() -> None:
    before = cpu_seconds()
    time.sleep(0.2)
    asleep = cpu_seconds() - before
    until = time.process_time() + 0.2
    while time.process_time() < until:
        continue
    busy = cpu_seconds() - before - asleep
    assert asleep < 0.1
    assert 0.19 < busy < 0.4


@pytest.mark.skipif(sys.platform != "linux", reason="live processes are counted on Linux only")
def test_a_living_process_of_the_group_counts() -> None:
    popen = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert popen.stdout is not None
        spent = float(popen.stdout.readline())
    finally:
        import os
        import signal

        os.killpg(popen.pid, signal.SIGKILL)
        popen.communicate()
    assert 0.28 < spent < 0.6
