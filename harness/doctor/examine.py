"""All checks together: look, measure for two seconds, look again, compare."""

from __future__ import annotations

import os
from collections.abc import Callable

from harness.doctor import cores, frequency, memory, neighbours, surroundings
from harness.doctor.counters import Counters
from harness.doctor.files import Files
from harness.doctor.finding import Finding
from harness.doctor.spin import Spin, measure
from harness.environment import usable_cores

Measure = Callable[[int], Spin]


def examine(workers: int, files: Files | None = None, spin: Measure = measure) -> list[Finding]:
    """Examine the machine.

    Parameters
    ----------
    workers : int
        That are to be measured.
    files : Files, optional
        Where the system tells about itself; checks whose files are missing are left out, or say that they do not know.
    spin : callable
        Measures so many cores at work.

    Returns
    -------
    list of Finding
        What was measured first.
    """
    files = files or Files()
    usable = usable_cores()
    load = os.getloadavg()[0]
    before = Counters.now(files, usable)
    measured = spin(len(usable))
    after = Counters.now(files, usable)
    found = [
        neighbours.jitter(measured),
        frequency.drift(measured),
        neighbours.slowdown(measured),
        neighbours.others(before, after),
        neighbours.steal(before, after),
        neighbours.throttling(before, after),
        neighbours.load(load, os.cpu_count() or len(usable)),
        cores.enough(len(usable), workers),
        cores.quota(files, workers),
        cores.siblings(files, usable),
        cores.nodes(files),
        frequency.governor(files),
        frequency.turbo(files),
        frequency.heat(before, after),
        memory.available(files),
        memory.swap(files, before, after),
        memory.huge_pages(files),
        surroundings.timer(files),
        surroundings.guest(files),
        surroundings.container(files),
        surroundings.battery(files),
    ]
    return [finding for finding in found if finding is not None]
