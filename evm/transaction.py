"""Whole transactions: what happens before the first instruction and after the last.

Checks (EIP-3607 among them), gas purchase, nonce, value transfer (Yellow Paper section 6), intrinsic gas (EIP-2028,
EIP-2930, EIP-3860), the warm set at the start (EIP-2929, EIP-2930, EIP-3651), refunds (EIP-3529) and fees (EIP-1559,
EIP-4844). The base fee and the blob fee are burned; the priority fee is only reported: the beneficiary is credited
lazily, by whoever executes the block. What a transaction's fields show by themselves was checked when the block's image
was made (`evm.image`).
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import costs, errors, forks, layout, prices
from evm.access import (
    ABSENT,
    FIRST_INDEX_MASK,
    WARM,
    account_key,
    credit_entry,
    entries_of,
    find_or_insert,
    loaded_entry,
    storage_key,
    word_of,
)
from evm.codes import is_no_code
from evm.costs import add_work
from evm.creation import address_by_nonce, begin_account, decode_init_code, is_taken
from evm.destruction import delete_destroyed
from evm.frames import (
    descriptor_address,
    frames_of,
    get_address,
    is_precompile,
    open_frame,
    put_address,
    to_address,
    transfer,
)
from evm.jit import kernel, macro
from evm.pointers import multiply_wide, view_u8, view_u64
from evm.words import U0, U1, add, add_overflow, get_at, is_zero, less, multiply, put_at, subtract

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
TRANSACTION_WORK, CALLDATA_BYTE_WORK = costs.TRANSACTION, costs.CALLDATA_BYTE
CONTINUE = 0  # `begin_transaction` opened the outermost frame


@macro
def open_machine(address):
    """View of a machine's header."""
    return view_u64(address, layout.M_WORDS)


@kernel(inline=True)
def start_transaction(machine, index):
    """Point the machine at a transaction of its block and forget the one before. The caller then resumes it."""
    block = view_u64(I(machine[U(layout.M_BLOCK)]), layout.BLOCK_WORDS)
    address = I(block[U(layout.BLOCK_TRANSACTIONS)]) + index * layout.TX_WORDS * 8
    row = view_u64(address, layout.TX_WORDS)
    machine[U(layout.M_TRANSACTION)] = U(address)
    machine[U(layout.M_TRANSACTION_INDEX)] = U(index)
    machine[U(layout.M_CALLDATA)] = block[U(layout.BLOCK_DATA)] + row[U(layout.TX_DATA_AT)]
    machine[U(layout.M_PHASE)] = U(layout.PHASE_BEGIN)
    machine[U(layout.M_EPOCH)] += U1
    machine[U(layout.M_ENTRY_COUNT)] = U0
    machine[U(layout.M_INDEX_MASK)] = FIRST_INDEX_MASK
    machine[U(layout.M_JOURNAL_COUNT)] = U0
    machine[U(layout.M_LOG_SIZE)] = U0
    machine[U(layout.M_OUTPUT_SIZE)] = U0
    machine[U(layout.M_REFUND)] = U0
    machine[U(layout.M_ERROR)] = U0
    machine[U(layout.M_DEPTH)] = U0
    machine[U(layout.M_SCRATCH_USED)] = U(layout.SCRATCH_RESERVED)
    machine[U(layout.M_DESTROYED)] = U0
    fork = block[U(layout.BLOCK_FORK)]
    machine[U(layout.M_FORK)] = fork
    machine[U(layout.M_LAST_PRECOMPILE)] = U(
        forks.LAST_PRECOMPILES[forks.CANCUN] if fork >= U(forks.CANCUN) else forks.LAST_PRECOMPILES[0]
    )


