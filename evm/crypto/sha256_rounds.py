"""SHA-256's compression function (FIPS 180-4, sections 4.1.2 and 6.2.2), over LLVM's words of 32 bits.

x86 processors since 2017 have instructions for it: two rounds each, and the message schedule four words at a time
(Gulley and others, "Intel SHA extensions", 2013). They hold the eight words of the state in two registers, a, b, e, f
and c, d, g, h, the first word on top: two rounds on the second with the first make the new first, and the old first is
the new second. Elsewhere the rounds are written out, with the rotations that every processor has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from contend.evm.runtime.processor import features

STATE_WORDS, BLOCK_WORDS, ROUNDS = 8, 16, 64
BLOCK_BYTES = 64
_WORD, _ADDRESS = ir.IntType(32), ir.IntType(64)
_FOUR = ir.VectorType(_WORD, 4)


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
INITIAL = [math.isqrt(prime << 64) & 0xFFFFFFFF for prime in _primes(STATE_WORDS)]
ROUND_CONSTANTS = [_cube_root(prime << 96) & 0xFFFFFFFF for prime in _primes(ROUNDS)]


def _constant(number: int) -> Any:
    return ir.Constant(_WORD, number)


def _pointer(builder: Any, address: Any, offset: int, kind: Any) -> Any:
    return builder.inttoptr(builder.add(address, ir.Constant(_ADDRESS, offset)), kind.as_pointer())


def _called(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _rotated(builder: Any, word: Any, *counts: int) -> Any:
    """Exclusive or of a word rotated to the right by each of the counts."""
    result = None
    for count in counts:
        turned = _called(builder, "llvm.fshr.i32", _WORD, [word, word, _constant(count)])
        result = turned if result is None else builder.xor(result, turned)
    return result


def _rounds_in_words(builder: Any, state: list[Any], message: Any) -> list[Any]:
    """The state after a block, by the operations that every processor has."""
    words = []
    for i in range(BLOCK_WORDS):
        loaded = builder.load(_pointer(builder, message, 4 * i, _WORD), align=1)
        words.append(builder.bswap(loaded))
    for i in range(BLOCK_WORDS, ROUNDS):
        low, high = words[i - 15], words[i - 2]
        small = builder.xor(_rotated(builder, low, 7, 18), builder.lshr(low, _constant(3)))
        large = builder.xor(_rotated(builder, high, 17, 19), builder.lshr(high, _constant(10)))
        words.append(builder.add(builder.add(words[i - 16], small), builder.add(words[i - 7], large)))
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, ROUND_CONSTANTS, strict=True):
        chosen = builder.xor(g, builder.and_(e, builder.xor(f, g)))
        one = builder.add(builder.add(h, builder.add(word, _constant(constant))), chosen)
        one = builder.add(one, _rotated(builder, e, 6, 11, 25))
        major = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
        two = builder.add(_rotated(builder, a, 2, 13, 22), major)
        a, b, c, d, e, f, g, h = builder.add(one, two), a, b, c, builder.add(d, one), e, f, g
    return [builder.add(old, new) for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def _four(builder: Any, words: list[Any]) -> Any:
    vector = ir.Constant(_FOUR, ir.Undefined)
    for place, word in enumerate(words):
        vector = builder.insert_element(vector, word, _constant(place))
    return vector


def _picked(builder: Any, first: Any, second: Any, *places: int) -> Any:
    """Words of two vectors of four, by their places in both together."""
    mask = ir.Constant(_FOUR, [_constant(place) for place in places])
    return builder.shuffle_vector(first, second, mask)


def _rounds_in_instructions(builder: Any, state: list[Any], message: Any) -> list[Any]:
    """The state after a block, by the processor's instructions for SHA-256."""
    a, b, c, d, e, f, g, h = state
    upper, lower = _four(builder, [f, e, b, a]), _four(builder, [h, g, d, c])
    fours: list[Any] = []
    for i in range(ROUNDS // 4):
        if i < BLOCK_WORDS // 4:
            loaded = builder.load(_pointer(builder, message, 16 * i, _FOUR), align=1)
            four = _called(builder, "llvm.bswap.v4i32", _FOUR, [loaded])
        else:
            four = _called(builder, "llvm.x86.sha256msg1", _FOUR, [fours[i - 4], fours[i - 3]])
            four = builder.add(four, _picked(builder, fours[i - 2], fours[i - 1], 1, 2, 3, 4))
            four = _called(builder, "llvm.x86.sha256msg2", _FOUR, [four, fours[i - 1]])
        fours.append(four)
        constants = ir.Constant(_FOUR, [_constant(number) for number in ROUND_CONSTANTS[4 * i : 4 * i + 4]])
        added = builder.add(four, constants)
        for both in (added, _picked(builder, added, added, 2, 3, 2, 3)):
            after = _called(builder, "llvm.x86.sha256rnds2", _FOUR, [lower, upper, both])
            upper, lower = after, upper
    f, e, b, a = (builder.extract_element(upper, _constant(place)) for place in range(4))
    h, g, d, c = (builder.extract_element(lower, _constant(place)) for place in range(4))
    return [builder.add(old, new) for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def compressor(rounds: Callable[[Any, list[Any], Any], list[Any]], clean: bool = False) -> Any:
    """Make the intrinsic ``compress(state, message, blocks)`` of a way to do the rounds.

    It takes the address of eight words of 32 bits, which it replaces, that of the message, and how many blocks of 64
    bytes it has, at least one.
    """

    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def compress(typing_context: Any, state: Any, message: Any, blocks: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            state, message, blocks = arguments
            places = [_pointer(builder, state, 4 * i, _WORD) for i in range(STATE_WORDS)]
            before = [builder.load(place, align=4) for place in places]
            if clean:
                # Instructions of SSE are slow while the upper halves of AVX's registers hold anything.
                _called(builder, "llvm.x86.avx.vzeroupper", ir.VoidType(), [])
            entry = builder.block
            loop, end = builder.append_basic_block("compress"), builder.append_basic_block("compressed")
            builder.branch(loop)
            builder.position_at_end(loop)
            left, at = builder.phi(_ADDRESS), builder.phi(_ADDRESS)
            left.add_incoming(blocks, entry)
            at.add_incoming(message, entry)
            words = [builder.phi(_WORD) for _ in range(STATE_WORDS)]
            for word, loaded in zip(words, before, strict=True):
                word.add_incoming(loaded, entry)
            after = rounds(builder, words, at)
            for word, new in zip(words, after, strict=True):
                word.add_incoming(new, builder.block)
            fewer = builder.sub(left, ir.Constant(_ADDRESS, 1))
            left.add_incoming(fewer, builder.block)
            at.add_incoming(builder.add(at, ir.Constant(_ADDRESS, BLOCK_BYTES)), builder.block)
            builder.cbranch(builder.icmp_signed(">", fewer, ir.Constant(_ADDRESS, 0)), loop, end)
            builder.position_at_end(end)
            for place, new in zip(places, after, strict=True):
                builder.store(new, place, align=4)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return compress


compress_in_words = compressor(_rounds_in_words)
HAS_INSTRUCTIONS = "sha" in features()
compress = compressor(_rounds_in_instructions, "avx" in features()) if HAS_INSTRUCTIONS else compress_in_words
