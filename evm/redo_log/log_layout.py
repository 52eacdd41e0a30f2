"""Structs of the redo log."""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, U64, U256, Struct

LOG_ENTRY = Struct(
    "RedoLogEntry",
    operation=U64,  # its number, then the numbers of up to three entries that it is of; the highest bit: is it changed
    word=U256,  # its result; of a guard, what was found
)
OPERAND_BITS, OPERAND_MASK = U(16), U(0xFFFF)
FIRST_OPERAND = U(8)
CHANGED = U(1 << 63)
CODE_MASK = U(0xFF)

REDO_LOG = Struct(
    "RedoLog",
    entries=I64,  # array of LOG_ENTRY; the first stands for no entry
    room=I64,
    count=I64,
    numbers=I64,  # what `evm.redo_log.numbers` adds to a place in memory to find its number
    marked=I64,  # entries of the access table that may have numbers of a transaction before
    notes=I64,  # notes of the journal that have numbers (`evm.redo_log.undone`)
    placed=I64,  # words with numbers that were written to memory, logs or output: without any nobody looks there
    gas_seen=I64,  # what was logged before this entry stands before something that depends on the gas that is left
    left=I64,  # gas left in the end, counted refunds, and the least gas that is used (`evm.redo_log.settlement`)
    refund=U64,
    floor_gas=I64,
    broken=U64,  # whether the transaction did what the log does not know: it holds as long as no input is changed
)

# Operations have the numbers of the instructions that they are (`evm.opcodes`). These are none.
CONSTANT, INPUT, PIN, GUARD_ZERO, GUARD_LESS, GUARD_STORE = range(0x80, 0x86)
