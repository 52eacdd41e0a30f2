"""Creating contracts: CREATE, CREATE2 and transactions that create, from the new address to the code that is kept.

The address is a hash of the creator and its nonce (Yellow Paper, equation 86), or of the creator, a salt and the init
code (EIP-1014). The new account begins with nonce 1 (EIP-161). Init code is at most twice as long as code and priced by
the word (EIP-3860); code that is kept is at most 24,576 bytes (EIP-170), does not begin with 0xef (EIP-3541), and costs
200 gas a byte. An address that has code, a nonce or storage already is not created anew (EIP-684, EIP-7610): the gas
given is lost.

As in calls, an instruction that lacks a location changes nothing and is run again from its start.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import costs, errors, layout, opcodes, prices
from evm.access import (
    ABSENT,
    account_key,
    entries_of,
    find_entry,
    is_warm,
    loaded_entry,
    scratch_address,
    scratch_left,
    set_flag,
    set_warm,
    set_word,
    word_of,
)
from evm.bytecode import decode_into, decoded_room
from evm.codes import intern_code, price_code, publish_code
from evm.costs import add_work
from evm.frames import (
    CALL_ENTERED,
    CALL_ERROR,
    CALL_FAILED_SOFTLY,
    CALL_NEEDS,
    NO_MEMORY,
    expand_memory,
    frames_of,
    get_address,
    open_frame,
    put_address,
    reach,
    stack_of,
    to_address,
    transfer,
)
from evm.jit import kernel
from evm.keccak import keccak_word
from evm.pointers import store_8, swap_bytes, view_u8
from evm.words import U0, U1, add, fits_u64, get, is_zero, less, put, put_at

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
CREATED = layout.FLAG_CREATED
CODE_SIZE_LIMIT = 24_576
INIT_CODE_LIMIT = 2 * CODE_SIZE_LIMIT
FORBIDDEN_FIRST_BYTE = 0xEF
LAST_NONCE = U(0xFFFFFFFFFFFFFFFF)


@kernel(inline=True)
def _put_address_bytes(target, at, address):
    """The 20 bytes of an address, the first byte first."""
    for i in range(4):
        target[U(at + i)] = np.uint8((address[2] >> U(24 - 8 * i)) & U(0xFF))
    store_8(target, at + 4, swap_bytes(address[1]))
    store_8(target, at + 12, swap_bytes(address[0]))


@kernel(inline=True)
def _put_word_bytes(target, at, word):
    for i in range(4):
        store_8(target, at + 8 * i, swap_bytes(word[3 - i]))


@kernel()
def address_by_nonce(machine, creator, nonce):
    """Address of the contract that `creator` makes with this nonce: the hash of both in RLP."""
    target = view_u8(I(machine[U(layout.M_SCRATCH)]), layout.SCRATCH_RESERVED)
    target[1] = np.uint8(0x94)
    _put_address_bytes(target, 2, creator)
    size = 22
    if nonce == U0:
        target[22] = np.uint8(0x80)
        size = 23
    elif nonce < U(0x80):
        target[22] = np.uint8(nonce)
        size = 23
    else:
        count = 0
        while count < 8 and nonce >> U(8 * count) != U0:
            count += 1
        target[22] = np.uint8(0x80 + count)
        for i in range(count):
            target[U(23 + i)] = np.uint8((nonce >> U(8 * (count - 1 - i))) & U(0xFF))
        size = 23 + count
    target[0] = np.uint8(0xC0 + size - 1)
    return to_address(keccak_word(target, 0, size))


@kernel()
def address_by_salt(machine, creator, salt, source, size):
    """Address of the contract that `creator` makes by CREATE2 of the init code at an address."""
    code_hash = keccak_word(view_u8(source, size), 0, size)
    target = view_u8(I(machine[U(layout.M_SCRATCH)]), layout.SCRATCH_RESERVED)
    target[0] = np.uint8(0xFF)
    _put_address_bytes(target, 1, creator)
    _put_word_bytes(target, 21, salt)
    _put_word_bytes(target, 53, code_hash)
    return to_address(keccak_word(target, 0, 85))


@kernel()
def decode_init_code(machine, source, size):
    """Decode init code into the scratch space, where it stays until its frame ends; its descriptor's address or 0."""
    if scratch_left(machine) < decoded_room(size):
        machine[U(layout.M_ERROR)] = U(errors.CODE_CAPACITY)
        return 0
    at = scratch_address(machine)
    machine[U(layout.M_SCRATCH_USED)] += U(decode_into(source, size, at))
    price_code(I(machine[U(layout.M_CODES)]), at)
    add_work(machine, costs.CODE_BYTE, size)
    return at


