"""Block-STM's second version as a strategy."""

from __future__ import annotations

from typing import Any, ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import Workspace, clear
from contend.strategies.optimistic.block_stm_v2.layout import MARKS, STM_V2, STM_V2_WORKER
from contend.strategies.optimistic.block_stm_v2.worker import telling_step


class BlockSTMv2(OptimisticStrategy):
    """Optimistic concurrency in the block's order, without validations: writers tell readers.

    Attributes
    ----------
    compares_values : bool
        Whether a read is stale only where the word has changed, or wherever anyone has written.
    expects_writers : bool
        Whether who reads where readers were told before is expected to write there, and waited for.
    """

    name: ClassVar[str] = "block_stm_v2"
    summary: ClassVar[str] = "Block-STM whose writers tell readers, without sweeps of validations (Aptos, scheduler v2)"
    takes: ClassVar[tuple[str, ...]] = ()
    step = telling_step
    own_shared = STM_V2
    own_worker = STM_V2_WORKER
    wake_counters: ClassVar[tuple[str, ...]] = ("progress", "committed", "decrease_cnt", "fault")
    # Each stands at a read of its own.
    interchangeable: bool = False
    compares_values: bool = False
    expects_writers: bool = True

    def __init__(self) -> None:
        super().__init__()
        self._marks: Any = MARKS.zeros(1)

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Forget what was marked; see `OptimisticStrategy.prepare`."""
        space.speculate(self.clock, settles=True)
        if len(self._marks) < len(image):
            self._marks = MARKS.zeros(len(image))
        clear(self._marks)
        own = space.own_shared
        own["marks"] = self._marks.ctypes.data
        own["compares_values"], own["expects_writers"] = self.compares_values, self.expects_writers
