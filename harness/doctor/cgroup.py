"""Control groups: how much CPU time and memory this process may have, whatever the machine has."""

from __future__ import annotations

from collections.abc import Iterator

from contend.harness.doctor.files import Files

_UNLIMITED_BYTES = 1 << 60  # what version 1 says where there is no limit is nearly 2**63


def _groups(files: Files, controller: str) -> Iterator[str]:
    """Folders of this process's group and of those around it, the innermost first, of both versions."""
    for line in (files.text("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        top = f"/sys/fs/cgroup/{controllers}" if controllers else "/sys/fs/cgroup"
        place = path.rstrip("/")
        while True:
            yield f"{top}{place}"
            if not place:
                break
            place = place.rpartition("/")[0]


def quota_cores(files: Files) -> float | None:
    """CPU quota of the control group, in cores' worth of time; None where nothing limits it."""
    found = []
    for group in _groups(files, "cpu"):
        limit = (files.text(f"{group}/cpu.max") or "max").split()
        if limit[0].isdigit() and len(limit) == 2:
            found.append(int(limit[0]) / int(limit[1]))
        quota, period = files.number(f"{group}/cpu.cfs_quota_us"), files.number(f"{group}/cpu.cfs_period_us")
        if quota is not None and period and quota > 0:
            found.append(quota / period)
    return min(found, default=None)


def throttled_periods(files: Files) -> int | None:
    """In how many periods a group had to wait for its next share of CPU time; None where nobody counts."""
    found = [files.table(f"{group}/cpu.stat").get("nr_throttled") for group in _groups(files, "cpu")]
    known = [count for count in found if count is not None]
    return sum(known) if known else None


def memory_left(files: Files) -> int | None:
    """Bytes that the process's groups may still use; None where nothing limits them."""
    found = []
    for group in _groups(files, "memory"):
        for limit_file, used_file in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit, used = files.number(f"{group}/{limit_file}"), files.number(f"{group}/{used_file}")
            if limit is not None and used is not None and limit < _UNLIMITED_BYTES:
                found.append(limit - used)
    return min(found, default=None)
