"""Entries of the redo log: how they are added while a transaction executes.

Where the log is full, or the transaction does something that it does not know, it is *broken*: it holds as long as no
input is changed, and whatever is added to it from then on means nothing.
"""

from __future__ import annotations

from contend.evm.layout import WORD
from contend.evm.redo_log.log_layout import (
    CODE_MASK,
    CONSTANT,
    FIRST_OPERAND,
    GUARD_LESS,
    GUARD_STORE,
    GUARD_ZERO,
    INPUT,
    LOG_ENTRY,
    OPERAND_BITS,
    OPERAND_MASK,
    PIN,
)
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import ZERO, is_zero, less


@kernel(inline=True)
def pack(operation, first, second, third):
    """The first word of an entry."""
    operands = U(first) | (U(second) << OPERAND_BITS) | (U(third) << (OPERAND_BITS + OPERAND_BITS))
    return U(operation) | (operands << FIRST_OPERAND)


@kernel(inline=True)
def operand_of(packed, place):
    """Number of one of the entries that an entry is of, by its first word."""
    return I((packed >> (FIRST_OPERAND + OPERAND_BITS * U(place))) & OPERAND_MASK)


@kernel(inline=True)
def log_entry(log, number):
    """One of the log's entries."""
    return LOG_ENTRY.item(log.entries, log.room, number)


@kernel()
def append(log, operation, first, second, third, word):
    """Add an entry; its number, or 0 where the log is full, which breaks it."""
    number = log.count
    if number >= log.room:
        log.broken = U1
        return I(0)
    entry = log_entry(log, number)
    entry.operation = pack(operation, first, second, third)
    entry.word = word
    log.count = number + 1
    return number


@kernel()
def pin(log, number):
    """Have the log hold only where an entry's result is the very same."""
    if number != 0:
        entry = log_entry(log, number)
        code = entry.operation & CODE_MASK
        if code != U(PIN) and code != U(CONSTANT):
            append(log, PIN, number, 0, 0, entry.word)


@kernel()
def guard_zero(log, number):
    """Have the log hold only where an entry's result is zero as it was, or is not as it was not."""
    if number != 0:
        found = U1 if is_zero(log_entry(log, number).word) else U0
        append(log, GUARD_ZERO, number, 0, 0, (found, U0, U0, U0))


@kernel()
def guard_less(log, number, word):
    """Have the log hold only where an entry's result is less than a word as it was, or is not as it was not."""
    if number != 0:
        bound = append(log, CONSTANT, 0, 0, 0, word)
        found = U1 if less(log_entry(log, number).word, word) else U0
        append(log, GUARD_LESS, number, bound, 0, (found, U0, U0, U0))


@kernel(inline=True)
def numbered(log, number, word):
    """A number for an operand: its own, or that of a constant that is made of its word."""
    return number if number != 0 else append(log, CONSTANT, 0, 0, 0, word)


@kernel()
def guard_store(log, original, current, new, gas, refund):
    """Have the log hold only where an SSTORE takes the same gas, and refunds the same."""
    append(log, GUARD_STORE, original, current, new, (U(gas), U(refund), U0, U0))


@kernel()
def input_word(log, word):
    """Add an input."""
    return append(log, INPUT, 0, 0, 0, word)


@kernel()
def operate_with(log, operation, number, word, result):
    """Add an operation of an entry and a constant, where the result is known; 0 where it is of no entry."""
    if number == 0:
        return I(0)
    constant = append(log, CONSTANT, 0, 0, 0, word)
    return append(log, operation, number, constant, 0, result)


@kernel(inline=True)
def _word_at(at):
    return WORD.at(at).value


@kernel()
def note_one(log, stack_top, first, operation):
    """Add an operation of the top word, which has a number; its result follows (`keep_result`)."""
    return append(log, operation, first, 0, 0, ZERO)


@kernel()
def note_two(log, stack_top, first, second, operation):
    """As `note_one`, of the two words on top, of which one has a number."""
    first = numbered(log, first, _word_at(stack_top - 32))
    second = numbered(log, second, _word_at(stack_top - 64))
    return append(log, operation, first, second, 0, ZERO)


@kernel()
def note_three(log, stack_top, first, second, third, operation):
    """As `note_one`, of the three words on top."""
    first = numbered(log, first, _word_at(stack_top - 32))
    second = numbered(log, second, _word_at(stack_top - 64))
    third = numbered(log, third, _word_at(stack_top - 96))
    return append(log, operation, first, second, third, ZERO)


@kernel(inline=True)
def keep_result(log, number, stack_top):
    """Note what the operation that was added has left on top of the stack."""
    if number != 0:
        log_entry(log, number).word = _word_at(stack_top - 32)
