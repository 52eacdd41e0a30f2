"""Precompiled contracts: which there are, what they cost, and how the interpreter gets at them.

The interpreter gives a precompiled contract a frame like any other. When it is to run that frame it returns `COMPUTE`
with everything in the machine, as it returns `NEED` for a location. `evm.interpreter.resume` then calls, by address,
the function that this module makes for native code, which leaves output, gas and outcome in the machine; and the
interpreter goes on. Copying (identity) is done in place.

That function is Python, since the cryptography is (`evm.cryptography`). Native code calls it from threads that do not
hold the GIL: the entry that `ctypes` makes takes the GIL for the call and gives it back, from whatever thread. It
touches nothing but the machine that it is given, which belongs to the calling worker alone, and what it computes
depends on the input alone; so it may be called from many threads, and in each process of the sharded strategy, and
gives the same everywhere. Workers that compute Python cryptography at once take turns, though: a block that is
dominated by it scales worse here than in a client whose cryptography is compiled.

Prices: EIP-2046's successors in force at Shanghai and Cancun, that is the Yellow Paper's appendix E, EIP-1108
(alt_bn128), EIP-2565 (modexp), EIP-152 (blake2f) and EIP-4844 (point evaluation).
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import uint64 as U

from evm import costs, errors, layout
from evm.costs import add_work
from evm.errors import CapacityError
from evm.frames import frames_of, set_output
from evm.jit import kernel
from evm.words import U0

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
NOT_COMPUTED = -1
IDENTITY = 4
# Longest numbers of a modular exponentiation. Longer ones cost 9 * 10**7 gas for every bit of the exponent, and longer
# exponents 7 * 10**8 with the shortest numbers: no block pays for either, but a test can have gas without end.
MODEXP_BYTES = 1 << 17
MODEXP_EXPONENT_BYTES = 1 << 28
# Bits of an exponent times squared words of a modulus, computed in one piece: some tenths of a second.
MODEXP_WORK = 1 << 24
IDENTITY_GAS, IDENTITY_WORD_GAS = 15, 3


@kernel()
def run_precompile(machine):
    """Run the current frame, which is a precompiled contract's; the error, or `NOT_COMPUTED`."""
    frames = frames_of(machine)
    f = I(machine[U(layout.M_DEPTH)]) * layout.F_WORDS
    if frames[U(f + layout.F_POSITION)] == U(IDENTITY):
        size, gas = I(frames[U(f + layout.F_CALLDATA_SIZE)]), I(frames[U(f + layout.F_GAS)])
        cost = IDENTITY_GAS + IDENTITY_WORD_GAS * ((size + 31) >> 5)
        if cost > gas:
            frames[U(f + layout.F_GAS)] = U0
            return errors.OUT_OF_GAS
        frames[U(f + layout.F_GAS)] = U(gas - cost)
        machine[U(layout.M_GAS_DONE)] += U(cost)
        add_work(machine, costs.COPY_WORD, (size + 31) >> 5)
        return errors.NONE if set_output(machine, I(frames[U(f + layout.F_CALLDATA)]), size) else errors.OUTPUT_CAPACITY
    answer = I(machine[U(layout.M_ANSWER)])
    machine[U(layout.M_ANSWER)] = U0
    if answer == 0:
        return NOT_COMPUTED
    add_work(machine, costs.PRECOMPILE_GAS, I(machine[U(layout.M_PRICE)]))
    machine[U(layout.M_GAS_DONE)] += machine[U(layout.M_PRICE)]
    return answer - 1


class Precompile(NamedTuple):
    """A precompiled contract.

    Attributes
    ----------
    price : callable
        Gas for an input.
    run : callable
        Output for an input; None where the contract fails, which costs all the gas that it was given.
    """

    price: Callable[[bytes], int]
    run: Callable[[bytes], bytes | None]


