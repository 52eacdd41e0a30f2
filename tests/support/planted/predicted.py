"""Block-STM with hints by templates, which on small blocks made to go wrong are often wrong."""

from __future__ import annotations

from typing import ClassVar

from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.given import TEMPLATE


class Predicted(BlockSTM):
    """Given templates."""

    name: ClassVar[str] = "predicted"
    given: ClassVar[str] = TEMPLATE
