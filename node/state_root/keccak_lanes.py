"""Keccak in lanes: several messages hashed at once, one in each lane of vector registers.

Keccak-f[1600] is 25 words and nothing but XOR, AND, NOT and rotations by constants: the same instructions serve as many
messages as a register has words (the Keccak implementation overview, version 3.2, section 4.3). So the permutation is
written once over LLVM's vectors, word i of all messages in one of them, and LLVM chooses the machine's instructions:
where there is AVX-512 a rotation is one of them, and so is any function of three words. The 25 vectors have to stay in
registers. Hence eight lanes where there are 32 registers of 512 bits, four of 256 bits with AVX2, and two elsewhere,
which every machine has; what numba compiles for decides, so that what is kept of it (`evm.runtime.kernel_cache`) is of
the same kind.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from contend.evm.crypto.keccak import RATE, ROUND_CONSTANTS
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import keep_apart
from contend.evm.runtime.processor import features

RATE_WORDS = RATE // 8
STATE_WORDS = 25
HASH_WORDS = 4

# Rotation of the word in column x and row y, at ``x + 5 * y``.
ROTATIONS = (0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14)


def lanes_for(there: Collection[str]) -> int:
    """Lanes that suit a processor.

    Parameters
    ----------
    there : collection of str
        Its features, as LLVM names them.
    """
    if "avx512f" in there:
        return 8
    return 4 if "avx2" in there else 2


LANES = lanes_for(features())


def _round(builder: Any, words: list[Any], rotate: Any, constant: Any) -> list[Any]:
    """One round on 25 vectors, in the order theta, rho and pi, chi, iota of the reference (section 1.2)."""
    columns = []
    for x in range(5):
        parity = words[x]
        for y in range(1, 5):
            parity = builder.xor(parity, words[x + 5 * y])
        columns.append(parity)
    turned = [builder.xor(columns[(x + 4) % 5], rotate(columns[(x + 1) % 5], 1)) for x in range(5)]
    moved: list[Any] = [None] * STATE_WORDS
    for x in range(5):
        for y in range(5):
            mixed = builder.xor(words[x + 5 * y], turned[x])
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(mixed, ROTATIONS[x + 5 * y])
    result = []
    for y in range(5):
        row = moved[5 * y : 5 * y + 5]
        result += [
            builder.xor(row[x], builder.and_(builder.not_(row[(x + 1) % 5]), row[(x + 2) % 5])) for x in range(5)
        ]
    result[0] = builder.xor(result[0], constant)
    return result


def lane_hasher(lanes: int) -> Any:
    """Make the intrinsic ``hash_messages(messages, stride, blocks, hashes)`` for so many lanes.

    Parameters
    ----------
    lanes : int
        A power of two. What the processor's registers cannot hold LLVM splits over several.
    """

    @intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
    def hash_messages(typing_context: Any, messages: Any, stride: Any, blocks: Any, hashes: Any) -> Any:
        word, bit32 = ir.IntType(64), ir.IntType(32)
        vector = ir.VectorType(word, lanes)

        def constant(number: int) -> Any:
            return ir.Constant(vector, [ir.Constant(word, number)] * lanes)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first, stride, blocks, hashes = arguments
            kind = ir.FunctionType(vector, [vector] * 3)
            funnel = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fshl.v{lanes}i64")

            def rotate(words: Any, count: int) -> Any:
                return builder.call(funnel, [words, words, constant(count)]) if count else words

            def gathered(at: Any) -> Any:
                """A word of each message, the first one's at an address."""
                found = ir.Constant(vector, ir.Undefined)
                for lane in range(lanes):
                    pointer = builder.inttoptr(at, word.as_pointer())
                    found = builder.insert_element(found, builder.load(pointer, align=1), ir.Constant(bit32, lane))
                    at = builder.add(at, stride)
                return found

            entry = builder.block
            loop, end = builder.append_basic_block("absorb"), builder.append_basic_block("absorbed")
            builder.branch(loop)
            builder.position_at_end(loop)
            left, at = builder.phi(word), builder.phi(word)
            left.add_incoming(blocks, entry)
            at.add_incoming(first, entry)
            states = [builder.phi(vector) for _ in range(STATE_WORDS)]
            for state in states:
                state.add_incoming(constant(0), entry)
            words = list(states)
            for i in range(RATE_WORDS):
                words[i] = builder.xor(words[i], gathered(builder.add(at, ir.Constant(word, 8 * i))))
            for number in ROUND_CONSTANTS:
                words = _round(builder, words, rotate, constant(int(number)))
            for state, after in zip(states, words, strict=True):
                state.add_incoming(after, builder.block)
            fewer = builder.sub(left, ir.Constant(word, 1))
            left.add_incoming(fewer, builder.block)
            at.add_incoming(builder.add(at, ir.Constant(word, 8 * RATE_WORDS)), builder.block)
            builder.cbranch(builder.icmp_signed(">", fewer, ir.Constant(word, 0)), loop, end)
            builder.position_at_end(end)
            for lane in range(lanes):
                for i in range(HASH_WORDS):
                    place = builder.add(hashes, ir.Constant(word, 8 * (lane * HASH_WORDS + i)))
                    value = builder.extract_element(words[i], ir.Constant(bit32, lane))
                    builder.store(value, builder.inttoptr(place, word.as_pointer()))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64, types.int64), generate

    return hash_messages


_hash_messages = lane_hasher(LANES)


@kernel()
def hash_lanes(messages, stride, blocks, hashes):
    """Hash `LANES` messages of equally many blocks, padded, each `stride` bytes behind the one before.

    The hashes are written at `hashes`, 32 bytes each, one behind the other.
    """
    keep_apart()
    _hash_messages(messages, stride, blocks, hashes)
