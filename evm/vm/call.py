"""Calls: entering a call frame, leaving one, and moving data between them.

All functions here work on the machine's memory, not on the interpreter's registers: a call is rare enough (some tens
of nanoseconds in a transaction of microseconds) that keeping it out of the interpreter's loop is worth the spill.
A call that lacks a location changes nothing and is run again from its start once the location is there.
"""

from __future__ import annotations

import numpy as np

from contend.evm import errors, layout, opcodes
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.code.directory import code_at, is_no_code
from contend.evm.layout import FRAME, RULES, WORD
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import clear_bytes, move_bytes, view_u8
from contend.evm.runtime.structs import address_of, is_null
from contend.evm.u256 import LOW_32, ZERO, add, fits_u64, is_zero, less, subtract
from contend.evm.vm.access_table import (
    LOADED,
    account_key,
    credit_entry,
    find_entry,
    find_or_insert,
    is_warm,
    loaded_entry,
    mark_tested,
    mark_touched,
    set_warm,
    set_word,
    undo_to,
)
from contend.evm.vm.delegation import delegate_of, is_delegated
from contend.evm.vm.gas import (
    GAS_CALL_STIPEND,
    GAS_CALL_VALUE,
    GAS_COLD_ACCOUNT_ACCESS,
    GAS_MEMORY_WORD,
    GAS_NEW_ACCOUNT,
    GAS_WARM_ACCESS,
    MEMORY_QUOTIENT,
)

MEMORY_LIMIT = 1 << 32  # no gas limit that fits 64 bits is worth paying for more
NO_GAS, NO_MEMORY = -1, -(1 << 62)
FRAME_COUNT = layout.CALL_DEPTH_LIMIT + 2

# What `begin_call` found.
CALL_ENTERED, CALL_FAILED_SOFTLY, CALL_NEEDS, CALL_ERROR = range(4)


