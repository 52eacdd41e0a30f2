"""The interpreter: runs a machine until its transaction is done or it needs a location.

It is resumable. It keeps no state of its own: when a location is missing it puts its registers back into the frame,
with the position still on the instruction that asked, notes the key, and returns. The caller provides the word and
resumes; the instruction runs again from its start. So an instruction changes nothing before it has all it needs.

One function holds the loop, because registers (position, stack top, gas) live in it and LLVM turns its chain of
comparisons into a jump table. Arithmetic is in `evm.words`, calls in `evm.frames`, and the first and the last act of
a transaction in `evm.transaction`; here is only what one instruction does. Strategies call it by address (`resume`),
so it is compiled once.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import bytecode, costs, errors, forks, layout, opcodes, prices
from evm.access import (
    ABSENT,
    account_key,
    entries_of,
    find_entry,
    find_or_insert,
    is_warm,
    loaded_entry,
    original_of,
    set_warm,
    set_word,
    storage_key,
    transient_key,
    word_of,
)
from evm.codes import EMPTY_HASH_WORD, is_no_code
from evm.costs import add_work
from evm.creation import begin_create, deploy
from evm.destruction import destroy
from evm.frames import (
    CALL_ERROR,
    CALL_NEEDS,
    NO_MEMORY,
    begin_call,
    descriptor_address,
    end_call,
    expand_memory,
    frames_of,
    get_address,
    is_precompile,
    reach,
    set_output,
    stack_of,
    to_address,
    undo_frame,
)
from evm.jit import kernel, macro, native
from evm.keccak import keccak_word
from evm.pointers import call_1, clear_bytes, load_8, move_bytes, store_8, swap_bytes, view_u8, view_u32, view_u64
from evm.precompiles import NOT_COMPUTED, run_precompile
from evm.transaction import CONTINUE, begin_transaction, end_transaction, open_machine
from evm.words import (
    U0,
    U1,
    ZERO,
    add,
    add_modulo,
    bit_and,
    bit_length,
    bit_not,
    bit_or,
    bit_xor,
    byte_at,
    divide_remainder,
    divide_signed,
    equal,
    fits_u64,
    from_bool,
    from_u64,
    get,
    get_at,
    is_zero,
    less,
    less_signed,
    multiply,
    multiply_modulo,
    power,
    put,
    put_at,
    remainder_signed,
    shift_left,
    shift_right,
    shift_right_signed,
    sign_extend,
    subtract,
)

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

WARM = U(layout.FLAG_WARM)
IMMEDIATE, OPERATION = U(bytecode.IMMEDIATE_SHIFT), U(bytecode.OPERATION_MASK)
NEED_SHIFT, GROWTH_SHIFT = U(bytecode.NEED_SHIFT), U(bytecode.GROWTH_SHIFT)
GAS_MASK, STACK_MASK = U(bytecode.GAS_MASK), U(bytecode.STACK_MASK)

HASHES_KEPT = 256
STORE_NEEDS = NO_MEMORY + 1

# Why the inner loop was left.
LEAVE_ERROR, LEAVE_NEED, LEAVE_CALL, LEAVE_STOP, LEAVE_REVERT = range(5)


@kernel(inline=True)
def _load_word(memory, at):
    return (
        swap_bytes(load_8(memory, at + 24)),
        swap_bytes(load_8(memory, at + 16)),
        swap_bytes(load_8(memory, at + 8)),
        swap_bytes(load_8(memory, at)),
    )


@kernel(inline=True)
def _store_word(memory, at, word):
    store_8(memory, at, swap_bytes(word[3]))
    store_8(memory, at + 8, swap_bytes(word[2]))
    store_8(memory, at + 16, swap_bytes(word[1]))
    store_8(memory, at + 24, swap_bytes(word[0]))


@kernel()
def _calldata_word(data, size, offset):
    """32 bytes of the call data from `offset`, zero beyond its end."""
    if not fits_u64(offset) or offset[0] >= U(size):
        return ZERO
    at = I(offset[0])
    if at + 32 <= size:
        return _load_word(data, at)
    r0, r1, r2, r3 = U0, U0, U0, U0
    for i in range(32):
        byte = U(data[U(at + i)]) if at + i < size else U0
        r3 = (r3 << U(8)) | (r2 >> U(56))
        r2 = (r2 << U(8)) | (r1 >> U(56))
        r1 = (r1 << U(8)) | (r0 >> U(56))
        r0 = (r0 << U(8)) | byte
    return r0, r1, r2, r3


@kernel()
def _copy_padded(memory, to, source, source_size, offset, count):
    """Copy `count` bytes from `offset` of `source`, which is zero beyond its end."""
    available = 0
    if fits_u64(offset) and offset[0] < U(source_size):
        available = min(count, source_size - I(offset[0]))
        move_bytes(memory, to, source, I(offset[0]), available)
    clear_bytes(memory, to + available, count - available)


@kernel(inline=True)
def _words_in(size):
    return (size + 31) >> 5


@kernel()
def _store_cost(original, current, new):
    """Price of SSTORE without the cold surcharge, and the change of the refund (EIP-2200, 2929 and 3529)."""
    if equal(current, new):
        return prices.WARM_ACCESS, 0
    if equal(original, current):
        if is_zero(original):
            return prices.STORE_SET, 0
        return prices.STORE_RESET, prices.CLEAR_REFUND if is_zero(new) else 0
    refund = 0
    if not is_zero(original):
        if is_zero(current):
            refund -= prices.CLEAR_REFUND
        elif is_zero(new):
            refund += prices.CLEAR_REFUND
    if equal(original, new):
        refund += (prices.STORE_SET if is_zero(original) else prices.STORE_RESET) - prices.WARM_ACCESS
    return prices.WARM_ACCESS, refund


@kernel()
def _store_slot(machine, f, gas, slot, new):
    """SSTORE. The gas left; negative when it does not suffice; `STORE_NEEDS` when the slot is wanted."""
    if gas <= prices.STORE_STIPEND:
        return I(-1)
    at = loaded_entry(machine, storage_key(get_address(frames_of(machine), f + layout.F_ADDRESS), slot))
    if at == ABSENT:
        return I(STORE_NEEDS)
    cost, refund = _store_cost(original_of(machine, at), word_of(machine, at), new)
    if not is_warm(machine, at):
        cost += prices.COLD_SLOT
    if cost > gas:
        return I(-1)
    if not set_word(machine, at, new):
        return I(NO_MEMORY)
    entries_of(machine)[U(at + layout.ENTRY_FLAGS)] |= WARM
    machine[U(layout.M_REFUND)] += U(refund)
    return I(gas - cost)


@kernel()
def _write_log(machine, f, topics, top, memory, data_at, data_size):
    """Append a log record; its topics are on the stack below offset and size. False when there is no room."""
    size = I(machine[U(layout.M_LOG_SIZE)])
    padded = (data_size + 7) & ~7
    end = size + layout.LOG_HEADER_BYTES + 32 * topics + padded
    if end > I(machine[U(layout.M_LOGS_BYTES)]):
        machine[U(layout.M_ERROR)] = U(errors.LOG_CAPACITY)
        return False
    logs = view_u8(I(machine[U(layout.M_LOGS)]), I(machine[U(layout.M_LOGS_BYTES)]))
    words = view_u64(I(machine[U(layout.M_LOGS)]), I(machine[U(layout.M_LOGS_BYTES)]) // 8)
    frames, stack = frames_of(machine), stack_of(machine)
    at = size >> 3
    for i in range(3):
        words[U(at + i)] = frames[U(f + layout.F_ADDRESS + i)]
    words[U(at + 3)] = U(topics) | (U(data_size) << U(8))
    at += 4
    for i in range(topics):
        put_at(words, at + 4 * i, get(stack, top - 3 - i))
    to = size + layout.LOG_HEADER_BYTES + 32 * topics
    clear_bytes(logs, end - 8 if padded > 0 else end, 8 if padded > 0 else 0)
    move_bytes(logs, to, memory, data_at, data_size)
    machine[U(layout.M_LOG_SIZE)] = U(end)
    return True


@kernel()
def _block_hash(block, number):
    current = block[U(layout.BLOCK_NUMBER)]
    if not fits_u64(number) or number[0] >= current or current - number[0] > U(HASHES_KEPT):
        return ZERO
    hashes = view_u64(I(block[U(layout.BLOCK_HASHES)]), HASHES_KEPT * 4)
    return get(hashes, I(current - number[0]) - 1)


@kernel()
def _blob_hash(machine, number):
    """Hash of one of the transaction's blobs (EIP-4844); zero beyond the last."""
    row = view_u64(I(machine[U(layout.M_TRANSACTION)]), layout.TX_WORDS)
    count = I(row[U(layout.TX_BLOBS)])
    if not fits_u64(number) or number[0] >= U(count):
        return ZERO
    end = I(row[U(layout.TX_DATA_ROOM)])
    hashes = view_u64(I(machine[U(layout.M_CALLDATA)]) + end - count * 32, count * 4)
    return get(hashes, I(number[0]))