def _by_word(base: int, word: int) -> Callable[[bytes], int]:
    return lambda data: base + word * ((len(data) + 31) // 32)


def _fixed(price: int) -> Callable[[bytes], int]:
    return lambda data: price


def number_at(data: bytes, at: int, size: int = 32) -> int:
    """Big-endian integer of `size` bytes from `at`; what lies beyond the data is zero."""
    part = data[at : at + size]
    return int.from_bytes(part, "big") << (8 * (size - len(part))) if part else 0


def modexp_price(data: bytes) -> int:
    """Gas of a modular exponentiation: the words of its numbers squared, times the bits of the exponent (EIP-2565)."""
    base_size, exponent_size, modulus_size = (number_at(data, at) for at in (0, 32, 64))
    complexity = ((max(base_size, modulus_size) + 7) // 8) ** 2
    if complexity == 0:
        return 200
    head = number_at(data, 96 + base_size, min(exponent_size, 32))
    iterations = max(8 * max(exponent_size - 32, 0) + max(head.bit_length() - 1, 0), 1)
    return max(200, complexity * iterations // 3)


def _modexp(data: bytes) -> bytes:
    base_size, exponent_size, modulus_size = (number_at(data, at) for at in (0, 32, 64))
    if modulus_size == 0:
        return b""
    if max(base_size, modulus_size) > MODEXP_BYTES or exponent_size > MODEXP_EXPONENT_BYTES:
        raise CapacityError("the numbers of a modular exponentiation are too long to be computed with")
    base = number_at(data, 96, base_size)
    exponent = number_at(data, 96 + base_size, exponent_size)
    modulus = number_at(data, 96 + base_size + exponent_size, modulus_size)
    return (power(base, exponent, modulus) if modulus else 0).to_bytes(modulus_size, "big")


def power(base: int, exponent: int, modulus: int) -> int:
    """As `pow`, which keeps the GIL until it is done: where that takes long, in pieces, so that others are heard."""
    bits, words = exponent.bit_length(), modulus.bit_length() // 64 + 1
    piece = max(MODEXP_WORK // words**2, 1)
    result = 1 % modulus
    for at in range((bits - 1) // piece * piece if bits else 0, -1, -piece):
        result = pow(result, 1 << piece, modulus) if at + piece < bits else result
        result = result * pow(base, (exponent >> at) & ((1 << piece) - 1), modulus) % modulus
    return result


def _blake2_price(data: bytes) -> int:
    return number_at(data, 0, 4) if len(data) == 213 else 0


def _lazily(name: str) -> Callable[[bytes], bytes | None]:
    """Import the cryptography when it is first used: a block without it does not wait for it."""

    def run(data: bytes) -> bytes | None:
        from evm import cryptography

        found: bytes | None = getattr(cryptography, name)(data)
        return found

    return run


PRECOMPILES: dict[int, Precompile] = {
    1: Precompile(_fixed(3000), _lazily("recover")),
    2: Precompile(_by_word(60, 12), lambda data: hashlib.sha256(data).digest()),
    3: Precompile(_by_word(600, 120), _lazily("ripemd160")),
    4: Precompile(_by_word(IDENTITY_GAS, IDENTITY_WORD_GAS), lambda data: data),
    5: Precompile(modexp_price, _modexp),
    6: Precompile(_fixed(150), _lazily("bn128_add")),
    7: Precompile(_fixed(6000), _lazily("bn128_multiply")),
    8: Precompile(lambda data: 45_000 + 34_000 * (len(data) // 192), _lazily("bn128_pairing")),
    9: Precompile(_blake2_price, _lazily("blake2_compress")),
    10: Precompile(_fixed(50_000), _lazily("verify_kzg_proof")),
}

_failures: list[BaseException] = []


def raise_failure() -> None:
    """Raise what went wrong in computing a precompiled contract, if anything did: a defect, or Ctrl-C, never a result.

    To be called wherever a block has ended in a fault. What several workers met is one failure, and is forgotten.
    """
    failure = _failures[0] if _failures else None
    _failures.clear()
    if failure is not None:
        raise failure from None


def _compute(address: int) -> int:
    header = (ctypes.c_uint64 * layout.M_WORDS).from_address(address)
    try:
        header[layout.M_PRICE] = 0
        header[layout.M_ANSWER] = 1 + _answer(header)
    except CapacityError:
        header[layout.M_ANSWER] = 1 + errors.OUTPUT_CAPACITY
    # Nothing may pass through the native code that calls this, Ctrl-C included.
    except BaseException as error:
        _failures.append(error)
        header[layout.M_ANSWER] = 1 + errors.PRECOMPILE_FAULT
    return 0


def _answer(header: ctypes.Array[ctypes.c_uint64]) -> int:
    """Price and run the contract of the machine's current frame; the error."""
    frame_at = header[layout.M_FRAMES] + header[layout.M_DEPTH] * layout.F_WORDS * 8
    frame = (ctypes.c_uint64 * layout.F_WORDS).from_address(frame_at)
    contract = PRECOMPILES[frame[layout.F_POSITION]]
    data = ctypes.string_at(frame[layout.F_CALLDATA], frame[layout.F_CALLDATA_SIZE])
    gas, price = frame[layout.F_GAS], contract.price(data)
    frame[layout.F_GAS] = 0
    if price > gas:
        return errors.OUT_OF_GAS
    output = contract.run(data)
    header[layout.M_PRICE] = price
    if output is None:
        return errors.PRECOMPILE_FAILED
    if len(output) > header[layout.M_OUTPUT_BYTES]:
        return errors.OUTPUT_CAPACITY
    ctypes.memmove(header[layout.M_OUTPUT], output, len(output))
    header[layout.M_OUTPUT_SIZE] = len(output)
    frame[layout.F_GAS] = gas - price
    return errors.NONE


_entry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_compute)


def address() -> int:
    """Address of ``int64 compute(int64 machine)``, valid for the life of the process."""
    found = ctypes.cast(_entry, ctypes.c_void_p).value
    assert found is not None
    return found
