"""A state with many accounts that nobody uses, made fast."""

from __future__ import annotations

import numpy as np

from contend.evm import State
from contend.evm.layout import KEY_WORDS, KIND_BALANCE, KIND_SHIFT
from contend.evm.runtime.jit import kernel
from contend.evm.state import intern_location


@kernel()
def _intern_all(state, keys, locations):  # type: ignore[no-untyped-def]  # a kernel
    for i in range(locations.size):
        locations[i] = intern_location(state, keys, i * KEY_WORDS)


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
    for rows, values in ((keys, words), (genesis.keys, genesis.values)):
        locations = np.zeros(len(rows), np.int64)
        _intern_all(state.address, np.ascontiguousarray(rows).reshape(-1), locations)
        state.values[locations] = values
    return state
