"""Block-STM with hints: by templates, which small blocks made to go wrong defeat, and by the block's access list."""

from __future__ import annotations

from typing import ClassVar

from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.given import BLOCK, TEMPLATE, HintSource
from contend.strategies.hints.listed import Listed


class Predicted(BlockSTM):
    """Given templates."""

    name: ClassVar[str] = "predicted"
    given: ClassVar[str] = TEMPLATE


class Standing(BlockSTM):
    """Given the block's access list, of which a location's versions stand before anything executes."""

    name: ClassVar[str] = "standing"
    given: ClassVar[str] = BLOCK

    def __init__(self) -> None:
        super().__init__()
        # By this file's import, which a copy of it has of copies.
        self._source: HintSource | None = Listed()
        self._source.wants_versions = self.expects_writes
