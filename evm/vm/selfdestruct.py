"""SELFDESTRUCT: the balance moves at once; what else becomes of the account is settled at the transaction's end.

Since Cancun only an account that the same transaction created is deleted (EIP-6780); before, every account was. A
deleted account's ether is burnt, whatever it was sent in the meantime. Before London the first SELFDESTRUCT of an
account was refunded (EIP-3529).
"""

from __future__ import annotations

from contend.evm import errors, layout
from contend.evm.code.directory import NO_CODE
from contend.evm.layout import RULES
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import address_of, is_null
from contend.evm.u256 import LOW_32, ZERO, add, is_zero
from contend.evm.vm.access_table import (
    KIND_CODE,
    KIND_SHIFT,
    LOADED,
    account_key,
    entry_at,
    find_or_insert,
    has_flag,
    is_warm,
    loaded_entry,
    mark_touched,
    set_flag,
    set_warm,
    set_word,
)
from contend.evm.vm.call import (
    CALL_ENTERED,
    CALL_ERROR,
    CALL_NEEDS,
    DEAD,
    NOT_KNOWN,
    account_is_dead,
    call_error,
    frame_at,
    is_precompile,
    stack_word,
    to_address,
)
from contend.evm.vm.gas import GAS_COLD_ACCOUNT_ACCESS, GAS_NEW_ACCOUNT

CREATED, DESTROYED = U(layout.FLAG_CREATED), U(layout.FLAG_DESTROYED)


@kernel()
def selfdestruct(machine):
    """Execute SELFDESTRUCT of the current frame: `CALL_ENTERED` when it is done, else as `evm.vm.call.begin_call`."""
    frame = frame_at(machine, machine.depth)
    gas = frame.gas
    if frame.static != U0:
        return call_error(machine, errors.STATIC_VIOLATION)
    beneficiary = to_address(stack_word(machine, frame.stack_top - 1).value)
    account = find_or_insert(machine, account_key(beneficiary, layout.KIND_CODE))
    if is_null(account):
        return CALL_ERROR
    warm = is_precompile(machine, beneficiary) or is_warm(account)
    needed = 0 if warm else GAS_COLD_ACCOUNT_ACCESS
    if needed > gas:
        return call_error(machine, errors.OUT_OF_GAS)
    mark_touched(account)
    own_balance = loaded_entry(machine, account_key(frame.address, layout.KIND_BALANCE))
    if is_null(own_balance):
        return CALL_NEEDS
    balance = own_balance.current
    credited = loaded_entry(machine, account_key(beneficiary, layout.KIND_BALANCE))
    if is_null(credited):
        return CALL_NEEDS
    if not is_zero(balance):
        dead = account_is_dead(machine, beneficiary)
        if dead == NOT_KNOWN:
            return CALL_NEEDS
        if dead == DEAD:
            needed += GAS_NEW_ACCOUNT
            if needed > gas:
                return call_error(machine, errors.OUT_OF_GAS)
    code = loaded_entry(machine, account_key(frame.address, layout.KIND_CODE))
    if is_null(code) or is_null(loaded_entry(machine, account_key(frame.address, layout.KIND_NONCE))):
        return CALL_NEEDS
    rules = RULES.at(machine.rules)
    frame.gas = gas - needed
    machine.gas_done += U(needed)
    if not warm and not set_warm(machine, account):
        return CALL_ERROR
    deleted = has_flag(code, CREATED) or rules.destroys_all != U0
    to_another = address_of(own_balance) != address_of(credited)
    if to_another:
        if not set_word(machine, credited, add(credited.current, balance)):
            return CALL_ERROR
    if to_another or deleted:
        if not set_word(machine, own_balance, ZERO):
            return CALL_ERROR
    if deleted:
        if not has_flag(code, DESTROYED):
            machine.refund += U(rules.destroy_refund)
        if not set_flag(machine, code, DESTROYED):
            return CALL_ERROR
        machine.destroyed += U1
    return CALL_ENTERED


@kernel()
def delete_destroyed(machine, coinbase):
    """Delete the accounts that were destroyed: every word of theirs that the transaction has seen becomes zero.

    That is all they have: code and nonce were loaded when the account was created, the balance when it was destroyed,
    and storage began empty. What an account from before the transaction has in other slots, which before Cancun could
    be, is void because nothing says any longer that the account exists; see `evm.accounts`.

    Returns whether the block's beneficiary is among them.
    """
    found = False
    for number in range(machine.entry_count):
        code = entry_at(machine, number)
        if code.flags & DESTROYED == U0:
            continue
        address = code.key
        if address[2] >> KIND_SHIFT != KIND_CODE:
            continue
        for other in range(machine.entry_count):
            entry = entry_at(machine, other)
            key = entry.key
            same = key[0] == address[0] and key[1] == address[1]
            if same and key[2] & LOW_32 == address[2] & LOW_32:
                if entry.flags & LOADED != U0:
                    entry.current = ZERO
        code.code = I(NO_CODE)
        is_coinbase = address[0] == coinbase[0] and address[1] == coinbase[1]
        found |= is_coinbase and address[2] & LOW_32 == coinbase[2]
    return found
