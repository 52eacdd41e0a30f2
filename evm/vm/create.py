"""Creation of contracts: CREATE, CREATE2 and transactions that create, from the new address to the code that is kept.

The address is a hash of the creator and its nonce (Yellow Paper, equation 86), or of the creator, a salt and the init
code (EIP-1014). The new account begins with nonce 1 (EIP-161). Since Shanghai init code is at most twice as long as
code and priced by the word (EIP-3860); code that is kept is at most 24,576 bytes (EIP-170), does not begin with 0xef
since London (EIP-3541), and costs 200 gas a byte. An address that has code, a nonce or storage already is not created
anew (EIP-684, EIP-7610): the gas given is lost.

As in calls, an instruction that lacks a location changes nothing and is run again from its start.
"""

from __future__ import annotations

import numpy as np

from contend.evm import errors, layout, opcodes
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.code.decoder import decode_into, decoded_room
from contend.evm.code.directory import intern_code, publish_code, set_work_of_code
from contend.evm.crypto.keccak import keccak_word
from contend.evm.layout import CODE, RULES
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import store_8, swap_bytes, view_u8
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import add, fits_u64, is_zero, less
from contend.evm.vm.access_table import (
    account_key,
    find_entry,
    is_warm,
    loaded_entry,
    mark_touched,
    scratch_address,
    scratch_left,
    set_flag,
    set_warm,
    set_word,
)
from contend.evm.vm.call import (
    CALL_ENTERED,
    CALL_ERROR,
    CALL_NEEDS,
    NO_MEMORY,
    call_error,
    expand_memory,
    fail_softly,
    frame_at,
    open_frame,
    reach,
    stack_word,
    to_address,
    transfer,
)
from contend.evm.vm.gas import GAS_CODE_DEPOSIT_BYTE, GAS_KECCAK256_WORD

CREATED = U(layout.FLAG_CREATED)
CODE_SIZE_LIMIT = 24_576
FORBIDDEN_FIRST_BYTE = 0xEF
LAST_NONCE = U(0xFFFFFFFFFFFFFFFF)
ONE = (U1, U0, U0, U0)


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
    target = view_u8(machine.scratch, layout.SCRATCH_RESERVED)
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
    target = view_u8(machine.scratch, layout.SCRATCH_RESERVED)
    target[0] = np.uint8(0xFF)
    _put_address_bytes(target, 1, creator)
    _put_word_bytes(target, 21, salt)
    _put_word_bytes(target, 53, code_hash)
    return to_address(keccak_word(target, 0, 85))


@kernel()
def decode_init_code(machine, source, size):
    """Decode init code into the scratch space, where it stays until its frame ends; its descriptor's address or 0."""
    if scratch_left(machine) < decoded_room(size):
        machine.error = I(errors.CODE_CAPACITY)
        return I(0)
    at = scratch_address(machine)
    machine.scratch_used += decode_into(RULES.at(machine.rules), source, size, at)
    set_work_of_code(machine.codes, CODE.at(at))
    add_work(machine, cost_model.CODE_BYTE, size)
    return at


@kernel()
def begin_account(machine, address, sender, value):
    """Make the new account, as the first act of its frame: nonce 1, and the value. False when the journal is full.

    Its code and nonce are loaded, and with a value both balances.
    """
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    nonce = find_entry(machine, account_key(address, layout.KIND_NONCE))
    if not set_flag(machine, code, CREATED) or not set_word(machine, nonce, ONE):
        return False
    return is_zero(value) or transfer(machine, sender, address, value)


@kernel()
def is_taken(machine, address):
    """Whether a contract, or an account that has sent something, is there already. Code and nonce are loaded."""
    code = find_entry(machine, account_key(address, layout.KIND_CODE))
    nonce = find_entry(machine, account_key(address, layout.KIND_NONCE))
    return not is_zero(code.current) or not is_zero(nonce.current)