@kernel()
def _is_warm_though_unknown(machine, key):
    """Whether a slot that is still wanted has been accessed: the access list names it."""
    at = find_entry(machine, key)
    return at != ABSENT and is_warm(machine, at)


@kernel()
def _account_cost(machine, address):
    """Entry of an account, and the price of accessing it now. The entry is `ABSENT` when there is no room."""
    at = find_or_insert(machine, account_key(address, layout.KIND_CODE))
    if at == ABSENT:
        return at, 0
    if is_precompile(machine, address) or is_warm(machine, at):
        return at, prices.WARM_ACCESS
    return at, prices.COLD_ACCOUNT


@kernel()
def _account_word(machine, operation, address):
    """What BALANCE, EXTCODESIZE or EXTCODEHASH gives; the flag is False while a location is wanted."""
    if operation == opcodes.BALANCE:
        at = loaded_entry(machine, account_key(address, layout.KIND_BALANCE))
        if at == ABSENT:
            return ZERO, False
        return word_of(machine, at), True
    code = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if code == ABSENT:
        return ZERO, False
    code_hash = word_of(machine, code)
    if operation == opcodes.EXTCODESIZE:
        number = I(entries_of(machine)[U(code + layout.ENTRY_CODE)])
        return from_u64(_descriptor(machine, number)[U(layout.CODE_SIZE)]), True
    if not is_no_code(code_hash):
        return code_hash, True
    balance = loaded_entry(machine, account_key(address, layout.KIND_BALANCE))
    if balance == ABSENT:
        return ZERO, False
    if not is_zero(word_of(machine, balance)):
        return EMPTY_HASH_WORD, True
    nonce = loaded_entry(machine, account_key(address, layout.KIND_NONCE))
    if nonce == ABSENT:
        return ZERO, False
    if not is_zero(word_of(machine, nonce)):
        return EMPTY_HASH_WORD, True
    return ZERO, True


