"""Call frames: entering one, leaving one, and moving data between them.

All functions here work on the machine's memory, not on the interpreter's registers: a call is rare enough (some tens
of nanoseconds in a transaction of microseconds) that keeping it out of the interpreter's loop is worth the spill.
A call that lacks a location changes nothing and is run again from its start once the location is there.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import costs, errors, layout, opcodes, prices
from evm.access import (
    ABSENT,
    account_key,
    credit_entry,
    entries_of,
    find_entry,
    find_or_insert,
    is_warm,
    loaded_entry,
    mark_tested,
    set_warm,
    set_word,
    undo_to,
    word_of,
)
from evm.codes import is_no_code
from evm.costs import add_work
from evm.jit import kernel, macro
from evm.pointers import clear_bytes, move_bytes, view_u8, view_u64
from evm.words import LOW_32, U0, add, fits_u64, get, get_at, is_zero, less, put, put_at, subtract

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
LOADED = U(layout.FLAG_LOADED)

MEMORY_LIMIT = 1 << 32  # no gas limit that fits 64 bits is worth paying for more
NO_GAS, NO_MEMORY = -1, -(1 << 62)

# What `begin_call` found.
CALL_ENTERED, CALL_FAILED_SOFTLY, CALL_NEEDS, CALL_ERROR = range(4)


@macro
def frames_of(machine):
    """View of the machine's frames."""
    return view_u64(I(machine[U(layout.M_FRAMES)]), I(machine[U(layout.M_FRAMES_WORDS)]))


@macro
def stack_of(machine):
    """View of the machine's operand stack."""
    return view_u64(I(machine[U(layout.M_STACK)]), I(machine[U(layout.M_STACK_WORDS)]))


@macro
def descriptor_address(machine, number):
    """Address of a code's descriptor."""
    codes = view_u64(I(machine[U(layout.M_CODES)]), layout.CODES_WORDS)
    return I(codes[U(layout.CODES_DESCRIPTORS)]) + number * layout.CODE_WORDS * 8


@kernel(inline=True)
def is_precompile(machine, address):
    """Whether a contract of the protocol itself lives there (0x01 to 0x0a in Cancun)."""
    return (address[1] | address[2]) == U0 and address[0] != U0 and address[0] <= machine[U(layout.M_LAST_PRECOMPILE)]


# What `account_is_dead` found.
ALIVE, DEAD, NOT_KNOWN = range(3)


@kernel()
def account_is_dead(machine, address):
    """Whether an account has neither code nor nonce nor balance (EIP-161); `NOT_KNOWN` while a location is wanted.

    What is asked first is what settles it most often, so that no more is read than need be. Where the code is known
    already and settles it, nothing depends on the balance.
    """
    at = credit_entry(machine, account_key(address, layout.KIND_BALANCE))
    if at == ABSENT:
        return NOT_KNOWN
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    if code != ABSENT and entries_of(machine)[U(code + layout.ENTRY_FLAGS)] & LOADED != U0:
        if not is_no_code(word_of(machine, code)):
            return ALIVE
    mark_tested(machine, at)
    if not is_zero(word_of(machine, at)):
        return ALIVE
    at = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if at == ABSENT:
        return NOT_KNOWN
    if not is_no_code(word_of(machine, at)):
        return ALIVE
    at = loaded_entry(machine, account_key(address, layout.KIND_NONCE))
    if at == ABSENT:
        return NOT_KNOWN
    return ALIVE if not is_zero(word_of(machine, at)) else DEAD


@kernel(inline=True)
def get_address(array, at):
    """The three words of an address that begins at element `at`."""
    i = U(at)
    return array[i], array[i + U(1)], array[i + U(2)]


@kernel(inline=True)
def put_address(array, at, address):
    """Write the three words of an address."""
    i = U(at)
    array[i] = address[0]
    array[i + U(1)] = address[1]
    array[i + U(2)] = address[2]


@kernel(inline=True)
def to_address(word):
    """The low 160 bits of a word."""
    return word[0], word[1], word[2] & LOW_32


