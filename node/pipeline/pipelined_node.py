"""Pipelined node: a strategy's execution and the stages around it, of several blocks at the same time.

What a stage finds of one block is no other stage's business but the next one's: senders lie in the image of their own
block, and the root is computed of the changes that execution has told, while the state itself is on its way to the next
block. Whether all of it is right is looked at when all blocks are through (`PipelinedRun.differences`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from contend.evm import Block, State
from contend.node.base import BlockRun, Stage, StageError
from contend.node.pipeline.conveyor import Floor, Passage, convey
from contend.node.pipeline.shared_events import spend_step
from contend.node.seats import EXECUTION
from contend.node.whole_node import Node
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import WALL, Clock, Workers
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.given import Knowledge


@dataclass(frozen=True)
class PipelinedRun:
    """Blocks that have passed a pipeline.

    Attributes
    ----------
    stations : tuple of str
        Phases of the stages, and `EXECUTION`, in the order in which blocks pass them.
    passage : Passage
    outcomes : list of Outcome
        Of each block's execution; its counters have those of the stages.
    busy : float or None
        Simulated seconds that all workers were at work; None where time is real.
    apart : tuple of str
        Stations at which machines of their own work.
    """

    stations: tuple[str, ...]
    passage: Passage
    outcomes: list[Outcome]
    busy: float | None
    apart: tuple[str, ...]
    _runs: Mapping[Stage, list[BlockRun]]
    _within: Sequence[Sequence[str]]

    def differences(self, place: int, state: State) -> list[str]:
        """What stages have found wrong in a block.

        Parameters
        ----------
        place : int
        state : State
            As it is after the block. Places come in their order, each once.
        """
        found = [*self._within[place]]
        for stage, runs in self._runs.items():
            runs[place].state = state
            found += stage.check(runs[place])
        return found


def run_pipelined(
    node: Node,
    strategy: Strategy,
    blocks: Sequence[Block],
    state: State,
    workers: int,
    clock: Clock,
    knowledge: Callable[[int], Knowledge],
) -> PipelinedRun:
    """Have blocks pass a node, several at the same time.

    Parameters
    ----------
    node : Node
        With stages, and seats.
    strategy : Strategy
    blocks : sequence of Block
    state : State
        Before the first block; left as it is after the last.
    workers : int
        Of the whole node.
    clock : Clock
        Which time it is, real or simulated, and by which costs.
    knowledge : callable
        What the strategy is given of the block of a place.

    Raises
    ------
    StageError
        If the strategy cannot be driven so.
    """
    seats, stages = node.seats, node.stages
    if seats is None or not isinstance(strategy, CompiledStrategy):
        raise StageError(f"strategy {strategy.name} executes blocks by itself: no pipeline can be around it")
    # Those that are at work within the execution have no station.
    stages, within = tuple(one for one in stages if one.comes_first is not None), _within(stages)
    first = sum(bool(stage.comes_first) for stage in stages)
    stations = (*(one.phase for one in stages[:first]), EXECUTION, *(one.phase for one in stages[first:]))
    crew = seats.divide(workers, stations)
    floor = _floor(clock, [crew[name] for name in stations], workers if seats.shared or workers == 1 else None)
    images = strategy.lay_out(blocks)
    runs = {
        stage: [
            BlockRun(place, image, state, crew[stage.phase], floor.clock_of(stations.index(stage.phase)), overlaps=True)
            for place, image in enumerate(images)
        ]
        for stage in stages
    }
    for stage, own in runs.items():
        stage.expect(own)
    outcomes: list[Outcome] = []
    wrong: list[list[str]] = []

    def execute(place: int) -> None:
        strategy.knowledge = knowledge(place)
        run = BlockRun(place, images[place], state, crew[EXECUTION], strategy.clock, overlaps=True)
        for stage in within:
            stage.make_ready(run)
        strategy.backing = within[0].backing if within else None
        try:
            outcome = strategy.execute(blocks[place], state, crew[EXECUTION])
        finally:
            strategy.backing = None
        for stage in within:
            outcome.counters = {**outcome.counters, **stage.counters(run)}
        wrong.append([line for stage in within for line in stage.check(run)])
        outcomes.append(outcome)

    def work(stage: Stage, place: int) -> None:
        run = runs[stage][place]
        if not stage.comes_first:
            run.outcome = outcomes[place]
        with run.clock.outside():
            stage.make_ready(run)
        stage.work(run)

    works: list[Callable[[int], None]] = [partial(work, stage) for stage in stages]
    works.insert(first, execute)
    strategy.clock = floor.clock_of(first)
    passage = convey(floor, works, len(blocks))
    for place, outcome in enumerate(outcomes):
        for stage, own in runs.items():
            own[place].outcome = outcome
            outcome.counters = {**outcome.counters, **stage.counters(own[place])}
    apart = tuple(stage.phase for stage in stages if stage.is_apart)
    return PipelinedRun(stations, passage, outcomes, strategy.clock.busy, apart, runs, wrong)


def _within(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    return tuple(one for one in stages if one.comes_first is None)


def compile_kernels() -> None:
    """Compile all that a pipeline calls, by one of nothing."""
    for clock in (WALL, VirtualClock()):
        floor = _floor(clock, [1, 1], 1)
        own = floor.clock_of(0)

        def spend(place: int, own: Clock = own) -> None:
            with own.outside():
                own.spend(1)
            left = np.zeros(1, np.int64)
            own.run(Workers(spend_step, int(left.ctypes.data), [0]))

        convey(floor, [spend, lambda place: None], 1)


def _floor(clock: Clock, workers: Sequence[int], shared: int | None) -> Floor:
    if isinstance(clock, VirtualClock):
        from contend.node.pipeline.virtual_floor import VirtualFloor

        return VirtualFloor(len(workers), shared, clock)
    from contend.node.pipeline.wall_floor import WallFloor

    return WallFloor(workers, shared)
