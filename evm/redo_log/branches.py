"""Branches of the logged loop: what it does around each instruction, beside executing it.

An instruction that computes a word of words becomes an entry where one of its operands has a number. What finds a place
(a slot, an offset, a size, an account, a target) has its operands pinned. A branch is guarded by whether its condition
is zero. What moves words moves their numbers. All others give words that depend on nothing.

The sources here are pasted into the branches (`evm.vm.dispatch`), where `numbers` and `log` are the log's.
"""

from __future__ import annotations

from typing import Any

from contend.evm import opcodes
from contend.evm.layout import KIND_BALANCE, LOG_HEADER_BYTES, RULES, WORD, WORD_BYTES
from contend.evm.redo_log.entries import (
    guard_store,
    guard_zero,
    keep_result,
    note_one,
    note_three,
    note_two,
    numbered,
    pin,
)
from contend.evm.redo_log.numbers import (
    REVERSED,
    clear_numbers,
    entry_number,
    erase,
    erase_from,
    input_number,
    may_have_numbers,
    move_numbers,
    number_at,
    number_below,
    pin_bytes,
    put_word,
    set_entry_number,
    set_number_at,
    set_number_below,
    word_number,
)
from contend.evm.redo_log.undone import number_notes
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import fits_u64
from contend.evm.vm.access_table import account_key, find_entry, transient_key
from contend.evm.vm.call import to_address
from contend.evm.vm.dispatch import Branches
from contend.evm.vm.gas import GAS_STORAGE_SENTRY, store_gas_of
from contend.evm.vm.instructions.operands import CONTINUE, REVERTED, STOPPED, immediate, operand
from contend.evm.vm.instructions.storage import load_slot, store_slot
from contend.evm.vm.storage_generation import slot_entry


@kernel()
def pin_operand(log, numbers, place):
    """Pin the word of the stack at an address, which then depends on nothing."""
    pin(log, number_at(numbers, place))
    set_number_at(numbers, place, 0)


@kernel()
def guard_operand(log, numbers, place):
    """Guard by whether the word of the stack at an address is zero."""
    guard_zero(log, number_at(numbers, place))


@kernel()
def guard_before_store(machine, log, numbers, entry, place):
    """Guard the gas of an SSTORE that is about to be executed, where its slot is known."""
    if is_null(entry):
        return
    new = WORD.at(place).value
    number, current, original = number_at(numbers, place), entry_number(numbers, entry), input_number(numbers, entry)
    if (number | current | original) == 0:
        return
    gas, refund = store_gas_of(entry.original, entry.current, new, RULES.at(machine.rules).clear_refund)
    original = numbered(log, original, entry.original)
    current = numbered(log, current, entry.current)
    guard_store(log, original, current, numbered(log, number, new), gas, refund)


@kernel()
def log_store(machine, log, numbers, entry, number):
    """Number the word of a slot that has been stored, and what the journal has noted of it."""
    number_notes(machine, log)
    set_entry_number(numbers, entry, number)


@kernel()
def log_transient_load(machine, numbers, address, slot, stack_top):
    """As `log_load`, from a transient slot."""
    entry = find_entry(machine, transient_key(address, slot))
    set_number_at(numbers, stack_top - 32, I(0) if is_null(entry) else entry_number(numbers, entry))


@kernel()
def log_transient_store(machine, log, numbers, address, slot, number):
    """As `log_store`, in a transient slot."""
    number_notes(machine, log)
    set_entry_number(numbers, find_entry(machine, transient_key(address, slot)), number)


@kernel()
def log_balance(machine, numbers, address, stack_top):
    """Number the word on top of the stack, which is an account's balance."""
    entry = find_entry(machine, account_key(address, KIND_BALANCE))
    set_number_at(numbers, stack_top - 32, entry_number(numbers, entry))


@kernel()
def guard_existence(machine, log, numbers, address):
    """Guard by what decides whether an account is there, as far as it is known."""
    balance = find_entry(machine, account_key(address, KIND_BALANCE))
    if not is_null(balance):
        guard_zero(log, entry_number(numbers, balance))


@kernel()
def log_topics(log, numbers, stack_top, topics, record):
    """Number the topics of a log record that is about to be written at an address."""
    for i in range(topics):
        number = number_at(numbers, stack_top - WORD_BYTES * (3 + i))
        put_word(log, record + LOG_HEADER_BYTES + WORD_BYTES * i, number, REVERSED)