@kernel()
def begin_create(machine, operation):
    """Execute CREATE or CREATE2 of the current frame; results as of `evm.vm.call.begin_call`."""
    depth = machine.depth
    frame = frame_at(machine, depth)
    top, gas = frame.stack_top, frame.gas
    value, offset = stack_word(machine, top - 1).value, stack_word(machine, top - 2).value
    length = stack_word(machine, top - 3).value
    parent_top = top - 4 if operation == opcodes.CREATE2 else top - 3
    if frame.static != U0:
        return call_error(machine, errors.STATIC_VIOLATION)
    rules = RULES.at(machine.rules)
    if not fits_u64(length) or length[0] > U(rules.init_code_limit):
        return call_error(machine, errors.OUT_OF_GAS)
    size, end = frame.memory_size, reach(offset, length)
    count = I(length[0])
    words = (count + 31) >> 5
    needed = words * rules.init_code_word_gas
    if operation == opcodes.CREATE2:
        needed += words * GAS_KECCAK256_WORD
    gas_before = gas
    if end > size:
        size, gas = expand_memory(machine, machine.memory + frame.memory_base, size, gas, end)
        if gas == NO_MEMORY:
            return CALL_ERROR
    if gas < needed:
        return call_error(machine, errors.OUT_OF_GAS)
    gas -= needed

    creator_nonce = loaded_entry(machine, account_key(frame.address, layout.KIND_NONCE))
    if is_null(creator_nonce):
        return CALL_NEEDS
    nonce = creator_nonce.current
    affordable = True
    if not is_zero(value):
        payer = loaded_entry(machine, account_key(frame.address, layout.KIND_BALANCE))
        if is_null(payer):
            return CALL_NEEDS
        affordable = not less(payer.current, value)
    if not affordable or depth + 1 > layout.CALL_DEPTH_LIMIT or nonce[0] == LAST_NONCE:
        frame.memory_size = size
        return fail_softly(machine, frame, parent_top, gas)
    source = machine.memory + frame.memory_base + (I(offset[0]) if count > 0 else I(0))
    if operation == opcodes.CREATE2:
        add_work(machine, cost_model.HASH_BLOCK, count // cost_model.HASH_BLOCK_BYTES + 1)
        address = address_by_salt(machine, frame.address, stack_word(machine, top - 4).value, source, count)
    else:
        address = address_by_nonce(machine, frame.address, nonce[0])
    code_entry = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if is_null(code_entry) or is_null(loaded_entry(machine, account_key(address, layout.KIND_NONCE))):
        return CALL_NEEDS
    if not is_zero(value) and is_null(loaded_entry(machine, account_key(address, layout.KIND_BALANCE))):
        return CALL_NEEDS

    # All is known: from here on things change, and the instruction is not run again.
    machine.gas_done += U(gas_before - gas)
    mark_touched(code_entry)
    if not is_warm(code_entry) and not set_warm(machine, code_entry):
        return CALL_ERROR
    if not set_word(machine, creator_nonce, add(nonce, ONE)):
        return CALL_ERROR
    given = gas - gas // 64
    gas -= given
    frame.memory_size = size
    if is_taken(machine, address):
        return fail_softly(machine, frame, parent_top, gas)
    frame.stack_top = parent_top
    frame.gas = gas
    frame.return_at = I(0)
    frame.return_size = I(0)
    code = decode_init_code(machine, source, count)
    memory_base = frame.memory_base + size
    if code == 0 or not open_frame(machine, depth + 1, memory_base, parent_top, given, code, source, I(0)):
        return CALL_ERROR
    created = frame_at(machine, depth + 1)
    created.creates = U1
    created.static = U0
    created.address = address
    created.caller = frame.address
    created.value = value
    return CALL_ENTERED if begin_account(machine, address, frame.address, value) else CALL_ERROR


@kernel()
def deploy(machine):
    """Keep the output of the current frame, which ran init code, as the new contract's code; the error, if it is one.

    The output is empty afterwards: the creator learns the address, not the code.
    """
    frame = frame_at(machine, machine.depth)
    size, gas = machine.output_size, frame.gas
    output = view_u8(machine.output, machine.output_bytes)
    deposit, error = GAS_CODE_DEPOSIT_BYTE * size, errors.NONE
    machine.output_size = I(0)
    rules = RULES.at(machine.rules)
    if size > 0 and output[0] == np.uint8(FORBIDDEN_FIRST_BYTE) and rules.forbids_ef != U0:
        error = errors.INVALID_CODE
    elif size > CODE_SIZE_LIMIT:
        error = errors.CODE_SIZE
    elif deposit > gas:
        error = errors.OUT_OF_GAS
    if error != errors.NONE:
        frame.gas = I(0)
        return error
    frame.gas = gas - deposit
    machine.gas_done += U(deposit)
    add_work(machine, cost_model.HASH_BLOCK, size // cost_model.HASH_BLOCK_BYTES + 1)
    add_work(machine, cost_model.CODE_BYTE, size)
    if size == 0:
        return errors.NONE
    word = keccak_word(output, 0, size)
    codes = machine.codes
    number = intern_code(codes, rules, machine.output, size, word, scratch_address(machine), scratch_left(machine))
    if number < 0 or not publish_code(codes, machine.output, size, word):
        return errors.CODE_CAPACITY
    entry = find_entry(machine, account_key(frame.address, layout.KIND_CODE))
    if not set_word(machine, entry, word):
        return errors.JOURNAL_CAPACITY
    entry.code = number
    return errors.NONE
