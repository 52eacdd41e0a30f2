"""Measurement of one workload so far: samples by cell, process and round, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contend.harness.plan.resolve import BASELINE_CELL, LIMIT, CellKey, WorkloadPlan
from contend.harness.record.content.cell_facts import CellFacts
from contend.harness.record.sample import BlockFacts, Sample


@dataclass(frozen=True)
class CellFailure:
    """Reason why a cell counts for nothing."""

    error: str
    differences: tuple[str, ...] = ()


class RunStamp(NamedTuple):
    """Time of a run and its place in the round.

    Attributes
    ----------
    place : int
        In its round, counted from 0.
    began : str
        ISO 8601, UTC, milliseconds.
    """

    place: int
    began: str


@dataclass
class WorkloadMeasurement:
    """Samples and failures of one workload's cells.

    Attributes
    ----------
    facts : BlockFacts or None
        What the serial run showed; None until a process has got that far.
    earlier : dict
        By cell: samples of earlier sessions, as their record has them.
    rounds : dict
        By (process, round): the samples of that round by cell.
    stamps : dict
        By (process, round): when each of them was made.
    compile_seconds : dict
        By process: spent compiling kernels (or loading those that others call by address).
    peak_memory_bytes : dict
        By process: the most that it had resident, since it began, with workloads before this one.
    about : dict
        By cell: what is known of it beside its samples.
    """

    plan: WorkloadPlan
    cells: Sequence[CellKey]
    facts: BlockFacts | None = None
    earlier: dict[CellKey, list[dict[str, Any]]] = field(default_factory=dict)
    rounds: dict[tuple[int, int], dict[CellKey, Sample]] = field(default_factory=dict)
    stamps: dict[tuple[int, int], Mapping[CellKey, RunStamp]] = field(default_factory=dict)
    failures: dict[CellKey, CellFailure] = field(default_factory=dict)
    compile_seconds: dict[int, float] = field(default_factory=dict)
    peak_memory_bytes: dict[int, int] = field(default_factory=dict)
    about: dict[CellKey, CellFacts] = field(default_factory=dict)

    def live(self) -> list[CellKey]:
        """List the cells that have not failed, the baseline first."""
        return [key for key in self.cells if key not in self.failures]

    @property
    def next_round(self) -> int:
        """Number of the first round that is still to be run."""
        known = {number for _, number in self.rounds}
        known |= {sample["round"] for samples in self.earlier.values() for sample in samples}
        return 1 + max(known, default=-1)

    def add(
        self,
        process: int,
        number: int,
        samples: Mapping[CellKey, Sample],
        stamps: Mapping[CellKey, RunStamp] | None = None,
    ) -> None:
        """Keep the samples of one round, or those that one of several processes made of it."""
        self.rounds[process, number] = dict(samples)
        self.stamps[process, number] = stamps or {}

    def forget(self) -> None:
        """Forget all that was measured: the machine is gone that further samples would have to be of."""
        self.facts = None
        for part in (self.earlier, self.rounds, self.stamps, self.failures, self.compile_seconds):
            part.clear()
        self.peak_memory_bytes.clear()
        self.about.clear()

    def fail(self, key: CellKey, error: str, differences: Iterable[str] = ()) -> None:
        """Mark a cell as failed, for its first reason only. Without its baseline no other cell means anything."""
        self.failures.setdefault(key, CellFailure(error, tuple(differences)))
        if key == BASELINE_CELL:
            for other in self.cells:
                self.failures.setdefault(other, CellFailure(f"the serial baseline failed: {error}"))

    def samples(self, key: CellKey) -> list[dict[str, Any]]:
        """List the samples of a cell as a record keeps them, each with the baseline's and the limit's of its round."""
        rows = list(self.earlier.get(key, ()))
        baselines = {
            number: samples[BASELINE_CELL].seconds
            for (_, number), samples in self.rounds.items()
            if BASELINE_CELL in samples
        }
        limit = CellKey(LIMIT, key.workers)
        for (process, number), samples in sorted(self.rounds.items()):
            if key in samples and number in baselines:
                stamp = self.stamps[process, number].get(key)
                rows.append(
                    {
                        "process": process,
                        "round": number,
                        **({"place": None, "began": None} if stamp is None else stamp._asdict()),
                        **samples[key].as_plain(),
                        "baseline_seconds": baselines[number],
                        **({"limit_seconds": samples[limit].seconds} if limit in samples else {}),
                    }
                )
        return rows
