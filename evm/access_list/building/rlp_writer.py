"""RLP writer: integers, bytes and list headers, into bytes at an address (Yellow Paper, appendix B).

Each `put` function takes where to write and gives where it ended; each `size_of` function says how long that is.
"""

from __future__ import annotations

import numpy as np

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import count_leading_zeros, move_bytes, view_u8

_SHORT = 56  # from so many bytes on the size is written out
ADDRESS_SIZE = 21  # of an encoded address


@kernel(inline=True)
def _bytes_of(limb):
    """Bytes that a limb needs."""
    return (71 - I(count_leading_zeros(limb))) >> 3


@kernel(inline=True)
def _significant(word):
    """Bytes of a word without its leading zeros."""
    if word[3] != U0:
        return 24 + _bytes_of(word[3])
    if word[2] != U0:
        return 16 + _bytes_of(word[2])
    if word[1] != U0:
        return 8 + _bytes_of(word[1])
    return _bytes_of(word[0])


@kernel(inline=True)
def as_word(number):
    """An integer that is not negative, as a word."""
    return U(number), U0, U0, U0


@kernel(inline=True)
def size_of_word(word):
    """Bytes of an encoded integer."""
    count = _significant(word)
    return I(1) if count == 1 and word[0] < U(0x80) else I(1 + count)


@kernel(inline=True)
def size_of_header(payload):
    """Bytes of the header of a list, or of more than one byte, with so many bytes."""
    return I(1) if payload < _SHORT else I(1 + _bytes_of(U(payload)))


@kernel(inline=True)
def size_of_list(payload):
    """Bytes of a list with its header."""
    return size_of_header(payload) + payload


@kernel()
def put_word(at, word):
    """Write an integer."""
    count = _significant(word)
    out = view_u8(at, 33)
    if count == 1 and word[0] < U(0x80):
        out[0] = np.uint8(word[0])
        return at + 1
    out[0] = np.uint8(0x80 + count)
    for i in range(count):
        out[U(count - i)] = np.uint8((word[i >> 3] >> U(8 * (i & 7))) & U(0xFF))
    return at + 1 + count


@kernel()
def _put_header(at, payload, short, long):
    out = view_u8(at, 9)
    if payload < _SHORT:
        out[0] = np.uint8(short + payload)
        return at + 1
    count = _bytes_of(U(payload))
    out[0] = np.uint8(long + count)
    for i in range(count):
        out[U(count - i)] = np.uint8((U(payload) >> U(8 * i)) & U(0xFF))
    return at + 1 + count


@kernel()
def put_list_header(at, payload):
    """Write the header of a list."""
    return _put_header(at, payload, 0xC0, 0xF7)


@kernel()
def put_address(at, address):
    """Write an address."""
    out = view_u8(at, ADDRESS_SIZE)
    out[0] = np.uint8(0x94)
    for i in range(20):
        out[U(20 - i)] = np.uint8((address[i >> 3] >> U(8 * (i & 7))) & U(0xFF))
    return at + ADDRESS_SIZE


@kernel()
def put_copy(at, source, size):
    """Write what is encoded already."""
    move_bytes(view_u8(at, size), 0, view_u8(source, size), 0, size)
    return at + size


@kernel()
def size_of_bytes(source, size):
    """Bytes of encoded bytes."""
    if size == 1 and view_u8(source, 1)[0] < np.uint8(0x80):
        return I(1)
    return size_of_header(size) + size


@kernel()
def put_bytes(at, source, size):
    """Write bytes."""
    if size == 1 and view_u8(source, 1)[0] < np.uint8(0x80):
        return put_copy(at, source, size)
    return put_copy(_put_header(at, size, 0x80, 0xB7), source, size)
