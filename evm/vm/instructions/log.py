"""Logs: LOG0 to LOG4."""

from __future__ import annotations

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.layout import LOG_HEADER_BYTES, WORD, WORD_BYTES
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import clear_bytes, move_bytes, view_u8, view_u64
from contend.evm.vm.call import reach
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_LOG_DATA_BYTE
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    charge,
    drop,
    grow_memory,
    immediate,
    operand,
    words_in,
)


@kernel()
def _write_log(machine, address, topics, stack_top, source, size):
    """Append a log record; its topics lie on the stack below offset and size. False when there is no room."""
    begin = machine.log_size
    padded = (size + 7) & ~7
    end = begin + LOG_HEADER_BYTES + WORD_BYTES * topics + padded
    if end > machine.logs_bytes:
        machine.error = I(errors.LOG_CAPACITY)
        return False
    logs = view_u8(machine.logs, machine.logs_bytes)
    header = view_u64(machine.logs, machine.logs_bytes // 8)
    at = begin >> 3
    for i in range(3):
        header[U(at + i)] = address[i]
    header[U(at + 3)] = U(topics) | (U(size) << U(8))
    first = machine.logs + begin + LOG_HEADER_BYTES
    for i in range(topics):
        WORD.item(first, topics, i).value = WORD.at(stack_top - WORD_BYTES * (3 + i)).value
    clear_bytes(logs, end - 8 if padded > 0 else end, 8 if padded > 0 else 0)
    move_bytes(logs, end - padded, view_u8(source, size), 0, size)
    machine.log_size = end
    return True


@instruction(op.LOG)
def log(machine, frame, registers):
    """LOG0 to LOG4: a piece of memory with so many topics."""
    offset, size = operand(registers, 0), operand(registers, 1)
    topics = I(immediate(registers))

    if frame.static != U0:
        return errors.STATIC_VIOLATION
    grown = grow_memory(machine, registers, reach(offset, size))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_LOG_DATA_BYTE * I(size[0])):
        return OUT_OF_GAS

    add_work(machine, cost_model.COPY_WORD, words_in(I(size[0])))
    source = registers.memory + (I(offset[0]) if size[0] != U0 else I(0))
    if not _write_log(machine, frame.address, topics, registers.stack_top, source, I(size[0])):
        return errors.LOG_CAPACITY
    drop(registers, 2 + topics)
    return CONTINUE
