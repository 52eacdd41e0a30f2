"""What a block can come with, found out by serial runs outside the time: recorded access sets, access lists.

Found out when it is first asked for: most runs give nobody anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from contend.evm import Block, State
from contend.evm.drivers.recorder import record
from contend.strategies.base import Strategy
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.given import BLOCK, FULL, TRUTH, Knowledge, RecordedSets

MADE_HERE, CAME_WITH_BLOCK = "made here", "came with the block"
"""Origins of access lists."""


class BlockKnowledge:
    """Knowledge about blocks in a row, by place and by what is given.

    Parameters
    ----------
    blocks : sequence of Block
    state : State
        Put back whenever it was used.
    serial : Strategy
        For serial runs.
    list_kind : str
        Kind of the access lists (`strategies.given.LIST_KINDS`).
    """

    def __init__(self, blocks: Sequence[Block], state: State, serial: Strategy, list_kind: str = FULL) -> None:
        self._blocks = blocks
        self._state = state
        self._serial = serial
        self._genesis = state.snapshot()
        self._list_kind = list_kind
        self._found: dict[str, list[Knowledge]] = {}

    @property
    def list_origin(self) -> str:
        """Where the access lists are from."""
        return MADE_HERE

    def of(self, place: int, given: str) -> Knowledge:
        """Knowledge about the block at a place in the row, for a strategy that is given this."""
        if given not in (BLOCK, TRUTH):
            return Knowledge()
        if given not in self._found:
            self._found[given] = self._find(given)
        return self._found[given][place]

    def _find(self, given: str) -> list[Knowledge]:
        now = self._state.snapshot()
        try:
            self._state.restore(self._genesis)
            found = []
            for block in self._blocks:
                found.append(self._of_block(block, given))
                if len(self._blocks) > 1:
                    self._serial.execute(block, self._state, 1)
            return found
        finally:
            self._state.restore(now)

    def _of_block(self, block: Block, given: str) -> Knowledge:
        if given == TRUTH:
            return Knowledge(recorded=RecordedSets.of(record(block, self._state, default_costs().table)))
        raise NotImplementedError("access lists are not made yet")
