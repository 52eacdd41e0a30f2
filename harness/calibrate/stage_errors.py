"""Stage errors: how far the virtual clock is off in each stage of a node, held against real cores.

A stage's time is taken as a multiple of the execution of the serial run of the same round, by each clock: a machine
that is shared changes its speed within seconds, and a table of costs may be of another one. What a stage does, it does
under every strategy alike; so all cells of a workload with as many workers are one observation, their median.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from contend.harness.plan.resolve import BASELINE
from contend.harness.record.sample import PHASES

GOAL = 0.15
"""Median error of each stage that is wanted."""

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class StageComparison:
    """A stage under both clocks, on one workload with as many workers.

    Attributes
    ----------
    workload, stage : str
        The stage by its phase.
    workers : int
    wall, virtual : float
        Its time over that of serial execution.
    wall_seconds, virtual_seconds : float
    """

    workload: str
    stage: str
    workers: int
    wall: float
    virtual: float
    wall_seconds: float
    virtual_seconds: float

    @property
    def error(self) -> float:
        """Relative error of the virtual clock's multiple."""
        return self.virtual / self.wall - 1.0


def compare_stages(wall: Iterable[Cell], virtual: Iterable[Cell]) -> list[StageComparison]:
    """Pair the stages that both clocks have measured.

    Parameters
    ----------
    wall, virtual : iterable of mapping
        Cells of two records of one request, those of the baseline among them.
    """
    by_wall, by_virtual = _multiples(list(wall)), _multiples(list(virtual))
    found = []
    for key, (multiples, seconds) in by_wall.items():
        if key in by_virtual:
            simulated, own = by_virtual[key]
            middles = (float(np.median(figures)) for figures in (multiples, simulated, seconds, own))
            found.append(StageComparison(*key, *middles))
    return found


def median_errors(comparisons: Iterable[StageComparison]) -> dict[str, float]:
    """Median absolute error of each stage."""
    errors: dict[str, list[float]] = {}
    for one in comparisons:
        errors.setdefault(one.stage, []).append(abs(one.error))
    return {stage: float(np.median(found)) for stage, found in errors.items()}


def median_by_workers(comparisons: Iterable[StageComparison], stage: str) -> dict[int, float]:
    """The same of one stage, by worker count: what one worker takes is calibrated, all else is foretold."""
    own = [one for one in comparisons if one.stage == stage]
    counts = sorted({one.workers for one in own})
    return {count: float(np.median([abs(one.error) for one in own if one.workers == count])) for count in counts}


def _multiples(cells: list[Cell]) -> dict[tuple[str, str, int], tuple[list[float], list[float]]]:
    """By workload, stage and workers: multiples of serial execution in the same round, and seconds."""
    serial = {
        (cell["workload"], sample["process"], sample["round"]): sum(sample["phases"][name] for name in PHASES)
        for cell in cells
        if cell["strategy"] == BASELINE and cell["verified"]
        for sample in cell["samples"]
    }
    found: dict[tuple[str, str, int], tuple[list[float], list[float]]] = {}
    for cell in cells:
        for sample in cell["samples"] if cell["verified"] else ():
            execution = serial.get((cell["workload"], sample["process"], sample["round"]))
            for stage in sample["phases"] if execution else ():
                if stage not in PHASES:
                    multiples, seconds = found.setdefault((cell["workload"], stage, cell["workers"]), ([], []))
                    multiples.append(sample["phases"][stage] / execution)
                    seconds.append(sample["phases"][stage])
    return found
