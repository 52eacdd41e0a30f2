"""What has been measured of one workload so far: samples by cell, process and round, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.plan import BASELINE_CELL, CellKey, WorkloadPlan
from harness.sample import Facts, Sample


@dataclass(frozen=True)
class Failure:
    """Why a cell counts for nothing."""

    error: str
    differences: tuple[str, ...] = ()


@dataclass
class WorkloadMeasurement:
    """Samples and failures of one workload's cells.

    Attributes
    ----------
    facts : Facts or None
        What the serial run showed; None until a process has got that far.
    rounds : dict
        By (process, round): the samples of that round by cell.
    compile_seconds : dict
        By process: spent compiling kernels (or loading those that others call by address).
    """

    plan: WorkloadPlan
    cells: Sequence[CellKey]
    facts: Facts | None = None
    rounds: dict[tuple[int, int], dict[CellKey, Sample]] = field(default_factory=dict)
    failures: dict[CellKey, Failure] = field(default_factory=dict)
    compile_seconds: dict[int, float] = field(default_factory=dict)

    def live(self) -> list[CellKey]:
        """List the cells that have not failed, the baseline first."""
        return [key for key in self.cells if key not in self.failures]

    def add(self, process: int, number: int, samples: dict[CellKey, Sample]) -> None:
        """Keep the samples of one round."""
        self.rounds[process, number] = samples

    def fail(self, key: CellKey, error: str, differences: Iterable[str] = ()) -> None:
        """Mark a cell as failed, for its first reason only. Without its baseline no other cell means anything."""
        self.failures.setdefault(key, Failure(error, tuple(differences)))
        if key == BASELINE_CELL:
            for other in self.cells:
                self.failures.setdefault(other, Failure(f"the serial baseline failed: {error}"))

    def samples(self, key: CellKey) -> list[dict[str, Any]]:
        """List the samples of a cell as a record keeps them, each with the baseline's of the same round."""
        rows = []
        for (process, number), samples in sorted(self.rounds.items()):
            if key in samples and BASELINE_CELL in samples:
                sample = asdict(samples[key])
                baseline = samples[BASELINE_CELL].seconds
                rows.append({"process": process, "round": number, **sample, "baseline_seconds": baseline})
        return rows