@kernel()
def log_copy(log, to, source, source_size, offset, count):
    """Move numbers with `count` bytes copied from `offset` of a source, or let what was there be forgotten."""
    available = I(0)
    if fits_u64(offset) and offset[0] < U(source_size):
        available = min(count, source_size - I(offset[0]))
        move_numbers(log, to, source + I(offset[0]), available)
    erase(log, to + available, count - available)


def _pins(*places: int) -> str:
    return "".join(
        f"if number_below(numbers, registers, {place}) != 0:\n"
        f"    pin_operand(log, numbers, registers.stack_top - {32 * (place + 1)})\n"
        for place in places
    )


_EXECUTE = "outcome = {execute}\n"
_ONE = (
    "noted = number_below(numbers, registers, 0)\n"
    "if noted != 0:\n"
    "    noted = note_one(log, registers.stack_top, noted, operation)\n" + _EXECUTE + "if noted != 0:\n"
    "    keep_result(log, noted, registers.stack_top)\n"
    "    set_number_below(numbers, registers, 0, noted)\n"
)
_TWO = (
    "first, second = number_below(numbers, registers, 0), number_below(numbers, registers, 1)\n"
    "noted = first | second\n"
    "if noted != 0:\n"
    "    noted = note_two(log, registers.stack_top, first, second, operation)\n"
    + _EXECUTE
    + "if (first | second) != 0:\n"
    "    keep_result(log, noted, registers.stack_top)\n"
    "    set_number_below(numbers, registers, 0, noted)\n"
)
_THREE = (
    "first, second = number_below(numbers, registers, 0), number_below(numbers, registers, 1)\n"
    "third = number_below(numbers, registers, 2)\n"
    "noted = first | second | third\n"
    "if noted != 0:\n"
    "    noted = note_three(log, registers.stack_top, first, second, third, operation)\n"
    + _EXECUTE
    + "if (first | second | third) != 0:\n"
    "    keep_result(log, noted, registers.stack_top)\n"
    "    set_number_below(numbers, registers, 0, noted)\n"
)
_PUSH = _EXECUTE + "set_number_below(numbers, registers, 0, 0)\n"
_GROWN = (
    "    if registers.memory_size > size:\n"
    "        clear_numbers(numbers, registers.memory + size, registers.memory_size - size)\n"
)
_SIZE = "size = registers.memory_size\n"
_COPY = _pins(0, 1, 2) + (
    _SIZE + "target, offset = operand(registers, 0), operand(registers, 1)\n"
    "count = operand(registers, 2)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    if log.placed != 0 and count[0] != U0:\n"
    "        to = registers.memory + I(target[0])\n"
)

