"""A state with many accounts that nobody uses, made fast."""

from __future__ import annotations

import numpy as np

from contend.evm import Changes, State
from contend.evm.layout import KEY_WORDS, KIND_BALANCE, KIND_SHIFT


def among_unused(genesis: State, accounts: int) -> State:
    """The genesis, behind so many accounts that have a balance and take part in nothing.

    They come first, so that whatever is indexed by location and touched is spread as in a state that is really large.
    """
    state = State(accounts + genesis.count, genesis.codes)
    keys = np.zeros((accounts, KEY_WORDS), np.uint64)
    keys[:, 0] = np.arange(1, accounts + 1, dtype=np.uint64)
    keys[:, 1] = np.uint64(0x5EED)
    keys[:, 2] = np.uint64(0xAC000000 | KIND_BALANCE << KIND_SHIFT)
    words = np.zeros((accounts, 4), np.uint64)
    words[:, 0] = 10**18
    state.apply(Changes(keys, words))
    state.apply(Changes(genesis.keys, genesis.values))
    return state
