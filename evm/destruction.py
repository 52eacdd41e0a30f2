"""SELFDESTRUCT: the balance moves at once; what else becomes of the account is settled at the transaction's end.

Since Cancun only an account that the same transaction created is deleted (EIP-6780); before, every account was. A
deleted account's ether is burnt, whatever it was sent in the meantime.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import errors, forks, layout, prices
from evm.access import (
    ABSENT,
    KIND_SHIFT,
    LOADED,
    account_key,
    entries_of,
    find_or_insert,
    has_flag,
    is_warm,
    loaded_entry,
    set_flag,
    set_warm,
    set_word,
    word_of,
)
from evm.codes import NO_CODE
from evm.frames import (
    CALL_ENTERED,
    CALL_ERROR,
    CALL_NEEDS,
    DEAD,
    NOT_KNOWN,
    account_is_dead,
    frames_of,
    get_address,
    is_precompile,
    stack_of,
    to_address,
)
from evm.jit import kernel
from evm.words import LOW_32, U0, U1, add, get, is_zero, put_at

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
CREATED, DESTROYED = layout.FLAG_CREATED, layout.FLAG_DESTROYED


@kernel()
def destroy(machine):
    """Execute SELFDESTRUCT of the current frame: `CALL_ENTERED` when it is done, else as `evm.frames.begin_call`."""
    frames, stack = frames_of(machine), stack_of(machine)
    f = I(machine[U(layout.M_DEPTH)]) * layout.F_WORDS
    gas = I(frames[U(f + layout.F_GAS)])
    if frames[U(f + layout.F_STATIC)] != U0:
        machine[U(layout.M_ERROR)] = U(errors.STATIC_VIOLATION)
        return CALL_ERROR
    address = get_address(frames, f + layout.F_ADDRESS)
    heir = to_address(get(stack, I(frames[U(f + layout.F_STACK_TOP)]) - 1))
    account = find_or_insert(machine, account_key(heir, layout.KIND_CODE))
    if account == ABSENT:
        return CALL_ERROR
    warm = is_precompile(machine, heir) or is_warm(machine, account)
    cost = 0 if warm else prices.COLD_ACCOUNT
    if cost > gas:
        machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
        return CALL_ERROR
    mine = loaded_entry(machine, account_key(address, layout.KIND_BALANCE))
    if mine == ABSENT:
        return CALL_NEEDS
    balance = word_of(machine, mine)
    theirs = loaded_entry(machine, account_key(heir, layout.KIND_BALANCE))
    if theirs == ABSENT:
        return CALL_NEEDS
    if not is_zero(balance):
        dead = account_is_dead(machine, heir)
        if dead == NOT_KNOWN:
            return CALL_NEEDS
        if dead == DEAD:
            cost += prices.CALL_NEW_ACCOUNT
            if cost > gas:
                machine[U(layout.M_ERROR)] = U(errors.OUT_OF_GAS)
                return CALL_ERROR
    code = loaded_entry(machine, account_key(address, layout.KIND_CODE))
    if code == ABSENT or loaded_entry(machine, account_key(address, layout.KIND_NONCE)) == ABSENT:
        return CALL_NEEDS
    frames[U(f + layout.F_GAS)] = U(gas - cost)
    machine[U(layout.M_GAS_DONE)] += U(cost)
    if not warm and not set_warm(machine, account):
        return CALL_ERROR
    deleted = has_flag(machine, code, CREATED) or machine[U(layout.M_FORK)] < U(forks.CANCUN)
    if mine != theirs:
        if not set_word(machine, theirs, add(word_of(machine, theirs), balance)):
            return CALL_ERROR
    if mine != theirs or deleted:
        if not set_word(machine, mine, (U0, U0, U0, U0)):
            return CALL_ERROR
    if deleted:
        if not set_flag(machine, code, DESTROYED):
            return CALL_ERROR
        machine[U(layout.M_DESTROYED)] += U1
    return CALL_ENTERED


@kernel()
def delete_destroyed(machine, coinbase):
    """Delete the accounts that were destroyed: every word of theirs that the transaction has seen becomes zero.

    That is all they have: code and nonce were loaded when the account was created, the balance when it was destroyed,
    and storage began empty. What an account from before the transaction has in other slots, which before Cancun could
    be, is void because nothing says any longer that the account exists; see `evm.accounts`.

    Returns whether the beneficiary is among them.
    """
    entries = entries_of(machine)
    count, beneficiary = I(machine[U(layout.M_ENTRY_COUNT)]), False
    for number in range(count):
        code = number * layout.ENTRY_WORDS
        if entries[U(code + layout.ENTRY_FLAGS)] & U(DESTROYED) == U0:
            continue
        if entries[U(code + 2)] >> KIND_SHIFT != U(layout.KIND_CODE):
            continue
        for other in range(count):
            at = other * layout.ENTRY_WORDS
            same = entries[U(at)] == entries[U(code)] and entries[U(at + 1)] == entries[U(code + 1)]
            if same and entries[U(at + 2)] & LOW_32 == entries[U(code + 2)] & LOW_32:
                if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U0:
                    put_at(entries, at + layout.ENTRY_CURRENT, (U0, U0, U0, U0))
        entries[U(code + layout.ENTRY_CODE)] = U(NO_CODE)
        mine = entries[U(code)] == coinbase[0] and entries[U(code + 1)] == coinbase[1]
        beneficiary |= mine and entries[U(code + 2)] & LOW_32 == coinbase[2]
    return beneficiary
