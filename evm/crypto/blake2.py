"""The compression function of BLAKE2b (RFC 7693, section 3.2) with its number of rounds free, as EIP-152 asks for.

Ours, because no library offers a free number of rounds and a block can pay for tens of millions of them.
"""

from __future__ import annotations

import numpy as np

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel

VECTOR = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
SCHEDULE = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)


@kernel(inline=True)
def _rotate_right(x, n):
    return (x >> U(n)) | (x << U(64 - n))


@kernel(inline=True)
def _mix(v, a, b, c, d, x, y):
    v[a] = v[a] + v[b] + x
    v[d] = _rotate_right(v[d] ^ v[a], 32)
    v[c] = v[c] + v[d]
    v[b] = _rotate_right(v[b] ^ v[c], 24)
    v[a] = v[a] + v[b] + y
    v[d] = _rotate_right(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d]
    v[b] = _rotate_right(v[b] ^ v[c], 63)


@kernel()
def compress(rounds, state, message, offset_low, offset_high, last, v):
    """One compression.

    Parameters
    ----------
    rounds : int
    state : ndarray of uint64, shape (8,)
        Replaced by the new state.
    message : ndarray of uint64, shape (16,)
    offset_low, offset_high : uint64
    last : bool
        Whether this is the last block.
    v : ndarray of uint64, shape (16,)
        Scratch space.
    """
    for i in range(8):
        v[i] = state[i]
        v[8 + i] = VECTOR[i]
    v[12] ^= offset_low
    v[13] ^= offset_high
    if last:
        v[14] = ~v[14]
    for i in range(rounds):
        s = i % 10
        for j in range(4):
            x, y = message[SCHEDULE[s, 2 * j]], message[SCHEDULE[s, 2 * j + 1]]
            _mix(v, j, j + 4, j + 8, j + 12, x, y)
        for j in range(4):
            x, y = message[SCHEDULE[s, 8 + 2 * j]], message[SCHEDULE[s, 9 + 2 * j]]
            _mix(v, j, (j + 1) % 4 + 4, (j + 2) % 4 + 8, (j + 3) % 4 + 12, x, y)
    for i in range(8):
        state[i] ^= v[i] ^ v[8 + i]
