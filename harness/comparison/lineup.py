"""What two versions can be measured on against each other: workloads and cells that both have, and what was measured.

Versions may know different workloads, strategies and dials. What only one of them has is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.comparison.measured import CellName, frozen
from harness.comparison.ratio import Pair, paired
from harness.comparison.result import CellResult
from harness.comparison.verdict import Verdict
from harness.plan.request import Request
from harness.plan.resolve import CellKey
from harness.statistics import Interval, Samples

A, B = range(2)
LETTERS = "AB"


@dataclass
class CellRuns:
    """What is known of a cell of one workload.

    Attributes
    ----------
    errors : list of str or None
        Why it failed, by side.
    rounds : list of list of (list of float, list of float)
        By measurement, by pair of processes: seconds of A and of B in the same rounds.
    samples : list of dict or None
        The last sample of each side.
    seconds : float
        What its rounds have taken, setting up and verifying included.
    """

    errors: list[str | None] = field(default_factory=lambda: [None, None])
    rounds: list[list[tuple[list[float], list[float]]]] = field(default_factory=list)
    samples: list[dict[str, Any] | None] = field(default_factory=lambda: [None, None])
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a side failed."""
        return any(error is not None for error in self.errors)

    @property
    def pairs(self) -> list[Pair]:
        """Every pair of processes of every measurement, in the order of time."""
        return [pair for rounds in self.rounds for pair in _pairs(rounds)]

    @property
    def round_seconds(self) -> float:
        """What a round takes on average."""
        return self.seconds / max(sum(len(pair.a) for pair in self.pairs), 1)

    def ratios(self) -> list[Interval]:
        """The ratio by every measurement."""
        return [paired(pairs) for pairs in map(_pairs, self.rounds) if pairs]

    def by_process(self, side: int) -> list[Samples]:
        """Seconds of a side's processes."""
        return [(pair.a, pair.b)[side] for pair in self.pairs]


def _pairs(rounds: Iterable[tuple[list[float], list[float]]]) -> list[Pair]:
    return [Pair(np.array(a), np.array(b)) for a, b in rounds if a]


@dataclass
class WorkloadRuns:
    """One workload on both sides.

    Attributes
    ----------
    title, name : str
    dials : dict
    places : tuple of int
        Its place in the plan of each side.
    cells : dict
        By strategy and workers, in the order of measuring.
    facts : list of dict
        What each side built.
    refused : str or None
        What of it differs, so that it is not measured.
    """

    title: str
    name: str
    dials: dict[str, Any]
    places: tuple[int, int]
    cells: dict[CellKey, CellRuns] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=lambda: [{}, {}])
    refused: str | None = None

    def cell_name(self, key: CellKey, request: Request) -> CellName:
        """Say which cell that is."""
        return CellName(
            self.title,
            frozen(self.dials),
            request.seed,
            request.block_size,
            key.strategy,
            key.workers,
            request.clock,
            request.network or "",
            request.block_count,
        )


def line_up(plans: Sequence[Mapping[str, Any]], request: Request) -> tuple[list[WorkloadRuns], list[CellResult]]:
    """Find workloads and cells that both versions have.

    Parameters
    ----------
    plans : sequence of mapping
        Of A and of B, as a measuring process gives them (`worker`).
    request : Request

    Returns
    -------
    tuple
        What can be measured, and the cells that only one side has, which are refused.
    """
    keys = [[CellKey(*cell) for cell in plan["reported"]] for plan in plans]
    both = [key for key in keys[A] if key in keys[B]]
    measured = [CellKey(*cell) for cell in plans[A]["cells"]]
    ordered = sorted(both, key=measured.index)
    workloads, alone = [], []
    left = list(enumerate(plans[B]["workloads"]))

    def refuse(workload: WorkloadRuns, side: int, why: str) -> None:
        for key in keys[side]:
            if workload.cells and key in both:
                continue
            alone.append(CellResult(workload.cell_name(key, request), Verdict.REFUSED, note=why))

    for place, (name, title, dials) in enumerate(plans[A]["workloads"]):
        partner = next((one for one in left if one[1][1] == title and _agree(dials, one[1][2])), None)
        workload = WorkloadRuns(title, name, dials, (place, partner[0] if partner else 0))
        if partner is None:
            refuse(workload, A, _why(title, dials, B, plans))
            continue
        left.remove(partner)
        workload.cells = {key: CellRuns() for key in ordered}
        workloads.append(workload)
        for side in (A, B):
            refuse(workload, side, f"only in {LETTERS[side]}")
    for place, (name, title, dials) in left:
        refuse(WorkloadRuns(title, name, dials, (0, place)), B, _why(title, dials, A, plans))
    return workloads, alone


def _why(title: str, dials: Mapping[str, Any], other: int, plans: Sequence[Mapping[str, Any]]) -> str:
    """Why the other version has no such workload, or has it with other values of its dials."""
    others = [theirs for _, name, theirs in plans[other]["workloads"] if name == title]
    if not others:
        return f"the workload is only in {LETTERS[1 - other]}"
    pairs = ((name, dials[name], others[0][name]) for name in dials if name in others[0])
    differ = [f"{name} {ours} here, {theirs} there" for name, ours, theirs in pairs if ours != theirs]
    return f"other dials than in {LETTERS[other]}: {', '.join(differ)}"


def _agree(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether two versions turn the dials that both know alike. What a new dial does by default, the digests say."""
    return all(theirs[name] == value for name, value in ours.items() if name in theirs)
