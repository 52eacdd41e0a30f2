"""Verdict on a paired ratio, as a word and as a sentence: whether one strategy is faster than another.

A strategy is faster or slower only if the whole interval says so by more than a floor, under which no difference is
claimed however narrow the interval: cells of one process differ by some per cent for reasons that are no strategy's,
such as where their memory lies. Simulated ratios are exact, and any difference of theirs is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from contend.harness.record.statistics import CONFIDENCE, Interval
from contend.harness.record.statistics.paired import PairedRatio

FLOOR = 0.05
"""Share by which two strategies must differ by the wall clock before anything is claimed."""

LEAST_PROCESSES, LEAST_PAIRS = 2, 6
"""Fewer runs than these say nothing about noise, whatever their interval is."""

_MOST_DIGITS = 9


class Standing(StrEnum):
    """Standing of a strategy beside another one."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    INCONCLUSIVE = "inconclusive"


def standing(found: PairedRatio, floor: float = FLOOR, simulated_floor: float = 0.0) -> Standing:
    """Say whether a strategy is faster than its baseline.

    Parameters
    ----------
    found : PairedRatio
    floor : float
        Share that counts, by the wall clock; 0.05 for 5 %.
    simulated_floor : float
        The same for simulated time, which has no noise.
    """
    ratio = found.ratio
    least = 1.0 + (simulated_floor if found.simulated else floor)
    if not found.simulated and few_runs(found):
        return Standing.INCONCLUSIVE
    if ratio.low > least:
        return Standing.FASTER
    if ratio.high < 1.0 / least:
        return Standing.SLOWER
    return Standing.SAME if ratio.low >= 1.0 / least and ratio.high <= least else Standing.INCONCLUSIVE


def few_runs(found: PairedRatio) -> str:
    """Say that there are too few runs for a verdict; empty where there are enough, or time is simulated."""
    if found.simulated or (found.processes >= LEAST_PROCESSES and found.pairs >= LEAST_PAIRS):
        return ""
    return f"only {_count(found.pairs, 'pair')} of runs in {_count(found.processes, 'process')}"


def sentence(found: PairedRatio, floor: float = FLOOR, simulated_floor: float = 0.0) -> str:
    """Verdict in words, without a full stop.

    As in ``block_stm is 1.80 times as fast as sharded [1.70, 1.91] with 8 workers``.

    Parameters
    ----------
    found : PairedRatio
    floor, simulated_floor : float
        As in `standing`.
    """
    kind = standing(found, floor, simulated_floor)
    own, base = _named(found, found.strategy, found.workers), _named(found, found.baseline, found.baseline_workers)
    both = "" if found.workers != found.baseline_workers else f" with {_workers(found, found.workers)}"
    if kind in (Standing.FASTER, Standing.SLOWER):
        text = f"{own} is {times(found.ratio.median)} times as fast as {base}"
        return f"{text}{both} (exact)" if found.simulated else f"{text} {ends(found.ratio)}{both}"
    if kind is Standing.SAME:
        least = simulated_floor if found.simulated else floor
        what = f"no difference beyond {100 * least:.3g} %" if least else "no difference"
        text = f"{what} between {own} and {base}{both}"
        return text if not least else f"{text}: {_ratio(found)}"
    why = few_runs(found)
    return f"inconclusive: {own} beside {base}{both} {_ratio(found)}" + (f", {why}" if why else "")


def told_by_chance(count: int, simulated: bool) -> str:
    """Say what many comparisons mean for each of them; empty for one, and where time is simulated.

    Parameters
    ----------
    count : int
        Comparisons with an interval.
    """
    if count < 2 or simulated:
        return ""
    missed = (1.0 - CONFIDENCE) * count
    about = f"{missed:.1f}" if missed < 10 else f"{missed:.0f}"
    return (
        f"each interval is a {100 * CONFIDENCE:.0f} % one by itself: of {count} of them, about {about} can be expected "
        "to miss the true ratio"
    )


def doubts(cells: Iterable[Mapping[str, Any]], kinds: tuple[str, ...]) -> list[str]:
    """Warnings of these cells that begin with one of `kinds`, without their figures, with whose they are."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        for warning in cell.get("warnings") or ():
            if warning.startswith(kinds):
                found.setdefault(warning.partition(":")[0], []).append(str(cell["strategy"]))
    return [f"{' and '.join(dict.fromkeys(names))}: {warning}" for warning, names in found.items()]


def times(ratio: float) -> str:
    """A ratio in three digits or so, in more where it would look like 1 and is not."""
    digits = 2 if ratio < 10 else 1 if ratio < 100 else 0
    while ratio != 1.0 and digits < _MOST_DIGITS and float(f"{ratio:.{digits}f}") in (0.0, 1.0):
        digits += 1
    return f"{ratio:,.{digits}f}"


def ends(ratio: Interval) -> str:
    """Both ends of an interval, in brackets."""
    return f"[{times(ratio.low)}, {times(ratio.high)}]"


def _ratio(found: PairedRatio) -> str:
    return times(found.ratio.median) + ("" if found.simulated else f" {ends(found.ratio)}")


def _named(found: PairedRatio, strategy: str, workers: int) -> str:
    """A strategy, with its workers where the other one has another number of them."""
    if found.workers == found.baseline_workers:
        return strategy
    return f"{strategy} with {_workers(found, workers)}"


def _workers(found: PairedRatio, count: int) -> str:
    return _count(count, "simulated worker" if found.simulated else "worker")


def _count(number: int, thing: str) -> str:
    plural = "es" if thing.endswith("s") else "s"
    return f"{number:,} {thing}{'' if number == 1 else plural}"
