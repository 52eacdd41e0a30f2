"""Core checks: enough of them, and none shared."""

from __future__ import annotations

from collections.abc import Collection

from contend.harness.doctor.cgroup import quota_cores
from contend.harness.doctor.files import Files, cpu_list
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, UNKNOWN, Finding

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def core_count(usable: int, workers: int) -> Finding:
    """Cores that the process may use, against the workers to be measured."""
    found = f"{usable} usable, for {workers} worker{'s' if workers > 1 else ''}"
    figures = {"cores": usable, "workers": workers}
    if usable < workers:
        advice = f"measure with at most {usable} workers, or simulate: --clock virtual"
        return Finding("cores", found, BAD, advice, figures)
    if usable == workers:
        advice = "leave one core to the system: measure with fewer workers"
        return Finding("cores", found, DOUBTFUL, advice, figures)
    return Finding("cores", found, OK, "", figures)


def quota(files: Files, workers: int) -> Finding:
    """The control group's share of CPU time."""
    cores = quota_cores(files)
    if cores is None:
        return Finding("CPU quota", "none")
    short = cores < workers
    return Finding(
        "CPU quota",
        f"{cores:g} cores' worth of time",
        BAD if short else DOUBTFUL,
        "who has used up the quota stands still for the rest of a period: run without it, and pin to cores instead",
        {"cores": cores},
    )


def siblings(files: Files, usable: Collection[int]) -> Finding:
    """Whether two of the usable processors are threads of one core."""
    lists = [files.text(_TOPOLOGY.format(number)) for number in sorted(usable)]
    known = [frozenset(cpu_list(text)) for text in lists if text is not None]
    if not known:
        return Finding("SMT", "the system does not tell", UNKNOWN)
    shared = {group for group in known if len(group & set(usable)) > 1}
    if not shared:
        return Finding("SMT", f"{len(known)} processors, each a core of its own as far as the system tells")
    one = min(shared, key=min)
    keep = ",".join(str(min(group & set(usable))) for group in sorted(set(known), key=min))
    return Finding(
        "SMT",
        f"processors {', '.join(map(str, sorted(one)))} are one core" + (", and so on" if len(shared) > 1 else ""),
        DOUBTFUL,
        f"workers on one core slow each other down: switch SMT off, or run with taskset -c {keep}",
        {"shared_cores": len(shared)},
    )


def nodes(files: Files) -> Finding | None:
    """Whether memory is further away from some cores than from others; None where there is nothing to say."""
    count = len(list(files.matching("/sys/devices/system/node/node[0-9]*")))
    if count < 2:
        return None
    return Finding(
        "NUMA", f"{count} nodes", DOUBTFUL, "keep to one node: numactl --cpunodebind=0 --membind=0", {"nodes": count}
    )
