"""Comparison and bitwise logic: LT to CLZ (Yellow Paper, appendix H.2, 0x10 to 0x1d; shifts by EIP-145; EIP-7939)."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm import u256
from contend.evm.runtime.integers import U
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.instructions.operands import CONTINUE, operand, replace, take_two


@instruction(op.LT)
def lt(machine, frame, registers):
    """Whether the top word is less than the one below."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.from_bool(u256.less(left, right)))
    return CONTINUE


@instruction(op.GT)
def gt(machine, frame, registers):
    """Whether the top word is greater than the one below."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.from_bool(u256.less(right, left)))
    return CONTINUE


@instruction(op.SLT)
def slt(machine, frame, registers):
    """As `lt`, for signed numbers."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.from_bool(u256.less_signed(left, right)))
    return CONTINUE


@instruction(op.SGT)
def sgt(machine, frame, registers):
    """As `gt`, for signed numbers."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.from_bool(u256.less_signed(right, left)))
    return CONTINUE


@instruction(op.EQ)
def eq(machine, frame, registers):
    """Whether the two words on top are equal."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.from_bool(u256.equal(left, right)))
    return CONTINUE


@instruction(op.ISZERO)
def iszero(machine, frame, registers):
    """Whether the top word is zero."""
    replace(registers, 0, u256.from_bool(u256.is_zero(operand(registers, 0))))
    return CONTINUE


@instruction(op.AND)
def bitwise_and(machine, frame, registers):
    """Bits that both words on top have."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.bit_and(left, right))
    return CONTINUE


@instruction(op.OR)
def bitwise_or(machine, frame, registers):
    """Bits that any of the two words on top has."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.bit_or(left, right))
    return CONTINUE


@instruction(op.XOR)
def bitwise_xor(machine, frame, registers):
    """Bits that one of the two words on top has."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.bit_xor(left, right))
    return CONTINUE


@instruction(op.NOT)
def bitwise_not(machine, frame, registers):
    """Bits that the top word lacks."""
    replace(registers, 0, u256.bit_not(operand(registers, 0)))
    return CONTINUE


@instruction(op.BYTE)
def get_byte(machine, frame, registers):
    """One byte of a word, the most significant being number 0."""
    index, value = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.byte_at(index, value))
    return CONTINUE


@instruction(op.SHL)
def shl(machine, frame, registers):
    """Shift to the left."""
    shift, value = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.shift_left(shift, value))
    return CONTINUE


@instruction(op.SHR)
def shr(machine, frame, registers):
    """Shift to the right."""
    shift, value = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.shift_right(shift, value))
    return CONTINUE


@instruction(op.SAR)
def sar(machine, frame, registers):
    """Shift to the right, the sign filling up."""
    shift, value = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.shift_right_signed(shift, value))
    return CONTINUE


@instruction(op.CLZ)
def clz(machine, frame, registers):
    """How many zero bits a word begins with (EIP-7939)."""
    replace(registers, 0, u256.from_u64(U(256 - u256.bit_length(operand(registers, 0)))))
    return CONTINUE
