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

from evm import costs, errors, forks, layout, opcodes
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

STOP, ADD, MUL, SUB, DIV, SDIV, MOD, SMOD = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
ADDMOD, MULMOD, EXP, SIGNEXTEND = opcodes.ADDMOD, opcodes.MULMOD, opcodes.EXP, opcodes.SIGNEXTEND
LT, GT, SLT, SGT, EQ, ISZERO = opcodes.LT, opcodes.GT, opcodes.SLT, opcodes.SGT, opcodes.EQ, opcodes.ISZERO
AND, OR, XOR, NOT, BYTE = opcodes.AND, opcodes.OR, opcodes.XOR, opcodes.NOT, opcodes.BYTE
SHL, SHR, SAR, KECCAK256 = opcodes.SHL, opcodes.SHR, opcodes.SAR, opcodes.KECCAK256
ADDRESS, BALANCE, ORIGIN, CALLER, CALLVALUE = (
    opcodes.ADDRESS,
    opcodes.BALANCE,
    opcodes.ORIGIN,
    opcodes.CALLER,
    opcodes.CALLVALUE,
)
CALLDATALOAD, CALLDATASIZE, CALLDATACOPY = opcodes.CALLDATALOAD, opcodes.CALLDATASIZE, opcodes.CALLDATACOPY
CODESIZE, CODECOPY, GASPRICE = opcodes.CODESIZE, opcodes.CODECOPY, opcodes.GASPRICE
EXTCODESIZE, EXTCODECOPY, EXTCODEHASH = opcodes.EXTCODESIZE, opcodes.EXTCODECOPY, opcodes.EXTCODEHASH
RETURNDATASIZE, RETURNDATACOPY = opcodes.RETURNDATASIZE, opcodes.RETURNDATACOPY
BLOCKHASH, COINBASE, TIMESTAMP, NUMBER = opcodes.BLOCKHASH, opcodes.COINBASE, opcodes.TIMESTAMP, opcodes.NUMBER
PREVRANDAO, GASLIMIT, CHAINID, SELFBALANCE = (
    opcodes.PREVRANDAO,
    opcodes.GASLIMIT,
    opcodes.CHAINID,
    opcodes.SELFBALANCE,
)
BASEFEE, BLOBHASH, BLOBBASEFEE = opcodes.BASEFEE, opcodes.BLOBHASH, opcodes.BLOBBASEFEE
POP, MLOAD, MSTORE, MSTORE8, MSIZE, MCOPY = (
    opcodes.POP,
    opcodes.MLOAD,
    opcodes.MSTORE,
    opcodes.MSTORE8,
    opcodes.MSIZE,
    opcodes.MCOPY,
)
SLOAD, SSTORE, TLOAD, TSTORE = opcodes.SLOAD, opcodes.SSTORE, opcodes.TLOAD, opcodes.TSTORE
JUMP, JUMPI, GAS = opcodes.JUMP, opcodes.JUMPI, opcodes.GAS
BLOCK, PUSH_SMALL, PUSH_LARGE, DUP, SWAP, LOG = (
    opcodes.BLOCK,
    opcodes.PUSH_SMALL,
    opcodes.PUSH_LARGE,
    opcodes.DUP,
    opcodes.SWAP,
    opcodes.LOG,
)
JUMP_STATIC, JUMPI_STATIC = opcodes.JUMP_STATIC, opcodes.JUMPI_STATIC
CALL, CALLCODE, DELEGATECALL, STATICCALL = opcodes.CALL, opcodes.CALLCODE, opcodes.DELEGATECALL, opcodes.STATICCALL
RETURN, REVERT, CREATE, CREATE2, SELFDESTRUCT = (
    opcodes.RETURN,
    opcodes.REVERT,
    opcodes.CREATE,
    opcodes.CREATE2,
    opcodes.SELFDESTRUCT,
)

DONE, NEED, FAULT, COMPUTE = errors.DONE, errors.NEED, errors.FAULT, errors.COMPUTE
NONE, REVERTED, OUT_OF_GAS, INVALID_OPCODE, INVALID_JUMP = (
    errors.NONE,
    errors.REVERTED,
    errors.OUT_OF_GAS,
    errors.INVALID_OPCODE,
    errors.INVALID_JUMP,
)
STACK_UNDERFLOW, STACK_OVERFLOW, STATIC_VIOLATION, RETURN_DATA_BOUNDS = (
    errors.STACK_UNDERFLOW,
    errors.STACK_OVERFLOW,
    errors.STATIC_VIOLATION,
    errors.RETURN_DATA_BOUNDS,
)
LOG_CAPACITY, FIRST_FAULT = errors.LOG_CAPACITY, errors.FIRST_FAULT
CANCUN = forks.CANCUN

