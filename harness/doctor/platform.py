"""On what kind of machine this runs, and how it tells the time."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter_ns

from contend.harness.doctor.files import Files
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, Finding

_READINGS = 20_000
_DOUBTFUL_NS, _BAD_NS = 1_000, 100_000
# Read by an instruction or two; the others need a system call, and some of them a slow device.
_QUICK = ("tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page")


def guest(files: Files) -> Finding | None:
    """Whether this is a virtual machine; None where the system does not tell."""
    cpus = files.text("/proc/cpuinfo")
    if cpus is None:
        return None
    flags = next((line.split() for line in cpus.splitlines() if line.startswith(("flags", "Features"))), [])
    name = files.text("/sys/class/dmi/id/product_name")
    if "hypervisor" not in flags:
        return Finding("virtual machine", "no")
    advice = "the host's frequencies and other guests are out of sight: trust the measured rows, repeat at other times"
    return Finding("virtual machine", "yes" + (f" ({name})" if name else ""), DOUBTFUL, advice)


def container(files: Files) -> Finding | None:
    """Whether this is a container; None where the system does not tell."""
    if not files.exists("/proc/self"):
        return None
    marks = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
    groups = files.text("/proc/self/cgroup") or ""
    inside = any(files.exists(mark) for mark in marks) or any(word in groups for word in ("docker", "kubepods", "lxc"))
    return Finding("container", "yes: what others on the machine do shows in load and jitter only" if inside else "no")


def battery(files: Files) -> Finding | None:
    """Whether the machine is saving power; None where it has no battery."""
    supplies = [path.rpartition("/")[0] for path in files.matching("/sys/class/power_supply/*/type")]
    mains = [files.number(f"{one}/online") for one in supplies if files.text(f"{one}/type") == "Mains"]
    if not mains:
        return None
    if any(mains):
        return Finding("power", "mains")
    return Finding("power", "battery", BAD, "plug it in: on battery the frequency is kept down")


def timer(files: Files) -> Finding:
    """The smallest step of the clock that everything is timed with, and what one reading costs."""
    readings = [perf_counter_ns() for _ in range(_READINGS)]
    steps = [later - earlier for earlier, later in pairwise(readings) if later > earlier]
    step = min(steps, default=_BAD_NS)
    each = (readings[-1] - readings[0]) / _READINGS
    source = files.text("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    slow = source is not None and source not in _QUICK
    verdict = BAD if step >= _BAD_NS else DOUBTFUL if step >= _DOUBTFUL_NS or slow else OK
    found = f"steps of {step} ns, {each:.0f} ns a reading" + (f", clock source {source}" if source else "")
    advice = (
        ""
        if verdict == OK
        else "short phases cannot be told apart: use larger blocks"
        + ("; the kernel's parameter clocksource=tsc" if slow else "")
    )
    return Finding("timer", found, verdict, advice, {"step_ns": step, "reading_ns": each})
