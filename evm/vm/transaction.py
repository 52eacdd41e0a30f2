"""Transactions: what happens before the first instruction and after the last.

Checks (EIP-3607 among them), gas purchase, nonce, value transfer (Yellow Paper section 6), intrinsic gas (EIP-2028,
EIP-2930, EIP-3860), the warm set at the start (EIP-2929, EIP-2930, EIP-3651), refunds (EIP-3529) and fees (EIP-1559,
EIP-4844); which of them the block's fork has is in `evm.layout.RULES`. The base fee and the blob fee are burned; the
priority fee is only reported: the beneficiary is credited lazily, by the driver that executes the block. What a
transaction's fields show by themselves was checked when the block's image was made (`evm.block_image`).
"""

from __future__ import annotations

import numpy as np

from contend.evm import errors, layout
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.code.directory import code_at, is_no_code
from contend.evm.forks import FORK_COUNT
from contend.evm.layout import BLOCK, CODE_DIRECTORY, ENTRY, MACHINE, RULES, TRANSACTION
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import multiply_wide, view_u8, view_u64
from contend.evm.runtime.structs import address_of, is_null
from contend.evm.u256 import ZERO, add, add_overflow, is_zero, less, multiply, subtract
from contend.evm.vm.access_table import (
    FIRST_INDEX_MASK,
    WARM,
    account_key,
    credit_entry,
    find_or_insert,
    loaded_entry,
    mark_touched,
    storage_key,
)
from contend.evm.vm.call import frame_at, is_precompile, open_frame, to_address, transfer
from contend.evm.vm.create import ONE, address_by_nonce, begin_account, decode_init_code, is_taken
from contend.evm.vm.delegation import FULL, WANTED, delegate_of, is_delegated, settle_authorizations
from contend.evm.vm.gas import (
    GAS_ACCESS_LIST_ADDRESS,
    GAS_ACCESS_LIST_STORAGE_KEY,
    GAS_NEW_ACCOUNT,
    GAS_TX_BASE,
    GAS_TX_CREATE,
    GAS_TX_DATA_NON_ZERO,
    GAS_TX_DATA_ZERO,
    TOKENS_OF_NON_ZERO,
)
from contend.evm.vm.selfdestruct import delete_destroyed
from contend.evm.vm.sure_reads import want_sure_read

CONTINUE = 0  # `begin_transaction` opened the outermost frame
LAST_NONCE = U(0xFFFFFFFFFFFFFFFF)


@kernel(inline=True)
def open_machine(address):
    """The machine at an address."""
    return MACHINE.at(address)


@kernel(inline=True)
def transaction_of(machine):
    """Row of the transaction that the machine executes."""
    return TRANSACTION.at(machine.transaction)


@kernel(inline=True)
def start_transaction(machine, index):
    """Point the machine at a transaction of its block and forget the one before. The caller then resumes it."""
    block = BLOCK.at(machine.block)
    transaction = TRANSACTION.item(block.transactions, block.size, index)
    machine.transaction = address_of(transaction)
    machine.calldata = block.data + transaction.data_at
    machine.phase = I(layout.PHASE_BEGIN)
    machine.sure_reads = I(0)
    machine.epoch += U1
    machine.entry_count = I(0)
    machine.index_mask = FIRST_INDEX_MASK
    machine.journal_count = I(0)
    machine.log_size = I(0)
    machine.output_size = I(0)
    machine.refund = U0
    machine.error = I(errors.NONE)
    machine.depth = I(0)
    machine.scratch_used = I(layout.SCRATCH_RESERVED)
    machine.destroyed = U0
    rules = RULES.item(CODE_DIRECTORY.at(machine.codes).rules, FORK_COUNT, I(block.fork))
    machine.rules = address_of(rules)