KIND_BALANCE, KIND_NONCE, KIND_CODE = layout.KIND_BALANCE, layout.KIND_NONCE, layout.KIND_CODE
ENTRY_FLAGS, ENTRY_CODE, WARM = layout.ENTRY_FLAGS, layout.ENTRY_CODE, U(layout.FLAG_WARM)
F_WORDS, F_POSITION, F_STACK_TOP, F_STACK_BASE, F_GAS = (
    layout.F_WORDS,
    layout.F_POSITION,
    layout.F_STACK_TOP,
    layout.F_STACK_BASE,
    layout.F_GAS,
)
F_MEMORY_BASE, F_MEMORY_SIZE, F_CALLDATA, F_CALLDATA_SIZE, F_CODE = (
    layout.F_MEMORY_BASE,
    layout.F_MEMORY_SIZE,
    layout.F_CALLDATA,
    layout.F_CALLDATA_SIZE,
    layout.F_CODE,
)
F_ADDRESS, F_CALLER, F_VALUE, F_STATIC, F_CREATES = (
    layout.F_ADDRESS,
    layout.F_CALLER,
    layout.F_VALUE,
    layout.F_STATIC,
    layout.F_CREATES,
)
M_DEPTH, M_MEMORY, M_MEMORY_BYTES, M_OUTPUT, M_OUTPUT_BYTES, M_OUTPUT_SIZE = (
    layout.M_DEPTH,
    layout.M_MEMORY,
    layout.M_MEMORY_BYTES,
    layout.M_OUTPUT,
    layout.M_OUTPUT_BYTES,
    layout.M_OUTPUT_SIZE,
)
M_ERROR, M_REFUND, M_LOGS, M_LOGS_BYTES, M_LOG_SIZE = (
    layout.M_ERROR,
    layout.M_REFUND,
    layout.M_LOGS,
    layout.M_LOGS_BYTES,
    layout.M_LOG_SIZE,
)
M_FORK, M_COMPUTE, M_CALLDATA = layout.M_FORK, layout.M_COMPUTE, layout.M_CALLDATA
M_BLOCK, M_CODES, M_TRANSACTION, M_PHASE, M_GAS_DONE, M_WORK_DONE = (
    layout.M_BLOCK,
    layout.M_CODES,
    layout.M_TRANSACTION,
    layout.M_PHASE,
    layout.M_GAS_DONE,
    layout.M_WORK_DONE,
)
PHASE_BEGIN, PHASE_END = layout.PHASE_BEGIN, layout.PHASE_END
CODE_WORDS = layout.CODE_WORDS
CODE_BYTES, CODE_SIZE, CODE_STREAM, CODE_STREAM_SIZE = (
    layout.CODE_BYTES,
    layout.CODE_SIZE,
    layout.CODE_STREAM,
    layout.CODE_STREAM_SIZE,
)
CODE_BLOCKS, CODE_BLOCKS_SIZE, CODE_CONSTANTS, CODE_CONSTANTS_SIZE, CODE_TARGETS = (
    layout.CODE_BLOCKS,
    layout.CODE_BLOCKS_SIZE,
    layout.CODE_CONSTANTS,
    layout.CODE_CONSTANTS_SIZE,
    layout.CODE_TARGETS,
)
BLOCK_WORDS, BLOCK_NUMBER, BLOCK_TIMESTAMP, BLOCK_GAS_LIMIT, BLOCK_BASE_FEE = (
    layout.BLOCK_WORDS,
    layout.BLOCK_NUMBER,
    layout.BLOCK_TIMESTAMP,
    layout.BLOCK_GAS_LIMIT,
    layout.BLOCK_BASE_FEE,
)
BLOCK_COINBASE, BLOCK_CHAIN_ID, BLOCK_PREV_RANDAO, BLOCK_BLOB_BASE_FEE, BLOCK_HASHES = (
    layout.BLOCK_COINBASE,
    layout.BLOCK_CHAIN_ID,
    layout.BLOCK_PREV_RANDAO,
    layout.BLOCK_BLOB_BASE_FEE,
    layout.BLOCK_HASHES,
)
TX_WORDS, TX_SENDER, TX_PRICE, TX_DATA_SIZE, TX_DATA_ROOM, TX_BLOBS = (
    layout.TX_WORDS,
    layout.TX_SENDER,
    layout.TX_PRICE,
    layout.TX_DATA_SIZE,
    layout.TX_DATA_ROOM,
    layout.TX_BLOBS,
)
LOG_HEADER_BYTES, STACK_LIMIT = layout.LOG_HEADER_BYTES, layout.STACK_LIMIT

