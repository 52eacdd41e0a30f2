"""Memory: MLOAD, MSTORE, MSTORE8, MSIZE and MCOPY (EIP-5656)."""

from __future__ import annotations

import numpy as np

from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.memory_views import move_bytes
from contend.evm.u256 import fits_u64, from_u64, is_zero
from contend.evm.vm.call import reach
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_COPY_WORD
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    charge,
    drop,
    grow_memory,
    load_word,
    memory_of,
    operand,
    push,
    replace,
    store_word,
    words_in,
)

FARTHEST = U(1 << 40)  # more memory than any gas pays for


@instruction(op.MLOAD)
def mload(machine, frame, registers):
    """Load a word of memory."""
    offset = operand(registers, 0)

    if not fits_u64(offset) or offset[0] > FARTHEST:
        return OUT_OF_GAS
    grown = grow_memory(machine, registers, I(offset[0]) + 32)
    if grown != CONTINUE:
        return grown

    replace(registers, 0, load_word(memory_of(registers), I(offset[0])))
    return CONTINUE


@instruction(op.MSTORE)
def mstore(machine, frame, registers):
    """Store a word in memory."""
    offset = operand(registers, 0)

    if not fits_u64(offset) or offset[0] > FARTHEST:
        return OUT_OF_GAS
    grown = grow_memory(machine, registers, I(offset[0]) + 32)
    if grown != CONTINUE:
        return grown

    # Loaded here, beside the store, both become vector instructions.
    store_word(memory_of(registers), I(offset[0]), operand(registers, 1))
    drop(registers, 2)
    return CONTINUE


@instruction(op.MSTORE8)
def mstore8(machine, frame, registers):
    """Store the lowest byte of a word in memory."""
    offset, value = operand(registers, 0), operand(registers, 1)

    if not fits_u64(offset) or offset[0] > FARTHEST:
        return OUT_OF_GAS
    grown = grow_memory(machine, registers, I(offset[0]) + 1)
    if grown != CONTINUE:
        return grown

    memory_of(registers)[offset[0]] = np.uint8(value[0] & U(0xFF))
    drop(registers, 2)
    return CONTINUE


@instruction(op.MSIZE)
def msize(machine, frame, registers):
    """Size of the memory in bytes."""
    push(registers, from_u64(U(registers.memory_size)))
    return CONTINUE


@instruction(op.MCOPY)
def mcopy(machine, frame, registers):
    """Copy within memory; the ranges may overlap."""
    target, source, size = operand(registers, 0), operand(registers, 1), operand(registers, 2)

    grown = grow_memory(machine, registers, max(reach(target, size), reach(source, size)))
    if grown != CONTINUE:
        return grown
    drop(registers, 3)
    if is_zero(size):
        return CONTINUE
    if not charge(registers, GAS_COPY_WORD * words_in(I(size[0]))):
        return OUT_OF_GAS

    add_work(machine, cost_model.COPY_WORD, words_in(I(size[0])))
    memory = memory_of(registers)
    move_bytes(memory, I(target[0]), memory, I(source[0]), I(size[0]))
    return CONTINUE
