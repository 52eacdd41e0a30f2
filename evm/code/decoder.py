"""Decoder: bytecode, decoded once into the stream that the interpreter runs, by a fork's opcode table.

Each instruction becomes one uint64: its number in the low byte, an immediate above it. Straight-line code between
jumps is a *basic block*; the sum of its constant gas and its stack needs are checked once, at its start, as evmone's
advanced interpreter does. Charging early cannot be observed: an instruction at which the exact gas left is seen or
handed on (GAS, SSTORE, calls) ends its basic block, and a frame that cannot pay for its basic block loses all its gas
either way. Push data is read once, here; a jump to a constant target is resolved here; unreachable code is dropped. An
instruction that the fork lacks becomes INVALID, here, so that the interpreter's loop asks for no fork.

A run of JUMPDESTs is entered once, wherever a jump comes in: each has a basic block of its own, as a target of jumps,
but its requirements are those of the rest of the run and of the code behind it, to which it skips. A jump to a constant
knows where the code begins that it goes on at, so that the next instruction does not wait for the one at the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm import opcodes as op
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import DEFAULT, Fork, rules_address
from contend.evm.layout import CODE, INSTRUCTION, RULES
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import clear_bytes, move_bytes, view_u8, view_u32, view_u64

IMMEDIATE_SHIFT = 8
OPERATION_MASK = (1 << IMMEDIATE_SHIFT) - 1
SMALL_PUSH = 7  # bytes of push data that fit the immediate
NO_TARGET = 0

# A basic block's requirements packed in one uint64: gas below, then stack words needed, then stack words of growth.
NEED_SHIFT = 40
GROWTH_SHIFT = 52
GAS_MASK = (1 << NEED_SHIFT) - 1
STACK_MASK = (1 << (GROWTH_SHIFT - NEED_SHIFT)) - 1
STACK_FIELD_LIMIT = 2047
# The immediate of a JUMPDEST in a run: the number of its basic block below, then how many instructions to skip.
SKIP_SHIFT = 32
BLOCK_MASK = (1 << SKIP_SHIFT) - 1
LONGEST_RUN = (1 << (64 - IMMEDIATE_SHIFT - SKIP_SHIFT)) - 1
# The immediate of a jump to a constant: one more than the place in the stream to go on at, then how many instructions
# it skips to get there. Code so large that the place might not fit has no such jumps.
PLACE_BITS = 28
PLACE_MASK = (1 << PLACE_BITS) - 1
LARGEST_RESOLVED = 1 << (PLACE_BITS - 2)


@kernel()
def _pack(gas, need, growth):
    return (
        U(gas)
        | (U(min(need, STACK_FIELD_LIMIT)) << U(NEED_SHIFT))
        | (U(min(growth, STACK_FIELD_LIMIT)) << U(GROWTH_SHIFT))
    )


@kernel()
def _close_block(stream, blocks, entry, run, gas, need, growth):
    """Write the requirements of a basic block, and of `run` JUMPDESTs before it that skip to its code.

    `entry` is the position in the stream of the instruction that enters the block; those of the run are before it.
    """
    last = I(stream[entry] >> U(IMMEDIATE_SHIFT))
    blocks[2 * last] = _pack(gas, need, growth)
    for i in range(1, run + 1):
        # A JUMPDEST takes one gas (Yellow Paper, appendix G).
        blocks[2 * (last - i)] = _pack(gas + i, need, growth)
        immediate = U(last - i) | (U(i) << U(SKIP_SHIFT))
        stream[entry - i] = U(op.JUMPDEST_RUN) | (immediate << U(IMMEDIATE_SHIFT))


@kernel(inline=True)
def block_of(instruction):
    """Number of the basic block that an instruction of the stream enters."""
    return I((instruction >> U(IMMEDIATE_SHIFT)) & U(BLOCK_MASK))


@kernel(inline=True)
def skip_of(instruction):
    """How many instructions behind it one that enters a basic block skips: of a run, those to its last JUMPDEST."""
    return I(instruction >> U(IMMEDIATE_SHIFT + SKIP_SHIFT))


@kernel(inline=True)
def _resolve(stream, entry):
    """Immediate of a jump to the instruction at `entry`, which enters a basic block."""
    skipped = skip_of(stream[entry])
    return U(entry + 2 + skipped) | (U(skipped) << U(PLACE_BITS))


@kernel()
def _decode(rules, code, stream, blocks, constants, targets, sources):
    """Fill the arrays by the opcode table of `rules`; return (instructions, basic blocks, constants) used.

    `targets` maps a byte position to one more than the stream position of its JUMPDEST; `sources` is scratch space
    that remembers the byte position a static jump asks for.
    """
    size = code.size
    at, out, block_count, constant_count = 0, 0, 0, 0
    gas, need, height, growth = 0, 0, 0, 0
    open_block, reachable = False, True
    entry, run = 0, 0
    while at < size:
        number = int(code[at])
        width = number - op.PUSH1 + 1 if op.PUSH1 <= number <= op.PUSH32 else 0
        if number == op.JUMPDEST:
            reachable = True
        if not reachable:
            at += 1 + width
            continue
        if number == op.JUMPDEST or not open_block:
            if open_block and out == entry + 1 and run < LONGEST_RUN:
                run += 1
            else:
                if open_block:
                    _close_block(stream, blocks, entry, run, gas, need, growth)
                run = 0
            if number == op.JUMPDEST:
                targets[at] = out + 1
            stream[out] = U(op.BASIC_BLOCK) | (U(block_count) << U(IMMEDIATE_SHIFT))
            entry = out
            out += 1
            block_count += 1
            gas, need, height, growth, open_block = 0, 0, 0, 0, True
        instruction = INSTRUCTION.item(rules.instructions, 256, number)
        if instruction.is_defined == 0:
            number = op.INVALID
            instruction = INSTRUCTION.item(rules.instructions, 256, number)
        gas += instruction.gas
        need = max(need, instruction.stack_in - height)
        height += instruction.stack_out - instruction.stack_in
        growth = max(growth, height)
        if op.PUSH0 <= number <= op.PUSH32:
            value = U(0)
            for i in range(width):
                byte = code[at + 1 + i] if at + 1 + i < size else np.uint8(0)
                value = (value << U(8)) | U(byte)
            if width <= SMALL_PUSH:
                stream[out] = U(op.PUSH_SMALL) | (value << U(IMMEDIATE_SHIFT))
                sources[out] = value
            else:
                for i in range(width):
                    byte = code[at + 1 + i] if at + 1 + i < size else np.uint8(0)
                    place = width - 1 - i
                    constants[4 * constant_count + (place >> 3)] |= U(byte) << U(8 * (place & 7))
                stream[out] = U(op.PUSH_LARGE) | (U(constant_count) << U(IMMEDIATE_SHIFT))
                constant_count += 1
            out += 1
        elif number == op.PC:
            stream[out] = U(op.PUSH_SMALL) | (U(at) << U(IMMEDIATE_SHIFT))
            sources[out] = U(at)
            out += 1
        elif op.DUP1 <= number <= op.DUP16:
            stream[out] = U(op.DUP) | (U(number - op.DUP1 + 1) << U(IMMEDIATE_SHIFT))
            out += 1
        elif op.SWAP1 <= number <= op.SWAP16:
            stream[out] = U(op.SWAP) | (U(number - op.SWAP1 + 1) << U(IMMEDIATE_SHIFT))
            out += 1
        elif op.LOG0 <= number <= op.LOG4:
            stream[out] = U(op.LOG) | (U(number - op.LOG0) << U(IMMEDIATE_SHIFT))
            out += 1
        elif (
            (number == op.JUMP or number == op.JUMPI)
            and stream[out - 1] & U(0xFF) == U(op.PUSH_SMALL)
            and size <= LARGEST_RESOLVED
        ):
            out -= 1
            stream[out] = U(op.JUMP_STATIC if number == op.JUMP else op.JUMPI_STATIC)
            out += 1
        elif number != op.JUMPDEST:
            stream[out] = U(number)
            out += 1
        if instruction.never_returns == 1 or instruction.ends_basic_block == 1:
            _close_block(stream, blocks, entry, run, gas, need, growth)
            open_block = False
            reachable = instruction.never_returns == 0
        at += 1 + width
    if open_block:
        _close_block(stream, blocks, entry, run, gas, need, growth)
    stream[out] = U(op.STOP)
    out += 1
    for i in range(out):
        number = int(stream[i] & U(0xFF))
        if number == op.JUMP_STATIC or number == op.JUMPI_STATIC:
            goal = sources[i]
            place = I(targets[int(goal)]) if goal < U(size) else I(NO_TARGET)
            if place != NO_TARGET:
                stream[i] |= _resolve(stream, place - 1) << U(IMMEDIATE_SHIFT)
    return out, block_count, constant_count


@kernel()
def decoded_room(size):
    """Bytes that `decode_into` may need for code of this size, whatever it is."""
    words = I(CODE.words) + 4 * size + 4 + 2 * (size + 1) + 4 * (size // 9 + 2)
    return 8 * words + 4 * (size + 2)


@kernel()
def decode_into(rules, source, size, target):
    """Decode the code at an address; the bytes used, all pieces lying in one piece behind the descriptor.

    Parameters
    ----------
    rules : RULES
        Of the fork that the code is to run under.
    source, size : int
        Address of the code, which must stay where it is, and its size in bytes.
    target : int
        Address of `decoded_room(size)` bytes. Addresses in the descriptor are as if nothing were moved afterwards.
    """
    descriptor = CODE.at(target)
    room, constant_words = 2 * size + 2, 4 * (size // 9 + 2)
    stream_at = target + I(CODE.words) * 8
    blocks_at = stream_at + room * 8
    constants_at = blocks_at + (size + 1) * 16
    sources_at = constants_at + constant_words * 8
    targets_at = sources_at + room * 8
    everything = view_u8(target, targets_at + (size + 2) * 4 - target)
    clear_bytes(everything, blocks_at - target, constants_at + constant_words * 8 - blocks_at)
    clear_bytes(everything, targets_at - target, (size + 2) * 4)
    used, block_count, constant_count = _decode(
        rules,
        view_u8(source, size),
        view_u64(stream_at, room),
        view_u64(blocks_at, 2 * (size + 1)),
        view_u64(constants_at, constant_words),
        view_u32(targets_at, size + 1),
        view_u64(sources_at, room),
    )
    descriptor.bytes = source
    descriptor.size = size
    descriptor.stream = stream_at
    descriptor.stream_size = used
    descriptor.instruction_set = rules.instruction_set
    end = stream_at + used * 8
    move_bytes(everything, end - target, everything, blocks_at - target, block_count * 16)
    descriptor.basic_blocks = end
    descriptor.basic_blocks_size = block_count
    end += block_count * 16
    move_bytes(everything, end - target, everything, constants_at - target, constant_count * 32)
    descriptor.constants = end
    descriptor.constants_size = constant_count
    end += constant_count * 32
    target_bytes = (size * 4 + 7) & ~7
    move_bytes(everything, end - target, everything, targets_at - target, target_bytes)
    descriptor.targets = end
    return end + target_bytes - target


@dataclass(frozen=True)
class DecodedCode:
    """One contract's code, decoded.

    Attributes
    ----------
    code : ndarray of uint8
        The bytes themselves, for CODECOPY and its kin.
    hash : bytes
        keccak-256 of the bytes.
    stream : ndarray of uint64
        Instructions. Ends in STOP, as running off the end of code does.
    basic_blocks : ndarray of uint64
        Two words for each basic block: its requirements, packed, and its work in picoseconds (`evm.code.cost_model`), 0
        at first.
    constants : ndarray of uint64
        Four limbs for each push of more than seven bytes.
    targets : ndarray of uint32, one for each byte
        One more than the stream position of a JUMPDEST; zero where there is none.
    """

    code: npt.NDArray[np.uint8]
    hash: bytes
    stream: npt.NDArray[np.uint64]
    basic_blocks: npt.NDArray[np.uint64]
    constants: npt.NDArray[np.uint64]
    targets: npt.NDArray[np.uint32]


def decode(code: bytes, fork: Fork = DEFAULT) -> DecodedCode:
    """Decode bytecode.

    Parameters
    ----------
    code : bytes
        Any bytes at all: what is not an instruction becomes INVALID.
    fork : Fork
        Whose instructions there are.
    """
    array = np.frombuffer(code, dtype=np.uint8).copy()
    room = 2 * len(code) + 2
    stream, blocks = np.zeros(room, np.uint64), np.zeros(2 * (len(code) + 1), np.uint64)
    constants = np.zeros(4 * (len(code) // 9 + 2), np.uint64)
    targets, sources = np.zeros(len(code) + 1, np.uint32), np.zeros(room, np.uint64)
    used, block_count, constant_count = _decode(
        RULES.ref(rules_address(fork)), array, stream, blocks, constants, targets, sources
    )
    return DecodedCode(
        array,
        keccak256(code),
        stream[:used].copy(),
        blocks[: 2 * max(block_count, 1)].copy(),
        constants[: 4 * max(constant_count, 1)].copy(),
        targets,
    )
