"""Interference checks: other processes, guests and interruptions on the measured cores."""

from __future__ import annotations

from collections.abc import Sequence

from contend.harness.doctor.counters import Counters
from contend.harness.doctor.finding import BAD, OK, UNKNOWN, Finding, verdict_of
from contend.harness.doctor.microbench import MicrobenchResult
from contend.harness.doctor.run_mark import OtherRun, told

# In cores: a tenth of one is a few per cent of a measurement by two workers.
_DOUBTFUL_CORES, _BAD_CORES = 0.1, 0.5
_DOUBTFUL_STEAL, _BAD_STEAL = 0.005, 0.02
_DOUBTFUL_JITTER, _BAD_JITTER = 1.10, 1.50
_DOUBTFUL_SLOWDOWN, _BAD_SLOWDOWN = 1.10, 1.50


def load(average: float, cores: int) -> Finding:
    """The load average of the last minute, this command's own part in it included."""
    verdict = verdict_of(average / cores, 0.5, 1.0)
    advice = "" if verdict == OK else "wait until the machine is quiet, or find who is at work: top"
    figures = {"load": average, "cores": cores}
    return Finding("load", f"{average:.2f} on {cores} cores in the last minute", verdict, advice, figures)


def wall_clock_runs(runs: Sequence[OtherRun]) -> Finding:
    """Wall-clock runs of Contend that are under way on this machine."""
    figures = {"runs": len(runs)}
    if not runs:
        return Finding("wall-clock runs", "none under way", OK, "", figures)
    advice = "measure when they have ended; no run waits for another"
    return Finding("wall-clock runs", f"under way: {'; '.join(map(told, runs))}", BAD, advice, figures)


def others(before: Counters, after: Counters) -> Finding:
    """CPU use of other processes meanwhile, in cores."""
    if before.busy is None or after.busy is None:
        return Finding("other processes", "the system does not tell", UNKNOWN)
    seconds = after.moment - before.moment
    cores = max(after.busy - before.busy - (after.own - before.own), 0.0) / seconds
    verdict = verdict_of(cores, _DOUBTFUL_CORES, _BAD_CORES)
    advice = "" if verdict == OK else "end them, or move them to other cores: top, taskset"
    return Finding("other processes", f"{cores:.2f} cores over {seconds:.1f} s", verdict, advice, {"cores": cores})


def steal(before: Counters, after: Counters) -> Finding:
    """Steal time: the share of the CPU time wanted here that the host gave to other guests."""
    if before.stolen is None or before.busy is None or after.stolen is None or after.busy is None:
        return Finding("steal", "the system does not tell", UNKNOWN)
    stolen = after.stolen - before.stolen
    wanted = after.busy - before.busy + stolen
    share = stolen / wanted if wanted > 0 else 0.0
    verdict = verdict_of(share, _DOUBTFUL_STEAL, _BAD_STEAL)
    advice = "" if verdict == OK else "the host is shared: take dedicated cores, or use more rounds at other times"
    return Finding("steal", f"{share:.1%} of the CPU time wanted", verdict, advice, {"share": share})


def throttling(before: Counters, after: Counters) -> Finding | None:
    """Whether the control group ran out of CPU time; None where nobody counts."""
    if before.throttled is None or after.throttled is None:
        return None
    periods = after.throttled - before.throttled
    verdict = verdict_of(periods, 1, 1)
    advice = "" if verdict == OK else "raise the CPU quota of the container, or measure with fewer workers"
    return Finding("throttling", f"{periods} periods", verdict, advice, {"periods": periods})


def jitter(microbench: MicrobenchResult) -> Finding:
    """Jitter: the spread of the times of equal pieces of work."""
    middle, rare, most = microbench.percentile(50), microbench.percentile(99), microbench.percentile(100)
    verdict = verdict_of(rare / middle, _DOUBTFUL_JITTER, _BAD_JITTER)
    found = (
        f"{len(microbench.pieces)} equal pieces: median {middle * 1e6:.0f} us, "
        f"99 % within {rare / middle:.2f} times that, the longest {most / middle:.1f} times"
    )
    advice = "" if verdict == OK else "something interrupts the work: see the other rows; use more rounds and processes"
    figures = {"p50_seconds": middle, "p99_seconds": rare, "max_seconds": most}
    return Finding("jitter", found, verdict, advice, figures)


def slowdown(microbench: MicrobenchResult) -> Finding | None:
    """Slow-down of work while all cores are busy; None where there is one core only."""
    if microbench.cores < 2:
        return None
    times = microbench.slowdown
    verdict = verdict_of(times, _DOUBTFUL_SLOWDOWN, _BAD_SLOWDOWN)
    advice = (
        ""
        if verdict == OK
        else "cores are shared (SMT, other guests, turbo), so speed-ups come out low: see contend validate-clock"
    )
    found = f"{times:.2f} times as long with {microbench.cores} at work as with one"
    return Finding("all cores at once", found, verdict, advice, {"times": times, "cores": microbench.cores})
