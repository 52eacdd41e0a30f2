"""Control flow: entering a basic block, jumps, STOP, RETURN and REVERT."""

from __future__ import annotations

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.code import decoder
from contend.evm.layout import BASIC_BLOCK, CODE, STACK_LIMIT
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u32, view_u64
from contend.evm.u256 import fits_u64, is_zero
from contend.evm.vm.call import reach, set_output
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    REVERTED,
    STOPPED,
    charge,
    drop,
    grow_memory,
    immediate,
    operand,
)

NEED_SHIFT, GROWTH_SHIFT = U(decoder.NEED_SHIFT), U(decoder.GROWTH_SHIFT)
WORD_SHIFT = 5  # of 32 bytes
GAS_MASK, STACK_MASK = U(decoder.GAS_MASK), U(decoder.STACK_MASK)
PLACE_MASK, PLACE_BITS = U(decoder.PLACE_MASK), U(decoder.PLACE_BITS)


@kernel(inline=True)
def _enter_block(registers, number):
    """Enter straight-line code: charge its constant gas, count its constant work, see that the stack will do."""
    block = BASIC_BLOCK.item(registers.basic_blocks, number + 1, number)
    requirement = block.requirement
    registers.work_ps += block.work_ps
    if not charge(registers, I(requirement & GAS_MASK)):
        return OUT_OF_GAS
    height = (registers.stack_top - registers.stack_base) >> WORD_SHIFT
    if height < I((requirement >> NEED_SHIFT) & STACK_MASK):
        return errors.STACK_UNDERFLOW
    if height + I(requirement >> GROWTH_SHIFT) > STACK_LIMIT:
        return errors.STACK_OVERFLOW
    return CONTINUE


@kernel(inline=True)
def _jump_to_resolved(registers):
    """Jump to where the decoder has found that a constant leads, or nowhere. The basic block there is entered here.

    That saves a dispatch for each jump, and the next instruction does not wait for what stands at the target.
    """
    resolved = immediate(registers)
    registers.pc = I(resolved & PLACE_MASK) - 1
    if registers.pc < 0:
        return errors.INVALID_JUMP
    entry = registers.pc - 1 - I(resolved >> PLACE_BITS)
    return _enter_block(registers, decoder.block_of(view_u64(registers.stream, entry + 1)[U(entry)]))


@kernel(inline=True)
def _jump_to_computed(registers, target):
    """Jump to a place in the code, if it is a JUMPDEST, and enter the basic block there."""
    code = CODE.at(registers.code)
    if not fits_u64(target) or target[0] >= U(code.size):
        return errors.INVALID_JUMP
    place = I(view_u32(code.targets, code.size)[target[0]])
    if place == decoder.NO_TARGET:
        return errors.INVALID_JUMP
    entry = view_u64(registers.stream, place)[U(place - 1)]
    registers.pc = place + decoder.skip_of(entry)
    return _enter_block(registers, decoder.block_of(entry))


@instruction(op.BASIC_BLOCK)
def basic_block(machine, frame, registers):
    """Enter straight-line code by running into it."""
    return _enter_block(registers, I(immediate(registers)))


@instruction(op.JUMPDEST_RUN)
def jumpdest_run(machine, frame, registers):
    """Run into JUMPDESTs that stand behind each other: enter what follows them."""
    registers.pc += decoder.skip_of(registers.instruction)
    return _enter_block(registers, decoder.block_of(registers.instruction))


@instruction(op.JUMP_STATIC)
def jump_static(machine, frame, registers):
    """JUMP to a constant."""
    return _jump_to_resolved(registers)


@instruction(op.JUMPI_STATIC)
def jumpi_static(machine, frame, registers):
    """JUMPI to a constant."""
    condition = operand(registers, 0)
    drop(registers, 1)
    if is_zero(condition):
        return CONTINUE
    return _jump_to_resolved(registers)


@instruction(op.JUMP)
def jump(machine, frame, registers):
    """JUMP to a computed place in the code."""
    target = operand(registers, 0)
    drop(registers, 1)
    return _jump_to_computed(registers, target)


@instruction(op.JUMPI)
def jumpi(machine, frame, registers):
    """JUMPI to a computed place in the code."""
    target, condition = operand(registers, 0), operand(registers, 1)
    drop(registers, 2)
    if is_zero(condition):
        return CONTINUE
    return _jump_to_computed(registers, target)


@instruction(op.STOP)
def stop(machine, frame, registers):
    """End the frame, without output."""
    machine.output_size = I(0)
    return STOPPED


@instruction(op.RETURN, op.REVERT)
def return_or_revert(machine, frame, registers):
    """End the frame with a piece of its memory as the output; REVERT takes back what it did (EIP-140)."""
    offset, size = operand(registers, 0), operand(registers, 1)

    end = reach(offset, size)
    grown = grow_memory(machine, registers, end)
    if grown != CONTINUE:
        return grown

    start = registers.memory + (I(offset[0]) if end > 0 else I(0))
    if not set_output(machine, start, I(size[0])):
        return errors.OUTPUT_CAPACITY
    if registers.instruction == U(op.RETURN):
        return STOPPED
    return REVERTED
