"""Subject: something that calibration runs and times."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contend.evm import Block, Snapshot, State
from contend.node.whole_node import BARE, Node
from contend.strategies.base import Strategy
from contend.strategies.given import Knowledge

Floats = npt.NDArray[np.float64]


@dataclass
class Subject:
    """Something that is run on one core.

    Attributes
    ----------
    name : str
    block : Block
    state : State
    before : Snapshot
    strategy : Strategy
    knowledge : Knowledge
        What the strategy is given of the block.
    workers : int
        That take turns; or one, that is driven as usual.
    lists : bool
        Whether the block's access list is made.
    earlier : Block or None
        The block before, where the strategy learns from it: executed first, and not measured.
    reference : str
        Name of what it is held against: the serial run of the same block; of a program, that of the first one.
    node : Node
        With the stages that are measured.
    """

    name: str
    block: Block
    state: State
    before: Snapshot
    strategy: Strategy
    knowledge: Knowledge = field(default_factory=Knowledge)
    workers: int = 1
    lists: bool = False
    earlier: Block | None = None
    reference: str = ""
    node: Node = BARE

    def run(self) -> Floats:
        """Execute the block; seconds of the strategy's clock: for preparation, and for the rest.

        Where stages of a node are measured, theirs are all: what a stage costs would drown in what execution is off by.
        """
        self.state.restore(self.before)
        self.strategy.knowledge = self.knowledge
        self.strategy.makes_access_list = self.lists
        if self.earlier is not None:
            self.strategy.execute(self.earlier, self.state, self.workers)
        outcome = self.node.execute(self.strategy, self.block, self.state, self.workers)
        if self.node.stages:
            return np.array([0.0, sum(outcome.phases.get(stage.phase, 0.0) for stage in self.node.stages)])
        prepared = outcome.phases.get("prepare", 0.0)
        return np.array([prepared, outcome.seconds - prepared])