@kernel(inline=True)
def frame_at(machine, depth):
    """The call frame at a depth."""
    return FRAME.item(machine.frames, machine.frames_words // I(FRAME.words), depth)


@kernel(inline=True)
def stack_word(machine, place):
    """One word of the machine's operand stack, from its very bottom."""
    return WORD.item(machine.stack, machine.stack_words // I(WORD.words), place)


@kernel(inline=True)
def is_precompile(machine, address):
    """Whether a contract of the protocol itself lives there (0x01 to 0x0a in Cancun)."""
    if (address[1] | address[2]) != U0 or address[0] >= U(layout.PRECOMPILE_SPAN):
        return False
    return view_u8(RULES.at(machine.rules).precompiles, layout.PRECOMPILE_SPAN)[address[0]] != np.uint8(0)


# What `account_is_dead` found.
ALIVE, DEAD, NOT_KNOWN = range(3)


@kernel()
def account_is_dead(machine, address):
    """Whether an account has neither code nor nonce nor balance (EIP-161); `NOT_KNOWN` while a location is wanted.

    What is asked first is what settles it most often, so that no more is read than need be. Where the code is known
    already and settles it, nothing depends on the balance.
    """
    balance = credit_entry(machine, account_key(address, layout.KIND_BALANCE))
    if is_null(balance):
        return NOT_KNOWN
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    if not is_null(code):
        if code.flags & LOADED != U0 and not is_no_code(code.current):
            return ALIVE
    mark_tested(balance)
    if not is_zero(balance.current):
        return ALIVE
    code = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if is_null(code):
        return NOT_KNOWN
    if not is_no_code(code.current):
        return ALIVE
    nonce = loaded_entry(machine, account_key(address, layout.KIND_NONCE))
    if is_null(nonce):
        return NOT_KNOWN
    return ALIVE if not is_zero(nonce.current) else DEAD


@kernel(inline=True)
def to_address(word):
    """The low 160 bits of a word."""
    return word[0], word[1], word[2] & LOW_32


@kernel(inline=True)
def address_word(address):
    """An address as a word."""
    return address[0], address[1], address[2], U0


@kernel(inline=True)
def _expansion_gas(size, end):
    """Gas of growing a memory of `size` bytes to hold `end`; `end` is at most `MEMORY_LIMIT`."""
    words, words_before = max(end + 31, size) >> 5, size >> 5
    needed = GAS_MEMORY_WORD * (words - words_before)
    return needed + words * words // MEMORY_QUOTIENT - words_before * words_before // MEMORY_QUOTIENT


@kernel(inline=True)
def affords(gas, needed, size, end):
    """Whether gas is enough for what is needed and for memory of `size` bytes to hold `end`."""
    return end <= MEMORY_LIMIT and needed + _expansion_gas(size, end) <= gas


@kernel()
def expand_memory(machine, memory, size, gas, end):
    """Grow a frame's memory, which begins at an address, to hold `end` bytes.

    Returns
    -------
    tuple of int
        The new size in bytes, and the gas left: `NO_GAS` when it is not enough, `NO_MEMORY` when the machine's own
        arena is full.
    """
    if end > MEMORY_LIMIT:
        return size, I(NO_GAS)
    words, words_before = (end + 31) >> 5, size >> 5
    needed = _expansion_gas(size, end)
    if needed > gas:
        return size, I(NO_GAS)
    base = memory - machine.memory
    if base + words * 32 > machine.memory_bytes:
        machine.error = I(errors.MEMORY_CAPACITY)
        return size, I(NO_MEMORY)
    arena = view_u8(machine.memory, machine.memory_bytes)
    clear_bytes(arena, base + size, words * 32 - size)
    add_work(machine, cost_model.EXPANSION_WORD, words - words_before)
    return words * 32, gas - needed


@kernel(inline=True)
def reach(offset, size):
    """End of the memory range that two words describe: 0 when it is empty, too far when it is absurd."""
    if is_zero(size):
        return I(0)
    if not fits_u64(offset) or not fits_u64(size) or (offset[0] | size[0]) > U(MEMORY_LIMIT):
        return I(2 * MEMORY_LIMIT)
    return I(offset[0]) + I(size[0])


@kernel()
def set_output(machine, address, size):
    """Keep `size` bytes from `address` as the output. False when there is no room (error is set)."""
    if size > machine.output_bytes:
        machine.error = I(errors.OUTPUT_CAPACITY)
        return False
    output = view_u8(machine.output, machine.output_bytes)
    move_bytes(output, 0, view_u8(address, size), 0, size)
    add_work(machine, cost_model.COPY_WORD, (size + 31) >> 5)
    machine.output_size = size
    return True


@kernel()
def open_frame(machine, depth, memory_base, stack_base, gas, code, calldata, calldata_size):
    """Lay out a frame's registers; addresses, value and return window are the caller's to fill. False: no room.

    `code` is the address of a code's descriptor, or the negative number of a precompiled contract.
    """
    if (stack_base + layout.STACK_LIMIT) * I(WORD.words) > machine.stack_words:
        machine.error = I(errors.STACK_CAPACITY)
        return False
    frame = frame_at(machine, depth)
    frame.pc = -code if code < 0 else I(0)
    frame.stack_top = stack_base
    frame.stack_base = stack_base
    frame.gas = gas
    frame.memory_base = memory_base
    frame.memory_size = I(0)
    frame.calldata = calldata
    frame.calldata_size = calldata_size
    frame.code = code if code > 0 else I(0)
    frame.creates = U0
    frame.journal_count = machine.journal_count
    frame.log_size = machine.log_size
    frame.refund = machine.refund
    machine.depth = depth
    machine.output_size = I(0)
    machine.precompile_result = I(0)
    return True


@kernel()
def transfer(machine, sender, recipient, value):
    """Move wei between two accounts whose balances are loaded. False when the journal is full."""
    debited = loaded_entry(machine, account_key(sender, layout.KIND_BALANCE))
    if not set_word(machine, debited, subtract(debited.current, value)):
        return False
    credited = credit_entry(machine, account_key(recipient, layout.KIND_BALANCE))
    return set_word(machine, credited, add(credited.current, value))


@kernel(inline=True)
def call_error(machine, error):
    """End a call, a creation or SELFDESTRUCT with an error of the current frame: `CALL_ERROR`."""
    machine.error = I(error)
    return CALL_ERROR


@kernel()
def begin_call(machine, operation):
    """Execute CALL, CALLCODE, DELEGATECALL or STATICCALL of the current frame.

    Returns
    -------
    int
        `CALL_ENTERED`: the new frame is the current one. `CALL_FAILED_SOFTLY`: no frame was made, a zero is on the
        stack. `CALL_NEEDS`: a location is wanted; nothing was changed. `CALL_ERROR`: the current frame fails, with
        the machine's error set.
    """
    depth = machine.depth
    frame = frame_at(machine, depth)
    top, gas = frame.stack_top, frame.gas
    takes_value = operation == opcodes.CALL or operation == opcodes.CALLCODE
    asked, target = stack_word(machine, top - 1).value, to_address(stack_word(machine, top - 2).value)
    value = stack_word(machine, top - 3).value if takes_value else ZERO
    rest = top - 4 if takes_value else top - 3
    data_at, data_size = stack_word(machine, rest).value, stack_word(machine, rest - 1).value
    return_at, return_size = stack_word(machine, rest - 2).value, stack_word(machine, rest - 3).value
    pays = not is_zero(value)
    is_static = frame.static != U0
    if operation == opcodes.CALL and pays and is_static:
        return call_error(machine, errors.STATIC_VIOLATION)

    account = find_or_insert(machine, account_key(target, layout.KIND_CODE))
    if is_null(account):
        return CALL_ERROR
    precompile = is_precompile(machine, target)
    warm = precompile or is_warm(account)
    needed = GAS_WARM_ACCESS if warm else GAS_COLD_ACCOUNT_ACCESS
    if needed > gas:
        return call_error(machine, errors.OUT_OF_GAS)
    size = frame.memory_size
    end = max(reach(data_at, data_size), reach(return_at, return_size))
    # What the new account costs, if it is one, comes after it was looked at.
    if affords(gas, needed + (GAS_CALL_VALUE if pays else 0), size, end):
        mark_touched(account)
    if not precompile and is_null(loaded_entry(machine, account_key(target, layout.KIND_CODE))):
        return CALL_NEEDS
    runs, runs_warm = account, True
    if is_delegated(machine, account):
        delegate = delegate_of(machine, account)
        runs = find_or_insert(machine, account_key(delegate, layout.KIND_CODE))
        if is_null(runs):
            return CALL_ERROR
        # Where it names a precompiled contract, nothing runs: the entry was never loaded, and has no code.
        is_contract = not is_precompile(machine, delegate)
        runs_warm = not is_contract or is_warm(runs) or address_of(runs) == address_of(account)
        needed += GAS_WARM_ACCESS if runs_warm else GAS_COLD_ACCOUNT_ACCESS
        if needed > gas:
            return call_error(machine, errors.OUT_OF_GAS)
        mark_touched(runs)
        if is_contract and is_null(loaded_entry(machine, account_key(delegate, layout.KIND_CODE))):
            return CALL_NEEDS
    affordable = True
    if pays:
        needed += GAS_CALL_VALUE
        payer = loaded_entry(machine, account_key(frame.address, layout.KIND_BALANCE))
        if is_null(payer):
            return CALL_NEEDS
        affordable = not less(payer.current, value)
        if operation == opcodes.CALL:
            dead = account_is_dead(machine, target)
            if dead == NOT_KNOWN:
                return CALL_NEEDS
            if dead == DEAD:
                needed += GAS_NEW_ACCOUNT

    if needed > gas:
        return call_error(machine, errors.OUT_OF_GAS)
    gas -= needed
    if end > size:
        size, gas = expand_memory(machine, machine.memory + frame.memory_base, size, gas, end)
        if gas < 0:
            return CALL_ERROR if gas == NO_MEMORY else call_error(machine, errors.OUT_OF_GAS)
    if (not warm and not set_warm(machine, account)) or (not runs_warm and not set_warm(machine, runs)):
        return CALL_ERROR
    limit = gas - gas // 64
    given = limit if not fits_u64(asked) or asked[0] > U(limit) else I(asked[0])
    gas -= given
    if pays:
        given += GAS_CALL_STIPEND

    parent_top = rest - 3
    frame.stack_top = parent_top
    frame.memory_size = size
    frame.return_at = I(return_at[0])
    frame.return_size = I(return_size[0])
    if not affordable or depth + 1 > layout.CALL_DEPTH_LIMIT:
        return fail_softly(machine, frame, parent_top, gas + given)
    frame.gas = gas
    code = -I(target[0]) if precompile else address_of(code_at(machine.codes, runs.code))
    calldata = machine.memory + frame.memory_base + (I(data_at[0]) if data_size[0] != U0 else I(0))
    memory_base = frame.memory_base + size
    if not open_frame(machine, depth + 1, memory_base, parent_top, given, code, calldata, I(data_size[0])):
        return CALL_ERROR
    callee = frame_at(machine, depth + 1)
    callee.static = U(is_static or operation == opcodes.STATICCALL)
    if operation == opcodes.DELEGATECALL:
        callee.address = frame.address
        callee.caller = frame.caller
        callee.value = frame.value
    else:
        callee.address = frame.address if operation == opcodes.CALLCODE else target
        callee.caller = frame.address
        callee.value = value
    if operation == opcodes.CALL and pays and not transfer(machine, frame.address, target, value):
        return CALL_ERROR
    return CALL_ENTERED


@kernel()
def fail_softly(machine, frame, top, gas):
    """Let a call or a creation fail without an error of the frame: a zero on the stack, no output."""
    stack_word(machine, top).value = ZERO
    frame.stack_top = top + 1
    frame.gas = gas
    machine.output_size = I(0)
    return CALL_FAILED_SOFTLY


@kernel()
def undo_frame(machine, frame):
    """Take back everything that a frame, and those it called, did."""
    undo_to(machine, frame.journal_count)
    machine.log_size = frame.log_size
    machine.refund = frame.refund


@kernel()
def end_call(machine, error):
    """Leave the current frame, which is not the outermost, for its caller, whose stack gets the outcome."""
    frame, caller = frame_at(machine, machine.depth), frame_at(machine, machine.depth - 1)
    if error != errors.NONE:
        undo_frame(machine, frame)
    if error == errors.NONE or error == errors.REVERTED:
        caller.gas += frame.gas
        size = min(caller.return_size, machine.output_size)
        if size > 0:
            output = view_u8(machine.output, machine.output_bytes)
            arena = view_u8(machine.memory, machine.memory_bytes)
            move_bytes(arena, caller.memory_base + caller.return_at, output, 0, size)
    else:
        machine.output_size = I(0)
    top = caller.stack_top
    if frame.creates != U0:
        # Its init code is needed no longer, nor what was decoded above it.
        machine.scratch_used = frame.code - machine.scratch
        stack_word(machine, top).value = address_word(frame.address) if error == errors.NONE else ZERO
    else:
        stack_word(machine, top).value = (U(error == errors.NONE), U0, U0, U0)
    caller.stack_top = top + 1
    machine.depth -= 1
