"""Keccak-256 as Ethereum uses it: the original padding, rate 136 bytes (the Keccak reference, version 3.0).

The permutation is written out lane by lane: 25 local variables stay in registers where an array would be stored and
loaded in every step. Lane ``axy`` is column x, row y.
"""

from struct import Struct

import numpy as np

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, stack_buffer, swap_bytes

RATE = 136
ROUND_CONSTANTS = np.array(
    [
        0x0000000000000001,
        0x0000000000008082,
        0x800000000000808A,
        0x8000000080008000,
        0x000000000000808B,
        0x0000000080000001,
        0x8000000080008081,
        0x8000000000008009,
        0x000000000000008A,
        0x0000000000000088,
        0x0000000080008009,
        0x000000008000000A,
        0x000000008000808B,
        0x800000000000008B,
        0x8000000000008089,
        0x8000000000008003,
        0x8000000000008002,
        0x8000000000000080,
        0x000000000000800A,
        0x800000008000000A,
        0x8000000080008081,
        0x8000000000008080,
        0x0000000080000001,
        0x8000000080008008,
    ],
    dtype=np.uint64,
)


@kernel(inline=True)
def _rotate(a, n):
    return (a << n) | (a >> (U(64) - n))


@kernel()
def permute(state):
    """Keccak-f[1600] in place on 25 lanes, lane x of row y at index ``x + 5 * y``."""
    a00 = state[U(0)]
    a10 = state[U(1)]
    a20 = state[U(2)]
    a30 = state[U(3)]
    a40 = state[U(4)]
    a01 = state[U(5)]
    a11 = state[U(6)]
    a21 = state[U(7)]
    a31 = state[U(8)]
    a41 = state[U(9)]
    a02 = state[U(10)]
    a12 = state[U(11)]
    a22 = state[U(12)]
    a32 = state[U(13)]
    a42 = state[U(14)]
    a03 = state[U(15)]
    a13 = state[U(16)]
    a23 = state[U(17)]
    a33 = state[U(18)]
    a43 = state[U(19)]
    a04 = state[U(20)]
    a14 = state[U(21)]
    a24 = state[U(22)]
    a34 = state[U(23)]
    a44 = state[U(24)]
    for round_index in range(24):
        c0 = a00 ^ a01 ^ a02 ^ a03 ^ a04
        c1 = a10 ^ a11 ^ a12 ^ a13 ^ a14
        c2 = a20 ^ a21 ^ a22 ^ a23 ^ a24
        c3 = a30 ^ a31 ^ a32 ^ a33 ^ a34
        c4 = a40 ^ a41 ^ a42 ^ a43 ^ a44
        d0 = c4 ^ _rotate(c1, U(1))
        d1 = c0 ^ _rotate(c2, U(1))
        d2 = c1 ^ _rotate(c3, U(1))
        d3 = c2 ^ _rotate(c4, U(1))
        d4 = c3 ^ _rotate(c0, U(1))
        b00 = a00 ^ d0
        b13 = _rotate(a01 ^ d0, U(36))
        b21 = _rotate(a02 ^ d0, U(3))
        b34 = _rotate(a03 ^ d0, U(41))
        b42 = _rotate(a04 ^ d0, U(18))
        b02 = _rotate(a10 ^ d1, U(1))
        b10 = _rotate(a11 ^ d1, U(44))
        b23 = _rotate(a12 ^ d1, U(10))
        b31 = _rotate(a13 ^ d1, U(45))
        b44 = _rotate(a14 ^ d1, U(2))
        b04 = _rotate(a20 ^ d2, U(62))
        b12 = _rotate(a21 ^ d2, U(6))
        b20 = _rotate(a22 ^ d2, U(43))
        b33 = _rotate(a23 ^ d2, U(15))
        b41 = _rotate(a24 ^ d2, U(61))
        b01 = _rotate(a30 ^ d3, U(28))
        b14 = _rotate(a31 ^ d3, U(55))
        b22 = _rotate(a32 ^ d3, U(25))
        b30 = _rotate(a33 ^ d3, U(21))
        b43 = _rotate(a34 ^ d3, U(56))
        b03 = _rotate(a40 ^ d4, U(27))
        b11 = _rotate(a41 ^ d4, U(20))
        b24 = _rotate(a42 ^ d4, U(39))
        b32 = _rotate(a43 ^ d4, U(8))
        b40 = _rotate(a44 ^ d4, U(14))
        a00 = b00 ^ (~b10 & b20)
        a10 = b10 ^ (~b20 & b30)
        a20 = b20 ^ (~b30 & b40)
        a30 = b30 ^ (~b40 & b00)
        a40 = b40 ^ (~b00 & b10)
        a01 = b01 ^ (~b11 & b21)
        a11 = b11 ^ (~b21 & b31)
        a21 = b21 ^ (~b31 & b41)
        a31 = b31 ^ (~b41 & b01)
        a41 = b41 ^ (~b01 & b11)
        a02 = b02 ^ (~b12 & b22)
        a12 = b12 ^ (~b22 & b32)
        a22 = b22 ^ (~b32 & b42)
        a32 = b32 ^ (~b42 & b02)
        a42 = b42 ^ (~b02 & b12)
        a03 = b03 ^ (~b13 & b23)
        a13 = b13 ^ (~b23 & b33)
        a23 = b23 ^ (~b33 & b43)
        a33 = b33 ^ (~b43 & b03)
        a43 = b43 ^ (~b03 & b13)
        a04 = b04 ^ (~b14 & b24)
        a14 = b14 ^ (~b24 & b34)
        a24 = b24 ^ (~b34 & b44)
        a34 = b34 ^ (~b44 & b04)
        a44 = b44 ^ (~b04 & b14)
        a00 ^= ROUND_CONSTANTS[U(round_index)]
    state[U(0)] = a00
    state[U(1)] = a10
    state[U(2)] = a20
    state[U(3)] = a30
    state[U(4)] = a40
    state[U(5)] = a01
    state[U(6)] = a11
    state[U(7)] = a21
    state[U(8)] = a31
    state[U(9)] = a41
    state[U(10)] = a02
    state[U(11)] = a12
    state[U(12)] = a22
    state[U(13)] = a32
    state[U(14)] = a42
    state[U(15)] = a03
    state[U(16)] = a13
    state[U(17)] = a23
    state[U(18)] = a33
    state[U(19)] = a43
    state[U(20)] = a04
    state[U(21)] = a14
    state[U(22)] = a24
    state[U(23)] = a34
    state[U(24)] = a44


