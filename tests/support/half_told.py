"""Placeholders under conditions that small blocks seldom make: few machines, and hints of which half is missing."""

from __future__ import annotations

from typing import ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.given import TRUTH
from contend.strategies.placeholder.strategy import Placeholder


class FewMachines(Placeholder):
    """Right hints, and no more machines than workers."""

    name: ClassVar[str] = "few_machines"
    given: ClassVar[str] = TRUTH
    machines_per_worker: ClassVar[int] = 1


class HalfTold(Placeholder):
    """Of every other transaction nothing is known."""

    name: ClassVar[str] = "half_told"
    given: ClassVar[str] = TRUTH

    def gather_hints(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Forget every other transaction's hints."""
        super().gather_hints(space, image, state)
        space.hints["count"][::2] = 0
