"""Affinity: the cores to which measuring processes are pinned.

A process is pinned as a whole, before it imports anything: its threads, and the shards that it starts, inherit that.
Pinning each worker to one core would take a system call a worker within what is timed, and no strategy here lives long
enough on one core for it to matter; which cores a measurement has, and that others are kept off them, is what matters.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from contend.harness.errors import BadInputError
from contend.harness.record.environment import usable_cores


def check_affinity(cores: Collection[int]) -> None:
    """Make sure that processes can be pinned to these cores; none stand for no pinning.

    Raises
    ------
    BadInputError
        If the platform cannot pin, or a core is not there for this process.
    """
    if not cores:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise BadInputError("affinity: this system cannot pin processes to cores; leave it out")
    usable = usable_cores()
    if missing := sorted(set(cores) - usable):
        there = ", ".join(map(str, sorted(usable)))
        raise BadInputError(f"affinity: core {missing[0]} is not one that this process may use; there are {there}")
