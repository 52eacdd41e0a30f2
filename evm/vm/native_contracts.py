"""Native contracts: precompiled contracts as functions of machine code, which wait for no interpreter of Python.

Each takes the address of a machine whose current frame is the contract's, and leaves gas, output and outcome there, as
`evm.vm.precompiles` says. It touches that machine and its own stack only. What it returns is zero, or `IN_PYTHON` where
it leaves the input, untouched, to the contract's other implementation.
"""

from __future__ import annotations

from contend.evm import errors
from contend.evm.crypto import secp256k1
from contend.evm.crypto.alt_bn128 import field, pairing, points
from contend.evm.crypto.alt_bn128.field import SPACE_WORDS
from contend.evm.crypto.blake2 import compress
from contend.evm.crypto.modular_power import MOST_LIMBS, power_into
from contend.evm.crypto.ripemd160 import ripemd160_into
from contend.evm.crypto.sha256 import sha256_into
from contend.evm.layout import PRECOMPILE_SPAN, RULES
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import Native, kernel, macro, native
from contend.evm.runtime.memory_views import (
    load_8,
    stack_buffer,
    swap_bytes,
    view_u8,
)
from contend.evm.u256 import fits_u64, get_at
from contend.evm.vm.call import frame_at
from contend.evm.vm.transaction import open_machine

IN_PYTHON = 1
FAILED = -1
# Behind the functions by number, the table of `evm.vm.precompiles` has what these functions call of a library.
TABLE_WORDS = PRECOMPILE_SPAN + secp256k1.LIBRARY_WORDS
# Lengths of numbers of a modular exponentiation beyond which it is left to Python; and gas that nobody has.
_MOST_BYTES, _ENDLESS_GAS = 8 * MOST_LIMBS, 1 << 62
_MOST_EXPONENT = 1 << 14


@kernel(inline=True)
def _pays(machine, gas):
    """Take a contract's gas. False, with the outcome set, where there is not as much."""
    frame = frame_at(machine, machine.depth)
    machine.precompile_gas = I(0)
    if gas > frame.gas:
        frame.gas = I(0)
        machine.precompile_result = I(1 + errors.OUT_OF_GAS)
        return False
    machine.precompile_gas = gas
    return True


@kernel(inline=True)
def _ends(machine, size):
    """Leave the outcome: `size` bytes of output, or `FAILED`, which takes all gas. Zero, for the contract to return."""
    frame = frame_at(machine, machine.depth)
    if size == FAILED:
        frame.gas = I(0)
        machine.precompile_result = I(1 + errors.PRECOMPILE_FAILED)
        return I(0)
    frame.gas -= machine.precompile_gas
    machine.output_size = size
    machine.precompile_result = I(1 + errors.NONE)
    return I(0)


@macro
def _output(machine):
    return view_u8(machine.output, machine.output_bytes)


@native("int64(int64)")
def recover(address):
    """Address that signed a hash with secp256k1 (Yellow Paper, appendix E), by libsecp256k1."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    if not _pays(machine, I(3000)):
        return I(0)
    m = stack_buffer(64)
    data = view_u8(frame.calldata, frame.calldata_size)
    for i in range(4):
        field.put_number(m, 4 * i, data, frame.calldata_size, 32 * i)
    parity = m[4] - U(27)
    if not (fits_u64(get_at(m, 4)) and parity <= U(1)):
        return _ends(machine, I(0))
    for i in range(8):
        m[secp256k1.R + i] = m[8 + i]
    if not secp256k1.recover_into(machine.compute + 8 * PRECOMPILE_SPAN, m, I(parity)):
        return _ends(machine, I(0))
    output = _output(machine)
    field.take_number(output, 0, m, 0)
    for i in range(12):
        output[i] = 0
    return _ends(machine, I(32))


@kernel(inline=True)
def _words_of(size):
    return (size + 31) >> 5


@native("int64(int64)")
def sha256(address):
    """SHA-256."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    if not _pays(machine, 60 + 12 * _words_of(frame.calldata_size)):
        return I(0)
    sha256_into(view_u8(frame.calldata, frame.calldata_size), frame.calldata_size, _output(machine))
    return _ends(machine, I(32))


