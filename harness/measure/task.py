"""Task and result: one cell to be measured, and what came of it, both plain data that any process can read.

A task says everything that a worker needs: the workload with its dials, seed and sizes, the strategy and its workers,
the clock, and which version of Contend is measured. Its plain form (`as_plain`) is made of numbers, strings, lists and
dicts, so that it can be written as JSON, sent to another process or machine, and read by another version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from contend.harness.plan.request import LIST_KINDS, Request
from contend.harness.plan.resolve import CellKey, MeasurementPlan, WorkloadPlan
from contend.harness.record.content.cell_facts import CellFacts
from contend.harness.record.measurement import CellFailure
from contend.harness.record.sample import BlockFacts, Sample


@dataclass(frozen=True)
class Task:
    """One cell of one workload under one version.

    Attributes
    ----------
    workload : WorkloadPlan
        With the value of every dial, and the number of blocks in a row.
    seed : int
    block_size : int
        Transactions; of several blocks, on average.
    strategy : str
    workers : int
    clock : str
        ``wall`` or ``virtual``.
    costs : str or None
        File of the cost table, where it is not the project's own.
    network : str or None
        Simulated network between shards.
    model : str or None
        File of the model that `adaptive` chooses by, where it is not the project's own.
    revision : str
        Which version is measured; empty for the one that runs.
    access_list : str
        Kind of the access lists that are given.
    stages : mapping
        Stages of a node that are measured with the execution, by option (`harness.plan.request.STAGES`).
    """

    workload: WorkloadPlan
    seed: int
    block_size: int
    strategy: str
    workers: int
    clock: str = "wall"
    costs: str | None = None
    network: str | None = None
    model: str | None = None
    revision: str = ""
    access_list: str = LIST_KINDS[0]
    stages: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> CellKey:
        """The cell of the workload's table."""
        return CellKey(self.strategy, self.workers)

    def as_plain(self) -> dict[str, Any]:
        """Show the task as plain data."""
        return asdict(self)

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Task:
        """Read what `as_plain` gave.

        Raises
        ------
        TypeError, KeyError
            If it is malformed.
        """
        return cls(**{**content, "workload": _workload(content["workload"])})


def tasks_of(
    request: Request, workload: WorkloadPlan, cells: Iterable[CellKey], revision: str = ""
) -> dict[CellKey, Task]:
    """Cells of a workload as they were asked for, each as a task."""
    asked = {
        name: getattr(request, name)
        for name in ("seed", "block_size", "clock", "costs", "network", "model", "access_list", "stages")
    }
    return {
        key: Task(workload, strategy=key.strategy, workers=key.workers, revision=revision, **asked) for key in cells
    }


@dataclass(frozen=True)
class Result:
    """Result of a task, or of a part of it: building its workload, warming its cell up.

    Attributes
    ----------
    facts : BlockFacts or None
        What the workload's serial run showed; None where the worker has told it before.
    sample : Sample or None
        The timed and verified run; None where there was none, or it failed.
    failure : CellFailure or None
        Why the cell counts for nothing.
    broken : bool
        Whether it is the workload that failed, and with it all its cells.
    refused : bool
        Whether that is because the workload refuses a file of the user's, or no node would accept its block: bad
        input, and nothing is to be measured.
    compile_seconds : float
        Spent compiling kernels (or loading those that others call by address).
    peak_memory_bytes : int
        The most that the process had resident so far.
    about : CellFacts or None
        What is known of the cell beside its samples; None where it was not run, or an older version does not tell.
    """

    facts: BlockFacts | None = None
    sample: Sample | None = None
    failure: CellFailure | None = None
    broken: bool = False
    refused: bool = False
    compile_seconds: float = 0.0
    peak_memory_bytes: int = 0
    about: CellFacts | None = None

    def as_plain(self) -> dict[str, Any]:
        """Show the result as plain data."""
        return {
            "facts": None if self.facts is None else self.facts.as_plain(),
            "sample": None if self.sample is None else self.sample.as_plain(),
            "failure": None
            if self.failure is None
            else {"error": self.failure.error, "differences": list(self.failure.differences)},
            "broken": self.broken,
            "refused": self.refused,
            "compile_seconds": self.compile_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "about": None if self.about is None else self.about.as_plain(),
        }

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Result:
        """Read what `as_plain` gave.

        Raises
        ------
        TypeError, KeyError
            If it is malformed.
        """
        facts, sample, failure = (content[name] for name in ("facts", "sample", "failure"))
        about = content.get("about")
        return cls(
            None if facts is None else BlockFacts.from_plain(facts),
            None if sample is None else Sample.from_plain(sample),
            None if failure is None else CellFailure(failure["error"], tuple(failure["differences"])),
            content["broken"],
            content["refused"],
            content["compile_seconds"],
            content["peak_memory_bytes"],
            None if about is None else CellFacts.from_plain(about),
        )


class VersionPlan(NamedTuple):
    """Plan of a version: what it makes of a request.

    Attributes
    ----------
    plan : MeasurementPlan
    python : str
        Version of the interpreter that measures it.
    plugins : tuple of dict
        Packages that bring strategies or workloads of the plan (`harness.measure.plugin_provenance`), as far as the
        version can tell.
    """

    plan: MeasurementPlan
    python: str
    plugins: tuple[dict[str, Any], ...] = ()

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> VersionPlan:
        """Read what a worker says (`harness.measure.worker`).

        Raises
        ------
        TypeError, KeyError
            If it is malformed.
        """
        cells = {name: tuple(CellKey(*cell) for cell in content[name]) for name in ("cells", "reported")}
        workloads = tuple(_workload(one) for one in content["workloads"])
        plan = MeasurementPlan(
            workloads,
            cells["cells"],
            frozenset(cells["reported"]),
            **{name: content[name] for name in ("kernels_digest", "cold", "costs_digest", "llvm")},
            cold_strategies=tuple(content.get("cold_strategies", ())),
        )
        return cls(plan, content["python"], tuple(content.get("plugins", ())))


def _workload(content: Mapping[str, Any]) -> WorkloadPlan:
    """Another version may say more of a workload than this one knows."""
    known = {one.name: content[one.name] for one in fields(WorkloadPlan) if one.name in content}
    if "expected" in known:
        known["expected"] = tuple(known["expected"])
    return WorkloadPlan(**known)
