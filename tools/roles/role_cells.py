"""Cells of the study: one contender on the last of some blocks of one workload, simulated, checked by the oracle.

A cell is plain data, kept as a line of JSON as soon as it is there, so that an interrupted study goes on. Kept cells
count for as long as the kernels, the costs and the sizes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from contend.evm.drivers.recorder import record
from contend.evm.runtime.kernel_cache import kernels_digest
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import ListSchedule, longest_chain
from contend.harness.analysis.version_path import version_path
from contend.harness.bench.block_sequence import BlockSequence
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies import registry
from contend.strategies.base import HintedSets, Outcome
from contend.strategies.clocks.cost_table import PS_PER_NS, default_costs
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import RecordedSets
from contend.strategies.serial import Serial
from contend.workloads import registry as workloads
from contend.workloads.dials import resolve_dials


@dataclass(frozen=True)
class Study:
    """What is measured.

    Attributes
    ----------
    workers, block_size, block_count, seed : int
        Of several blocks the last one is reported, with the learning from it.
    """

    workers: int = 32
    block_size: int = 5_000
    block_count: int = 1
    seed: int = 1

    @property
    def digest(self) -> dict[str, Any]:
        """What kept cells must have in common with this study."""
        return {**asdict(self), "kernels": kernels_digest(), "costs": default_costs().digest}


def facts_of(study: Study, workload: str) -> dict[str, Any]:
    """What bounds the last block, in picoseconds: serial work, longest transaction, critical path, list schedule."""
    scenario = _scenario(study, workload)
    with Serial() as serial:
        for block in scenario.blocks[:-1]:
            serial.execute(block, scenario.genesis, 1)
    recording = record(scenario.blocks[-1], scenario.genesis, default_costs().table)
    graph = build_graph(recording, False)
    schedule = ListSchedule(graph, recording.work, graph.lags)
    path = longest_chain(graph, recording.work, graph.lags)
    over_versions = version_path(recording, default_costs().table)
    return {
        "workload": workload,
        "transactions": len(recording),
        "work": int(recording.work.sum()),
        "longest": int(recording.work.max()),
        "critical_path": path.length,
        "hops": len(path.transactions) - 1,
        "list_schedule": schedule.length(study.workers),
        "version_path": asdict(over_versions),
    }


def cells_of(study: Study, workload: str, contenders: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run contenders on a workload, one after the other, and give each one's cell."""
    scenario = _scenario(study, workload)
    with Serial() as serial:
        sequence = BlockSequence(scenario.blocks, scenario.genesis, serial, scenario.contracts)
        sequence.lay_out(lambda place, oracle: None)
        sequence.rewind()
        knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, serial)
        for name in contenders:
            yield {"workload": workload, "contender": name, **_cell(study, name, scenario, sequence, knowledge)}


def _scenario(study: Study, workload: str) -> Any:
    kind = workloads.get(workload)
    return kind().build(resolve_dials(kind, {}), study.seed, study.block_size, study.block_count)


def _cell(study: Study, name: str, scenario: Any, sequence: BlockSequence, knowledge: BlockKnowledge) -> dict[str, Any]:
    outcomes: list[Outcome] = []
    with registry.get(name)() as strategy:
        strategy.reports_hints = True

        def execute(block: Any) -> Outcome:
            strategy.clock = VirtualClock()
            strategy.knowledge = knowledge.of(len(outcomes), strategy.given)
            workers = study.workers if strategy.parallel else 1
            outcomes.append(strategy.execute(block, scenario.genesis, workers))
            return outcomes[-1]

        differences = sequence.run(execute)
        given = strategy.given
    if differences:
        return {"given": given, "error": differences[0]}
    last = outcomes[-1]
    quality = {}
    if last.hinted is not None:
        truth = knowledge.of(len(outcomes) - 1, "truth").recorded
        assert truth is not None
        quality = _quality(last.hinted, truth)
    return {
        "given": given,
        "error": None,
        "seconds": last.seconds,
        "phases": last.phases,
        "counters": {key: int(value) for key, value in last.counters.items()},
        **quality,
    }


def _quality(hinted: HintedSets, truth: RecordedSets) -> dict[str, float]:
    """Recall and precision of all entries: a location of a transaction, written or not."""
    rows = [
        np.column_stack([np.repeat(np.arange(len(offsets) - 1, dtype=np.uint64), np.diff(offsets)), keys, writes])
        for offsets, keys, writes in (
            (hinted.offsets, hinted.keys, hinted.writes),
            (truth.offsets, truth.keys[truth.entries], truth.writes),
        )
    ]
    found, true = ({row.tobytes() for row in np.ascontiguousarray(one[:, :-1])} for one in rows)
    hit = len(found & true)
    return {"recall": hit / max(len(true), 1), "precision": hit / max(len(found), 1)}


def nanoseconds(picoseconds: float) -> float:
    """Picoseconds as nanoseconds."""
    return picoseconds / PS_PER_NS
