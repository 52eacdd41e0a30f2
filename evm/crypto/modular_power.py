"""Modular exponentiation of long numbers in a kernel: binary, from the exponent's highest bit (Knuth, volume 2, 4.6.3).

Each step multiplies by the schoolbook and divides by algorithm D (`evm.u256.divide_long`), which takes any modulus;
Montgomery's way saves a third and takes odd ones only. Numbers have at most `MOST_LIMBS` limbs, the bound of EIP-7823.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import address_of_view, multiply_add_wide, stack_buffer, view_u64
from contend.evm.u256 import divide_long

MOST_LIMBS = 128
# Room for a modulus, a base, a result, a divisor; a product with a limb more; a quotient.
_ROOM = 4 * MOST_LIMBS + 2 * (2 * MOST_LIMBS + 2)


@kernel()
def _number(m, to, limbs, data, size, at, length):
    """Read a big-endian number of `length` bytes from `at` into limbs; beyond the data there are zeros."""
    for i in range(limbs):
        m[to + i] = U0
    for k in range(min(length, max(size - at, I(0)))):
        place = length - 1 - k
        m[to + (place >> 3)] |= U(data[at + k]) << U(8 * (place & 7))


@kernel()
def _reduce(m, modulus, divisor, product, quotient, limbs, length):
    """Remainder of a product of `length` limbs, in its lowest ones."""
    for i in range(limbs):
        m[divisor + i] = m[modulus + i]
    m[product + length] = U0
    own = address_of_view(m)
    numerator = view_u64(own + 8 * product, length + 1)
    divide_long(numerator, length, view_u64(own + 8 * divisor, limbs), limbs, view_u64(own + 8 * quotient, length))


@kernel()
def _multiply(m, to, a, b, limbs):
    for i in range(2 * limbs):
        m[to + i] = U0
    for i in range(limbs):
        carry = U0
        for j in range(limbs):
            m[to + i + j], carry = multiply_add_wide(m[a + i], m[b + j], m[to + i + j], carry)
        m[to + i + limbs] = carry


@kernel()
def power_into(data, size, at, base_size, exponent_size, modulus_size, output):
    """Write the power of three numbers that follow each other from `at` into `modulus_size` bytes.

    Base and modulus have at most `MOST_LIMBS` limbs. With a modulus of zero the result is zero.
    """
    m = stack_buffer(_ROOM)
    limbs = max((max(base_size, modulus_size) + 7) >> 3, 1)
    modulus, base, result, divisor = I(0), limbs, 2 * limbs, 3 * limbs
    product, quotient = 4 * limbs, 6 * limbs + 1
    _number(m, modulus, limbs, data, size, at + base_size + exponent_size, modulus_size)
    some = U0
    for i in range(limbs):
        some |= m[modulus + i]
    for i in range(modulus_size):
        output[i] = 0
    if some == U0:
        return
    _number(m, product, limbs, data, size, at, base_size)
    _reduce(m, modulus, divisor, product, quotient, limbs, limbs)
    for i in range(limbs):
        m[base + i] = m[product + i]
        m[product + i] = U0
    m[product] = U(1)
    _reduce(m, modulus, divisor, product, quotient, limbs, limbs)
    for i in range(limbs):
        m[result + i] = m[product + i]
    began = False
    for k in range(exponent_size):
        place = at + base_size + k
        byte = U(data[place]) if place < size else U0
        for bit in range(7, -1, -1):
            is_set = (byte >> U(bit)) & U(1) != U0
            if began:
                _multiply(m, product, result, result, limbs)
                _reduce(m, modulus, divisor, product, quotient, limbs, 2 * limbs)
                for i in range(limbs):
                    m[result + i] = m[product + i]
            if is_set:
                began = True
                _multiply(m, product, result, base, limbs)
                _reduce(m, modulus, divisor, product, quotient, limbs, 2 * limbs)
                for i in range(limbs):
                    m[result + i] = m[product + i]
    for k in range(modulus_size):
        place = modulus_size - 1 - k
        output[k] = (m[result + (place >> 3)] >> U(8 * (place & 7))) & U(255)
