"""Frequency checks: whether a core always runs at the same speed."""

from __future__ import annotations

from contend.harness.doctor.counters import Counters
from contend.harness.doctor.files import Files
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, UNKNOWN, Finding, verdict_of
from contend.harness.doctor.microbench import MicrobenchResult

_DOUBTFUL_DRIFT, _BAD_DRIFT = 0.02, 0.10


def governor(files: Files) -> Finding:
    """Governor, which decides on the frequency."""
    paths = files.matching("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    found = sorted({text for path in paths if (text := files.text(path))})
    if not found:
        return Finding("governor", "the system does not tell", UNKNOWN, "in a guest the host decides: ask there")
    if found == ["performance"]:
        return Finding("governor", "performance")
    return Finding("governor", ", ".join(found), DOUBTFUL, "sudo cpupower frequency-set --governor performance")


def turbo(files: Files) -> Finding:
    """Whether a core runs faster while others are idle or cool."""
    # The two drivers say it in opposite ways.
    off, boost = (
        files.number("/sys/devices/system/cpu/intel_pstate/no_turbo"),
        files.number("/sys/devices/system/cpu/cpufreq/boost"),
    )
    if off is None and boost is None:
        return Finding("turbo", "the system does not tell", UNKNOWN, "in a guest the host decides: ask there")
    if off == 1 or (off is None and boost == 0):
        return Finding("turbo", "off")
    switch = (
        "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
        if off is not None
        else "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    )
    return Finding("turbo", "on", DOUBTFUL, f"one worker runs faster than many would: {switch}")


def drift(microbench: MicrobenchResult) -> Finding:
    """Whether the same work took longer and longer, or less and less, while it was measured."""
    share = microbench.drift
    verdict = verdict_of(share, _DOUBTFUL_DRIFT, _BAD_DRIFT)
    advice = "" if verdict == OK else "the speed changes while nothing else does: fix the frequency, warm up first"
    return Finding("drift", f"{share:.1%} in {microbench.pieces.sum():.1f} s", verdict, advice, {"share": share})


def heat(before: Counters, after: Counters) -> Finding | None:
    """Whether a core was slowed down because it was hot; None where nobody counts."""
    if before.hot is None or after.hot is None:
        return None
    events = after.hot - before.hot
    if events == 0:
        return Finding("heat", f"no core slowed down in {after.moment - before.moment:.1f} s", OK, "", {"events": 0})
    return Finding(
        "heat", f"cores slowed down {events} times", BAD, "let it cool; look after the fans", {"events": events}
    )
