"""Stack: PUSH, DUP, SWAP and POP, as the decoder left them (`evm.code.decoder`)."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm.layout import CODE, WORD
from contend.evm.runtime.integers import U0, I
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.instructions.operands import CONTINUE, drop, immediate, operand, push, replace


@instruction(op.PUSH_SMALL)
def push_small(machine, frame, registers):
    """PUSH0 to PUSH7, and PC: the word lies in the instruction."""
    push(registers, (immediate(registers), U0, U0, U0))
    return CONTINUE


@instruction(op.PUSH_LARGE)
def push_large(machine, frame, registers):
    """PUSH8 to PUSH32: the word lies among the code's constants."""
    code = CODE.at(registers.code)
    push(registers, WORD.item(code.constants, code.constants_size, I(immediate(registers))).value)
    return CONTINUE


@instruction(op.DUP)
def dup(machine, frame, registers):
    """DUP1 to DUP16: copy a word to the top."""
    push(registers, operand(registers, I(immediate(registers)) - 1))
    return CONTINUE


@instruction(op.SWAP)
def swap(machine, frame, registers):
    """SWAP1 to SWAP16: exchange the top word with one below."""
    below = I(immediate(registers))
    top, other = operand(registers, 0), operand(registers, below)
    replace(registers, below, top)
    replace(registers, 0, other)
    return CONTINUE


@instruction(op.POP)
def pop(machine, frame, registers):
    """Drop the top word."""
    drop(registers, 1)
    return CONTINUE
