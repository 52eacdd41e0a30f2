"""Many comparisons by the gate's own rule, with simulated samples in place of measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contend.harness.compare.ratio import paired
from contend.harness.compare.sample_size import SampleSize
from contend.harness.compare.verdict import Rule, Verdict
from tools.gate_power.noise import Noise


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
        Cells of a comparison; it is a false alarm if one of them is found slower.
    round_seconds : float
        What a pair of runs takes, setting up and verifying included: it limits a further measurement.
    """

    processes: int = 2
    rounds: int = 20
    cells: int = 8
    round_seconds: float = 0.03


@dataclass(frozen=True)
class Simulated:
    """Outcome of many simulated comparisons.

    Attributes
    ----------
    comparisons : int
    alarms : int
        Comparisons of a version with itself in which a cell was found slower.
    found : int
        Comparisons in which a cell with a planted slow-down was found slower.
    effect : float
        That slow-down; 0.1 for 10 %.
    """

    comparisons: int
    alarms: int
    found: int
    effect: float


def simulate(
    noises: Sequence[Noise], comparisons: int, design: Design, rule: Rule, effect: float = 0.10, seed: int = 1
) -> Simulated:
    """Compare a version with itself, and with one of which one cell is slower, so many times each.

    Parameters
    ----------
    noises : sequence of Noise
        Every cell draws one of them.
    comparisons : int
    effect : float
        Share by which the planted cell takes longer.
    """
    random = np.random.default_rng(seed)
    alarms = found = 0
    for _ in range(comparisons):
        cells = [noises[int(place)] for place in random.integers(0, len(noises), design.cells)]
        alarms += any(_verdict(noise, random, design, rule, 1.0) is Verdict.SLOWER for noise in cells)
        found += _verdict(cells[0], random, design, rule, 1.0 + effect) is Verdict.SLOWER
    return Simulated(comparisons, alarms, found, effect)


def _verdict(noise: Noise, random: np.random.Generator, design: Design, rule: Rule, effect: float) -> Verdict:
    effort = SampleSize(design.processes, design.rounds, rule.threshold)
    pairs = noise.pairs(random, effort.processes, effort.rounds, effect)
    more = effort.pilot(pairs) - effort.rounds
    if more:
        pairs = noise.pairs(random, effort.processes, effort.rounds + more, effect)
    ratios, everything = [paired(pairs)], list(pairs)
    while rule.unsettled(ratios):
        count = effort.again_processes
        pairs = noise.pairs(random, count, count * effort.again(everything, design.round_seconds), effect)
        everything += pairs
        ratios.append(paired(pairs))
    return rule.settle(ratios)[0]
