"""Blocks of a message, as SHA-256 and RIPEMD-160 take them: sixteen words of four bytes, the last ones padded.

A one bit follows the message, then zeros, then the message's length in bits as eight bytes. The two hashes differ in
which byte of a word comes first.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel

WORDS = 16
_BYTES = 64


@kernel(inline=True)
def block_count(size):
    """Blocks of a message of `size` bytes."""
    return (size + 8) // _BYTES + 1


@kernel(inline=True)
def _padding(size, place, big_endian):
    """Byte at a place behind a message of `size` bytes."""
    if place == size:
        return U(0x80)
    from_end = block_count(size) * _BYTES - 1 - place
    if from_end >= 8:
        return U0
    return (U(size) << U(3)) >> U(8 * (from_end if big_endian else I(7) - from_end)) & U(255)


@kernel(inline=True)
def take_block(words, data, size, block, big_endian):
    """Read a block of a message into words of 32 bits."""
    for i in range(WORDS):
        word = U0
        for k in range(4):
            place = block * _BYTES + 4 * i + k
            byte = U(data[place]) if place < size else _padding(size, place, big_endian)
            word |= byte << U(8 * (3 - k if big_endian else k))
        words[i] = word


@kernel(inline=True)
def put_words(output, words, count, big_endian):
    """Write words of 32 bits as bytes."""
    for i in range(count):
        for k in range(4):
            output[4 * i + k] = (words[i] >> U(8 * (3 - k if big_endian else k))) & U(255)
