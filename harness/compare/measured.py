"""One side's measurement of a cell: what it was, on which block and machine, and its raw samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contend.harness.plan.option_types import DialValue
from contend.harness.plan.request import stages_text
from contend.harness.record.derived import by_process
from contend.harness.record.sessions import environment_of
from contend.harness.record.statistics import Samples


class CellName(NamedTuple):
    """Name of a compared cell: two measurements that bear the same name are compared.

    Attributes
    ----------
    workload : str
    dials : tuple of (str, value)
        Every dial, sorted.
    seed, block_size : int
    strategy : str
    workers : int
    clock : str
    network : str
        Simulated network; empty for none.
    block_count : int
        Blocks in a row.
    stages : str
        Stages of a node in the times beside the execution, as `stages_text` gives them; empty for none.
    """

    workload: str
    dials: tuple[tuple[str, DialValue], ...]
    seed: int
    block_size: int
    strategy: str
    workers: int
    clock: str
    network: str = ""
    block_count: int = 1
    stages: str = ""

    def __str__(self) -> str:
        clock = "" if self.clock == "wall" else f", {self.clock} clock"
        stages = f", {self.stages}" if self.stages else ""
        return f"{self.workload}, {self.strategy} x{self.workers}{clock}{stages}"

    def as_json(self) -> dict[str, Any]:
        """Show the name as JSON has it."""
        content = {**self._asdict(), "dials": dict(self.dials)}
        if not self.stages:
            del content["stages"]
        return content


@dataclass(frozen=True)
class MeasuredCell:
    """A cell as one side measured it.

    Attributes
    ----------
    source : str
        Where the samples are from, in words.
    genesis_digest, block_digest : str or None
        Of what was executed.
    machine : tuple
        Processor and number of cores.
    costs : str or None
        Digest of the cost table, where time is simulated.
    error : str or None
        Why the cell counts for nothing on this side.
    seconds : list of ndarray, each shape (rounds,)
        By process, in the order of time.
    baseline : list of ndarray
        Seconds of the serial baseline in the same rounds; empty where nobody measured it.
    picoseconds : int or None
        Simulated time of the block; None under the wall clock.
    counters : dict
        Of the simulated run; under the wall clock, of the median run.
    """

    source: str
    genesis_digest: str | None
    block_digest: str | None
    machine: tuple[Any, ...] = ()
    costs: str | None = None
    error: str | None = None
    seconds: list[Samples] = field(default_factory=list)
    baseline: list[Samples] = field(default_factory=list)
    picoseconds: int | None = None
    counters: Mapping[str, float] = field(default_factory=dict)


def picoseconds(phases: Mapping[str, float]) -> int:
    """Simulated time of a run: phases are whole picoseconds, kept as seconds."""
    return sum(round(seconds * 1e12) for seconds in phases.values())


def cells_of(record: Mapping[str, Any], source: str) -> dict[CellName, MeasuredCell]:
    """All cells of a record, by name.

    Parameters
    ----------
    record : mapping
        As `harness.records.read` gives it.
    source : str
        What to call it.
    """
    return {cell_name_of(record, cell): _measured(record, cell, source) for cell in record["cells"]}


def cell_name_of(record: Mapping[str, Any], cell: Mapping[str, Any]) -> CellName:
    """Name of a record's cell."""
    return CellName(
        cell["workload"],
        frozen(cell["dials"]),
        cell["seed"],
        cell["block_size"],
        cell["strategy"],
        cell["workers"],
        cell["clock"],
        record["request"].get("network") or "",
        cell.get("block_count", 1),
        stages_text(record["request"]),
    )


def frozen(dials: Mapping[str, DialValue]) -> tuple[tuple[str, DialValue], ...]:
    """Dials in an order of their own, to be part of a name."""
    return tuple(sorted(dials.items()))


def _measured(record: Mapping[str, Any], cell: Mapping[str, Any], source: str) -> MeasuredCell:
    environment = environment_of(record, cell)
    samples = cell["samples"]
    simulated = bool(cell.get("simulated"))
    return MeasuredCell(
        source=source,
        genesis_digest=cell["genesis_digest"],
        block_digest=cell["block_digest"],
        machine=(environment["cpu"], environment["cores"]),
        costs=environment.get("costs"),
        error=cell["error"] if cell["verified"] or cell["error"] else "it was not verified",
        seconds=by_process(samples, "seconds"),
        baseline=by_process(samples, "baseline_seconds"),
        picoseconds=picoseconds(samples[0]["phases"]) if simulated and samples else None,
        counters=cell["counters"],
    )


def pooled(parts: Iterable[MeasuredCell]) -> MeasuredCell:
    """Several measurements of one cell by the same code on the same machine: their processes side by side."""
    first, *others = parts
    return MeasuredCell(
        source=first.source,
        genesis_digest=first.genesis_digest,
        block_digest=first.block_digest,
        machine=first.machine,
        costs=first.costs,
        error=next((part.error for part in (first, *others) if part.error), None),
        seconds=[group for part in (first, *others) for group in part.seconds],
        baseline=[group for part in (first, *others) for group in part.baseline],
        picoseconds=first.picoseconds,
        counters=first.counters,
    )