@macro
def _descriptor(machine, number):
    return view_u64(descriptor_address(machine, number), layout.CODE_WORDS)


@kernel()
def _environment_word(machine, operation):
    """What an instruction that reads the block or the transaction gives."""
    block = view_u64(I(machine[U(layout.M_BLOCK)]), layout.BLOCK_WORDS)
    row = view_u64(I(machine[U(layout.M_TRANSACTION)]), layout.TX_WORDS)
    if operation == opcodes.ORIGIN:
        sender = get_address(row, layout.TX_SENDER)
        return sender[0], sender[1], sender[2], U0
    if operation == opcodes.GASPRICE:
        return get_at(row, layout.TX_PRICE)
    if operation == opcodes.COINBASE:
        return get_at(block, layout.BLOCK_COINBASE)
    if operation == opcodes.TIMESTAMP:
        return get_at(block, layout.BLOCK_TIMESTAMP)
    if operation == opcodes.NUMBER:
        return get_at(block, layout.BLOCK_NUMBER)
    if operation == opcodes.PREVRANDAO:
        return get_at(block, layout.BLOCK_PREV_RANDAO)
    if operation == opcodes.GASLIMIT:
        return get_at(block, layout.BLOCK_GAS_LIMIT)
    if operation == opcodes.CHAINID:
        return get_at(block, layout.BLOCK_CHAIN_ID)
    if operation == opcodes.BASEFEE:
        return get_at(block, layout.BLOCK_BASE_FEE)
    return get_at(block, layout.BLOCK_BLOB_BASE_FEE)


