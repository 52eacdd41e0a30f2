"""Stage: a part of what a node does with a block besides executing its transactions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.backing import Backing
from contend.strategies.base import Outcome
from contend.strategies.clocks import Clock


class StageError(ValueError):
    """A stage that cannot be had: its scheme is not known, a package is not there, a block is not made for it."""


@dataclass
class BlockRun:
    """One block on its way through the node, as a stage sees it.

    Attributes
    ----------
    place : int
        Of the block among those in a row, from 0.
    image : BlockImage
        What is executed; stages before execution may complete its rows.
    state : State
        Before the block, or after it for a stage that comes after execution.
    workers : int
    clock : Clock
        Drives the workers of a stage, as it does those of the strategy, and tells its time.
    outcome : Outcome or None
        Of the execution; None before it.
    overlaps : bool
        Whether other blocks are on their way, too (`node.pipeline`): while a stage works the state may then be that of
        any block. When a result is checked, it is the one after the block.
    root : bytes
        State root after the block, once a stage has computed one; empty before.
    """

    place: int
    image: BlockImage
    state: State
    workers: int
    clock: Clock
    outcome: Outcome | None = None
    overlaps: bool = False
    root: bytes = b""


class Stage(ABC):
    """A part of what a node does with a block; its time is a phase of the block's.

    A stage is laid out once for the blocks of a workload, outside the time, and works on each of them whenever that
    is executed, under any strategy and clock: its workers are steps like those of strategies
    (`strategies.clocks.base.Workers`). What it keeps from block to block it has to take back when the first block
    comes again.

    Attributes
    ----------
    phase : str
        Name of its time in `strategies.base.Outcome.phases`.
    comes_first : bool or None
        Whether it comes before execution, or behind it; None for one that is at work within (`Stage.backing`), and has
        its phase from there.
    is_apart : bool
        Whether machines of its own do its work, and not the node's workers.
    """

    phase: ClassVar[str]
    comes_first: ClassVar[bool | None] = False
    is_apart: ClassVar[bool] = False

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a record says of it: plain data."""

    @abstractmethod
    def again(self) -> Stage:
        """Another of the same, laid out for the same blocks, which can be at work at the same time."""

    def expect(self, runs: Sequence[BlockRun]) -> None:  # noqa: B027  # many need nothing
        """Have memory and kernels for blocks that come one after the other, so that `make_ready` need not wait for any.

        For a pipeline; outside the time.
        """

    def make_ready(self, run: BlockRun) -> None:  # noqa: B027  # many need nothing
        """Undo what earlier runs of the block have left, and have memory and kernels. Before the time begins."""

    @abstractmethod
    def work(self, run: BlockRun) -> None:
        """Do it. The clock's time that passes meanwhile is the phase."""

    @property
    def backing(self) -> Backing | None:
        """What it has lie behind the state while the strategy executes, if anything."""
        return None

    def counters(self, run: BlockRun) -> dict[str, Any]:
        """Numbers that it has counted in its last work, by name, for the counters of the sample."""
        return {}

    def release(self, run: BlockRun, has_failed: bool) -> None:  # noqa: B027  # many hold nothing
        """Let others have what it has taken for the block. Behind everything else, and where something has failed."""

    def check(self, run: BlockRun) -> list[str]:
        """Say what of its result is wrong, outside the time; nothing where it is right."""
        return []
