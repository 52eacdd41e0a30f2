"""SHA-256 (FIPS 180-4) in a kernel, for the precompiled contract: no library offers a stable address for it."""

from __future__ import annotations

import math

import numpy as np

from contend.evm.crypto.hash_blocks import block_count, put_words, take_block
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import stack_buffer

_LOW = U(0xFFFFFFFF)


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root(number: int) -> int:
    """Largest integer whose cube is no more."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


# First bits of the fractional parts of the square and cube roots of the first primes.
_BEGIN = np.array([math.isqrt(prime << 64) & 0xFFFFFFFF for prime in _primes(8)], np.uint64)
_ROUNDS = np.array([_cube_root(prime << 96) & 0xFFFFFFFF for prime in _primes(64)], np.uint64)


@kernel(inline=True)
def _rotate(x, n):
    return ((x >> U(n)) | (x << U(32 - n))) & _LOW


@kernel()
def sha256_into(data, size, output):
    """Hash `size` bytes into 32 of `output`, which may not overlap them."""
    h, w = stack_buffer(8), stack_buffer(64)
    for i in range(8):
        h[i] = _BEGIN[i]
    for block in range(block_count(size)):
        take_block(w, data, size, block, True)
        for i in range(16, 64):
            s0 = _rotate(w[i - 15], 7) ^ _rotate(w[i - 15], 18) ^ (w[i - 15] >> U(3))
            s1 = _rotate(w[i - 2], 17) ^ _rotate(w[i - 2], 19) ^ (w[i - 2] >> U(10))
            w[i] = (w[i - 16] + s0 + w[i - 7] + s1) & _LOW
        a, b, c, d, e, f, g, last = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
        for i in range(64):
            s1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
            t1 = last + s1 + ((e & f) ^ (~e & _LOW & g)) + _ROUNDS[i] + w[i]
            s0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
            t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
            last, g, f, e = g, f, e, (d + t1) & _LOW
            d, c, b, a = c, b, a, (t1 + t2) & _LOW
        h[0] = (h[0] + a) & _LOW
        h[1] = (h[1] + b) & _LOW
        h[2] = (h[2] + c) & _LOW
        h[3] = (h[3] + d) & _LOW
        h[4] = (h[4] + e) & _LOW
        h[5] = (h[5] + f) & _LOW
        h[6] = (h[6] + g) & _LOW
        h[7] = (h[7] + last) & _LOW
    put_words(output, h, 8, True)