@kernel()
def begin_account(machine, address, sender, value):
    """Make the new account, as the first act of its frame: nonce 1, and the value. False when the journal is full.

    Its code and nonce are loaded, and with a value both balances.
    """
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    nonce = find_entry(machine, account_key(address, layout.KIND_NONCE))
    if not set_flag(machine, code, CREATED) or not set_word(machine, nonce, (U1, U0, U0, U0)):
        return False
    return is_zero(value) or transfer(machine, sender, address, value)


@kernel()
def is_taken(machine, address):
    """Whether a contract, or an account that has sent something, is there already. Code and nonce are loaded."""
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    nonce = find_entry(machine, account_key(address, layout.KIND_NONCE))
    return not is_zero(word_of(machine, code)) or not is_zero(word_of(machine, nonce))


@kernel()
def _fail_softly(machine, frames, stack, f, top, gas):
    put(stack, top, (U0, U0, U0, U0))
    frames[U(f + layout.F_STACK_TOP)] = U(top + 1)
    frames[U(f + layout.F_GAS)] = U(gas)
    machine[U(layout.M_OUTPUT_SIZE)] = U0
    return CALL_FAILED_SOFTLY


@kernel()
def begin_create(machine, operation):
    """Execute CREATE or CREATE2 of the current frame; results as of `evm.frames.begin_call`."""
    frames, stack = frames_of(machine), stack_of(machine)
    depth = I(machine[U(layout.M_DEPTH)])
    f = depth * layout.F_WORDS
    top, gas = I(frames[U(f + layout.F_STACK_TOP)]), I(frames[U(f + layout.F_GAS)])
    value, offset, length = get(stack, top - 1), get(stack, top - 2), get(stack, top - 3)
    parent_top = top - 4 if operation == opcodes.CREATE2 else top - 3
    if frames[U(f + layout.F_STATIC)] != U0:
        machine[U(layout.M_ERROR)] = U(errors.STATIC_VIOLATION)
        return CALL_ERROR
    if not fits_u64(length) or length[0] > U(INIT_CODE_LIMIT):
        machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
        return CALL_ERROR
    base, size = I(frames[U(f + layout.F_MEMORY_BASE)]), I(frames[U(f + layout.F_MEMORY_SIZE)])
    end = reach(offset, length)
    count = I(length[0])
    words = (count + 31) >> 5
    cost = words * prices.INIT_CODE_WORD
    if operation == opcodes.CREATE2:
        cost += words * prices.KECCAK_WORD
    gas_before = gas
    if end > size:
        size, gas = expand_memory(machine, base, size, gas, end)
        if gas == NO_MEMORY:
            return CALL_ERROR
    if gas < cost:
        machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
        return CALL_ERROR
    gas -= cost

    creator = get_address(frames, f + layout.F_ADDRESS)
    nonce_at = loaded_entry(machine, account_key(creator, layout.KIND_NONCE))
    if nonce_at == ABSENT:
        return CALL_NEEDS
    nonce = word_of(machine, nonce_at)
    affordable = True
    if not is_zero(value):
        at = loaded_entry(machine, account_key(creator, layout.KIND_BALANCE))
        if at == ABSENT:
            return CALL_NEEDS
        affordable = not less(word_of(machine, at), value)
    if not affordable or depth + 1 > layout.CALL_DEPTH_LIMIT or nonce[0] == LAST_NONCE:
        frames[U(f + layout.F_MEMORY_SIZE)] = U(size)
        return _fail_softly(machine, frames, stack, f, parent_top, gas)
    source = I(machine[U(layout.M_MEMORY)]) + base + (I(offset[0]) if count > 0 else 0)
    if operation == opcodes.CREATE2:
        add_work(machine, costs.HASH_BLOCK, count // costs.HASH_BLOCK_BYTES + 1)
        address = address_by_salt(machine, creator, get(stack, top - 4), source, count)
    else:
        address = address_by_nonce(machine, creator, nonce[0])
    code_at = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if code_at == ABSENT or loaded_entry(machine, account_key(address, layout.KIND_NONCE)) == ABSENT:
        return CALL_NEEDS
    if not is_zero(value) and loaded_entry(machine, account_key(address, layout.KIND_BALANCE)) == ABSENT:
        return CALL_NEEDS

    # All is known: from here on things change, and the instruction is not run again.
    machine[U(layout.M_GAS_DONE)] += U(gas_before - gas)
    if not is_warm(machine, code_at) and not set_warm(machine, code_at):
        return CALL_ERROR
    if not set_word(machine, nonce_at, add(nonce, (U1, U0, U0, U0))):
        return CALL_ERROR
    given = gas - gas // 64
    gas -= given
    frames[U(f + layout.F_MEMORY_SIZE)] = U(size)
    if is_taken(machine, address):
        return _fail_softly(machine, frames, stack, f, parent_top, gas)
    frames[U(f + layout.F_STACK_TOP)] = U(parent_top)
    frames[U(f + layout.F_GAS)] = U(gas)
    frames[U(f + layout.F_RETURN_AT)] = U0
    frames[U(f + layout.F_RETURN_SIZE)] = U0
    code = decode_init_code(machine, source, count)
    if code == 0 or not open_frame(machine, depth + 1, base + size, parent_top, given, code, source, 0):
        return CALL_ERROR
    g = f + layout.F_WORDS
    frames[U(g + layout.F_CREATES)] = U1
    frames[U(g + layout.F_STATIC)] = U0
    put_address(frames, g + layout.F_ADDRESS, address)
    put_address(frames, g + layout.F_CALLER, creator)
    put_at(frames, g + layout.F_VALUE, value)
    return CALL_ENTERED if begin_account(machine, address, creator, value) else CALL_ERROR


@kernel()
def deploy(machine):
    """Keep the output of the current frame, which ran init code, as the new contract's code; the error, if it is one.

    The output is empty afterwards: the creator learns the address, not the code.
    """
    frames = frames_of(machine)
    f = I(machine[U(layout.M_DEPTH)]) * layout.F_WORDS
    size, gas = I(machine[U(layout.M_OUTPUT_SIZE)]), I(frames[U(f + layout.F_GAS)])
    output = view_u8(I(machine[U(layout.M_OUTPUT)]), I(machine[U(layout.M_OUTPUT_BYTES)]))
    cost, error = prices.CODE_BYTE * size, errors.NONE
    machine[U(layout.M_OUTPUT_SIZE)] = U0
    if size > 0 and output[0] == np.uint8(FORBIDDEN_FIRST_BYTE):
        error = errors.INVALID_CODE
    elif size > CODE_SIZE_LIMIT:
        error = errors.CODE_SIZE
    elif cost > gas:
        error = errors.OUT_OF_GAS
    if error != errors.NONE:
        frames[U(f + layout.F_GAS)] = U0
        return error
    frames[U(f + layout.F_GAS)] = U(gas - cost)
    machine[U(layout.M_GAS_DONE)] += U(cost)
    add_work(machine, costs.HASH_BLOCK, size // costs.HASH_BLOCK_BYTES + 1)
    add_work(machine, costs.CODE_BYTE, size)
    if size == 0:
        return errors.NONE
    word = keccak_word(output, 0, size)
    codes, source = I(machine[U(layout.M_CODES)]), I(machine[U(layout.M_OUTPUT)])
    number = intern_code(codes, source, size, word, scratch_address(machine), scratch_left(machine))
    if number < 0 or not publish_code(codes, source, size, word):
        return errors.CODE_CAPACITY
    at = find_entry(machine, account_key(get_address(frames, f + layout.F_ADDRESS), layout.KIND_CODE))
    if not set_word(machine, at, word):
        return errors.JOURNAL_CAPACITY
    entries_of(machine)[U(at + layout.ENTRY_CODE)] = U(number)
    return errors.NONE
