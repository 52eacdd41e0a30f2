"""Words of a state by keys of locations, many at once."""

from __future__ import annotations

import numpy as np

from contend.evm.block import Words
from contend.evm.layout import STATE, WORD
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.state import KEY_AT, State, find_location, location_row


@kernel()
def _read(state_address, keys, words, count):
    state = STATE.at(state_address)
    for i in range(count):
        found = I(find_location(state_address, KEY_AT.item(keys, count, i).key))
        word = (U0, U0, U0, U0)
        if found >= 0:
            word = location_row(state, found).value
        WORD.item(words, count, i).value = word


def words_of(state: State, keys: Words) -> Words:
    """Words of locations; zero where a state has none.

    Parameters
    ----------
    state : State
    keys : ndarray of uint64, shape (m, 7)

    Returns
    -------
    ndarray of uint64, shape (m, 4)
    """
    keys = np.ascontiguousarray(keys)
    words = np.zeros((len(keys), 4), np.uint64)
    _read(state.address, keys.ctypes.data, words.ctypes.data, len(keys))
    return words
