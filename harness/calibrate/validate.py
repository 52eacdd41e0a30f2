"""``contend validate-clock``: both clocks on every cell that this machine can measure, and how far they are apart."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from contend.harness.calibrate.stage_errors import GOAL as STAGE_GOAL
from contend.harness.calibrate.stage_errors import StageComparison, compare_stages, median_by_workers, median_errors
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.present.formatting import count
from contend.harness.record.atomic_write import write_json

if TYPE_CHECKING:
    from contend.strategies.clocks.cost_table import CostTable

GOAL, MOST = 0.10, 0.25
"""Median error of the speed-up that is wanted, and the largest."""
CONTENDERS = (
    "serial",
    "block_stm",
    "block_stm+block",
    "static_partition",
    "static_partition+block",
    "sharded",
    "block_stm_v2",
    "occ_window",
    "aria",
    "aria_in_place",
    "bal",
    "placeholder",
    "groups",
    "locks",
)
"""What is compared unless somebody says otherwise."""


@dataclass(frozen=True)
class ClockComparison:
    """One cell under both clocks.

    Attributes
    ----------
    workload, strategy : str
    workers : int
    wall_seconds, virtual_seconds : float
        Of the block.
    wall_speedup, virtual_speedup : float
        Over serial, each by its own clock.
    """

    workload: str
    strategy: str
    workers: int
    wall_seconds: float
    virtual_seconds: float
    wall_speedup: float
    virtual_speedup: float

    @property
    def speedup_error(self) -> float:
        """Relative error of the virtual clock's speed-up."""
        return self.virtual_speedup / self.wall_speedup - 1.0

    @property
    def time_error(self) -> float:
        """Relative error of the virtual clock's time."""
        return self.virtual_seconds / self.wall_seconds - 1.0