@kernel()
def keccak_word(data, start, length):
    """Hash `length` bytes of a uint8 array from `start`.

    Returns
    -------
    tuple of four uint64
        The hash as a word: its first byte is the most significant.
    """
    state = stack_buffer(25)
    for i in range(25):
        state[U(i)] = U(0)
    at, left = start, length
    while left >= RATE:
        for i in range(17):
            state[U(i)] ^= load_8(data, at + 8 * i)
        permute(state)
        at += RATE
        left -= RATE
    lanes = left >> 3
    for i in range(lanes):
        state[U(i)] ^= load_8(data, at + 8 * i)
    at += lanes * 8
    rest = left & 7
    last = U(1) << U(8 * rest)
    for i in range(rest):
        last |= U(data[U(at + i)]) << U(8 * i)
    state[U(lanes)] ^= last
    state[U(16)] ^= U(1 << 63)
    permute(state)
    return swap_bytes(state[U(3)]), swap_bytes(state[U(2)]), swap_bytes(state[U(1)]), swap_bytes(state[U(0)])


@kernel()
def keccak_lanes(lanes):
    """Hash of 64 bytes, given as eight little-endian words; as `keccak_word`."""
    state = stack_buffer(25)
    for i in range(8):
        state[U(i)] = lanes[i]
    for i in range(8, 25):
        state[U(i)] = U(0)
    state[U(8)] = U(1)
    state[U(16)] = U(1 << 63)
    permute(state)
    return swap_bytes(state[U(3)]), swap_bytes(state[U(2)]), swap_bytes(state[U(1)]), swap_bytes(state[U(0)])


@kernel()
def keccak_pair(left, right):
    """Hash of two words, one behind the other: what finds a mapping's slot."""
    return keccak_lanes(
        (
            swap_bytes(left[3]),
            swap_bytes(left[2]),
            swap_bytes(left[1]),
            swap_bytes(left[0]),
            swap_bytes(right[3]),
            swap_bytes(right[2]),
            swap_bytes(right[1]),
            swap_bytes(right[0]),
        )
    )


_WORD = Struct(">4Q").pack


def keccak256(data: bytes) -> bytes:
    """Hash of `data`, 32 bytes."""
    low, second, third, high = keccak_word(np.frombuffer(data, dtype=np.uint8), 0, len(data))
    return _WORD(high, third, second, low)
