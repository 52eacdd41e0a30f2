"""Matching: workloads and cells that two versions both have, and what has been measured of them.

Versions may know different workloads, strategies and dials. What only one of them has is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contend.harness.compare.cell_runs import LETTERS, PAIR, A, B, CellRuns, PairRuns
from contend.harness.compare.measured import CellName, frozen
from contend.harness.compare.result import CellResult
from contend.harness.compare.verdict import Verdict
from contend.harness.measure.progress_log import ProgressLog, Round
from contend.harness.observer import Observer
from contend.harness.plan.request import Request, stages_text
from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.record.measurement import WorkloadMeasurement


@dataclass
class WorkloadRuns:
    """One workload on both sides.

    Attributes
    ----------
    measurements : tuple of WorkloadMeasurement
        Of A and of B: what each side built, and what failed on it.
    cells : dict
        By strategy and workers, in the order of measuring.
    refused : str or None
        What of the blocks differs between the sides.
    """

    measurements: tuple[WorkloadMeasurement, WorkloadMeasurement]
    cells: dict[CellKey, CellRuns] = field(default_factory=dict)
    refused: str | None = None

    @property
    def plan(self) -> WorkloadPlan:
        """The workload as A has it."""
        return self.measurements[A].plan

    def error(self, key: CellKey, side: int) -> str | None:
        """Error for which a cell failed on a side."""
        failure = self.measurements[side].failures.get(key)
        return None if failure is None else failure.error

    def failed(self, key: CellKey) -> bool:
        """Whether a cell failed on a side."""
        return any(self.error(key, side) is not None for side in (A, B))


class PairLog(ProgressLog):
    """Writes the rounds of one measurement to a workload's cells, pair by pair.

    Parameters
    ----------
    workload : WorkloadRuns
    observer : Observer
    first : int, optional
        Number of the first pair of processes within the measurement.
    places : sequence of int, optional
        Side of each place in a group of processes: `PAIR` or `EXCHANGED_PAIRS`.
    """

    def __init__(
        self, workload: WorkloadRuns, observer: Observer, first: int = 0, places: Sequence[int] = PAIR
    ) -> None:
        super().__init__([workload.measurements[side] for side in places], observer, [LETTERS[side] for side in places])
        self._workload = workload
        self._first = first
        self._places = tuple(places)

    def keep(self, group: int, round_number: int, runs: Round) -> None:
        """Keep the pairs of a complete round; see `ProgressLog.keep`."""
        pairs = len(self._places) // 2
        for key, by_place in runs.items():
            cell = self._workload.cells[key]
            for pair in range(pairs):
                places = range(2 * pair, 2 * pair + 2)
                by_side = {self._places[place]: by_place[place] for place in places}
                new = PairRuns(exchanged=self._places[places[0]] == B)
                kept = cell.rounds[-1].setdefault(self._first + pairs * group + pair, new)
                kept.a_first.append(by_side[A].turn < by_side[B].turn)
                for side, run in by_side.items():
                    kept.seconds[side].append(run.sample.seconds)
                    cell.samples[side] = run.sample
                    cell.seconds += run.elapsed


def cell_name(workload: WorkloadPlan, key: CellKey, request: Request) -> CellName:
    """Say which cell that is."""
    return CellName(
        workload.title,
        frozen(workload.dials),
        request.seed,
        request.block_size,
        key.strategy,
        key.workers,
        request.clock,
        request.network or "",
        request.block_count,
        stages_text(request.as_json()),
    )


def match(plans: Sequence[MeasurementPlan], request: Request) -> tuple[list[WorkloadRuns], list[CellResult]]:
    """Find workloads and cells that both versions have.

    Parameters
    ----------
    plans : sequence of MeasurementPlan
        Of A and of B.
    request : Request

    Returns
    -------
    tuple
        What can be measured, and the cells that only one side has, which are refused.
    """
    keys = [[key for key in plan.cells if key in plan.reported] for plan in plans]
    both = [key for key in keys[A] if key in keys[B]]
    workloads: list[WorkloadRuns] = []
    alone: list[CellResult] = []
    left = list(plans[B].workloads)

    def refuse(workload: WorkloadPlan, cells: Iterable[CellKey], why: str) -> None:
        alone.extend(CellResult(cell_name(workload, key, request), Verdict.REFUSED, note=why) for key in cells)

    for ours in plans[A].workloads:
        theirs = next((one for one in left if one.title == ours.title and _agree(ours.dials, one.dials)), None)
        if theirs is None:
            refuse(ours, keys[A], _why(ours, B, plans))
            continue
        left.remove(theirs)
        sides = WorkloadMeasurement(ours, both), WorkloadMeasurement(theirs, both)
        workloads.append(WorkloadRuns(sides, {key: CellRuns() for key in both}))
        for side in (A, B):
            refuse(ours, [key for key in keys[side] if key not in both], f"only in {LETTERS[side]}")
    for theirs in left:
        refuse(theirs, keys[B], _why(theirs, A, plans))
    return workloads, alone


def _why(workload: WorkloadPlan, other: int, plans: Sequence[MeasurementPlan]) -> str:
    """Reason why a workload has no counterpart: it is missing, or its dials have other values."""
    others = [one.dials for one in plans[other].workloads if one.title == workload.title]
    if not others:
        return f"the workload is only in {LETTERS[1 - other]}"
    pairs = ((name, value, others[0][name]) for name, value in workload.dials.items() if name in others[0])
    differ = [f"{name} {ours} here, {theirs} there" for name, ours, theirs in pairs if ours != theirs]
    return f"other dials than in {LETTERS[other]}: {', '.join(differ)}"


def _agree(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether two versions turn the dials that both know alike. What a new dial does by default, the digests say."""
    return all(theirs[name] == value for name, value in ours.items() if name in theirs)
