"""Node: a strategy's execution of a block with the stages before and behind it.

Where nothing but the execution was asked for, this is the strategy's call and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.node.base import BlockRun, Stage, StageError
from contend.node.seats import EXECUTION, Seats
from contend.strategies.base import Outcome, Strategy
from contend.strategies.compiled import CompiledStrategy


class Node:
    """Executes blocks by any strategy, with stages around.

    Parameters
    ----------
    stages : mapping, optional
        By the option that asks for them, in the order in which they come.
    seats : Seats, optional
        How workers are divided where stages of several blocks are at work at the same time
        (`node.pipeline.pipelined_node`). Here they are not, but a stage has the workers that it would have there.

    Attributes
    ----------
    busy_apart : float
        Simulated seconds that machines of stages' own were at work for the last block (`Stage.is_apart`).
    """

    def __init__(self, stages: Mapping[str, Stage] | None = None, seats: Seats | None = None) -> None:
        self._stages = dict(stages or {})
        self.seats = seats
        self.busy_apart = 0.0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, those before execution first."""
        return tuple(sorted(self._stages.values(), key=lambda stage: not stage.comes_first))

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """What a record says of the stages, by option; empty where there are none."""
        return {option: stage.facts for option, stage in self._stages.items()}

    def again(self) -> Node:
        """Another node with the same stages, which can be at work at the same time."""
        return Node({option: stage.again() for option, stage in self._stages.items()}, self.seats)

    def execute(self, strategy: Strategy, block: Block, state: State, workers: int, place: int = 0) -> Outcome:
        """Execute a block as `Strategy.execute` does; the outcome has a phase more for each stage.

        Parameters
        ----------
        strategy : Strategy
        block : Block
        state : State
        workers : int
            Of the strategy, and of each stage.
        place : int, optional
            Of the block among those in a row.

        Raises
        ------
        StageError
            If the strategy takes from the block what a stage is there to find out.
        """
        if not self._stages:
            return strategy.execute(block, state, workers)
        if not isinstance(strategy, CompiledStrategy):
            raise StageError(f"strategy {strategy.name} executes blocks by itself: no stage can stand before it")
        image: BlockImage = strategy.image_of(block)
        crew = self._crew(workers)
        runs = {
            stage: BlockRun(place, image, state, crew.get(stage.phase, workers), strategy.clock)
            for stage in self.stages
        }
        has_failed = True
        try:
            outcome = self._executed(strategy, block, state, crew.get(EXECUTION, workers), runs)
            has_failed = False
        finally:
            for stage, run in runs.items():
                stage.release(run, has_failed)
        return outcome

    def _executed(
        self, strategy: CompiledStrategy, block: Block, state: State, workers: int, runs: Mapping[Stage, BlockRun]
    ) -> Outcome:
        for stage, run in runs.items():
            stage.make_ready(run)
        self.busy_apart = 0.0
        before = self._timed({stage: run for stage, run in runs.items() if stage.comes_first})
        strategy.backing = next((stage.backing for stage in runs if stage.backing is not None), None)
        machines = 1 if strategy.backing is None or strategy.divides_state else strategy.backing.machines
        try:
            strategy.clock.cores = workers if machines > 1 else 0
            outcome = strategy.execute(block, state, workers * machines if strategy.parallel else workers)
        finally:
            strategy.backing, strategy.clock.cores = None, 0
        for run in runs.values():
            run.outcome = outcome
        behind = self._timed({stage: run for stage, run in runs.items() if stage.comes_first is False})
        outcome.phases = {**before, **outcome.phases, **behind}
        for stage, run in runs.items():
            outcome.counters = {**outcome.counters, **stage.counters(run)}
        wrong = [line for stage, run in runs.items() for line in stage.check(run)]
        if wrong:
            raise StageError("; ".join(wrong))
        return outcome

    def _crew(self, workers: int) -> dict[str, int]:
        """Workers by phase, where stages have not all of them."""
        if self.seats is None:
            return {}
        stations = (stage.phase for stage in self.stages if stage.comes_first is not None)
        return self.seats.divide(workers, (EXECUTION, *stations))

    def _timed(self, runs: Mapping[Stage, BlockRun]) -> dict[str, float]:
        """Let stages work; seconds by phase."""
        found: dict[str, float] = {}
        root = b""
        for stage, run in runs.items():
            # What one has found is committed by the next.
            run.root = run.root or root
            began, busy = run.clock.now(), run.clock.busy or 0.0
            stage.work(run)
            found[stage.phase] = run.clock.now() - began
            if stage.is_apart:
                self.busy_apart += (run.clock.busy or 0.0) - busy
            root = run.root
        return found


BARE = Node()
"""Without stages: the strategy's execution and nothing else."""
