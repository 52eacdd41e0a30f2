"""RIPEMD-160 (Dobbertin, Bosselaers and Preneel, 1996) in a kernel, for the precompiled contract."""

from __future__ import annotations

import numpy as np

from contend.evm.crypto.hash_blocks import block_count, put_words, take_block
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import stack_buffer

_LOW = U(0xFFFFFFFF)
_BEGIN = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], np.uint64)
# By line, left and right: the words of the message in the order of the steps, how far each rotates, what is added.
_PERMUTATION = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
_SHIFTS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)


def _orders() -> list[list[int]]:
    """Words of the message by step: each round permutes those of the one before; the right line begins with 9i + 5."""
    lines = []
    for begin in (list(range(16)), [(9 * i + 5) % 16 for i in range(16)]):
        steps, order = [], begin
        for _ in range(5):
            steps += order
            order = [_PERMUTATION[word] for word in order]
        lines.append(steps)
    return lines


_ORDER = np.array(_orders(), np.int64)
_TURN = np.array([[_SHIFTS[i // 16][word] for i, word in enumerate(line)] for line in _orders()], np.uint64)
_ADDED = np.array(
    [[0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E], [0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0]],
    np.uint64,
)


@kernel(inline=True)
def _rotate(x, n):
    return ((x << n) | (x >> (U(32) - n))) & _LOW


@kernel(inline=True)
def _mixed(function, x, y, z):
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return (x & y) | (~x & _LOW & z)
    if function == 2:
        return (x | (~y & _LOW)) ^ z
    if function == 3:
        return (x & z) | (y & ~z & _LOW)
    return x ^ (y | (~z & _LOW))


@kernel()
def ripemd160_into(data, size, output):
    """Hash `size` bytes into 20 of `output`, which may not overlap them."""
    h, x, line_ends = stack_buffer(5), stack_buffer(16), stack_buffer(10)
    for i in range(5):
        h[i] = _BEGIN[i]
    for block in range(block_count(size)):
        take_block(x, data, size, block, False)
        for line in range(2):
            a, b, c, d, e = h[0], h[1], h[2], h[3], h[4]
            for i in range(80):
                function = i // 16 if line == 0 else 4 - i // 16
                total = (a + _mixed(function, b, c, d) + x[_ORDER[line, i]] + _ADDED[line, i // 16]) & _LOW
                a, e, d, c, b = e, d, _rotate(c, U(10)), b, (_rotate(total, _TURN[line, i]) + e) & _LOW
            line_ends[5 * line] = a
            line_ends[5 * line + 1] = b
            line_ends[5 * line + 2] = c
            line_ends[5 * line + 3] = d
            line_ends[5 * line + 4] = e
        first = (h[1] + line_ends[2] + line_ends[8]) & _LOW
        h[1] = (h[2] + line_ends[3] + line_ends[9]) & _LOW
        h[2] = (h[3] + line_ends[4] + line_ends[5]) & _LOW
        h[3] = (h[4] + line_ends[0] + line_ends[6]) & _LOW
        h[4] = (h[0] + line_ends[1] + line_ends[7]) & _LOW
        h[0] = first
    put_words(output, h, 5, False)