@dataclass(frozen=True)
class Validation:
    """All comparisons, and what they were made with.

    Attributes
    ----------
    comparisons : list of ClockComparison
    slowdown : dict
        Measured on this machine: by workers, thousandths by which they slow each other down.
    environment : dict
        As in a record.
    costs : str
        Digest of the cost table.
    stages : list of StageComparison
        Of a node, where any were asked for.
    """

    comparisons: list[ClockComparison]
    slowdown: dict[int, int]
    environment: dict[str, Any]
    costs: str
    stages: list[StageComparison] = field(default_factory=list)

    @property
    def median_error(self) -> float:
        """Median absolute error of the speed-up, over the cells of parallel strategies."""
        return float(np.median([abs(one.speedup_error) for one in self.comparisons]))

    def median_error_of(self, workers: int) -> float:
        """The same over the cells with so many workers."""
        return float(np.median([abs(one.speedup_error) for one in self.comparisons if one.workers == workers]))

    @property
    def by_contender(self) -> dict[str, tuple[float, float]]:
        """Median and largest error of each contender, in the order of their first cells."""
        errors: dict[str, list[float]] = {}
        for one in self.comparisons:
            errors.setdefault(one.strategy, []).append(abs(one.speedup_error))
        return {name: (float(np.median(found)), max(found)) for name, found in errors.items()}

    @property
    def by_workers(self) -> str:
        """Median error for each worker count, in words: calibration knows one worker, all else is foretold."""
        counts = sorted({one.workers for one in self.comparisons})
        parts = [f"{self.median_error_of(n):.1%} with {n} worker{'' if n == 1 else 's'}" for n in counts]
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Show it as a file keeps it."""
        content = asdict(self)
        if not self.stages:
            del content["stages"]
        return {"schema": "contend-clock-validation/1", **content}


def validate(request: Request, costs: CostTable, observer: Observer) -> Validation:
    """Measure every cell under both clocks.

    Parameters
    ----------
    request : Request
        Under the wall clock; which workloads, strategies and worker counts.
    costs : CostTable
        Its slow-down is replaced by one that is measured here.
    observer : Observer
        Told about progress.
    """
    from dataclasses import replace

    from contend.harness.calibrate.measure import slowdown
    from contend.strategies.clocks.cost_table import CostTable

    observer.note("measuring how the cores of this machine slow each other down")
    slow = {workers: slowdown(workers) for workers in request.workers if workers > 1}
    own = CostTable(costs.nanoseconds, costs.origin, slow)
    wall = Engine(request, observer).run()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "costs.json"
        write_json(file, own.as_json())
        virtual = Engine(replace(request, clock="virtual", costs=str(file)), observer).run()
    return Validation(
        compare(wall["cells"], virtual["cells"]),
        slow,
        dict(wall["environment"]),
        costs.digest,
        compare_stages(wall["cells"], virtual["cells"]),
    )


def compare(wall: list[Mapping[str, Any]], virtual: list[Mapping[str, Any]]) -> list[ClockComparison]:
    """Pair the cells of parallel strategies that both clocks have measured."""
    simulated = {(cell["workload"], cell["strategy"], cell["workers"]): cell for cell in virtual}
    found = []
    for cell in wall:
        key = (cell["workload"], cell["strategy"], cell["workers"])
        other = simulated.get(key)
        if cell["strategy"] == "serial" or not cell["verified"] or other is None or not other["verified"]:
            continue
        found.append(
            ClockComparison(
                *key,
                wall_seconds=cell["seconds"],
                virtual_seconds=other["seconds"],
                wall_speedup=cell["speedup"]["median"],
                virtual_speedup=other["speedup"]["median"],
            )
        )
    return found


def print_validation(console: Console, validation: Validation) -> None:
    """Print the errors cell by cell, and their median."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("workload", "strategy"):
        table.add_column(heading, no_wrap=True)
    for heading in ("W", "x wall", "x virtual", "error", "time error"):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for one in validation.comparisons:
        table.add_row(
            one.workload if one.workload != before else "",
            one.strategy,
            str(one.workers),
            f"{one.wall_speedup:.2f}",
            f"{one.virtual_speedup:.2f}",
            f"{one.speedup_error:+.0%}",
            f"{one.time_error:+.0%}",
        )
        before = one.workload
    console.print(table)
    contenders = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    contenders.add_column("strategy", no_wrap=True)
    for heading in ("median error", "largest"):
        contenders.add_column(heading, justify="right", no_wrap=True)
    for name, (median, largest) in validation.by_contender.items():
        contenders.add_row(name, f"{median:.1%}", f"{largest:.0%}")
    console.print(contenders)
    for workers, factor in validation.slowdown.items():
        console.print(f"{workers} cores of this machine slow each other down to {factor / 1000:.2f} times the time.")
    if validation.comparisons:
        verdict = "within" if validation.median_error <= GOAL else "above"
        console.print(
            f"median error of the speed-up: {validation.median_error:.1%} ({verdict} the goal of {GOAL:.0%}; "
            f"{validation.by_workers}), "
            f"largest: {max(abs(one.speedup_error) for one in validation.comparisons):.0%}"
        )
    if validation.stages:
        _print_stages(console, validation.stages)


def _print_stages(console: Console, stages: list[StageComparison]) -> None:
    """Print the errors of stages, and the median of each."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("workload", "stage"):
        table.add_column(heading, no_wrap=True)
    for heading in ("W", "wall", "virtual", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for one in stages:
        name = one.workload if one.workload != before else ""
        table.add_row(
            name, one.stage, str(one.workers), f"{one.wall:.2f}", f"{one.virtual:.2f}", f"{one.error:+.0%}"
        )  # fmt: skip
        before = one.workload
    console.print(table)
    for stage, error in median_errors(stages).items():
        verdict = "within" if error <= STAGE_GOAL else "above"
        parts = [
            f"{own:.1%} with {count(workers, 'worker')}" for workers, own in median_by_workers(stages, stage).items()
        ]
        console.print(
            f"{stage}: median error of its time over that of serial execution in the same round {error:.1%} ({verdict} "
            f"the goal of {STAGE_GOAL:.0%}; {', '.join(parts)})"
        )
