"""Whether there is room, and in memory."""

from __future__ import annotations

from contend.harness.doctor.cgroup import memory_left
from contend.harness.doctor.counters import Counters
from contend.harness.doctor.files import Files
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, Finding

# Two measuring processes with a block of 10,000 transactions and 32 workers take about one.
_DOUBTFUL_GIB, _BAD_GIB = 2.0, 0.5
_GIB = float(1 << 30)


def available_bytes(files: Files) -> int | None:
    """Memory that can be had without swapping, within control groups' limits; None where the system does not tell."""
    here = files.table("/proc/meminfo").get("MemAvailable")
    if here is None:
        return None
    group = memory_left(files)
    return here * 1024 if group is None else min(here * 1024, group)


def available(files: Files) -> Finding | None:
    """Memory that can be had without swapping; None where the system does not tell."""
    found = available_bytes(files)
    if found is None:
        return None
    gib = found / _GIB
    verdict = BAD if gib < _BAD_GIB else DOUBTFUL if gib < _DOUBTFUL_GIB else OK
    advice = "" if verdict == OK else "end what uses it, or measure smaller blocks with fewer workers"
    return Finding("memory", f"{gib:.1f} GiB available", verdict, advice, {"available_gib": gib})


def swap(files: Files, before: Counters, after: Counters) -> Finding | None:
    """Whether memory lies on a disk; None where the system does not tell."""
    table = files.table("/proc/meminfo")
    if "SwapTotal" not in table:
        return None
    used = (table["SwapTotal"] - table.get("SwapFree", 0)) * 1024 / _GIB
    moved = 0 if before.swapped is None or after.swapped is None else after.swapped - before.swapped
    figures = {"used_gib": used, "moved_pages": moved}
    if moved:
        return Finding("swap", f"{moved} pages moved meanwhile", BAD, "free memory first", figures)
    if used > 0.05:
        advice = "what comes back from the disk comes at any time: free memory, then swapoff -a && swapon -a"
        return Finding("swap", f"{used:.1f} GiB in use", DOUBTFUL, advice, figures)
    return Finding("swap", "none" if not table["SwapTotal"] else "not in use", OK, "", figures)


def huge_pages(files: Files) -> Finding | None:
    """Whether the kernel makes huge pages of whatever it likes; None where the system does not tell."""
    text = files.text("/sys/kernel/mm/transparent_hugepage/enabled")
    if text is None or "[" not in text:
        return None
    chosen = text.partition("[")[2].partition("]")[0]
    if chosen != "always":
        return Finding("huge pages", chosen)
    advice = "pages are merged while work goes on: echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
    return Finding("huge pages", chosen, DOUBTFUL, advice)
