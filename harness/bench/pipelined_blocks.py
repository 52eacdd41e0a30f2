"""Pipelined blocks: one run of a cell in which stages of several blocks are at work at the same time, and its sample.

The state is on its way to the next block while this one's root is computed, so nothing is judged before all blocks are
through. Then what the strategy has told of each block is laid on the state before the first, block by block, and judged
there as in any run (`harness.bench.block_sequence`): changes and receipts against a serial run, the root against that
of tries built anew. In the end that state has to be the one which the pipeline has left.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from contend.evm import Block, State
from contend.harness.bench.block_sequence import BlockSequence
from contend.harness.bench.cpu_time import cpu_seconds
from contend.harness.bench.timed_run import TimedRun, sample_of
from contend.harness.record.sample import Sample
from contend.node.pipeline.pipelined_node import PipelinedRun, run_pipelined
from contend.node.pipeline.stage_model import foretold_seconds
from contend.node.seats import EXECUTION
from contend.node.whole_node import Node
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import Clock
from contend.strategies.given import Knowledge


def alone_seconds(samples: Sequence[Sample], stations: Sequence[str]) -> dict[str, list[float]]:
    """Seconds of each block at each station of a node where nothing overlaps.

    Parameters
    ----------
    samples : sequence of Sample
        One a block.
    stations : sequence of str
    """
    others = set(stations) - {EXECUTION}

    def at(station: str, phases: Mapping[str, float]) -> float:
        # What is no station's own is at that of execution: reading ahead is.
        return phases[station] if station in others else sum(phases[name] for name in phases if name not in others)

    return {station: [at(station, one.phases) for one in samples] for station in stations}


def timed_pipeline(
    node: Node,
    strategy: Strategy,
    sequence: BlockSequence,
    state: State,
    workers: int,
    clock: Clock,
    knowledge: Callable[[int], Knowledge],
) -> tuple[PipelinedRun, Sample]:
    """Have all blocks pass a node, and time it; what comes of it is not yet judged.

    Parameters
    ----------
    node : Node
    strategy : Strategy
    sequence : BlockSequence
    state : State
        That of the sequence.
    workers : int
        Of the whole node.
    clock : Clock
    knowledge : callable
        By a block's place.

    Returns
    -------
    PipelinedRun
    Sample
        The time of each block is that since the one before it has left the last station. Of each moment every station
        that is at work has an equal part, so that phases add up to the whole time.
    """
    sequence.rewind()
    gc.collect()
    cpu = cpu_seconds()
    gc.disable()
    try:
        began = time.perf_counter()
        run = run_pipelined(node, strategy, sequence.blocks, state, workers, clock, knowledge)
        wall = time.perf_counter() - began
    finally:
        gc.enable()
    cpu = cpu_seconds() - cpu
    # Each outcome is looked at as that of any run.
    whole = Sample.of_chain([sample_of(TimedRun(one, math.inf, 0.0), clock.simulated) for one in run.outcomes])
    ends = run.passage.ended[-1]
    sample = replace(
        whole,
        seconds=ends[-1],
        wall_seconds=wall,
        cpu_seconds=cpu if run.busy is None else run.busy,
        phases=_phases(run, whole.phases),
        block_seconds=tuple(after - before for before, after in pairwise([0.0, *ends])),
    )
    return run, sample


def told(
    run: PipelinedRun, alone: Mapping[str, Sequence[float]], work: float | None, workers: int
) -> dict[str, object]:
    """What a sample says of the pipeline: when blocks came and went, and what was foretold.

    Parameters
    ----------
    run : PipelinedRun
    alone : mapping
        As `alone_seconds` gives it.
    work : float or None
        Seconds of one worker in all of it, where stages share workers.
    workers : int
    """
    return {
        "began": run.passage.began[0],
        "ended": run.passage.ended[-1],
        "alone": {name: list(seconds) for name, seconds in alone.items()},
        "foretold_seconds": foretold_seconds(alone, work, workers, run.apart),
    }


def judged(run: PipelinedRun, sequence: BlockSequence, state: State) -> list[str]:
    """Judge what a pipeline has given, whose state is still there; differences of the first block that has any."""
    outcomes, left = enumerate(run.outcomes), state.changes_since(sequence.genesis).digest
    wrong: list[str] = []

    def lay(block: Block) -> Outcome:
        place, outcome = next(outcomes)
        if outcome.changes is not None:
            state.apply(outcome.changes)
        wrong.extend(run.differences(place, state))
        return outcome

    found = sequence.run(lay)
    if found or wrong:
        return found or wrong
    if state.changes_since(sequence.genesis).digest != left:
        return ["the pipeline has left another state than its blocks' changes together"]
    return []


def _phases(run: PipelinedRun, executed: Mapping[str, float]) -> dict[str, float]:
    """Seconds by phase: of each moment an equal part for all stations that are at work."""
    events = sorted(
        (moment, change, station)
        for station, (begins, ends) in enumerate(zip(run.passage.began, run.passage.ended, strict=True))
        for change, moments in ((1, begins), (-1, ends))
        for moment in moments
    )
    parts = [0.0] * len(run.stations)
    at_work: list[int] = [0] * len(run.stations)
    idle, before = 0.0, 0.0
    for moment, change, station in events:
        if busy := sum(at_work):
            for one, count in enumerate(at_work):
                parts[one] += (moment - before) * count / busy
        else:
            idle += moment - before
        at_work[station] += change
        before = moment
    found = dict(zip(run.stations, parts, strict=True))
    # What passes between two stations, in real time, is of the one that is waited for: execution, which all have.
    execution = found.pop(EXECUTION) + idle
    inner = sum(executed.values()) or 1.0
    return {**found, **{name: execution * seconds / inner for name, seconds in executed.items()}}