@native("int64(int64)")
def ripemd160(address):
    """RIPEMD-160, padded to a word."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    if not _pays(machine, 600 + 120 * _words_of(frame.calldata_size)):
        return I(0)
    output = _output(machine)
    ripemd160_into(view_u8(frame.calldata, frame.calldata_size), frame.calldata_size, output)
    for i in range(19, -1, -1):
        output[12 + i] = output[i]
    for i in range(12):
        output[i] = 0
    return _ends(machine, I(32))


@kernel()
def _price(rules, base_size, exponent_size, modulus_size, head_bits):
    """Gas of a modular exponentiation of numbers that are not too long (EIP-2565; EIP-7883 doubles and floors it)."""
    longest = max(base_size, modulus_size)
    words = (longest + 7) >> 3
    beyond, highest = max(exponent_size - 32, I(0)), max(head_bits - 1, I(0))
    if rules.modexp == U(7883):
        complexity = I(16) if longest <= 32 else 2 * words * words
        return max(I(500), complexity * max(16 * beyond + highest, I(1)))
    return max(I(200), words * words * max(8 * beyond + highest, I(1)) // 3)


@native("int64(int64)")
def modexp(address):
    """Modular exponentiation (EIP-198) of numbers of at most 1,024 bytes, the bound of EIP-7823."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    m = stack_buffer(16)
    size = frame.calldata_size
    data = view_u8(frame.calldata, size)
    for i in range(3):
        field.put_number(m, 4 * i, data, size, 32 * i)
        if not fits_u64(get_at(m, 4 * i)):
            return I(IN_PYTHON)
    if m[0] > U(_MOST_BYTES) or m[4] > U(_MOST_EXPONENT) or m[8] > U(_MOST_BYTES):
        return I(IN_PYTHON)
    base_size, exponent_size, modulus_size = I(m[0]), I(m[4]), I(m[8])
    rules = RULES.at(machine.rules)
    if rules.modexp == U(7883) and exponent_size > _MOST_BYTES:
        return I(IN_PYTHON)
    head_bits, seen = I(0), U0
    for i in range(min(exponent_size, I(32))):
        place = 96 + base_size + i
        byte = U(data[place]) if place < size else U0
        for bit in range(7, -1, -1):
            seen |= (byte >> U(bit)) & U(1)
            head_bits += I(seen)
    if not _pays(machine, _price(rules, base_size, exponent_size, modulus_size, head_bits)):
        return I(0)
    if modulus_size > 0:
        power_into(data, size, I(96), base_size, exponent_size, modulus_size, _output(machine))
    return _ends(machine, modulus_size)


@kernel(inline=True)
def _read_point(m, to, data, size, at):
    """Read a point of alt_bn128's first group: whether there is one (EIP-196). A z of zero, or one."""
    field.put_number(m, to, data, size, at)
    field.put_number(m, to + 4, data, size, at + 32)
    field.clear(m, to + 8, 4)
    if not (field.is_element(m, to) and field.is_element(m, to + 4)):
        return False
    if field.all_zero(m, to, 8):
        return True
    field.to_montgomery(m, to)
    field.to_montgomery(m, to + 4)
    field.set_one(m, to + 8, 4)
    return points.on_curve(m, points.FIRST, to)


@kernel(inline=True)
def _write_point(machine, m, a):
    """Write a point as the output of a contract."""
    points.make_affine(m, points.FIRST, a)
    field.from_montgomery(m, a)
    field.from_montgomery(m, a + 4)
    output = _output(machine)
    field.take_number(output, 0, m, a)
    field.take_number(output, 32, m, a + 4)
    return _ends(machine, I(64))


