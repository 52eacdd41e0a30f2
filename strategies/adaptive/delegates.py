"""Delegates: the strategies that blocks are handed to, in bounded memory.

Each keeps the memory of its workers from block to block, as a node would, and for a thousand workers that is much. So
beside `serial` no more than `MOST_KEPT` are kept; who was used last goes last.
"""

from __future__ import annotations

from collections import OrderedDict

from contend.strategies import registry
from contend.strategies.base import Strategy
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.given import BLOCK, DRY_RUN, NONE, NOTHING

MOST_KEPT = 2
_SERIAL = "serial"
# What a contender may use where no more than this is given. A template would have to learn from blocks that others
# execute.
ALLOWED: dict[str, tuple[str, ...]] = {NONE: (NOTHING, NONE, DRY_RUN), BLOCK: (NOTHING, NONE, DRY_RUN, BLOCK)}


class Delegates:
    """Strategies by contender's name, made when they are first wanted."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, CompiledStrategy] = OrderedDict()

    def get(self, contender: str) -> CompiledStrategy:
        """The strategy of a contender, in memory of its own."""
        if contender not in self._kept:
            made = registry.get(contender)()
            assert isinstance(made, CompiledStrategy)
            self._kept[contender] = made
        self._kept.move_to_end(contender)
        others = [name for name in self._kept if name != _SERIAL]
        for name in others[: max(len(others) - MOST_KEPT, 0)]:
            self._kept.pop(name).close()
        return self._kept[contender]

    def close(self) -> None:
        """Close all."""
        while self._kept:
            self._kept.popitem()[1].close()


def can_delegate_to(kind: type[Strategy], given: str) -> bool:
    """Whether blocks may be handed to a strategy where a source is given.

    It takes blocks whole, in one state, gives the block's own order, and is given no more.
    """
    return (
        issubclass(kind, CompiledStrategy)
        and not kind.divides_state
        and kind.lists_accesses
        and "virtual" in kind.clocks
        and kind.given in ALLOWED[given]
        and not kind.delegates
    )
