"""The strategy `bal`: a block is executed from its access list (EIP-7928), and the list is checked by that."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.evm import Block, State
from contend.evm.access_list import access_list_content, first_difference, state_before
from contend.evm.block_image import BlockImage
from contend.strategies.bal.execution_order import CLASSES, order_step
from contend.strategies.bal.layout import BAL, BAL_WORKER
from contend.strategies.bal.repair import enter_step, publish_step
from contend.strategies.bal.sweep import list_changed, sweep_step
from contend.strategies.bal.trust import trust_step
from contend.strategies.bal.worker import seeded_step
from contend.strategies.base import Outcome
from contend.strategies.block_list.encoded_list import EncodedList
from contend.strategies.block_stm.layout import EXECUTED, READY_TO_EXECUTE, STATUS_BITS
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import Locations, Workspace
from contend.strategies.given import BLOCK, FULL, TRUTH, MissingKnowledgeError

NEXT_INCARNATION = 1 << int(STATUS_BITS) | READY_TO_EXECUTE  # the status of who was executed once, and is not right


class Bal(OptimisticStrategy):
    """Each transaction from the values before it in the block's access list; the list is confirmed, or refused.

    It gives two answers. The result is the serial one whatever the list says: a wrong list costs time
    (`strategies.bal.repair`). The verdict on the list is `Outcome.refused_list`.

    Attributes
    ----------
    longest_first : bool
        Whether transactions are executed in the order of their lengths instead of the block's.
    """

    name: ClassVar[str] = "bal"
    summary: ClassVar[str] = "every transaction on its own from the block's access list, which is checked (EIP-7928)"
    takes: ClassVar[tuple[str, ...]] = (BLOCK,)
    list_kinds: ClassVar[tuple[str, ...]] = (FULL,)
    uses_values: ClassVar[bool] = True
    step = seeded_step
    own_shared = BAL
    own_worker = BAL_WORKER
    wake_counters: ClassVar[tuple[str, ...]] = ("fault",)
    longest_first: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        # It reads the list itself.
        self._source = None
        self._list = EncodedList()
        self._is_sound = self._is_confirmed = self._is_refused = False
        self._order = np.zeros(0, np.int64)
        self._starts = np.zeros(CLASSES + 1, np.int64)

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute `block` on `state`; see `Strategy.execute`.

        Raises
        ------
        MissingKnowledgeError
            If the block came without an access list, or with one that has no values.
        """
        if self.knowledge.access_list is None:
            raise MissingKnowledgeError(f"{self.name}: the block came without an access list")
        if self.knowledge.list_kind != FULL:
            kind = self.knowledge.list_kind
            raise MissingKnowledgeError(f"{self.name}: needs an access list of the kind {FULL!r}, not {kind!r}")
        outcome = super().execute(block, state, workers)
        if self._is_refused:
            outcome.refused_list = self._flaw(block, state)
            outcome.counters["refused_lists"] = int(outcome.refused_list is not None)
        return outcome

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Decode the list, and put transactions in their order; see `OptimisticStrategy.prepare`."""
        data = self.knowledge.access_list or b""
        self._is_confirmed = self._is_refused = False
        self._is_sound = self._list.decode(space, data, FULL, self.clock, seeds=True)
        space.own_shared["workers"] = len(space.workers)
        if self.longest_first and self._is_sound:
            self._put_in_order(space, image)

    def forgo_list(self) -> bool:
        """Take a list that names more than fits in the largest room as not being of this block."""
        return self._list.forgo()

    def _put_in_order(self, space: Workspace, image: BlockImage) -> None:
        own, recorded = space.own_shared, self.knowledge.recorded
        if len(self._order) != len(image):
            self._order = np.zeros(len(image), np.int64)
        own["order"], own["starts"] = self._order.ctypes.data, self._starts.ctypes.data
        own["lengths"] = 0 if recorded is None else recorded.work.ctypes.data
        space.run_hint_step(order_step, self.clock, self._list.memory)

    def run_block(self, space: Workspace) -> None:
        """Execute from the list, and repair what it got wrong; see `OptimisticStrategy.run_block`."""
        if self._is_sound:
            super().run_block(space)
            own = space.own_workers
            confirmed, changes = int(own["confirmed"].sum()), int(self._list.pieces["changes"].sum())
            self._is_confirmed = not own["wrong_writes"].any() and confirmed == changes
            self._is_refused = not self._is_confirmed or bool(own["unlisted"].any())
            if self._is_confirmed:
                return
        self._is_refused = True
        if self._is_sound:
            self._hand_over(space)
        space.run(speculative_step, self.clock)

    def _hand_over(self, space: Workspace) -> None:
        """Give what was executed to multi-version memory and its scheduler."""
        size = space.fits[0]
        space.transactions["txn_status"][:size] = EXECUTED
        space.transactions["is_planned"][:size] = 1
        for step in (publish_step, trust_step, enter_step):
            space.run_hint_step(step, self.clock, self._list.memory)
        misled = np.flatnonzero(space.transactions["is_planned"][:size] == 0)
        space.transactions["txn_status"][misled] = NEXT_INCARNATION
        space.shared["execution_idx"] = misled[0] if len(misled) else size

    def commit_block(self, space: Workspace, state: State) -> None:
        """Write the list's last words to the state if they are confirmed; see `OptimisticStrategy.commit_block`."""
        if not self._is_confirmed:
            super().commit_block(space, state)
            return
        space.run_hint_step(sweep_step, self.clock, self._list.memory)
        self._is_refused |= bool(space.own_workers["untouched"].any())

    def build_list(self, space: Workspace, image: BlockImage, state: State, balance: int) -> bytes:
        """Give the block's own list where it is right, or make the right one; see `OptimisticStrategy.build_list`."""
        if self._is_refused or self.knowledge.access_list is None:
            return super().build_list(space, image, state, balance)
        return self.knowledge.access_list

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted, what had to be repaired, and what the list was."""
        refused = {"list_bytes": self._list.size, "refused_lists": int(self._is_refused)}
        return space.counted(follows_plan=True) | refused

    def written_locations(self) -> Locations | None:
        """Locations that the last attempt may have changed; see `CompiledStrategy.written_locations`."""
        if not self._is_confirmed:
            return super().written_locations()
        pieces = self._list.pieces
        found = np.full(1, len(pieces), np.int64)
        count = int(list_changed(int(pieces.ctypes.data), found))
        found = np.full(count + 1, len(pieces), np.int64)
        list_changed(int(pieces.ctypes.data), found)
        return np.unique(found[1:])

    def _flaw(self, block: Block, state: State) -> str | None:
        """What is wrong with the list, in words. Outside the time: the verdict is known, with one exception.

        No list says that an account lost its storage. Where one that was there before the block is destroyed (before
        Cancun), the block is not executed from the list, which may be right all the same: None.
        """
        if not self._is_sound:
            return self._list.flaw(len(block))
        before = State(state.capacity, state.codes)
        assert self._before is not None
        before.restore(self._before)
        right = access_list_content(block, before)
        found = first_difference(self.knowledge.access_list or b"", right, len(block), state_before(before))
        return None if found is None else str(found)


class BalLongest(Bal):
    """As `Bal`, the transactions with the largest gas limits first; given the truth, those that take longest."""

    name: ClassVar[str] = "bal_longest"
    summary: ClassVar[str] = "as bal, in the order of the gas that transactions declare, the largest first"
    takes: ClassVar[tuple[str, ...]] = (BLOCK, TRUTH)
    longest_first: ClassVar[bool] = True