_SOURCES: dict[str, str] = {
    **dict.fromkeys(("iszero", "bitwise_not", "clz"), _ONE),
    **dict.fromkeys(("add", "mul", "sub", "div", "sdiv", "mod", "smod", "signextend"), _TWO),
    **dict.fromkeys(("lt", "gt", "slt", "sgt", "eq", "bitwise_and", "bitwise_or", "bitwise_xor"), _TWO),
    **dict.fromkeys(("get_byte", "shl", "shr", "sar"), _TWO),
    **dict.fromkeys(("addmod", "mulmod"), _THREE),
    "exp": _pins(1) + _TWO,
    **dict.fromkeys(("push_small", "push_large", "address", "caller", "callvalue", "calldatasize", "codesize"), _PUSH),
    **dict.fromkeys(("returndatasize", "origin", "gasprice", "coinbase", "timestamp", "number"), _PUSH),
    **dict.fromkeys(("prevrandao", "gaslimit", "chainid", "basefee", "blobbasefee", "msize"), _PUSH),
    **dict.fromkeys(("basic_block", "jumpdest_run", "jump_static", "pop", "stop", "leave_frame"), _EXECUTE),
    "gas_left": "log.gas_seen = log.count\n" + _PUSH,
    **dict.fromkeys(("blobhash", "blockhash", "jump"), _pins(0) + _EXECUTE),
    "dup": "copied = number_below(numbers, registers, I(immediate(registers)) - 1)\n"
    + _EXECUTE
    + "set_number_below(numbers, registers, 0, copied)\n",
    "swap": "below = I(immediate(registers))\n"
    "first, second = number_below(numbers, registers, 0), number_below(numbers, registers, below)\n"
    + _EXECUTE
    + "set_number_below(numbers, registers, 0, second)\nset_number_below(numbers, registers, below, first)\n",
    "jumpi_static": "if number_below(numbers, registers, 0) != 0:\n"
    "    guard_operand(log, numbers, registers.stack_top - 32)\n" + _EXECUTE,
    "jumpi": _pins(0) + "if number_below(numbers, registers, 1) != 0:\n"
    "    guard_operand(log, numbers, registers.stack_top - 64)\n" + _EXECUTE,
    "mload": _pins(0)
    + _SIZE
    + "offset = operand(registers, 0)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    place = registers.memory + I(offset[0])\n"
    "    if log.placed != 0 and may_have_numbers(numbers, place):\n"
    "        set_number_below(numbers, registers, 0, word_number(log, place, operand(registers, 0)))\n",
    "mstore": _pins(0)
    + _SIZE
    + "offset, noted = operand(registers, 0), number_below(numbers, registers, 1)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    place = registers.memory + I(offset[0])\n"
    "    if noted != 0 or (log.placed != 0 and may_have_numbers(numbers, place)):\n"
    "        put_word(log, place, noted, U0)\n",
    "mstore8": _pins(0, 1)
    + _SIZE
    + "offset = operand(registers, 0)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    if log.placed != 0:\n        erase(log, registers.memory + I(offset[0]), I(1))\n",
    "mcopy": _COPY
    + "        move_numbers(log, registers.memory + I(target[0]), registers.memory + I(offset[0]), I(count[0]))\n",
    "calldatacopy": _COPY + "        if machine.depth > 0:\n"
    "            log_copy(log, to, frame.calldata, frame.calldata_size, offset, I(count[0]))\n"
    "        else:\n"
    "            erase(log, to, I(count[0]))\n",
    "returndatacopy": _COPY + "        log_copy(log, to, machine.output, machine.output_size, offset, I(count[0]))\n",
    "codecopy": _COPY + "        erase(log, to, I(count[0]))\n",
    "extcodecopy": _pins(0, 1, 2, 3)
    + _SIZE
    + "target, count = operand(registers, 1), operand(registers, 3)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    if log.placed != 0 and count[0] != U0:\n        erase(log, registers.memory + I(target[0]), I(count[0]))\n",
    "keccak256": _pins(0, 1)
    + _SIZE
    + "offset, count = operand(registers, 0), operand(registers, 1)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    if log.placed != 0 and count[0] != U0:\n"
    "        pin_bytes(log, registers.memory + I(offset[0]), I(count[0]))\n",
    "calldataload": _pins(0)
    + "offset = operand(registers, 0)\n"
    + _EXECUTE
    + "if log.placed != 0 and machine.depth > 0 and fits_u64(offset) and offset[0] < U(frame.calldata_size):\n"
    "    place = frame.calldata + I(offset[0])\n"
    "    if may_have_numbers(numbers, place):\n"
    "        if I(offset[0]) + 32 <= frame.calldata_size:\n"
    "            set_number_below(numbers, registers, 0, word_number(log, place, operand(registers, 0)))\n"
    "        else:\n"
    "            pin_bytes(log, place, frame.calldata_size - I(offset[0]))\n",
    "sload": _pins(0) + "slot = operand(registers, 0)\n"
    "slot_at = slot_entry(machine, frame.address, slot)\n"
    "outcome = load_slot(machine, frame, registers, slot, slot_at)\n"
    "if outcome == CONTINUE:\n    set_number_below(numbers, registers, 0, entry_number(numbers, slot_at))\n",
    "sstore": _pins(0) + "slot, noted = operand(registers, 0), number_below(numbers, registers, 1)\n"
    "slot_at = slot_entry(machine, frame.address, slot)\n"
    "guard_before_store(machine, log, numbers, slot_at, registers.stack_top - 64)\n"
    "if frame.static != U0 or registers.gas <= GAS_STORAGE_SENTRY:\n"
    "    outcome = {execute}\n"
    "else:\n"
    "    outcome = store_slot(machine, registers, operand(registers, 1), slot_at)\n"
    "if outcome == CONTINUE:\n    log_store(machine, log, numbers, slot_at, noted)\n",
    "tload": _pins(0)
    + "slot = operand(registers, 0)\n"
    + _EXECUTE
    + "log_transient_load(machine, numbers, frame.address, slot, registers.stack_top)\n",
    "tstore": _pins(0)
    + "slot, noted = operand(registers, 0), number_below(numbers, registers, 1)\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n    log_transient_store(machine, log, numbers, frame.address, slot, noted)\n",
    "account_word": _pins(0) + "account = to_address(operand(registers, 0))\n" + _EXECUTE + "if outcome == CONTINUE:\n"
    "    if registers.instruction == U(BALANCE):\n"
    "        log_balance(machine, numbers, account, registers.stack_top)\n"
    "    elif registers.instruction == U(EXTCODEHASH):\n"
    "        guard_existence(machine, log, numbers, account)\n",
    "selfbalance": _EXECUTE
    + "if outcome == CONTINUE:\n    log_balance(machine, numbers, frame.address, registers.stack_top)\n",
    "log": _pins(0, 1)
    + _SIZE
    + "offset, count, topics = operand(registers, 0), operand(registers, 1), I(immediate(registers))\n"
    "stack_top, record = registers.stack_top, machine.logs + machine.log_size\n"
    + _EXECUTE
    + "if outcome == CONTINUE:\n"
    + _GROWN
    + "    erase_from(log, record, machine.logs + machine.log_size - record)\n"
    "    log_topics(log, numbers, stack_top, topics, record)\n"
    "    if log.placed != 0 and count[0] != U0:\n"
    "        place = record + LOG_HEADER_BYTES + WORD_BYTES * topics\n"
    "        move_numbers(log, place, registers.memory + I(offset[0]), I(count[0]))\n",
    "return_or_revert": _pins(0, 1)
    + _SIZE
    + "offset, count = operand(registers, 0), operand(registers, 1)\n"
    + _EXECUTE
    + "if outcome == STOPPED or outcome == REVERTED:\n"
    + _GROWN
    + "    clear_numbers(numbers, machine.output, machine.output_size)\n"
    "    if log.placed != 0 and count[0] != U0:\n"
    "        move_numbers(log, machine.output, registers.memory + I(offset[0]), I(count[0]))\n",
}