@kernel()
def _gas_beforehand(machine, transaction):
    """As `evm.vm.transaction_flaw.gas_beforehand`, which has found already that the limit is enough.

    Counted again where it is timed, since whoever executes a block has to.
    """
    rules = RULES.at(machine.rules)
    size = transaction.data_size
    data = view_u8(machine.calldata, size)
    zeros = 0
    for i in range(size):
        zeros += I(data[U(i)] == np.uint8(0))
    least = I(0)
    if rules.floor_token_gas != 0:
        least = GAS_TX_BASE + rules.floor_token_gas * (zeros + (size - zeros) * TOKENS_OF_NON_ZERO)
    gas = GAS_TX_BASE + zeros * GAS_TX_DATA_ZERO + (size - zeros) * GAS_TX_DATA_NON_ZERO
    if transaction.creates != U0:
        gas += GAS_TX_CREATE + rules.init_code_word_gas * ((size + 31) // 32)
    gas += GAS_ACCESS_LIST_ADDRESS * transaction.list_addresses
    gas += GAS_ACCESS_LIST_STORAGE_KEY * transaction.list_slots
    return gas + GAS_NEW_ACCOUNT * transaction.authorizations, least


@kernel()
def end_without_effect(machine, error):
    """End the machine's transaction as an invalid one."""
    machine.error = error
    machine.status = I(errors.STATUS_INVALID)
    machine.gas_used = I(0)
    machine.log_size = I(0)
    machine.output_size = I(0)
    machine.fee = ZERO
    add_work(machine, cost_model.TRANSACTION, 1)
    return errors.DONE


@kernel()
def _mark_warm(machine, address):
    entry = find_or_insert(machine, account_key(address, layout.KIND_CODE))
    if is_null(entry):
        return False
    entry.flags |= WARM
    return True


@kernel()
def _warm_list(machine, transaction):
    """Mark what the access list names as accessed. False when there is no room."""
    size = (transaction.data_size + 7) & ~7
    words = view_u64(machine.calldata + size, (transaction.data_room - size) >> 3)
    at = 0
    for _ in range(transaction.list_addresses):
        address = words[U(at)], words[U(at + 1)], words[U(at + 2)]
        if not _mark_warm(machine, address):
            return False
        slots = I(words[U(at + 3)])
        at += 4
        for _ in range(slots):
            slot = words[U(at)], words[U(at + 1)], words[U(at + 2)], words[U(at + 3)]
            entry = find_or_insert(machine, storage_key(address, slot))
            if is_null(entry):
                return False
            entry.flags |= WARM
            at += 4
    return True


@kernel()
def purchase(gas_limit, fee, value, blob_fee):
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


@kernel(inline=True)
def gas_given_back(gas_limit, left, refund, refund_quotient, floor_gas):
    """Gas that the sender gets back, of what is left and what is refunded."""
    refund = min(refund, (gas_limit - left) // refund_quotient)
    return min(left + refund, gas_limit - U(floor_gas))


@kernel()
def end_transaction(machine, error):
    """Settle after the outermost frame, whose effects are already undone if it failed: refunds, fee, status."""
    transaction = transaction_of(machine)
    gas_limit, unused = U(transaction.gas_limit), U(frame_at(machine, I(0)).gas)
    left = gas_given_back(gas_limit, unused, machine.refund, RULES.at(machine.rules).refund_quotient, machine.floor_gas)
    used = gas_limit - left
    balance = loaded_entry(machine, account_key(transaction.sender, layout.KIND_BALANCE))
    returned = multiply((left, U0, U0, U0), transaction.gas_price)
    balance.current = add(balance.current, returned)
    machine.fee = multiply((used, U0, U0, U0), transaction.tip)
    if machine.destroyed != U0:
        if delete_destroyed(machine, to_address(BLOCK.at(machine.block).coinbase)):
            # The fee went to an account that is gone.
            machine.fee = ZERO
    machine.gas_used = I(used)
    machine.error = I(error)
    machine.status = I(errors.STATUS_SUCCESS) if error == errors.NONE else I(errors.STATUS_FAILED)
    return errors.DONE


@kernel()
def begin_transaction(machine):
    """Check and pay for the transaction, and open its outermost frame; only that, where a location was wanted for it.

    Returns `NEED` while a location is missing, `DONE` when the transaction is invalid, `FAULT` when the machine lacks
    room, and else `CONTINUE`.
    """
    if machine.phase == layout.PHASE_BEGIN:
        if transaction_of(machine).flaw == errors.NONE and want_sure_read(machine):
            return errors.NEED
        began = _begin(machine)
        if began != CONTINUE:
            return began
    return _open_outermost(machine)


@kernel()
def _begin(machine):
    """Check and pay for the transaction, and apply its authorisations; results as of `begin_transaction`.

    While a location is missing it changes nothing. Then the outermost frame holds what it is to be opened with: its
    address and gas, and in place of its code the entry of that address's code.
    """
    transaction = transaction_of(machine)
    is_hint = machine.mode == layout.MODE_HINT
    sender, to, value = transaction.sender, transaction.to, transaction.value
    gas_limit, creates = U(transaction.gas_limit), transaction.creates != U0
    if transaction.flaw != errors.NONE:
        return end_without_effect(machine, transaction.flaw)
    nonce = loaded_entry(machine, account_key(sender, layout.KIND_NONCE))
    if is_null(nonce):
        return errors.NEED
    if nonce.current[0] != transaction.nonce and not is_hint:
        return end_without_effect(machine, I(errors.NONCE_MISMATCH))
    if nonce.current[0] == LAST_NONCE:
        return end_without_effect(machine, I(errors.NONCE_OVERFLOW))
    sender_code = loaded_entry(machine, account_key(sender, layout.KIND_CODE))
    if is_null(sender_code):
        return errors.NEED
    balance = loaded_entry(machine, account_key(sender, layout.KIND_BALANCE))
    if is_null(balance):
        return errors.NEED
    needed, overflow = purchase(gas_limit, transaction.max_fee, value, transaction.blob_fee_limit)
    if (overflow or less(balance.current, needed)) and not is_hint:
        return end_without_effect(machine, I(errors.INSUFFICIENT_FUNDS))
    has_code = not is_no_code(sender_code.current) and not is_delegated(machine, sender_code)
    if machine.mode == layout.MODE_NORMAL and has_code:
        return end_without_effect(machine, I(errors.SENDER_HAS_CODE))
    if creates:
        to = address_by_nonce(machine, sender, transaction.nonce)
        if is_null(loaded_entry(machine, account_key(to, layout.KIND_NONCE))):
            return errors.NEED
    code_entry = loaded_entry(machine, account_key(to, layout.KIND_CODE))
    if is_null(code_entry):
        return errors.NEED
    if not is_zero(value) and is_null(credit_entry(machine, account_key(to, layout.KIND_BALANCE))):
        return errors.NEED
    if transaction.authorizations != 0 and settle_authorizations(machine, transaction, False) == WANTED:
        return errors.NEED

    if not (_mark_warm(machine, sender) and _mark_warm(machine, to)):
        return errors.FAULT
    if RULES.at(machine.rules).warm_beneficiary != U0:
        if not _mark_warm(machine, to_address(BLOCK.at(machine.block).coinbase)):
            return errors.FAULT
    mark_touched(sender_code)
    mark_touched(code_entry)
    if transaction.list_addresses != 0 and not _warm_list(machine, transaction):
        return errors.FAULT
    gas, machine.floor_gas = _gas_beforehand(machine, transaction)
    nonce.current = add(nonce.current, ONE)
    prepaid = multiply((gas_limit, U0, U0, U0), transaction.gas_price)
    balance.current = subtract(balance.current, add(prepaid, transaction.blob_fee))
    if transaction.authorizations != 0 and settle_authorizations(machine, transaction, True) == FULL:
        machine.error = I(errors.CODE_CAPACITY)
        return errors.FAULT
    machine.phase = I(layout.PHASE_OPEN)
    frame = frame_at(machine, I(0))
    frame.address = to
    frame.gas = I(gas_limit) - gas
    frame.code = address_of(code_entry)
    return CONTINUE


@kernel()
def _open_outermost(machine):
    """Open the frame of a transaction that is paid for; results as of `begin_transaction`.

    Whose code runs is settled only now, since the transaction's own authorisations may have changed it.
    """
    transaction, frame = transaction_of(machine), frame_at(machine, I(0))
    to, gas, code_entry = frame.address, frame.gas, ENTRY.at(frame.code)
    sender, value, creates = transaction.sender, transaction.value, transaction.creates != U0
    calldata, calldata_size = machine.calldata, transaction.data_size
    taken = False
    if creates:
        taken = is_taken(machine, to)
        code = decode_init_code(machine, calldata, calldata_size)
        if code == 0:
            return errors.FAULT
        calldata_size = I(0)
    elif is_precompile(machine, to):
        code = -I(to[0])
    elif is_delegated(machine, code_entry):
        delegate = delegate_of(machine, code_entry)
        key = account_key(delegate, layout.KIND_CODE)
        runs = find_or_insert(machine, key)
        if is_null(runs):
            return errors.FAULT
        runs.flags |= WARM
        mark_touched(runs)
        if not is_precompile(machine, delegate) and is_null(loaded_entry(machine, key)):
            return errors.NEED
        # Where it names a precompiled contract, nothing runs: the entry was never loaded, and has no code.
        code = address_of(code_at(machine.codes, runs.code))
    else:
        code = address_of(code_at(machine.codes, code_entry.code))
    if not open_frame(machine, I(0), I(0), I(0), gas, code, calldata, calldata_size):
        return errors.FAULT
    frame.address = to
    frame.caller = sender
    frame.value = value
    frame.static = U0
    frame.return_at = I(0)
    frame.return_size = I(0)
    add_work(machine, cost_model.TRANSACTION, 1)
    add_work(machine, cost_model.CALLDATA_BYTE, transaction.data_size)
    machine.phase = I(layout.PHASE_RUN)
    if taken:
        frame.gas = I(0)
        return end_transaction(machine, errors.ADDRESS_COLLISION)
    if creates:
        frame.creates = U1
        return CONTINUE if begin_account(machine, to, sender, value) else errors.FAULT
    if not is_zero(value) and not transfer(machine, sender, to, value):
        return errors.FAULT
    return CONTINUE