IMMEDIATE, OPERATION = U(8), U(0xFF)
NEED_SHIFT, GROWTH_SHIFT, GAS_MASK, STACK_MASK = U(40), U(52), U((1 << 40) - 1), U(0xFFF)

COLD_SLOT, COLD_ACCOUNT, WARM_ACCESS = 2100, 2600, 100
STORE_SET, STORE_RESET, STORE_STIPEND = 20000, 2900, 2300
CLEAR_REFUND = 4800
COPY_WORD_GAS, KECCAK_WORD_GAS, LOG_BYTE_GAS, EXP_BYTE_GAS = 3, 6, 8, 50
HASHES_KEPT = 256
EXPONENT_BYTE, HASH_BLOCK, HASH_BLOCK_BYTES, COPY_WORD = (
    costs.EXPONENT_BYTE,
    costs.HASH_BLOCK,
    costs.HASH_BLOCK_BYTES,
    costs.COPY_WORD,
)

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
        return WARM_ACCESS, 0
    if equal(original, current):
        if is_zero(original):
            return STORE_SET, 0
        return STORE_RESET, CLEAR_REFUND if is_zero(new) else 0
    refund = 0
    if not is_zero(original):
        if is_zero(current):
            refund -= CLEAR_REFUND
        elif is_zero(new):
            refund += CLEAR_REFUND
    if equal(original, new):
        refund += (STORE_SET if is_zero(original) else STORE_RESET) - WARM_ACCESS
    return WARM_ACCESS, refund


@kernel()
def _store_slot(machine, f, gas, slot, new):
    """SSTORE. The gas left; negative when it does not suffice; `STORE_NEEDS` when the slot is wanted."""
    if gas <= STORE_STIPEND:
        return I(-1)
    at = loaded_entry(machine, storage_key(get_address(frames_of(machine), f + F_ADDRESS), slot))
    if at == ABSENT:
        return I(STORE_NEEDS)
    cost, refund = _store_cost(original_of(machine, at), word_of(machine, at), new)
    if not is_warm(machine, at):
        cost += COLD_SLOT
    if cost > gas:
        return I(-1)
    if not set_word(machine, at, new):
        return I(NO_MEMORY)
    entries_of(machine)[U(at + ENTRY_FLAGS)] |= WARM
    machine[U(M_REFUND)] += U(refund)
    return I(gas - cost)


