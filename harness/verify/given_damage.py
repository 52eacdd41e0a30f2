"""Damage of what strategies are given.

What came with a block is damaged before it is given. What a strategy finds out itself, by a dry run for one, is damaged
in its hint table, after it was found and before it is used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.drivers.access_sets import LOCATION_MASK, WRITE_BIT
from contend.evm.runtime.structs import WORD_BYTES
from contend.harness.verify.damage import Damage
from contend.harness.verify.damaged_list import damaged_list
from contend.strategies.base import Strategy
from contend.strategies.block_stm.hint_table import copy_entries
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.given import BLOCK, NONE, NOTHING, TRUTH, Knowledge


def has_hints(kind: type[Strategy]) -> bool:
    """Whether a strategy is given anything that can be damaged."""
    return kind.given not in (NOTHING, NONE)


def damaged_knowledge(knowledge: Knowledge, damage: Damage, transactions: int) -> Knowledge:
    """Damage what came with a block.

    Parameters
    ----------
    knowledge : Knowledge
    damage : Damage
    transactions : int
        In the block.
    """
    recorded, listed = knowledge.recorded, knowledge.access_list
    return replace(
        knowledge,
        recorded=None if recorded is None else damage.of_sets(recorded),
        access_list=None if listed is None else damaged_list(listed, knowledge.list_kind, transactions, damage),
    )


def damage_hint_table(space: Workspace, damage: Damage) -> npt.NDArray[np.int64]:
    """Damage a block's hints where they lie; the memory in which they lie then, which must outlive them."""
    rows = space.hints[: int(space.shared["block_size"])]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(rows["count"], out=offsets[1:])
    raw = np.zeros(int(offsets[-1]), np.int64)
    copy_entries(int(rows.ctypes.data), offsets, raw)
    locations, numbers = np.unique(raw & LOCATION_MASK, return_inverse=True)
    offsets, entries, writes = damage.of_entries(offsets, numbers, raw & WRITE_BIT != 0, len(locations))
    # One more, so that there is an address where no entry is left.
    found = np.append(locations[entries] | np.where(writes, WRITE_BIT, 0), 0)
    rows["entries"] = found.ctypes.data + WORD_BYTES * offsets[:-1]
    rows["count"] = np.diff(offsets)
    return found


def damageable(kind: type[OptimisticStrategy]) -> type[OptimisticStrategy]:
    """Make the same strategy, whose hint table is damaged as its attribute `damage` says, if it says anything."""

    def gather_hints(self: Any, space: Workspace, image: BlockImage, state: State) -> None:
        kind.gather_hints(self, space, image, state)
        if self.damage is not None:
            self.damaged_hints = damage_hint_table(space, self.damage)

    return type(kind.__name__, (kind,), {"gather_hints": gather_hints, "damage": None})


def damage_hints(strategy: Strategy, damage: Damage | None, transactions: int) -> None:
    """Damage what a strategy, one of `damageable`, is given for its next block, or nothing.

    Parameters
    ----------
    strategy : Strategy
        With the knowledge that it is given.
    damage : Damage, optional
    transactions : int
        In the block.
    """
    came_with_block = strategy.given in (BLOCK, TRUTH)
    if damage is not None and came_with_block:
        strategy.knowledge = damaged_knowledge(strategy.knowledge, damage, transactions)
    if hasattr(strategy, "damage"):
        strategy.damage = None if came_with_block else damage
