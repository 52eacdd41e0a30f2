"""Node: a strategy's execution of a block with the stages before and behind it.

Where nothing but the execution was asked for, this is the strategy's call and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.node.base import BlockRun, Stage, StageError
from contend.strategies.base import Outcome, Strategy
from contend.strategies.compiled import CompiledStrategy


class Node:
    """Executes blocks by any strategy, with stages around.

    Parameters
    ----------
    stages : mapping, optional
        By the option that asks for them, in the order in which they come.
    """

    def __init__(self, stages: Mapping[str, Stage] | None = None) -> None:
        self._stages = dict(stages or {})

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
        return Node({option: stage.again() for option, stage in self._stages.items()})

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
        run = BlockRun(place, image, state, workers, strategy.clock)
        has_failed = True
        try:
            outcome = self._executed(strategy, block, run)
            has_failed = False
        finally:
            for stage in self.stages:
                stage.release(run, has_failed)
        return outcome

    def _executed(self, strategy: CompiledStrategy, block: Block, run: BlockRun) -> Outcome:
        for stage in self.stages:
            stage.make_ready(run)
        before = self._timed(run, is_first=True)
        strategy.backing = next((stage.backing for stage in self.stages if stage.backing is not None), None)
        machines = 1 if strategy.backing is None or strategy.divides_state else strategy.backing.machines
        try:
            strategy.clock.cores = run.workers if machines > 1 else 0
            with_machines = run.workers * machines if strategy.parallel else run.workers
            run.outcome = strategy.execute(block, run.state, with_machines)
        finally:
            strategy.backing, strategy.clock.cores = None, 0
        run.outcome.phases = {**before, **run.outcome.phases, **self._timed(run, is_first=False)}
        for stage in self.stages:
            run.outcome.counters = {**run.outcome.counters, **stage.counters(run)}
        wrong = [line for stage in self.stages for line in stage.check(run)]
        if wrong:
            raise StageError("; ".join(wrong))
        return run.outcome

    def _timed(self, run: BlockRun, is_first: bool) -> dict[str, float]:
        """Let the stages before or behind execution work; seconds by phase."""
        found: dict[str, float] = {}
        for stage in self.stages:
            if stage.comes_first == is_first:
                began = run.clock.now()
                stage.work(run)
                found[stage.phase] = run.clock.now() - began
        return found


BARE = Node()
"""Without stages: the strategy's execution and nothing else."""
