"""Epochs of a state: each execution of a block on it has one of its own, whichever strategy's it is.

The heads of multi-version memory, and whose the words there are, stand in the rows of the state
(`strategies.block_stm.layout.ROW`). Nobody clears them between blocks, and strategies with workspaces of their own take
turns at one state. So each says by an epoch which execution it belongs to, and the state's epochs are counted here for
all of them.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from contend.evm import State
from contend.evm.layout import STATE
from contend.strategies.block_stm.layout import MOST_EPOCHS, ROW

_LAST: WeakKeyDictionary[State, int] = WeakKeyDictionary()


def rows_of(state: State) -> int:
    """Address of a state's rows, as they lie until it grows."""
    return int(STATE.array_at(state.address)[0]["locations"])


def next_epoch(state: State) -> int:
    """Epoch for an execution on a state: no head in its rows has it."""
    epoch = _LAST.get(state, 0) + 1
    if epoch >= MOST_EPOCHS:
        rows = ROW.array_at(rows_of(state), state.capacity)
        rows["head"] = rows["settled_by"] = rows["readers"] = rows["contended"] = 0
        epoch = 1
    _LAST[state] = epoch
    return epoch
