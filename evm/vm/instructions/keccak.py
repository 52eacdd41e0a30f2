"""Hashing: KECCAK256."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.crypto.keccak import keccak_word
from contend.evm.runtime.integers import U0, I
from contend.evm.vm.call import reach
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_KECCAK256_WORD
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    charge,
    grow_memory,
    memory_of,
    operand,
    take_two,
    words_in,
)


@instruction(op.KECCAK256)
def keccak256(machine, frame, registers):
    """Hash of a piece of memory."""
    offset, size = operand(registers, 0), operand(registers, 1)

    grown = grow_memory(machine, registers, reach(offset, size))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_KECCAK256_WORD * words_in(I(size[0]))):
        return OUT_OF_GAS

    add_work(machine, cost_model.HASH_BLOCK, I(size[0]) // cost_model.HASH_BLOCK_BYTES + 1)
    start = I(offset[0]) if size[0] != U0 else I(0)
    take_two(registers, keccak_word(memory_of(registers), start, I(size[0])))
    return CONTINUE
