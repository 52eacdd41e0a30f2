"""Trial of hints: predictions and their dependency graph where these have paid, Block-STM where they have not.

To predict, to link and to learn costs the same whether transactions conflict or not; what it gains is what Block-STM
wastes. Which is more is a matter of the contracts of the day, and a builder can find it out: it executes a block each
way and goes on with the one that took less time for the same gas. So does every node, for itself, on its own cores;
nothing is modelled, and the result is the serial one either way. (Tang, Jiang and Elmore, "Adaptive concurrency
control: despite the looking glass, one concurrency control does not fit all", CIDR 2017, choose among protocols by
features of a workload; time itself is the simplest feature.)

A trial is three blocks: one without hints, from which the source learns; two with hints, of which the second counts,
since after one block little is known. The better way then has its turn until the next trial. Hints must be better by a
margin, so that two ways that are alike do not take turns; and where they are not used, nothing is learned, so that a
block costs what it costs `block_stm`, to the last step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from contend.evm import Block, State
from contend.evm.block_image import BlockImage
from contend.strategies.base import Outcome
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.dependency.groups import Groups
from contend.strategies.given import DRY_RUN, TEMPLATE

WITHOUT, WITH = False, True
TRIAL = (WITHOUT, WITH, WITH)  # whether each block of a trial has hints
BLOCKS_BETWEEN = 64  # from the beginning of a trial to that of the next
MARGIN = 0.95  # hints must not take more than this share of the time without


@dataclass
class Trial:
    """Which way is the better one: with hints or without.

    Attributes
    ----------
    place : int
        Blocks since the trial began.
    seconds_per_gas : dict
        Of the last block each way.
    """

    place: int = 0
    seconds_per_gas: dict[bool, float] = field(default_factory=dict)

    @property
    def uses_hints(self) -> bool:
        """Whether the next block is to be executed with hints."""
        return TRIAL[self.place] if self.place < len(TRIAL) else self.prefers_hints

    @property
    def prefers_hints(self) -> bool:
        """Whether hints have been the better way."""
        costs = self.seconds_per_gas
        return WITH in costs and costs[WITH] <= MARGIN * costs.get(WITHOUT, 0.0)

    @property
    def learns(self) -> bool:
        """Whether the next block is to be learned from: it has hints, or one of the next blocks will."""
        return self.uses_hints or self.place < len(TRIAL)

    def note(self, seconds: float, gas: int) -> None:
        """Note what the block took, whichever way it was executed; an empty one tells nothing."""
        if gas > 0:
            self.seconds_per_gas[self.uses_hints] = seconds / gas
            self.place = (self.place + 1) % BLOCKS_BETWEEN


class HintTrial(Groups):
    """Hints where they pay, and Block-STM where not.

    A block whose number is not above the last one's is the beginning of another run: what was tried is forgotten, as
    what was learned is (`strategies.hints.template`).
    """

    name: ClassVar[str] = "hint_trial"
    summary: ClassVar[str] = "predictions and their graph where these have paid, Block-STM where not"
    takes: ClassVar[tuple[str, ...]] = (TEMPLATE, DRY_RUN)

    def __init__(self) -> None:
        super().__init__()
        self._trial = Trial()
        self._last_number: int | None = None
        self._learning_s = 0.0

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute one way or the other, as often as it takes; see `Strategy.execute`."""
        number = block.environment.number
        if self._last_number is not None and number <= self._last_number:
            self._trial = Trial()
        outcome = super().execute(block, state, workers)
        self._last_number = number
        # What is learned without hints is for blocks with hints.
        seconds = outcome.seconds if self._trial.uses_hints else outcome.seconds - self._learning_s
        outcome.counters["hinted_blocks"] = int(self._trial.uses_hints)
        self._trial.note(seconds, int(outcome.receipts.gas_used.sum()))
        return outcome

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Gather hints, and have the graph built while executing; or let the source watch; or nothing."""
        if self._trial.uses_hints:
            super().prepare(space, image, state)
            return
        space.speculate(self.clock, settles=not self._trial.learns)
        if self._trial.learns:
            assert self._source is not None
            self._source.watch(space, image)

    def run_block(self, space: Workspace) -> None:
        """Execute the block by all workers. Timed."""
        if self._trial.uses_hints:
            super().run_block(space)
        else:
            space.run(speculative_step, self.clock)

    def learn(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Learn from the block, if hints will be used; see `OptimisticStrategy.learn`."""
        began = self.clock.now()
        if self._trial.learns:
            super().learn(space, image, state)
        self._learning_s = self.clock.now() - began

    def hint_counters(self) -> dict[str, int]:
        """What the source of the hints counted, where there were any."""
        return super().hint_counters() if self._trial.uses_hints else {}