@kernel()
def expand_memory(machine, base, size, gas, end):
    """Grow a frame's memory to hold `end` bytes.

    Returns
    -------
    tuple of int
        The new size in bytes, and the gas left: `NO_GAS` when it is not enough, `NO_MEMORY` when the machine's own
        arena is full.
    """
    if end > MEMORY_LIMIT:
        return size, NO_GAS
    words, words_before = (end + 31) >> 5, size >> 5
    cost = 3 * (words - words_before) + (words * words // 512 - words_before * words_before // 512)
    if cost > gas:
        return size, NO_GAS
    if base + words * 32 > I(machine[U(layout.M_MEMORY_BYTES)]):
        machine[U(layout.M_ERROR)] = U(errors.MEMORY_CAPACITY)
        return size, NO_MEMORY
    arena = view_u8(I(machine[U(layout.M_MEMORY)]), I(machine[U(layout.M_MEMORY_BYTES)]))
    clear_bytes(arena, base + size, words * 32 - size)
    add_work(machine, costs.EXPANSION_WORD, words - words_before)
    return words * 32, gas - cost


@kernel(inline=True)
def reach(offset, size):
    """End of the memory range that two words describe: 0 when it is empty, too far when it is absurd."""
    if is_zero(size):
        return 0
    if not fits_u64(offset) or not fits_u64(size) or (offset[0] | size[0]) > U(MEMORY_LIMIT):
        return 2 * MEMORY_LIMIT
    return I(offset[0]) + I(size[0])


@kernel()
def set_output(machine, address, size):
    """Keep `size` bytes from `address` as the output. False when there is no room (error is set)."""
    if size > I(machine[U(layout.M_OUTPUT_BYTES)]):
        machine[U(layout.M_ERROR)] = U(errors.OUTPUT_CAPACITY)
        return False
    output = view_u8(I(machine[U(layout.M_OUTPUT)]), I(machine[U(layout.M_OUTPUT_BYTES)]))
    move_bytes(output, 0, view_u8(address, size), 0, size)
    add_work(machine, costs.COPY_WORD, (size + 31) >> 5)
    machine[U(layout.M_OUTPUT_SIZE)] = U(size)
    return True


@kernel()
def open_frame(machine, depth, memory_base, stack_base, gas, code, calldata, calldata_size):
    """Lay out a frame's registers; addresses, value and return window are the caller's to fill. False: no room.

    `code` is the address of a code's descriptor, or the negative number of a precompiled contract.
    """
    if (stack_base + layout.STACK_LIMIT) * 4 > I(machine[U(layout.M_STACK_WORDS)]):
        machine[U(layout.M_ERROR)] = U(errors.STACK_CAPACITY)
        return False
    frames = frames_of(machine)
    f = depth * layout.F_WORDS
    frames[U(f + layout.F_POSITION)] = U(-code if code < 0 else 0)
    frames[U(f + layout.F_STACK_TOP)] = U(stack_base)
    frames[U(f + layout.F_STACK_BASE)] = U(stack_base)
    frames[U(f + layout.F_GAS)] = U(gas)
    frames[U(f + layout.F_MEMORY_BASE)] = U(memory_base)
    frames[U(f + layout.F_MEMORY_SIZE)] = U0
    frames[U(f + layout.F_CALLDATA)] = U(calldata)
    frames[U(f + layout.F_CALLDATA_SIZE)] = U(calldata_size)
    frames[U(f + layout.F_CODE)] = U(code if code > 0 else 0)
    frames[U(f + layout.F_CREATES)] = U0
    frames[U(f + layout.F_JOURNAL)] = machine[U(layout.M_JOURNAL_COUNT)]
    frames[U(f + layout.F_LOGS)] = machine[U(layout.M_LOG_SIZE)]
    frames[U(f + layout.F_REFUND)] = machine[U(layout.M_REFUND)]
    machine[U(layout.M_DEPTH)] = U(depth)
    machine[U(layout.M_OUTPUT_SIZE)] = U0
    machine[U(layout.M_ANSWER)] = U0
    return True


@kernel()
def transfer(machine, sender, recipient, value):
    """Move wei between two accounts whose balances are loaded. False when the journal is full."""
    at = loaded_entry(machine, account_key(sender, layout.KIND_BALANCE))
    if not set_word(machine, at, subtract(word_of(machine, at), value)):
        return False
    at = credit_entry(machine, account_key(recipient, layout.KIND_BALANCE))
    return set_word(machine, at, add(word_of(machine, at), value))


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
    frames, stack = frames_of(machine), stack_of(machine)
    depth = I(machine[U(layout.M_DEPTH)])
    f = depth * layout.F_WORDS
    top = I(frames[U(f + layout.F_STACK_TOP)])
    gas = I(frames[U(f + layout.F_GAS)])
    takes_value = operation == opcodes.CALL or operation == opcodes.CALLCODE
    asked, target = get(stack, top - 1), to_address(get(stack, top - 2))
    value = get(stack, top - 3) if takes_value else (U0, U0, U0, U0)
    rest = top - 4 if takes_value else top - 3
    data_at, data_size = get(stack, rest), get(stack, rest - 1)
    return_at, return_size = get(stack, rest - 2), get(stack, rest - 3)
    pays = not is_zero(value)
    is_static = frames[U(f + layout.F_STATIC)] != U0
    if operation == opcodes.CALL and pays and is_static:
        machine[U(layout.M_ERROR)] = U(errors.STATIC_VIOLATION)
        return CALL_ERROR

    self_address = get_address(frames, f + layout.F_ADDRESS)
    account = find_or_insert(machine, account_key(target, layout.KIND_CODE))
    if account == ABSENT:
        return CALL_ERROR
    precompile = is_precompile(machine, target)
    warm = precompile or is_warm(machine, account)
    cost = prices.WARM_ACCESS if warm else prices.COLD_ACCOUNT
    if cost > gas:
        machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
        return CALL_ERROR
    if not precompile and loaded_entry(machine, account_key(target, layout.KIND_CODE)) == ABSENT:
        return CALL_NEEDS
    affordable = True
    if pays:
        cost += prices.CALL_VALUE
        at = loaded_entry(machine, account_key(self_address, layout.KIND_BALANCE))
        if at == ABSENT:
            return CALL_NEEDS
        affordable = not less(word_of(machine, at), value)
        if operation == opcodes.CALL:
            dead = account_is_dead(machine, target)
            if dead == NOT_KNOWN:
                return CALL_NEEDS
            if dead == DEAD:
                cost += prices.CALL_NEW_ACCOUNT

    base, size = I(frames[U(f + layout.F_MEMORY_BASE)]), I(frames[U(f + layout.F_MEMORY_SIZE)])
    end = max(reach(data_at, data_size), reach(return_at, return_size))
    if cost > gas:
        machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
        return CALL_ERROR
    gas -= cost
    if end > size:
        size, gas = expand_memory(machine, base, size, gas, end)
        if gas < 0:
            if gas != NO_MEMORY:
                machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
            return CALL_ERROR
    if not warm and not set_warm(machine, account):
        return CALL_ERROR
    limit = gas - gas // 64
    given = limit if not fits_u64(asked) or asked[0] > U(limit) else I(asked[0])
    gas -= given
    if pays:
        given += prices.CALL_STIPEND

    parent_top = rest - 3
    frames[U(f + layout.F_STACK_TOP)] = U(parent_top)
    frames[U(f + layout.F_MEMORY_SIZE)] = U(size)
    frames[U(f + layout.F_RETURN_AT)] = return_at[0]
    frames[U(f + layout.F_RETURN_SIZE)] = return_size[0]
    if not affordable or depth + 1 > layout.CALL_DEPTH_LIMIT:
        frames[U(f + layout.F_GAS)] = U(gas + given)
        put(stack, parent_top, (U0, U0, U0, U0))
        frames[U(f + layout.F_STACK_TOP)] = U(parent_top + 1)
        machine[U(layout.M_OUTPUT_SIZE)] = U0
        return CALL_FAILED_SOFTLY
    frames[U(f + layout.F_GAS)] = U(gas)
    if precompile:
        code = -I(target[0])
    else:
        code = descriptor_address(machine, I(entries_of(machine)[U(account + layout.ENTRY_CODE)]))
    calldata = I(machine[U(layout.M_MEMORY)]) + base + (I(data_at[0]) if data_size[0] != U0 else 0)
    if not open_frame(machine, depth + 1, base + size, parent_top, given, code, calldata, I(data_size[0])):
        return CALL_ERROR
    g = f + layout.F_WORDS
    frames[U(g + layout.F_STATIC)] = U(is_static or operation == opcodes.STATICCALL)
    if operation == opcodes.DELEGATECALL:
        put_address(frames, g + layout.F_ADDRESS, self_address)
        put_address(frames, g + layout.F_CALLER, get_address(frames, f + layout.F_CALLER))
        put_at(frames, g + layout.F_VALUE, get_at(frames, f + layout.F_VALUE))
    else:
        put_address(frames, g + layout.F_ADDRESS, self_address if operation == opcodes.CALLCODE else target)
        put_address(frames, g + layout.F_CALLER, self_address)
        put_at(frames, g + layout.F_VALUE, value)
    if operation == opcodes.CALL and pays and not transfer(machine, self_address, target, value):
        return CALL_ERROR
    return CALL_ENTERED


@kernel()
def undo_frame(machine, f):
    """Take back everything that the frame at element `f`, and those it called, did."""
    frames = frames_of(machine)
    undo_to(machine, I(frames[U(f + layout.F_JOURNAL)]))
    machine[U(layout.M_LOG_SIZE)] = frames[U(f + layout.F_LOGS)]
    machine[U(layout.M_REFUND)] = frames[U(f + layout.F_REFUND)]


@kernel()
def end_call(machine, error):
    """Leave the current frame, which is not the outermost, for its caller, whose stack gets the outcome."""
    frames, stack = frames_of(machine), stack_of(machine)
    depth = I(machine[U(layout.M_DEPTH)])
    f = depth * layout.F_WORDS
    g = f - layout.F_WORDS
    if error != errors.NONE:
        undo_frame(machine, f)
    if error == errors.NONE or error == errors.REVERTED:
        frames[U(g + layout.F_GAS)] += frames[U(f + layout.F_GAS)]
        size = min(I(frames[U(g + layout.F_RETURN_SIZE)]), I(machine[U(layout.M_OUTPUT_SIZE)]))
        if size > 0:
            output = view_u8(I(machine[U(layout.M_OUTPUT)]), I(machine[U(layout.M_OUTPUT_BYTES)]))
            arena = view_u8(I(machine[U(layout.M_MEMORY)]), I(machine[U(layout.M_MEMORY_BYTES)]))
            to = I(frames[U(g + layout.F_MEMORY_BASE)]) + I(frames[U(g + layout.F_RETURN_AT)])
            move_bytes(arena, to, output, 0, size)
    else:
        machine[U(layout.M_OUTPUT_SIZE)] = U0
    top = I(frames[U(g + layout.F_STACK_TOP)])
    if frames[U(f + layout.F_CREATES)] != U0:
        # Its init code is needed no longer, nor what was decoded above it.
        machine[U(layout.M_SCRATCH_USED)] = frames[U(f + layout.F_CODE)] - machine[U(layout.M_SCRATCH)]
        created = get_address(frames, f + layout.F_ADDRESS)
        put(stack, top, (created[0], created[1], created[2], U0) if error == errors.NONE else (U0, U0, U0, U0))
    else:
        put(stack, top, (U(error == errors.NONE), U0, U0, U0))
    frames[U(g + layout.F_STACK_TOP)] = U(top + 1)
    machine[U(layout.M_DEPTH)] = U(depth - 1)
