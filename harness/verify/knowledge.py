"""What a block can come with, found out by serial runs outside the time: recorded access sets, access lists.

Found out when it is first asked for: most runs give nobody anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from contend.evm import Block, State
from contend.evm.access_list import access_list_of, of_kind
from contend.evm.drivers.recorder import record
from contend.strategies.base import Strategy
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.given import BLOCK, FULL, TRUTH, Knowledge, RecordedSets


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
    own_lists : sequence of bytes or None
        Access list that came with each block, of the kind ``full``; empty where none did. Where there is none, and
        where a list is to say more than such a one can, serial makes it.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        state: State,
        serial: Strategy,
        list_kind: str = FULL,
        own_lists: Sequence[bytes | None] = (),
    ) -> None:
        self._blocks = blocks
        self._state = state
        self._serial = serial
        self._genesis = state.snapshot()
        self._list_kind = list_kind
        self._own_lists = own_lists
        self._found: dict[str, list[Knowledge]] = {}

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
            for place, block in enumerate(self._blocks):
                found.append(self._of_block(place, block, given))
                if len(self._blocks) > 1:
                    self._serial.execute(block, self._state, 1)
            return found
        finally:
            self._state.restore(now)

    def _of_block(self, place: int, block: Block, given: str) -> Knowledge:
        if given == TRUTH:
            return Knowledge(recorded=RecordedSets.of(record(block, self._state, default_costs().table)))
        own = self._own_lists[place] if place < len(self._own_lists) else None
        listed = None if own is None else of_kind(own, self._list_kind)
        if listed is not None:
            return Knowledge(access_list=listed, list_kind=self._list_kind)
        made = access_list_of(block, self._state, self._list_kind)
        return Knowledge(access_list=made, list_kind=self._list_kind, list_maker=self._serial.name)