@native("int64(int64)")
def bn128_add(address):
    """Sum of two points of alt_bn128 (EIP-196)."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    if not _pays(machine, I(150)):
        return I(0)
    m, a, b = stack_buffer(SPACE_WORDS), I(field.OWN_SPACE), I(field.OWN_SPACE + 12)
    data = view_u8(frame.calldata, frame.calldata_size)
    if not _read_point(m, a, data, frame.calldata_size, I(0)):
        return _ends(machine, I(FAILED))
    if not _read_point(m, b, data, frame.calldata_size, I(64)):
        return _ends(machine, I(FAILED))
    points.add(m, points.FIRST, a, a, b)
    return _write_point(machine, m, a)


@native("int64(int64)")
def bn128_multiply(address):
    """Multiple of a point of alt_bn128 (EIP-196)."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    if not _pays(machine, I(6000)):
        return I(0)
    m, a, b = stack_buffer(SPACE_WORDS), I(field.OWN_SPACE), I(field.OWN_SPACE + 12)
    data = view_u8(frame.calldata, frame.calldata_size)
    if not _read_point(m, a, data, frame.calldata_size, I(0)):
        return _ends(machine, I(FAILED))
    field.put_number(m, b + 12, data, frame.calldata_size, I(64))
    points.multiple(m, points.FIRST, b, a, b + 12)
    return _write_point(machine, m, b)


@kernel(inline=True)
def _read_twist_point(m, to, data, size, at):
    """Read a point of the second group, imaginary parts first: whether there is one, of the subgroup (EIP-197)."""
    right = True
    for i in range(4):
        place = to + 4 * (i ^ 1)
        field.put_number(m, place, data, size, at + 32 * i)
        right = right and field.is_element(m, place)
    field.clear(m, to + 16, 8)
    if not right:
        return False
    if field.all_zero(m, to, 16):
        return True
    for i in range(4):
        field.to_montgomery(m, to + 4 * i)
    field.set_one(m, to + 16, 8)
    return points.on_curve(m, points.SECOND, to) and points.in_subgroup(m, to, to + 24, to + 48)


@native("int64(int64)")
def bn128_pairing(address):
    """Whether a product of pairings is one (EIP-197)."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    size = frame.calldata_size
    if not _pays(machine, 45_000 + 34_000 * (size // 192)):
        return I(0)
    if size % 192 != 0:
        return _ends(machine, I(FAILED))
    m, p, q, f = (stack_buffer(SPACE_WORDS), I(field.OWN_SPACE), I(field.OWN_SPACE + 12),
                  I(field.OWN_SPACE + 72))  # fmt: skip
    data = view_u8(frame.calldata, size)
    field.set_one(m, f, 48)
    for at in range(0, size, 192):
        if not _read_point(m, p, data, size, at) or not _read_twist_point(m, q, data, size, at + 64):
            return _ends(machine, I(FAILED))
        if not field.all_zero(m, p + 8, 4) and not field.all_zero(m, q + 16, 8):
            pairing.multiply_by_miller(m, f, p, q)
    holds = pairing.is_one_after_exponentiation(m, f)
    output = _output(machine)
    for i in range(31):
        output[i] = 0
    output[31] = 1 if holds else 0
    return _ends(machine, I(32))


@native("int64(int64)")
def blake2_compress(address):
    """One compression of BLAKE2b with a free number of rounds (EIP-152)."""
    machine = open_machine(address)
    frame = frame_at(machine, machine.depth)
    right = frame.calldata_size == 213
    data = view_u8(frame.calldata, frame.calldata_size)
    rounds = I(swap_bytes(load_8(data, 0)) >> U(32)) if right else I(0)
    if not _pays(machine, rounds):
        return I(0)
    if not right or data[212] > 1:
        return _ends(machine, I(FAILED))
    state, message, scratch = stack_buffer(8), stack_buffer(16), stack_buffer(16)
    for i in range(8):
        state[i] = load_8(data, 4 + 8 * i)
    for i in range(16):
        message[i] = load_8(data, 68 + 8 * i)
    compress(rounds, state, message, load_8(data, 196), load_8(data, 204), data[212] == 1, scratch)
    output = _output(machine)
    for i in range(8):
        for k in range(8):
            output[8 * i + k] = (state[i] >> U(8 * k)) & U(255)
    return _ends(machine, I(64))


NATIVES: dict[int, Native] = {
    1: recover,
    2: sha256,
    3: ripemd160,
    5: modexp,
    6: bn128_add,
    7: bn128_multiply,
    8: bn128_pairing,
    9: blake2_compress,
}