@kernel()
def _write_log(machine, f, topics, top, memory, data_at, data_size):
    """Append a log record; its topics are on the stack below offset and size. False when there is no room."""
    size = I(machine[U(M_LOG_SIZE)])
    padded = (data_size + 7) & ~7
    end = size + LOG_HEADER_BYTES + 32 * topics + padded
    if end > I(machine[U(M_LOGS_BYTES)]):
        machine[U(M_ERROR)] = U(LOG_CAPACITY)
        return False
    logs = view_u8(I(machine[U(M_LOGS)]), I(machine[U(M_LOGS_BYTES)]))
    words = view_u64(I(machine[U(M_LOGS)]), I(machine[U(M_LOGS_BYTES)]) // 8)
    frames, stack = frames_of(machine), stack_of(machine)
    at = size >> 3
    for i in range(3):
        words[U(at + i)] = frames[U(f + F_ADDRESS + i)]
    words[U(at + 3)] = U(topics) | (U(data_size) << U(8))
    at += 4
    for i in range(topics):
        put_at(words, at + 4 * i, get(stack, top - 3 - i))
    to = size + LOG_HEADER_BYTES + 32 * topics
    clear_bytes(logs, end - 8 if padded > 0 else end, 8 if padded > 0 else 0)
    move_bytes(logs, to, memory, data_at, data_size)
    machine[U(M_LOG_SIZE)] = U(end)
    return True


@kernel()
def _block_hash(block, number):
    current = block[U(BLOCK_NUMBER)]
    if not fits_u64(number) or number[0] >= current or current - number[0] > U(HASHES_KEPT):
        return ZERO
    hashes = view_u64(I(block[U(BLOCK_HASHES)]), HASHES_KEPT * 4)
    return get(hashes, I(current - number[0]) - 1)


@kernel()
def _blob_hash(machine, number):
    """Hash of one of the transaction's blobs (EIP-4844); zero beyond the last."""
    row = view_u64(I(machine[U(M_TRANSACTION)]), TX_WORDS)
    count = I(row[U(TX_BLOBS)])
    if not fits_u64(number) or number[0] >= U(count):
        return ZERO
    end = I(row[U(TX_DATA_ROOM)])
    hashes = view_u64(I(machine[U(M_CALLDATA)]) + end - count * 32, count * 4)
    return get(hashes, I(number[0]))


@kernel()
def _is_warm_though_unknown(machine, key):
    """Whether a slot that is still wanted has been accessed: the access list names it."""
    at = find_entry(machine, key)
    return at != ABSENT and is_warm(machine, at)


@kernel()
def _account_cost(machine, address):
    """Entry of an account, and the price of accessing it now. The entry is `ABSENT` when there is no room."""
    at = find_or_insert(machine, account_key(address, KIND_CODE))
    if at == ABSENT:
        return at, 0
    if is_precompile(machine, address) or is_warm(machine, at):
        return at, WARM_ACCESS
    return at, COLD_ACCOUNT


@kernel()
def _account_word(machine, operation, address):
    """What BALANCE, EXTCODESIZE or EXTCODEHASH gives; the flag is False while a location is wanted."""
    if operation == BALANCE:
        at = loaded_entry(machine, account_key(address, KIND_BALANCE))
        if at == ABSENT:
            return ZERO, False
        return word_of(machine, at), True
    code = loaded_entry(machine, account_key(address, KIND_CODE))
    if code == ABSENT:
        return ZERO, False
    code_hash = word_of(machine, code)
    if operation == EXTCODESIZE:
        number = I(entries_of(machine)[U(code + ENTRY_CODE)])
        return from_u64(_descriptor(machine, number)[U(CODE_SIZE)]), True
    if not is_no_code(code_hash):
        return code_hash, True
    balance = loaded_entry(machine, account_key(address, KIND_BALANCE))
    if balance == ABSENT:
        return ZERO, False
    if not is_zero(word_of(machine, balance)):
        return EMPTY_HASH_WORD, True
    nonce = loaded_entry(machine, account_key(address, KIND_NONCE))
    if nonce == ABSENT:
        return ZERO, False
    if not is_zero(word_of(machine, nonce)):
        return EMPTY_HASH_WORD, True
    return ZERO, True


@macro
def _descriptor(machine, number):
    return view_u64(descriptor_address(machine, number), CODE_WORDS)


@kernel()
def _environment_word(machine, operation):
    """What an instruction that reads the block or the transaction gives."""
    block = view_u64(I(machine[U(M_BLOCK)]), BLOCK_WORDS)
    row = view_u64(I(machine[U(M_TRANSACTION)]), TX_WORDS)
    if operation == ORIGIN:
        sender = get_address(row, TX_SENDER)
        return sender[0], sender[1], sender[2], U0
    if operation == GASPRICE:
        return get_at(row, TX_PRICE)
    if operation == COINBASE:
        return get_at(block, BLOCK_COINBASE)
    if operation == TIMESTAMP:
        return get_at(block, BLOCK_TIMESTAMP)
    if operation == NUMBER:
        return get_at(block, BLOCK_NUMBER)
    if operation == PREVRANDAO:
        return get_at(block, BLOCK_PREV_RANDAO)
    if operation == GASLIMIT:
        return get_at(block, BLOCK_GAS_LIMIT)
    if operation == CHAINID:
        return get_at(block, BLOCK_CHAIN_ID)
    if operation == BASEFEE:
        return get_at(block, BLOCK_BASE_FEE)
    return get_at(block, BLOCK_BLOB_BASE_FEE)


@kernel()
def run_frame(machine):
    """Run the current frame until it ends, calls, or needs a location; returns why, and the error if it is one."""
    frames, stack = frames_of(machine), stack_of(machine)
    f = I(machine[U(M_DEPTH)]) * F_WORDS
    code = view_u64(I(frames[U(f + F_CODE)]), CODE_WORDS)
    code_size = I(code[U(CODE_SIZE)])
    stream = view_u64(I(code[U(CODE_STREAM)]), I(code[U(CODE_STREAM_SIZE)]))
    blocks = view_u64(I(code[U(CODE_BLOCKS)]), I(code[U(CODE_BLOCKS_SIZE)]))
    memory_base, size = I(frames[U(f + F_MEMORY_BASE)]), I(frames[U(f + F_MEMORY_SIZE)])
    memory_address = I(machine[U(M_MEMORY)]) + memory_base
    memory = view_u8(memory_address, size)
    calldata_size = I(frames[U(f + F_CALLDATA_SIZE)])
    position, top = I(frames[U(f + F_POSITION)]), I(frames[U(f + F_STACK_TOP)])
    bottom = I(frames[U(f + F_STACK_BASE)])
    gas = I(frames[U(f + F_GAS)])
    gas_before, work = gas, U0
    leave, error = LEAVE_ERROR, OUT_OF_GAS

    while True:
        instruction = stream[U(position)]
        position += 1
        operation = I(instruction & OPERATION)

        if operation == BLOCK:
            row = (instruction >> IMMEDIATE) * U(2)
            requirement = blocks[row]
            work += blocks[row + U1]
            gas -= I(requirement & GAS_MASK)
            if gas < 0:
                break
            height = top - bottom
            if height < I((requirement >> NEED_SHIFT) & STACK_MASK):
                error = STACK_UNDERFLOW
                break
            if height + I(requirement >> GROWTH_SHIFT) > STACK_LIMIT:
                error = STACK_OVERFLOW
                break
        elif operation == PUSH_SMALL:
            put(stack, top, (instruction >> IMMEDIATE, U0, U0, U0))
            top += 1
        elif operation == DUP:
            put(stack, top, get(stack, top - I(instruction >> IMMEDIATE)))
            top += 1
        elif operation == SWAP:
            other = top - 1 - I(instruction >> IMMEDIATE)
            above, below = get(stack, top - 1), get(stack, other)
            put(stack, other, above)
            put(stack, top - 1, below)
        elif operation == POP:
            top -= 1
        elif operation == PUSH_LARGE:
            constants = view_u64(I(code[U(CODE_CONSTANTS)]), I(code[U(CODE_CONSTANTS_SIZE)]))
            put(stack, top, get(constants, I(instruction >> IMMEDIATE)))
            top += 1
        elif operation == JUMP_STATIC:
            position = I(instruction >> IMMEDIATE) - 1
            if position < 0:
                error = INVALID_JUMP
                break
        elif operation == JUMPI_STATIC:
            top -= 1
            if not is_zero(get(stack, top)):
                position = I(instruction >> IMMEDIATE) - 1
                if position < 0:
                    error = INVALID_JUMP
                    break
        elif operation == JUMP or operation == JUMPI:
            top -= 1
            goal = get(stack, top)
            taken = True
            if operation == JUMPI:
                top -= 1
                taken = not is_zero(get(stack, top))
            if taken:
                if not fits_u64(goal) or goal[0] >= U(code_size):
                    error = INVALID_JUMP
                    break
                position = I(view_u32(I(code[U(CODE_TARGETS)]), code_size)[goal[0]]) - 1
                if position < 0:
                    error = INVALID_JUMP
                    break

        elif operation == ADD:
            top -= 1
            put(stack, top - 1, add(get(stack, top), get(stack, top - 1)))
        elif operation == MUL:
            top -= 1
            put(stack, top - 1, multiply(get(stack, top), get(stack, top - 1)))
        elif operation == SUB:
            top -= 1
            put(stack, top - 1, subtract(get(stack, top), get(stack, top - 1)))
        elif operation == DIV:
            top -= 1
            quotient, _ = divide_remainder(get(stack, top), get(stack, top - 1))
            put(stack, top - 1, quotient)
        elif operation == SDIV:
            top -= 1
            put(stack, top - 1, divide_signed(get(stack, top), get(stack, top - 1)))
        elif operation == MOD:
            top -= 1
            _, remainder = divide_remainder(get(stack, top), get(stack, top - 1))
            put(stack, top - 1, remainder)
        elif operation == SMOD:
            top -= 1
            put(stack, top - 1, remainder_signed(get(stack, top), get(stack, top - 1)))
        elif operation == ADDMOD:
            top -= 2
            put(stack, top - 1, add_modulo(get(stack, top + 1), get(stack, top), get(stack, top - 1)))
        elif operation == MULMOD:
            top -= 2
            put(stack, top - 1, multiply_modulo(get(stack, top + 1), get(stack, top), get(stack, top - 1)))
        elif operation == EXP:
            top -= 1
            exponent = get(stack, top - 1)
            exponent_bytes = (bit_length(exponent) + 7) >> 3
            gas -= EXP_BYTE_GAS * exponent_bytes
            if gas < 0:
                break
            add_work(machine, EXPONENT_BYTE, exponent_bytes)
            put(stack, top - 1, power(get(stack, top), exponent))
        elif operation == SIGNEXTEND:
            top -= 1
            put(stack, top - 1, sign_extend(get(stack, top), get(stack, top - 1)))
        elif operation == LT:
            top -= 1
            put(stack, top - 1, from_bool(less(get(stack, top), get(stack, top - 1))))
        elif operation == GT:
            top -= 1
            put(stack, top - 1, from_bool(less(get(stack, top - 1), get(stack, top))))
        elif operation == SLT:
            top -= 1
            put(stack, top - 1, from_bool(less_signed(get(stack, top), get(stack, top - 1))))
        elif operation == SGT:
            top -= 1
            put(stack, top - 1, from_bool(less_signed(get(stack, top - 1), get(stack, top))))
        elif operation == EQ:
            top -= 1
            put(stack, top - 1, from_bool(equal(get(stack, top), get(stack, top - 1))))
        elif operation == ISZERO:
            put(stack, top - 1, from_bool(is_zero(get(stack, top - 1))))
        elif operation == AND:
            top -= 1
            put(stack, top - 1, bit_and(get(stack, top), get(stack, top - 1)))
        elif operation == OR:
            top -= 1
            put(stack, top - 1, bit_or(get(stack, top), get(stack, top - 1)))
        elif operation == XOR:
            top -= 1
            put(stack, top - 1, bit_xor(get(stack, top), get(stack, top - 1)))
        elif operation == NOT:
            put(stack, top - 1, bit_not(get(stack, top - 1)))
        elif operation == BYTE:
            top -= 1
            put(stack, top - 1, byte_at(get(stack, top), get(stack, top - 1)))
        elif operation == SHL:
            top -= 1
            put(stack, top - 1, shift_left(get(stack, top), get(stack, top - 1)))
        elif operation == SHR:
            top -= 1
            put(stack, top - 1, shift_right(get(stack, top), get(stack, top - 1)))
        elif operation == SAR:
            top -= 1
            put(stack, top - 1, shift_right_signed(get(stack, top), get(stack, top - 1)))

        elif operation == MLOAD or operation == MSTORE or operation == MSTORE8:
            offset = get(stack, top - 1)
            if not fits_u64(offset) or offset[0] > U(1 << 40):
                break
            at = I(offset[0])
            end = at + (1 if operation == MSTORE8 else 32)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            if operation == MLOAD:
                put(stack, top - 1, _load_word(memory, at))
            else:
                top -= 2
                if operation == MSTORE:
                    _store_word(memory, at, get(stack, top))
                else:
                    memory[U(at)] = np.uint8(get(stack, top)[0] & U(0xFF))
        elif operation == MSIZE:
            put(stack, top, from_u64(U(size)))
            top += 1
        elif operation == MCOPY:
            if machine[U(M_FORK)] < U(CANCUN):
                error = INVALID_OPCODE
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
                gas -= COPY_WORD_GAS * _words_in(I(count[0]))
                if gas < 0:
                    break
                add_work(machine, COPY_WORD, _words_in(I(count[0])))
                to, of = I(get(stack, top + 2)[0]), I(get(stack, top + 1)[0])
                move_bytes(memory, to, memory, of, I(count[0]))
        elif operation == KECCAK256:
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= KECCAK_WORD_GAS * _words_in(I(count[0]))
            if gas < 0:
                break
            add_work(machine, HASH_BLOCK, I(count[0]) // HASH_BLOCK_BYTES + 1)
            top -= 1
            put(stack, top - 1, keccak_word(memory, I(offset[0]) if count[0] != U0 else 0, I(count[0])))

        elif operation == SLOAD:
            slot = get(stack, top - 1)
            address = get_address(frames, f + F_ADDRESS)
            at = loaded_entry(machine, storage_key(address, slot))
            if at == ABSENT:
                if gas < COLD_SLOT and not _is_warm_though_unknown(machine, storage_key(address, slot)):
                    break
                leave = LEAVE_NEED
                break
            if is_warm(machine, at):
                gas -= WARM_ACCESS
                if gas < 0:
                    break
            else:
                gas -= COLD_SLOT
                if gas < 0:
                    break
                if not set_warm(machine, at):
                    gas = NO_MEMORY
                    break
            put(stack, top - 1, word_of(machine, at))
        elif operation == SSTORE:
            if frames[U(f + F_STATIC)] != U0:
                error = STATIC_VIOLATION
                break
            left = _store_slot(machine, f, gas, get(stack, top - 1), get(stack, top - 2))
            if left == STORE_NEEDS:
                leave = LEAVE_NEED
                break
            gas = left
            if gas < 0:
                break
            top -= 2
        elif operation == TLOAD:
            if machine[U(M_FORK)] < U(CANCUN):
                error = INVALID_OPCODE
                break
            address = get_address(frames, f + F_ADDRESS)
            at = find_entry(machine, transient_key(address, get(stack, top - 1)))
            put(stack, top - 1, ZERO if at == ABSENT else word_of(machine, at))
        elif operation == TSTORE:
            if machine[U(M_FORK)] < U(CANCUN):
                error = INVALID_OPCODE
                break
            if frames[U(f + F_STATIC)] != U0:
                error = STATIC_VIOLATION
                break
            address = get_address(frames, f + F_ADDRESS)
            at = find_or_insert(machine, transient_key(address, get(stack, top - 1)))
            if at == ABSENT or not set_word(machine, at, get(stack, top - 2)):
                gas = NO_MEMORY
                break
            top -= 2

        elif operation == ADDRESS or operation == CALLER:
            at = f + (F_ADDRESS if operation == ADDRESS else F_CALLER)
            address = get_address(frames, at)
            put(stack, top, (address[0], address[1], address[2], U0))
            top += 1
        elif operation == CALLVALUE:
            put(stack, top, get_at(frames, f + F_VALUE))
            top += 1
        elif operation == CALLDATASIZE:
            put(stack, top, from_u64(U(calldata_size)))
            top += 1
        elif operation == CALLDATALOAD:
            calldata = view_u8(I(frames[U(f + F_CALLDATA)]), calldata_size)
            put(stack, top - 1, _calldata_word(calldata, calldata_size, get(stack, top - 1)))
        elif operation == CODESIZE:
            put(stack, top, from_u64(U(code_size)))
            top += 1
        elif operation == RETURNDATASIZE:
            put(stack, top, from_u64(machine[U(M_OUTPUT_SIZE)]))
            top += 1
        elif operation == CALLDATACOPY or operation == CODECOPY or operation == RETURNDATACOPY:
            to, of, count = get(stack, top - 1), get(stack, top - 2), get(stack, top - 3)
            end = reach(to, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= COPY_WORD_GAS * _words_in(I(count[0]))
            if gas < 0:
                break
            source, source_size = I(frames[U(f + F_CALLDATA)]), calldata_size
            if operation == CODECOPY:
                source, source_size = I(code[U(CODE_BYTES)]), code_size
            elif operation == RETURNDATACOPY:
                source, source_size = I(machine[U(M_OUTPUT)]), I(machine[U(M_OUTPUT_SIZE)])
                if not fits_u64(of) or of[0] > U(source_size) or count[0] > U(source_size) - of[0]:
                    error = RETURN_DATA_BOUNDS
                    break
            if not is_zero(count):
                add_work(machine, COPY_WORD, _words_in(I(count[0])))
                _copy_padded(memory, I(to[0]), view_u8(source, source_size), source_size, of, I(count[0]))
            top -= 3
        elif operation == BALANCE or operation == EXTCODESIZE or operation == EXTCODEHASH:
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
            if cost == COLD_ACCOUNT and not set_warm(machine, at):
                gas = NO_MEMORY
                break
            put(stack, top - 1, word)
        elif operation == EXTCODECOPY:
            address = to_address(get(stack, top - 1))
            at, cost = _account_cost(machine, address)
            if at == ABSENT:
                gas = NO_MEMORY
                break
            to, of, count = get(stack, top - 2), get(stack, top - 3), get(stack, top - 4)
            end = reach(to, count)
            if end < 2 << 32:
                cost += COPY_WORD_GAS * _words_in(I(count[0]))
            if cost > gas:
                break
            if loaded_entry(machine, account_key(address, KIND_CODE)) == ABSENT:
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
                other = _descriptor(machine, I(entries_of(machine)[U(at + ENTRY_CODE)]))
                source_size = I(other[U(CODE_SIZE)])
                source = view_u8(I(other[U(CODE_BYTES)]), source_size)
                add_work(machine, COPY_WORD, _words_in(I(count[0])))
                _copy_padded(memory, I(to[0]), source, source_size, of, I(count[0]))
            top -= 4
        elif operation == SELFBALANCE:
            at = loaded_entry(machine, account_key(get_address(frames, f + F_ADDRESS), KIND_BALANCE))
            if at == ABSENT:
                leave = LEAVE_NEED
                break
            put(stack, top, word_of(machine, at))
            top += 1
        elif (
            operation == ORIGIN
            or operation == GASPRICE
            or operation == COINBASE
            or operation == TIMESTAMP
            or operation == NUMBER
            or operation == PREVRANDAO
            or operation == GASLIMIT
            or operation == CHAINID
            or operation == BASEFEE
            or operation == BLOBBASEFEE
        ):
            if operation == BLOBBASEFEE and machine[U(M_FORK)] < U(CANCUN):
                error = INVALID_OPCODE
                break
            put(stack, top, _environment_word(machine, operation))
            top += 1
        elif operation == BLOCKHASH:
            block = view_u64(I(machine[U(M_BLOCK)]), BLOCK_WORDS)
            put(stack, top - 1, _block_hash(block, get(stack, top - 1)))
        elif operation == BLOBHASH:
            if machine[U(M_FORK)] < U(CANCUN):
                error = INVALID_OPCODE
                break
            put(stack, top - 1, _blob_hash(machine, get(stack, top - 1)))
        elif operation == GAS:
            put(stack, top, from_u64(U(gas)))
            top += 1

        elif operation == LOG:
            if frames[U(f + F_STATIC)] != U0:
                error = STATIC_VIOLATION
                break
            topics = I(instruction >> IMMEDIATE)
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
                memory = view_u8(memory_address, size)
            gas -= LOG_BYTE_GAS * I(count[0])
            if gas < 0:
                break
            add_work(machine, COPY_WORD, _words_in(I(count[0])))
            data_at = I(offset[0]) if count[0] != U0 else 0
            if not _write_log(machine, f, topics, top, memory, data_at, I(count[0])):
                gas = NO_MEMORY
                break
            top -= 2 + topics
        elif (
            operation == CALL
            or operation == CALLCODE
            or operation == DELEGATECALL
            or operation == STATICCALL
            or operation == CREATE
            or operation == CREATE2
            or operation == SELFDESTRUCT
        ):
            leave = LEAVE_CALL
            error = operation
            break
        elif operation == RETURN or operation == REVERT:
            offset, count = get(stack, top - 1), get(stack, top - 2)
            end = reach(offset, count)
            if end > size:
                size, gas = expand_memory(machine, memory_base, size, gas, end)
                if gas < 0:
                    break
            if not set_output(machine, memory_address + (I(offset[0]) if end > 0 else 0), I(count[0])):
                gas = NO_MEMORY
                break
            leave = LEAVE_STOP if operation == RETURN else LEAVE_REVERT
            break
        elif operation == STOP:
            machine[U(M_OUTPUT_SIZE)] = U0
            leave = LEAVE_STOP
            break
        else:
            error = INVALID_OPCODE
            break

    if leave == LEAVE_NEED:
        position -= 1
    if gas < 0:
        if gas == NO_MEMORY:
            error = I(machine[U(M_ERROR)])
        gas = 0
    machine[U(M_GAS_DONE)] += U(gas_before - gas)
    machine[U(M_WORK_DONE)] += work
    frames[U(f + F_POSITION)] = U(position)
    frames[U(f + F_STACK_TOP)] = U(top)
    frames[U(f + F_MEMORY_SIZE)] = U(size)
    frames[U(f + F_GAS)] = U0 if leave == LEAVE_ERROR else U(gas)
    return leave, error


@kernel()
def _leave_frame_for(machine, operation):
    """Execute an instruction that makes a frame, or ends this one for good: see `evm.frames.begin_call`."""
    if operation == SELFDESTRUCT:
        return destroy(machine)
    if operation == CREATE or operation == CREATE2:
        return begin_create(machine, operation)
    return begin_call(machine, operation)


@kernel()
def run_machine(address):
    """Run a machine's transaction on: `DONE`, `NEED`, `FAULT`, or `COMPUTE` when a precompiled contract is wanted."""
    machine = open_machine(address)
    if machine[U(M_PHASE)] == U(PHASE_BEGIN):
        began = begin_transaction(machine)
        if began != CONTINUE:
            return began
    frames = frames_of(machine)
    while True:
        f = I(machine[U(M_DEPTH)]) * F_WORDS
        if frames[U(f + F_CODE)] == U0:
            leave = LEAVE_STOP
            error = run_precompile(machine)
            if error == NOT_COMPUTED:
                return COMPUTE
        else:
            leave, error = run_frame(machine)
            if leave == LEAVE_NEED:
                return NEED
            if leave == LEAVE_CALL:
                operation = error
                called = _leave_frame_for(machine, operation)
                if called == CALL_NEEDS:
                    frames[U(f + F_POSITION)] -= U1
                    return NEED
                if called == CALL_ERROR:
                    error = I(machine[U(M_ERROR)])
                    frames[U(f + F_GAS)] = U0
                elif operation == SELFDESTRUCT:
                    error = NONE
                    machine[U(M_OUTPUT_SIZE)] = U0
                else:
                    continue
            elif leave == LEAVE_STOP:
                error = NONE
            elif leave == LEAVE_REVERT:
                error = REVERTED
            if error == NONE and frames[U(f + F_CREATES)] != U0:
                error = deploy(machine)
        if error >= FIRST_FAULT:
            machine[U(M_ERROR)] = U(error)
            return FAULT
        if machine[U(M_DEPTH)] == U0:
            if error != NONE:
                undo_frame(machine, 0)
                if error != REVERTED:
                    machine[U(M_OUTPUT_SIZE)] = U0
            break
        end_call(machine, error)
    machine[U(M_PHASE)] = U(PHASE_END)
    return end_transaction(machine, error)


@native("int64(int64)")
def resume(address):
    """Run a machine on, from where it is: `DONE`, `NEED` or `FAULT`. The address of its header in, the reason out.

    Where the interpreter returns for a precompiled contract, whoever computes it is called here, by address, and the
    interpreter goes on. So drivers know locations only, and no cryptography is compiled into the hot loop.
    """
    while True:
        outcome = run_machine(address)
        if outcome != COMPUTE:
            return outcome
        call_1(I(open_machine(address)[U(M_COMPUTE)]), address)
