"""Many comparisons by the gate's own rule, with simulated samples in place of measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from contend.harness.compare.cell_runs import EXCHANGED_PAIRS, PAIR, A, B, CellRuns, PairRuns, pilot_floor
from contend.harness.compare.measured import CellName
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.sample_size import SampleSize
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.measure.interleaved_runner import turns
from tools.gate_power.noise import Noise

CLAIMS = (Verdict.SLOWER, Verdict.FASTER)


@dataclass(frozen=True)
class Design:
    """Design of a comparison: how it is measured.

    Attributes
    ----------
    processes : int
        Pairs of processes.
    rounds : int
        Pairs of runs of each cell, in all pairs of processes together.
    cells : int
        Cells of a comparison.
    slower : int
        How many of them are slower, where something is.
    round_seconds : float
        What a pair of runs takes, setting up and verifying included: it limits a further measurement.
    null : bool
        Whether places are exchanged, as for a null run.
    bias : float
        Share by which whatever is in the second place of a pair of processes takes longer.
    """

    processes: int = 2
    rounds: int = 20
    cells: int = 8
    slower: int = 2
    round_seconds: float = 0.03
    null: bool = True
    bias: float = 0.0


@dataclass(frozen=True)
class Simulated:
    """Outcome of many simulated comparisons.

    Attributes
    ----------
    comparisons : int
        Of a version with itself, and as many with a slower one.
    alarms : int
        Comparisons of a version with itself in which a cell was found slower or faster.
    planted, found : int
        Cells with a planted slow-down, and those of them that were found slower.
    false_discoveries : float
        Of the claims of a comparison with a slower version, the mean share that are false.
    floor : float
        Median floor of a cell.
    effect : float
        The slow-down; 0.1 for 10 %.
    """

    comparisons: int
    alarms: int
    planted: int
    found: int
    false_discoveries: float
    floor: float
    effect: float


def simulate(
    noises: Sequence[Noise],
    comparisons: int,
    design: Design,
    rule: Rule,
    effect: float = 0.10,
    seed: int = 1,
    cores: int = 1,
) -> Simulated:
    """Compare a version with itself, and with one of which some cells are slower, so many times each.

    Parameters
    ----------
    noises : sequence of Noise
        Every cell draws one of them.
    comparisons : int
    effect : float
        Share by which the planted cells take longer.
    seed : int
        The same gives the same, however many cores there are.
    cores : int
    """
    seeds = np.random.SeedSequence(seed).spawn(comparisons)
    once = partial(_once, tuple(noises), design, rule, effect)
    if cores > 1:
        with ProcessPoolExecutor(cores) as pool:
            found = list(pool.map(once, seeds, chunksize=4))
    else:
        found = [once(one) for one in seeds]
    return Simulated(
        comparisons,
        sum(one.alarm for one in found),
        comparisons * design.slower,
        sum(one.right for one in found),
        float(np.mean([one.wrong / max(one.right + one.wrong, 1) for one in found])),
        float(np.median([floor for one in found for floor in one.floors] or [0.0])),
        effect,
    )


class _Once(NamedTuple):
    """A comparison of a version with itself, and one with a slower version."""

    alarm: bool
    floors: list[float]
    right: int
    wrong: int


def _once(noises: Sequence[Noise], design: Design, rule: Rule, effect: float, seed: np.random.SeedSequence) -> _Once:
    random = np.random.default_rng(seed)
    cells = [noises[int(place)] for place in random.integers(0, len(noises), design.cells)]
    same = _compare(cells, random, design, rule, [1.0] * design.cells)
    truth = [1.0 + effect] * design.slower + [1.0] * (design.cells - design.slower)
    found = _compare(cells, random, design, rule, truth)
    right = sum(cell.verdict is Verdict.SLOWER for cell in found[: design.slower])
    claims = sum(cell.verdict in CLAIMS for cell in found)
    floors = [cell.floor for cell in same if cell.floor is not None]
    return _Once(any(cell.verdict in CLAIMS for cell in same), floors, right, claims - right)


def _compare(
    noises: Sequence[Noise], random: np.random.Generator, design: Design, rule: Rule, effects: Sequence[float]
) -> list[CellResult]:
    """One comparison, as `harness.compare.runner` makes it."""
    size = SampleSize(design.processes, design.rounds, rule.threshold, rule.false_discovery_rate)
    again = size.again_pairs(len(noises))
    cells = [CellRuns() for _ in noises]
    planned = list(zip(cells, noises, effects, strict=True))
    for cell, noise, effect in planned:
        pairs = noise.pairs(random, size.processes, size.rounds, effect)
        cell.rounds.append(_measured(noise, random, design, size.processes, size.pilot(pairs), effect))
    floor = pilot_floor(cells) if design.null else 0.0
    for cell, noise, effect in planned:
        while cell.unsettled(rule, floor):
            rounds = again * size.again(cell.pairs, design.round_seconds, 1, len(noises))
            cell.rounds.append(_measured(noise, random, design, again, rounds, effect))
    comparison = Comparison({}, {}, rule, frozenset(), True, {})
    comparison.conclude(cell.judged(_name(place), (None, None), rule, floor) for place, cell in enumerate(cells))
    return comparison.cells


def _measured(
    noise: Noise, random: np.random.Generator, design: Design, processes: int, rounds: int, effect: float
) -> dict[int, PairRuns]:
    places = EXCHANGED_PAIRS if design.null else PAIR
    found = {}
    for number, pair in enumerate(noise.pairs(random, processes, rounds, effect, places, design.bias)):
        straight = 2 * number % len(places)
        a, b = (straight, straight + 1) if places[straight] == A else (straight + 1, straight)
        orders = [turns(len(places), turn) for turn in range(len(pair.a))]
        a_first = [order.index(a) < order.index(b) for order in orders]
        found[number] = PairRuns((list(pair.a), list(pair.b)), a_first, places[straight] == B)
    return found


def _name(place: int) -> CellName:
    return CellName("simulated", (), 1, 0, f"cell{place}", 1, "wall")