_NAMES: dict[str, Any] = {
    "BALANCE": opcodes.BALANCE,
    "CONTINUE": CONTINUE,
    "EXTCODEHASH": opcodes.EXTCODEHASH,
    "I": I,
    "LOG_HEADER_BYTES": LOG_HEADER_BYTES,
    "REVERTED": REVERTED,
    "STOPPED": STOPPED,
    "U": U,
    "U0": U0,
    "WORD_BYTES": WORD_BYTES,
    "clear_numbers": clear_numbers,
    "erase": erase,
    "erase_from": erase_from,
    "fits_u64": fits_u64,
    "guard_before_store": guard_before_store,
    "guard_existence": guard_existence,
    "guard_operand": guard_operand,
    "immediate": immediate,
    "keep_result": keep_result,
    "log_balance": log_balance,
    "log_copy": log_copy,
    "entry_number": entry_number,
    "load_slot": load_slot,
    "log_store": log_store,
    "slot_entry": slot_entry,
    "store_slot": store_slot,
    "GAS_STORAGE_SENTRY": GAS_STORAGE_SENTRY,
    "log_topics": log_topics,
    "log_transient_load": log_transient_load,
    "log_transient_store": log_transient_store,
    "may_have_numbers": may_have_numbers,
    "move_numbers": move_numbers,
    "note_one": note_one,
    "note_three": note_three,
    "note_two": note_two,
    "number_below": number_below,
    "operand": operand,
    "pin_bytes": pin_bytes,
    "pin_operand": pin_operand,
    "put_word": put_word,
    "set_number_below": set_number_below,
    "to_address": to_address,
    "word_number": word_number,
}


def _around(name: str, execute: str) -> str:
    return _SOURCES[name.removeprefix("execute_")].replace("{execute}", execute)


LOGGED = Branches(_around, _NAMES)