@kernel()
def run_frame(machine):
    """Run the current frame until it ends, calls, or needs a location; returns why, and the error if it is one."""
    frames, stack = frames_of(machine), stack_of(machine)
    f = I(machine[U(layout.M_DEPTH)]) * layout.F_WORDS
    code = view_u64(I(frames[U(f + layout.F_CODE)]), layout.CODE_WORDS)
    code_size = I(code[U(layout.CODE_SIZE)])
    stream = view_u64(I(code[U(layout.CODE_STREAM)]), I(code[U(layout.CODE_STREAM_SIZE)]))
    blocks = view_u64(I(code[U(layout.CODE_BLOCKS)]), I(code[U(layout.CODE_BLOCKS_SIZE)]))
    memory_base, size = I(frames[U(f + layout.F_MEMORY_BASE)]), I(frames[U(f + layout.F_MEMORY_SIZE)])
    memory_address = I(machine[U(layout.M_MEMORY)]) + memory_base
    memory = view_u8(memory_address, size)
    calldata_size = I(frames[U(f + layout.F_CALLDATA_SIZE)])
    position, top = I(frames[U(f + layout.F_POSITION)]), I(frames[U(f + layout.F_STACK_TOP)])
    bottom = I(frames[U(f + layout.F_STACK_BASE)])
    gas = I(frames[U(f + layout.F_GAS)])
    gas_before, work = gas, U0
    leave, error = LEAVE_ERROR, errors.OUT_OF_GAS

    while True:
        instruction = stream[U(position)]
        position += 1
        operation = I(instruction & OPERATION)

        if operation == opcodes.BLOCK:
            row = (instruction >> IMMEDIATE) * U(2)
            requirement = blocks[row]
            work += blocks[row + U1]
            gas -= I(requirement & GAS_MASK)
            if gas < 0:
                break
            height = top - bottom
            if height < I((requirement >> NEED_SHIFT) & STACK_MASK):
                error = errors.STACK_UNDERFLOW
                break
            if height + I(requirement >> GROWTH_SHIFT) > layout.STACK_LIMIT:
                error = errors.STACK_OVERFLOW
                break
        elif operation == opcodes.PUSH_SMALL:
            put(stack, top, (instruction >> IMMEDIATE, U0, U0, U0))
            top += 1
        elif operation == opcodes.DUP:
            put(stack, top, get(stack, top - I(instruction >> IMMEDIATE)))
            top += 1
        elif operation == opcodes.SWAP:
            other = top - 1 - I(instruction >> IMMEDIATE)
            above, below = get(stack, top - 1), get(stack, other)
            put(stack, other, above)
            put(stack, top - 1, below)
        elif operation == opcodes.POP:
            top -= 1
        elif operation == opcodes.PUSH_LARGE:
            constants = view_u64(I(code[U(layout.CODE_CONSTANTS)]), I(code[U(layout.CODE_CONSTANTS_SIZE)]))
            put(stack, top, get(constants, I(instruction >> IMMEDIATE)))
            top += 1
        elif operation == opcodes.JUMP_STATIC:
            position = I(instruction >> IMMEDIATE) - 1
            if position < 0:
                error = errors.INVALID_JUMP
                break
        elif operation == opcodes.JUMPI_STATIC:
            top -= 1
            if not is_zero(get(stack, top)):
                position = I(instruction >> IMMEDIATE) - 1
                if position < 0:
                    error = errors.INVALID_JUMP
                    break
        elif operation == opcodes.JUMP or operation == opcodes.JUMPI:
            top -= 1
            goal = get(stack, top)
            taken = True
            if operation == opcodes.JUMPI:
                top -= 1
                taken = not is_zero(get(stack, top))
            if taken:
                if not fits_u64(goal) or goal[0] >= U(code_size):
                    error = errors.INVALID_JUMP
                    break
                position = I(view_u32(I(code[U(layout.CODE_TARGETS)]), code_size)[goal[0]]) - 1
                if position < 0:
                    error = errors.INVALID_JUMP
                    break

        elif operation == opcodes.ADD:
            top -= 1
            put(stack, top - 1, add(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.MUL:
            top -= 1
            put(stack, top - 1, multiply(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.SUB:
            top -= 1
            put(stack, top - 1, subtract(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.DIV:
            top -= 1
            quotient, _ = divide_remainder(get(stack, top), get(stack, top - 1))
            put(stack, top - 1, quotient)
        elif operation == opcodes.SDIV:
            top -= 1
            put(stack, top - 1, divide_signed(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.MOD:
            top -= 1
            _, remainder = divide_remainder(get(stack, top), get(stack, top - 1))
            put(stack, top - 1, remainder)
        elif operation == opcodes.SMOD:
            top -= 1
            put(stack, top - 1, remainder_signed(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.ADDMOD:
            top -= 2
            put(stack, top - 1, add_modulo(get(stack, top + 1), get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.MULMOD:
            top -= 2
            put(stack, top - 1, multiply_modulo(get(stack, top + 1), get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.EXP:
            top -= 1
            exponent = get(stack, top - 1)
            exponent_bytes = (bit_length(exponent) + 7) >> 3
            gas -= prices.EXP_BYTE * exponent_bytes
            if gas < 0:
                break
            add_work(machine, costs.EXPONENT_BYTE, exponent_bytes)
            put(stack, top - 1, power(get(stack, top), exponent))
        elif operation == opcodes.SIGNEXTEND:
            top -= 1
            put(stack, top - 1, sign_extend(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.LT:
            top -= 1
            put(stack, top - 1, from_bool(less(get(stack, top), get(stack, top - 1))))
        elif operation == opcodes.GT:
            top -= 1
            put(stack, top - 1, from_bool(less(get(stack, top - 1), get(stack, top))))
        elif operation == opcodes.SLT:
            top -= 1
            put(stack, top - 1, from_bool(less_signed(get(stack, top), get(stack, top - 1))))
        elif operation == opcodes.SGT:
            top -= 1
            put(stack, top - 1, from_bool(less_signed(get(stack, top - 1), get(stack, top))))
        elif operation == opcodes.EQ:
            top -= 1
            put(stack, top - 1, from_bool(equal(get(stack, top), get(stack, top - 1))))
        elif operation == opcodes.ISZERO:
            put(stack, top - 1, from_bool(is_zero(get(stack, top - 1))))
        elif operation == opcodes.AND:
            top -= 1
            put(stack, top - 1, bit_and(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.OR:
            top -= 1
            put(stack, top - 1, bit_or(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.XOR:
            top -= 1
            put(stack, top - 1, bit_xor(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.NOT:
            put(stack, top - 1, bit_not(get(stack, top - 1)))
        elif operation == opcodes.BYTE:
            top -= 1
            put(stack, top - 1, byte_at(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.SHL:
            top -= 1
            put(stack, top - 1, shift_left(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.SHR:
            top -= 1
            put(stack, top - 1, shift_right(get(stack, top), get(stack, top - 1)))
        elif operation == opcodes.SAR:
            top -= 1
            put(stack, top - 1, shift_right_signed(get(stack, top), get(stack, top - 1)))

        elif operation == opcodes.MLOAD or operation == opcodes.MSTORE or operation == opcodes.MSTORE8:
            offset = get(stack, top - 1)
            if not fits_u64(offset) or offset[0] > U(1 << 40):
                break
            at = I(offset[0])
            end = at + (1 if operation == opcodes.MSTORE8 else 32)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            if operation == opcodes.MLOAD:
                put(stack, top - 1, _load_word(memory, at))
            else:
                top -= 2
                if operation == opcodes.MSTORE:
                    _store_word(memory, at, get(stack, top))
                else:
                    memory[U(at)] = np.uint8(get(stack, top)[0] & U(0xFF))
        elif operation == opcodes.MSIZE:
            put(stack, top, from_u64(U(size)))
            top += 1
        elif operation == opcodes.MCOPY:
            if machine[U(layout.M_FORK)] < U(forks.CANCUN):
                error = errors.INVALID_OPCODE
                break
            count = get(stack, top - 3)
            end = max(reach(get(stack, top - 1), count), reach(get(stack, top - 2), count))
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            top -= 3
            if not is_zero(count):
                gas -= prices.COPY_WORD * _words_in(I(count[0]))
                if gas < 0:
                    break
                add_work(machine, costs.COPY_WORD, _words_in(I(count[0])))
                to, of = I(get(stack, top + 2)[0]), I(get(stack, top + 1)[0])
                move_bytes(memory, to, memory, of, I(count[0]))
        elif operation == opcodes.KECCAK256:
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= prices.KECCAK_WORD * _words_in(I(count[0]))
            if gas < 0:
                break
            add_work(machine, costs.HASH_BLOCK, I(count[0]) // costs.HASH_BLOCK_BYTES + 1)
            top -= 1
            put(stack, top - 1, keccak_word(memory, I(offset[0]) if count[0] != U0 else 0, I(count[0])))

        elif operation == opcodes.SLOAD:
            slot = get(stack, top - 1)
            address = get_address(frames, f + layout.F_ADDRESS)
            at = loaded_entry(machine, storage_key(address, slot))
            if at == ABSENT:
                if gas < prices.COLD_SLOT and not _is_warm_though_unknown(machine, storage_key(address, slot)):
                    break
                leave = LEAVE_NEED
                break
            if is_warm(machine, at):
                gas -= prices.WARM_ACCESS
                if gas < 0:
                    break
            else:
                gas -= prices.COLD_SLOT
                if gas < 0:
                    break
                if not set_warm(machine, at):
                    gas = NO_MEMORY
                    break
            put(stack, top - 1, word_of(machine, at))
        elif operation == opcodes.SSTORE:
            if frames[U(f + layout.F_STATIC)] != U0:
                error = errors.STATIC_VIOLATION
                break
            left = _store_slot(machine, f, gas, get(stack, top - 1), get(stack, top - 2))
            if left == STORE_NEEDS:
                leave = LEAVE_NEED
                break
            gas = left
            if gas < 0:
                break
            top -= 2
        elif operation == opcodes.TLOAD:
            if machine[U(layout.M_FORK)] < U(forks.CANCUN):
                error = errors.INVALID_OPCODE
                break
            address = get_address(frames, f + layout.F_ADDRESS)
            at = find_entry(machine, transient_key(address, get(stack, top - 1)))
            put(stack, top - 1, ZERO if at == ABSENT else word_of(machine, at))
        elif operation == opcodes.TSTORE:
            if machine[U(layout.M_FORK)] < U(forks.CANCUN):
                error = errors.INVALID_OPCODE
                break
            if frames[U(f + layout.F_STATIC)] != U0:
                error = errors.STATIC_VIOLATION
                break
            address = get_address(frames, f + layout.F_ADDRESS)
            at = find_or_insert(machine, transient_key(address, get(stack, top - 1)))
            if at == ABSENT or not set_word(machine, at, get(stack, top - 2)):
                gas = NO_MEMORY
                break
            top -= 2

        elif operation == opcodes.ADDRESS or operation == opcodes.CALLER:
            at = f + (layout.F_ADDRESS if operation == opcodes.ADDRESS else layout.F_CALLER)
            address = get_address(frames, at)
            put(stack, top, (address[0], address[1], address[2], U0))
            top += 1
        elif operation == opcodes.CALLVALUE:
            put(stack, top, get_at(frames, f + layout.F_VALUE))
            top += 1
        elif operation == opcodes.CALLDATASIZE:
            put(stack, top, from_u64(U(calldata_size)))
            top += 1
        elif operation == opcodes.CALLDATALOAD:
            calldata = view_u8(I(frames[U(f + layout.F_CALLDATA)]), calldata_size)
            put(stack, top - 1, _calldata_word(calldata, calldata_size, get(stack, top - 1)))
        elif operation == opcodes.CODESIZE:
            put(stack, top, from_u64(U(code_size)))
            top += 1
        elif operation == opcodes.RETURNDATASIZE:
            put(stack, top, from_u64(machine[U(layout.M_OUTPUT_SIZE)]))
            top += 1
        elif operation == opcodes.CALLDATACOPY or operation == opcodes.CODECOPY or operation == opcodes.RETURNDATACOPY:
            to, of, count = get(stack, top - 1), get(stack, top - 2), get(stack, top - 3)
            end = reach(to, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= prices.COPY_WORD * _words_in(I(count[0]))
            if gas < 0:
                break
            source, source_size = I(frames[U(f + layout.F_CALLDATA)]), calldata_size
            if operation == opcodes.CODECOPY:
                source, source_size = I(code[U(layout.CODE_BYTES)]), code_size
            elif operation == opcodes.RETURNDATACOPY:
                source, source_size = I(machine[U(layout.M_OUTPUT)]), I(machine[U(layout.M_OUTPUT_SIZE)])
                if not fits_u64(of) or of[0] > U(source_size) or count[0] > U(source_size) - of[0]:
                    error = errors.RETURN_DATA_BOUNDS
                    break
            if not is_zero(count):
                add_work(machine, costs.COPY_WORD, _words_in(I(count[0])))
                _copy_padded(memory, I(to[0]), view_u8(source, source_size), source_size, of, I(count[0]))
            top -= 3
        elif operation == opcodes.BALANCE or operation == opcodes.EXTCODESIZE or operation == opcodes.EXTCODEHASH:
            address = to_address(get(stack, top - 1))
            at, cost = _account_cost(machine, address)
            if at == ABSENT:
                gas = NO_MEMORY
                break
            if cost > gas:
                break
            word, known = _account_word(machine, operation, address)
            if not known:
                leave = LEAVE_NEED
                break
            gas -= cost
            if cost == prices.COLD_ACCOUNT and not set_warm(machine, at):
                gas = NO_MEMORY
                break
            put(stack, top - 1, word)
        elif operation == opcodes.EXTCODECOPY:
            address = to_address(get(stack, top - 1))
            at, cost = _account_cost(machine, address)
            if at == ABSENT:
                gas = NO_MEMORY
                break
            to, of, count = get(stack, top - 2), get(stack, top - 3), get(stack, top - 4)
            end = reach(to, count)
            if end < 2 << 32:
                cost += prices.COPY_WORD * _words_in(I(count[0]))
            if cost > gas:
                break
            if loaded_entry(machine, account_key(address, layout.KIND_CODE)) == ABSENT:
                leave = LEAVE_NEED
                break
            gas -= cost
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            if not is_precompile(machine, address) and not is_warm(machine, at) and not set_warm(machine, at):
                gas = NO_MEMORY
                break
            if not is_zero(count):
                other = _descriptor(machine, I(entries_of(machine)[U(at + layout.ENTRY_CODE)]))
                source_size = I(other[U(layout.CODE_SIZE)])
                source = view_u8(I(other[U(layout.CODE_BYTES)]), source_size)
                add_work(machine, costs.COPY_WORD, _words_in(I(count[0])))
                _copy_padded(memory, I(to[0]), source, source_size, of, I(count[0]))
            top -= 4
        elif operation == opcodes.SELFBALANCE:
            at = loaded_entry(machine, account_key(get_address(frames, f + layout.F_ADDRESS), layout.KIND_BALANCE))
            if at == ABSENT:
                leave = LEAVE_NEED
                break
            put(stack, top, word_of(machine, at))
            top += 1
        elif (
            operation == opcodes.ORIGIN
            or operation == opcodes.GASPRICE
            or operation == opcodes.COINBASE
            or operation == opcodes.TIMESTAMP
            or operation == opcodes.NUMBER
            or operation == opcodes.PREVRANDAO
            or operation == opcodes.GASLIMIT
            or operation == opcodes.CHAINID
            or operation == opcodes.BASEFEE
            or operation == opcodes.BLOBBASEFEE
        ):
            if operation == opcodes.BLOBBASEFEE and machine[U(layout.M_FORK)] < U(forks.CANCUN):
                error = errors.INVALID_OPCODE
                break
            put(stack, top, _environment_word(machine, operation))
            top += 1
        elif operation == opcodes.BLOCKHASH:
            block = view_u64(I(machine[U(layout.M_BLOCK)]), layout.BLOCK_WORDS)
            put(stack, top - 1, _block_hash(block, get(stack, top - 1)))
        elif operation == opcodes.BLOBHASH:
            if machine[U(layout.M_FORK)] < U(forks.CANCUN):
                error = errors.INVALID_OPCODE
                break
            put(stack, top - 1, _blob_hash(machine, get(stack, top - 1)))
        elif operation == opcodes.GAS:
            put(stack, top, from_u64(U(gas)))
            top += 1

        elif operation == opcodes.LOG:
            if frames[U(f + layout.F_STATIC)] != U0:
                error = errors.STATIC_VIOLATION
                break
            topics = I(instruction >> IMMEDIATE)
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= prices.LOG_BYTE * I(count[0])
            if gas < 0:
                break
            add_work(machine, costs.COPY_WORD, _words_in(I(count[0])))
            data_at = I(offset[0]) if count[0] != U0 else 0
            if not _write_log(machine, f, topics, top, memory, data_at, I(count[0])):
                gas = NO_MEMORY
                break
            top -= 2 + topics
        elif (
            operation == opcodes.CALL
            or operation == opcodes.CALLCODE
            or operation == opcodes.DELEGATECALL
            or operation == opcodes.STATICCALL
            or operation == opcodes.CREATE
            or operation == opcodes.CREATE2
            or operation == opcodes.SELFDESTRUCT
        ):
            leave = LEAVE_CALL
            error = operation
            break
        elif operation == opcodes.RETURN or operation == opcodes.REVERT:
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
            if not set_output(machine, memory_address + (I(offset[0]) if end > 0 else 0), I(count[0])):
                gas = NO_MEMORY
                break
            leave = LEAVE_STOP if operation == opcodes.RETURN else LEAVE_REVERT
            break
        elif operation == opcodes.STOP:
            machine[U(layout.M_OUTPUT_SIZE)] = U0
            leave = LEAVE_STOP
            break
        else:
            error = errors.INVALID_OPCODE
            break

    if leave == LEAVE_NEED:
        position -= 1
    if gas < 0:
        if gas == NO_MEMORY:
            error = I(machine[U(layout.M_ERROR)])
        gas = 0
    machine[U(layout.M_GAS_DONE)] += U(gas_before - gas)
    machine[U(layout.M_WORK_DONE)] += work
    frames[U(f + layout.F_POSITION)] = U(position)
    frames[U(f + layout.F_STACK_TOP)] = U(top)
    frames[U(f + layout.F_MEMORY_SIZE)] = U(size)
    frames[U(f + layout.F_GAS)] = U0 if leave == LEAVE_ERROR else U(gas)
    return leave, error


@kernel()
def _leave_frame_for(machine, operation):
    """Execute an instruction that makes a frame, or ends this one for good: see `evm.frames.begin_call`."""
    if operation == opcodes.SELFDESTRUCT:
        return destroy(machine)
    if operation == opcodes.CREATE or operation == opcodes.CREATE2:
        return begin_create(machine, operation)
    return begin_call(machine, operation)


@kernel()
def run_machine(address):
    """Run a machine's transaction on: `DONE`, `NEED`, `FAULT`, or `COMPUTE` when a precompiled contract is wanted."""
    machine = open_machine(address)
    if machine[U(layout.M_PHASE)] == U(layout.PHASE_BEGIN):
        began = begin_transaction(machine)
        if began != CONTINUE:
            return began
    frames = frames_of(machine)
    while True:
        f = I(machine[U(layout.M_DEPTH)]) * layout.F_WORDS
        if frames[U(f + layout.F_CODE)] == U0:
            leave = LEAVE_STOP
            error = run_precompile(machine)
            if error == NOT_COMPUTED:
                return errors.COMPUTE
        else:
            leave, error = run_frame(machine)
            if leave == LEAVE_NEED:
                return errors.NEED
            if leave == LEAVE_CALL:
                operation = error
                called = _leave_frame_for(machine, operation)
                if called == CALL_NEEDS:
                    frames[U(f + layout.F_POSITION)] -= U1
                    return errors.NEED
                if called == CALL_ERROR:
                    error = I(machine[U(layout.M_ERROR)])
                    frames[U(f + layout.F_GAS)] = U0
                elif operation == opcodes.SELFDESTRUCT:
                    error = errors.NONE
                    machine[U(layout.M_OUTPUT_SIZE)] = U0
                else:
                    continue
            elif leave == LEAVE_STOP:
                error = errors.NONE
            elif leave == LEAVE_REVERT:
                error = errors.REVERTED
            if error == errors.NONE and frames[U(f + layout.F_CREATES)] != U0:
                error = deploy(machine)
        if error >= errors.FIRST_FAULT:
            machine[U(layout.M_ERROR)] = U(error)
            return errors.FAULT
        if machine[U(layout.M_DEPTH)] == U0:
            if error != errors.NONE:
                undo_frame(machine, 0)
                if error != errors.REVERTED:
                    machine[U(layout.M_OUTPUT_SIZE)] = U0
            break
        end_call(machine, error)
    machine[U(layout.M_PHASE)] = U(layout.PHASE_END)
    return end_transaction(machine, error)


@native("int64(int64)")
def resume(address):
    """Run a machine on, from where it is: `DONE`, `NEED` or `FAULT`. The address of its header in, the reason out.

    Where the interpreter returns for a precompiled contract, whoever computes it is called here, by address, and the
    interpreter goes on. So drivers know locations only, and no cryptography is compiled into the hot loop.
    """
    while True:
        outcome = run_machine(address)
        if outcome != errors.COMPUTE:
            return outcome
        call_1(I(open_machine(address)[U(layout.M_COMPUTE)]), address)
