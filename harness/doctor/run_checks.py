"""All checks together: read the counters, measure for two seconds, read them again, compare."""

from __future__ import annotations

import os
from collections.abc import Callable

from contend.harness.doctor import cores, frequency, interference, memory, platform
from contend.harness.doctor.counters import Counters
from contend.harness.doctor.disk import Probe, disk
from contend.harness.doctor.disk import measure as measure_disk
from contend.harness.doctor.files import Files
from contend.harness.doctor.finding import Finding
from contend.harness.doctor.microbench import MicrobenchResult, measure
from contend.harness.doctor.run_mark import runs_under_way
from contend.harness.record.environment import usable_cores

Measure = Callable[[int], MicrobenchResult]


def run_checks(
    workers: int, files: Files | None = None, microbench: Measure = measure, probe: Probe = measure_disk
) -> list[Finding]:
    """Check the machine.

    Parameters
    ----------
    workers : int
        That are to be measured.
    files : Files, optional
        Where the system tells about itself; checks whose files are missing are left out, or say that they do not know.
    microbench : callable
        Measures so many cores at work.
    probe : callable
        Measures the disk that a folder is on; behind all else, since it may compile.

    Returns
    -------
    list of Finding
        What was measured first.
    """
    files = files or Files()
    usable = usable_cores()
    load = os.getloadavg()[0]
    before = Counters.now(files, usable)
    measured = microbench(len(usable))
    after = Counters.now(files, usable)
    found = [
        interference.jitter(measured),
        frequency.drift(measured),
        interference.slowdown(measured),
        interference.wall_clock_runs(runs_under_way()),
        interference.others(before, after),
        interference.steal(before, after),
        interference.throttling(before, after),
        interference.load(load, os.cpu_count() or len(usable)),
        cores.core_count(len(usable), workers),
        cores.quota(files, workers),
        cores.siblings(files, usable),
        cores.nodes(files),
        frequency.governor(files),
        frequency.turbo(files),
        frequency.heat(before, after),
        memory.available(files),
        memory.swap(files, before, after),
        memory.huge_pages(files),
        platform.timer(files),
        platform.guest(files),
        platform.container(files),
        platform.battery(files),
        *disk(probe),
    ]
    return [finding for finding in found if finding is not None]
