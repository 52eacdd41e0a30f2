"""Falcon-512: verification of signatures, by kernels (Fouque et al., "Falcon", specification 1.2, 3.7 and 3.11).

A key is a polynomial h of 512 coefficients modulo q = 12289; a signature is a nonce and a short polynomial s2. With c
the point that nonce and message are hashed to, s1 = c - s2 h modulo x^512 + 1 is short, too, if the key signed: the
squared norm of both is at most `BOUND`. The product is by the number-theoretic transform (NTT) with roots of x^512 + 1
folded in, whose result is in bit-reversed order, and whose inverse takes it so (Longa and Naehrig, "Speeding up the
number theoretic transform for faster ideal lattice-based cryptography", CANS 2016).

Keys are kept transformed where they are known beforehand. Coefficients are words, so that loops can be vectorised:
products of two are below 2^28, and `_reduced` divides by q with a multiplication and a shift.
"""

from __future__ import annotations

import numpy as np

from contend.evm.crypto.keccak import permute
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import stack_buffer

DEGREE = 512
MODULUS = 12289
BOUND = 34034726  # of the squared norm
KEY_BYTES, KEY_HEADER = 897, 0x09
NONCE_BYTES, SIGNATURE_HEADER = 40, 0x39
SHAKE_RATE = 136
# A hashed word of 16 bits is taken where it is below the largest multiple of q.
_LEAST_REFUSED = 5 * MODULUS
_MOST = 2047  # absolute value of a coefficient of s2
_GENERATOR = 11  # of the multiplicative group
_SHIFT = 43
_MULTIPLIER = U((1 << _SHIFT) // MODULUS)
_Q, _SHIFTED = U(MODULUS), U(_SHIFT)


def _powers(root: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Powers of a root of unity in bit-reversed order."""
    order = [int(f"{place:09b}"[::-1], 2) for place in range(DEGREE)]
    return np.array([pow(root, place, MODULUS) for place in order], np.uint64)


_ROOT = pow(_GENERATOR, (MODULUS - 1) // (2 * DEGREE), MODULUS)
ROOTS = _powers(_ROOT)
INVERSE_ROOTS = _powers(pow(_ROOT, -1, MODULUS))
_INVERSE_DEGREE = U(pow(DEGREE, -1, MODULUS))


@kernel(inline=True)
def _reduced(a):
    """A number below 2^28 modulo q (Barrett)."""
    rest = a - ((a * _MULTIPLIER) >> _SHIFTED) * _Q
    return rest - _Q if rest >= _Q else rest


@kernel(inline=True)
def _plus(a, b):
    total = a + b
    return total - _Q if total >= _Q else total


@kernel(inline=True)
def _minus(a, b):
    return a - b if a >= b else a + _Q - b


@kernel()
def transform(a):
    """Transform 512 coefficients in place."""
    span, groups = I(DEGREE), I(1)
    while groups < DEGREE:
        span >>= 1
        for group in range(groups):
            root, first = ROOTS[U(groups + group)], 2 * group * span
            for i in range(first, first + span):
                low, high = a[U(i)], _reduced(a[U(i + span)] * root)
                a[U(i)] = _plus(low, high)
                a[U(i + span)] = _minus(low, high)
        groups <<= 1


@kernel()
def transform_back(a):
    """Undo `transform`."""
    span, groups = I(1), I(DEGREE >> 1)
    while groups > 0:
        for group in range(groups):
            root, first = INVERSE_ROOTS[U(groups + group)], 2 * group * span
            for i in range(first, first + span):
                low, high = a[U(i)], a[U(i + span)]
                a[U(i)] = _plus(low, high)
                a[U(i + span)] = _reduced(_minus(low, high) * root)
        span <<= 1
        groups >>= 1
    for i in range(DEGREE):
        a[U(i)] = _reduced(a[U(i)] * _INVERSE_DEGREE)


@kernel()
def read_key(data, at, size, key):
    """Read a key from its bytes, and transform it; False where they are none."""
    if size != KEY_BYTES or data[at] != KEY_HEADER:
        return False
    held, bits, place, right = U0, I(0), at + 1, True
    for i in range(DEGREE):
        while bits < 14:
            held = (held << U(8)) | U(data[place])
            bits += 8
            place += 1
        bits -= 14
        value = (held >> U(bits)) & U(0x3FFF)
        right &= value < _Q
        key[U(i)] = value
    if right:
        transform(key)
    return right


@kernel()
def _read_short(data, at, until, short):
    """Decode s2 and give its squared norm, or -1: sign, seven low bits, and the rest in unary; zeros to the end."""
    norm, place, held, bits = I(0), at, U0, I(0)
    for i in range(DEGREE):
        if bits < 8:
            if place >= until:
                return I(-1)
            held = (held << U(8)) | U(data[place])
            place += 1
            bits += 8
        bits -= 8
        first = (held >> U(bits)) & U(0xFF)
        value = I(first & U(0x7F))
        while True:
            if bits == 0:
                if place >= until:
                    return I(-1)
                held = U(data[place])
                place += 1
                bits = 8
            bits -= 1
            if (held >> U(bits)) & U1 != U0:
                break
            value += 128
            if value > _MOST:
                return I(-1)
        is_negative = first >= U(0x80)
        # Zero has one encoding.
        if is_negative and value == 0:
            return I(-1)
        norm += value * value
        short[U(i)] = U(MODULUS - value) if is_negative else U(value)
    if held & ((U1 << U(bits)) - U1) != U0:
        return I(-1)
    for i in range(place, until):
        if data[i] != 0:
            return I(-1)
    return norm


@kernel(inline=True)
def _absorb(state, filled, byte):
    """Take a byte into the sponge; how many are in its block then."""
    state[U(filled >> 3)] ^= U(byte) << U(8 * (filled & 7))
    filled += 1
    if filled == SHAKE_RATE:
        permute(state)
        return I(0)
    return filled


@kernel()
def _hash_to_point(nonce, nonce_at, data, at, size, point):
    """Hash nonce and message to a polynomial by SHAKE-256, two bytes a try."""
    state = stack_buffer(25)
    for i in range(25):
        state[U(i)] = U0
    filled = I(0)
    for i in range(NONCE_BYTES):
        filled = _absorb(state, filled, nonce[nonce_at + i])
    for i in range(size):
        filled = _absorb(state, filled, data[at + i])
    state[U(filled >> 3)] ^= U(0x1F) << U(8 * (filled & 7))
    state[U(16)] ^= U1 << U(63)
    found, squeezed = I(0), I(SHAKE_RATE)
    while found < DEGREE:
        if squeezed == SHAKE_RATE:
            permute(state)
            squeezed = I(0)
        pair = state[U(squeezed >> 3)] >> U(8 * (squeezed & 7))
        value = ((pair & U(0xFF)) << U(8)) | ((pair >> U(8)) & U(0xFF))
        squeezed += 2
        if value < U(_LEAST_REFUSED):
            point[U(found)] = _reduced(value)
            found += 1


@kernel()
def verify(signatures, signature_at, signature_size, messages, message_at, message_size, key):
    """Whether a signature of a message is the key's.

    Parameters
    ----------
    signatures, messages : array of uint8
        With where the signature and the message begin, and their sizes.
    key : array of 512 uint64
        As `read_key` leaves it.
    """
    if signature_size <= 1 + NONCE_BYTES or signatures[signature_at] != SIGNATURE_HEADER:
        return False
    short, point = stack_buffer(512), stack_buffer(512)
    until = signature_at + signature_size
    norm = _read_short(signatures, signature_at + 1 + NONCE_BYTES, until, short)
    if norm < 0:
        return False
    _hash_to_point(signatures, signature_at + 1, messages, message_at, message_size, point)
    transform(short)
    for i in range(DEGREE):
        short[U(i)] = _reduced(short[U(i)] * key[U(i)])
    transform_back(short)
    for i in range(DEGREE):
        value = I(_minus(point[U(i)], short[U(i)]))
        value = value - MODULUS if value > MODULUS // 2 else value
        norm += value * value
    return norm <= BOUND
