"""Arithmetic: ADD to SIGNEXTEND (Yellow Paper, appendix H.2, 0x01 to 0x0b)."""

from __future__ import annotations

from contend.evm import division, u256
from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_EXPONENT_BYTE
from contend.evm.vm.instructions.operands import CONTINUE, OUT_OF_GAS, charge, drop, operand, replace, take_two


@instruction(op.ADD)
def add(machine, frame, registers):
    """Sum of the two words on top."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.add(left, right))
    return CONTINUE


@instruction(op.MUL)
def mul(machine, frame, registers):
    """Product of the two words on top."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.multiply(left, right))
    return CONTINUE


@instruction(op.SUB)
def sub(machine, frame, registers):
    """The top word less the one below."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.subtract(left, right))
    return CONTINUE


@instruction(op.DIV)
def div(machine, frame, registers):
    """Quotient of the two words on top; zero for a divisor of zero."""
    quotient, _ = division.divide_remainder(operand(registers, 0), operand(registers, 1))
    take_two(registers, quotient)
    return CONTINUE


@instruction(op.SDIV)
def sdiv(machine, frame, registers):
    """As `div`, for signed numbers."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, division.divide_signed(left, right))
    return CONTINUE


@instruction(op.MOD)
def mod(machine, frame, registers):
    """Remainder of the two words on top; zero for a divisor of zero."""
    _, remainder = division.divide_remainder(operand(registers, 0), operand(registers, 1))
    take_two(registers, remainder)
    return CONTINUE


@instruction(op.SMOD)
def smod(machine, frame, registers):
    """As `mod`, for signed numbers."""
    left, right = operand(registers, 0), operand(registers, 1)
    take_two(registers, division.remainder_signed(left, right))
    return CONTINUE


@instruction(op.ADDMOD)
def addmod(machine, frame, registers):
    """Sum of two words, modulo the third."""
    left, right, modulus = operand(registers, 0), operand(registers, 1), operand(registers, 2)
    drop(registers, 2)
    replace(registers, 0, division.add_modulo(left, right, modulus))
    return CONTINUE


@instruction(op.MULMOD)
def mulmod(machine, frame, registers):
    """Product of two words, modulo the third."""
    left, right, modulus = operand(registers, 0), operand(registers, 1), operand(registers, 2)
    drop(registers, 2)
    replace(registers, 0, division.multiply_modulo(left, right, modulus))
    return CONTINUE


@instruction(op.EXP)
def exp(machine, frame, registers):
    """Power of the top word, charged by the bytes of the exponent (EIP-160)."""
    base, exponent = operand(registers, 0), operand(registers, 1)

    size = (u256.bit_length(exponent) + 7) >> 3
    if not charge(registers, GAS_EXPONENT_BYTE * size):
        return OUT_OF_GAS

    add_work(machine, cost_model.EXPONENT_BYTE, size)
    take_two(registers, u256.power(base, exponent))
    return CONTINUE


@instruction(op.SIGNEXTEND)
def signextend(machine, frame, registers):
    """Extend the sign of a number of so many bytes, less one."""
    size, value = operand(registers, 0), operand(registers, 1)
    take_two(registers, u256.sign_extend(size, value))
    return CONTINUE
