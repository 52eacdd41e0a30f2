"""Recompute: a redo log's entries anew, where inputs have changed.

Entries are in the order of execution, so each one's operands stand before it. What depends on no changed input is not
looked at, and an operation that gives what it gave ends the change there.
"""

from __future__ import annotations

from contend.evm import division, opcodes, u256
from contend.evm.redo_log.entries import operand_of
from contend.evm.redo_log.log_layout import (
    CHANGED,
    CODE_MASK,
    CONSTANT,
    GUARD_LESS,
    GUARD_STORE,
    GUARD_ZERO,
    INPUT,
    LOG_ENTRY,
    PIN,
)
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import ZERO, equal, is_zero, less
from contend.evm.vm.gas import store_gas_of

HOLDS, BROKEN = 1, 0


@kernel()
def _seldom(code, first, second, third):
    """Result of the operations that are seldom logged."""
    if code == opcodes.SDIV:
        return division.divide_signed(first, second)
    if code == opcodes.MOD:
        _, remainder = division.divide_remainder(first, second)
        return remainder
    if code == opcodes.SMOD:
        return division.remainder_signed(first, second)
    if code == opcodes.ADDMOD:
        return division.add_modulo(first, second, third)
    if code == opcodes.MULMOD:
        return division.multiply_modulo(first, second, third)
    if code == opcodes.EXP:
        return u256.power(first, second)
    if code == opcodes.SIGNEXTEND:
        return u256.sign_extend(first, second)
    if code == opcodes.BYTE:
        return u256.byte_at(first, second)
    if code == opcodes.SAR:
        return u256.shift_right_signed(first, second)
    if code == opcodes.CLZ:
        return u256.from_u64(U(256 - u256.bit_length(first)))
    return ZERO


@kernel()
def _result(code, first, second, third):
    """Result of an operation, as of the instruction of that number (`evm.vm.instructions`)."""
    if code == opcodes.ADD:
        return u256.add(first, second)
    if code == opcodes.SUB:
        return u256.subtract(first, second)
    if code == opcodes.MUL:
        return u256.multiply(first, second)
    if code == opcodes.DIV:
        quotient, _ = division.divide_remainder(first, second)
        return quotient
    if code == opcodes.LT:
        return u256.from_bool(less(first, second))
    if code == opcodes.GT:
        return u256.from_bool(less(second, first))
    if code == opcodes.SLT:
        return u256.from_bool(u256.less_signed(first, second))
    if code == opcodes.SGT:
        return u256.from_bool(u256.less_signed(second, first))
    if code == opcodes.EQ:
        return u256.from_bool(equal(first, second))
    if code == opcodes.ISZERO:
        return u256.from_bool(is_zero(first))
    if code == opcodes.AND:
        return u256.bit_and(first, second)
    if code == opcodes.OR:
        return u256.bit_or(first, second)
    if code == opcodes.XOR:
        return u256.bit_xor(first, second)
    if code == opcodes.NOT:
        return u256.bit_not(first)
    if code == opcodes.SHL:
        return u256.shift_left(first, second)
    if code == opcodes.SHR:
        return u256.shift_right(first, second)
    return _seldom(code, first, second, third)


@kernel(inline=True)
def _word(entries, count, number):
    return LOG_ENTRY.item(entries, count, number).word


@kernel(inline=True)
def _is_changed(entries, count, number):
    return LOG_ENTRY.item(entries, count, number).operation & CHANGED


@kernel()
def _stored(entries, count, packed, found, clear_refund):
    """By how much gas and refund of an SSTORE differ from what they were."""
    original, current = _word(entries, count, operand_of(packed, 0)), _word(entries, count, operand_of(packed, 1))
    gas, refund = store_gas_of(original, current, _word(entries, count, operand_of(packed, 2)), clear_refund)
    return gas - I(found[0]), refund - I(found[1])


@kernel()
def _guard_holds(entries, count, code, packed, found):
    first = _word(entries, count, operand_of(packed, 0))
    if code == PIN:
        return equal(first, found)
    if code == GUARD_ZERO:
        return is_zero(first) == (found[0] == U1)
    second = _word(entries, count, operand_of(packed, 1))
    return less(first, second) == (found[0] == U1)


@kernel(inline=True)
def change_input(entries, count, number, word):
    """Give an input another word."""
    entry = LOG_ENTRY.item(entries, count, number)
    entry.word = word
    entry.operation |= CHANGED


@kernel()
def recompute(entries, count, first, last, gas_seen, clear_refund):
    """Compute what depends on changed inputs, from one entry to another.

    Parameters
    ----------
    entries, count : int
        Address of the entries, and how many they are.
    first, last : int
        No input before the first has changed; the last is not looked at.
    gas_seen : int
        From this entry on an SSTORE may take other gas than it did.
    clear_refund : int
        By the block's rules.

    Returns
    -------
    tuple of int
        `HOLDS`, or `BROKEN` where a guard does not; how many entries were computed; by how much the gas used is more,
        its largest value on the way, and by how much the refund is.
    """
    done, gas, most_gas, refund = 0, I(0), I(0), I(0)
    for number in range(first, last):
        entry = LOG_ENTRY.item(entries, count, number)
        packed = entry.operation
        code = I(packed & CODE_MASK)
        if code == CONSTANT or code == INPUT:
            continue
        changed = _is_changed(entries, count, operand_of(packed, 0))
        changed |= _is_changed(entries, count, operand_of(packed, 1))
        changed |= _is_changed(entries, count, operand_of(packed, 2))
        if changed == U0:
            continue
        done += 1
        if code == GUARD_STORE:
            more_gas, more_refund = _stored(entries, count, packed, entry.word, clear_refund)
            if (more_gas | more_refund) != 0 and number < gas_seen:
                return BROKEN, done, gas, most_gas, refund
            gas, refund = gas + more_gas, refund + more_refund
            most_gas = max(most_gas, gas)
            continue
        if code == PIN or code == GUARD_ZERO or code == GUARD_LESS:
            if not _guard_holds(entries, count, code, packed, entry.word):
                return BROKEN, done, gas, most_gas, refund
            continue
        first, second = _word(entries, count, operand_of(packed, 0)), _word(entries, count, operand_of(packed, 1))
        word = _result(code, first, second, _word(entries, count, operand_of(packed, 2)))
        if not equal(word, entry.word):
            entry.word = word
            entry.operation = packed | CHANGED
    return HOLDS, done, gas, most_gas, refund
