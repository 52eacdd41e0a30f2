"""CPU seconds of this process and of whatever processes it keeps."""

from __future__ import annotations

import os
import resource
import sys
import time

# Linux makes the id of a process's CPU clock from its pid: MAKE_PROCESS_CPUCLOCK in <linux/posix-timers.h>.
_CPUCLOCK_SCHED = 2


def cpu_seconds() -> float:
    """CPU time (user and system) spent so far by this process, its dead children, and its process group's members.

    A measuring process leads its own process group, so the group holds exactly the processes that its strategies
    keep. Only differences between two readings mean anything, and only while no member of the group starts or ends
    in between unwaited for.

    Returns
    -------
    float
        Seconds. Live members of the group are counted on Linux only.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + children.ru_utime + children.ru_stime
    for pid in _group_members():
        try:
            total += time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
        except OSError:
            # It ended between the listing and the reading, and counts among the dead children from now on.
            continue
    return total


def _group_members() -> list[int]:
    group, own = os.getpgrp(), os.getpid()
    if sys.platform != "linux" or group != own:
        return []
    members = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != own:
            try:
                if os.getpgid(int(name)) == group:
                    members.append(int(name))
            except OSError:
                # It ended since the folder was listed.
                continue
    return members