@kernel()
def _intrinsic_gas(machine, row):
    size = I(row[U(layout.TX_DATA_SIZE)])
    data = view_u8(I(machine[U(layout.M_CALLDATA)]), size)
    zeros = 0
    for i in range(size):
        zeros += I(data[U(i)] == np.uint8(0))
    gas = prices.TRANSACTION + zeros * prices.ZERO_BYTE + (size - zeros) * prices.BYTE
    if row[U(layout.TX_CREATES)] != U0:
        gas += prices.CREATION + prices.INIT_CODE_WORD * ((size + 31) // 32)
    gas += prices.LIST_ADDRESS * I(row[U(layout.TX_LIST_ADDRESSES)])
    return gas + prices.LIST_SLOT * I(row[U(layout.TX_LIST_SLOTS)])


@kernel()
def _end_without_effect(machine, error, status):
    machine[U(layout.M_ERROR)] = U(error)
    machine[U(layout.M_STATUS)] = U(status)
    machine[U(layout.M_GAS_USED)] = U0
    machine[U(layout.M_LOG_SIZE)] = U0
    machine[U(layout.M_OUTPUT_SIZE)] = U0
    put_at(machine, layout.M_FEE, (U0, U0, U0, U0))
    add_work(machine, TRANSACTION_WORK, 1)
    return errors.DONE


@kernel()
def _mark_warm(machine, address):
    at = find_or_insert(machine, account_key(address, layout.KIND_CODE))
    if at == ABSENT:
        return False
    entries_of(machine)[U(at + layout.ENTRY_FLAGS)] |= WARM
    return True


@kernel()
def _warm_list(machine, row):
    """Mark what the access list names as accessed. False when there is no room."""
    size = (I(row[U(layout.TX_DATA_SIZE)]) + 7) & ~7
    words = view_u64(I(machine[U(layout.M_CALLDATA)]) + size, (I(row[U(layout.TX_DATA_ROOM)]) - size) >> 3)
    at = 0
    for _ in range(I(row[U(layout.TX_LIST_ADDRESSES)])):
        address = get_address(words, at)
        if not _mark_warm(machine, address):
            return False
        slots = I(words[U(at + 3)])
        at += 4
        for _ in range(slots):
            entry = find_or_insert(machine, storage_key(address, get_at(words, at)))
            if entry == ABSENT:
                return False
            entries_of(machine)[U(entry + layout.ENTRY_FLAGS)] |= WARM
            at += 4
    return True


@kernel()
def _purchase(gas_limit, fee, value, blob_fee):
    """``gas_limit * fee + value + blob_fee``, and whether it exceeds a word."""
    r0, carry = multiply_wide(gas_limit, fee[0])
    low, high = multiply_wide(gas_limit, fee[1])
    r1 = low + carry
    carry = high + U(r1 < low)
    low, high = multiply_wide(gas_limit, fee[2])
    r2 = low + carry
    carry = high + U(r2 < low)
    low, high = multiply_wide(gas_limit, fee[3])
    r3 = low + carry
    over = high + U(r3 < low)
    total, overflow = add_overflow((r0, r1, r2, r3), value)
    total, more = add_overflow(total, blob_fee)
    return total, (over | overflow | more) != U0


@kernel()
def end_transaction(machine, error):
    """Settle after the outermost frame, whose effects are already undone if it failed: refunds, fee, status."""
    row = view_u64(I(machine[U(layout.M_TRANSACTION)]), layout.TX_WORDS)
    gas_limit, left = row[U(layout.TX_GAS_LIMIT)], frames_of(machine)[U(layout.F_GAS)]
    refund = min(machine[U(layout.M_REFUND)], (gas_limit - left) // U(prices.REFUND_QUOTIENT))
    left += refund
    used = gas_limit - left
    at = loaded_entry(machine, account_key(get_address(row, layout.TX_SENDER), layout.KIND_BALANCE))
    returned = multiply((left, U0, U0, U0), get_at(row, layout.TX_PRICE))
    put_at(entries_of(machine), at + layout.ENTRY_CURRENT, add(word_of(machine, at), returned))
    put_at(machine, layout.M_FEE, multiply((used, U0, U0, U0), get_at(row, layout.TX_TIP)))
    if machine[U(layout.M_DESTROYED)] != U0:
        block = view_u64(I(machine[U(layout.M_BLOCK)]), layout.BLOCK_WORDS)
        coinbase = to_address(get_at(block, layout.BLOCK_COINBASE))
        if delete_destroyed(machine, coinbase):
            # The fee went to an account that is gone.
            put_at(machine, layout.M_FEE, (U0, U0, U0, U0))
    machine[U(layout.M_GAS_USED)] = used
    machine[U(layout.M_ERROR)] = U(error)
    machine[U(layout.M_STATUS)] = U(errors.STATUS_SUCCESS if error == 0 else errors.STATUS_FAILED)
    return errors.DONE


@kernel()
def begin_transaction(machine):
    """Check and pay for the transaction and open its outermost frame.

    Returns `NEED` without having changed anything while a location is missing, `DONE` when the transaction is
    invalid, `FAULT` when the machine lacks room, and else `CONTINUE`.
    """
    row = view_u64(I(machine[U(layout.M_TRANSACTION)]), layout.TX_WORDS)
    block = view_u64(I(machine[U(layout.M_BLOCK)]), layout.BLOCK_WORDS)
    hint = machine[U(layout.M_MODE)] == U(layout.MODE_HINT)
    sender, to = get_address(row, layout.TX_SENDER), get_address(row, layout.TX_TO)
    value, gas_limit = get_at(row, layout.TX_VALUE), row[U(layout.TX_GAS_LIMIT)]
    creates = row[U(layout.TX_CREATES)] != U0
    if row[U(layout.TX_FLAWS)] != U0:
        return _end_without_effect(machine, row[U(layout.TX_FLAWS)], errors.STATUS_INVALID)
    nonce_at = loaded_entry(machine, account_key(sender, layout.KIND_NONCE))
    if nonce_at == ABSENT:
        return errors.NEED
    nonce = word_of(machine, nonce_at)
    if nonce[0] != row[U(layout.TX_NONCE)] and not hint:
        return _end_without_effect(machine, errors.NONCE_MISMATCH, errors.STATUS_INVALID)
    if nonce[0] == U(0xFFFFFFFFFFFFFFFF):
        return _end_without_effect(machine, errors.NONCE_OVERFLOW, errors.STATUS_INVALID)
    sender_code_at = loaded_entry(machine, account_key(sender, layout.KIND_CODE))
    if sender_code_at == ABSENT:
        return errors.NEED
    if machine[U(layout.M_MODE)] == U(layout.MODE_NORMAL) and not is_no_code(word_of(machine, sender_code_at)):
        return _end_without_effect(machine, errors.SENDER_HAS_CODE, errors.STATUS_INVALID)
    balance_at = loaded_entry(machine, account_key(sender, layout.KIND_BALANCE))
    if balance_at == ABSENT:
        return errors.NEED
    balance = word_of(machine, balance_at)
    limit = get_at(row, layout.TX_BLOB_FEE_LIMIT)
    cost, overflow = _purchase(gas_limit, get_at(row, layout.TX_MAX_FEE), value, limit)
    if (overflow or less(balance, cost)) and not hint:
        return _end_without_effect(machine, errors.INSUFFICIENT_FUNDS, errors.STATUS_INVALID)
    intrinsic = _intrinsic_gas(machine, row)
    if U(intrinsic) > gas_limit:
        return _end_without_effect(machine, errors.INTRINSIC_GAS, errors.STATUS_INVALID)
    if creates:
        to = address_by_nonce(machine, sender, row[U(layout.TX_NONCE)])
        if loaded_entry(machine, account_key(to, layout.KIND_NONCE)) == ABSENT:
            return errors.NEED
    code_at = loaded_entry(machine, account_key(to, layout.KIND_CODE))
    if code_at == ABSENT:
        return errors.NEED
    if not is_zero(value) and credit_entry(machine, account_key(to, layout.KIND_BALANCE)) == ABSENT:
        return errors.NEED

    coinbase = to_address(get_at(block, layout.BLOCK_COINBASE))
    if not (_mark_warm(machine, sender) and _mark_warm(machine, to) and _mark_warm(machine, coinbase)):
        return errors.FAULT
    if row[U(layout.TX_LIST_ADDRESSES)] != U0 and not _warm_list(machine, row):
        return errors.FAULT
    entries = entries_of(machine)
    put_at(entries, nonce_at + layout.ENTRY_CURRENT, add(nonce, (U1, U0, U0, U0)))
    prepaid = multiply((gas_limit, U0, U0, U0), get_at(row, layout.TX_PRICE))
    paid = add(prepaid, get_at(row, layout.TX_BLOB_FEE))
    put_at(entries, balance_at + layout.ENTRY_CURRENT, subtract(balance, paid))
    calldata, calldata_size = I(machine[U(layout.M_CALLDATA)]), I(row[U(layout.TX_DATA_SIZE)])
    gas = I(gas_limit) - intrinsic
    taken = False
    if creates:
        taken = is_taken(machine, to)
        code = decode_init_code(machine, calldata, calldata_size)
        if code == 0:
            return errors.FAULT
        calldata_size = 0
    elif is_precompile(machine, to):
        code = -I(to[0])
    else:
        code = descriptor_address(machine, I(entries[U(code_at + layout.ENTRY_CODE)]))
    if not open_frame(machine, 0, 0, 0, gas, code, calldata, calldata_size):
        return errors.FAULT
    frames = frames_of(machine)
    put_address(frames, layout.F_ADDRESS, to)
    put_address(frames, layout.F_CALLER, sender)
    put_at(frames, layout.F_VALUE, value)
    frames[U(layout.F_STATIC)] = U0
    frames[U(layout.F_RETURN_AT)] = U0
    frames[U(layout.F_RETURN_SIZE)] = U0
    add_work(machine, TRANSACTION_WORK, 1)
    add_work(machine, CALLDATA_BYTE_WORK, I(row[U(layout.TX_DATA_SIZE)]))
    machine[U(layout.M_PHASE)] = U(layout.PHASE_RUN)
    if taken:
        frames[U(layout.F_GAS)] = U0
        return end_transaction(machine, errors.ADDRESS_COLLISION)
    if creates:
        frames[U(layout.F_CREATES)] = U1
        return CONTINUE if begin_account(machine, to, sender, value) else errors.FAULT
    if not is_zero(value) and not transfer(machine, sender, to, value):
        return errors.FAULT
    return CONTINUE
