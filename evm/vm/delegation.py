"""Delegation (EIP-7702): accounts whose code names another account, whose code runs in its stead.

A delegated account's code is 23 bytes, 0xef0100 and an address. It is a code like any other: interned by its hash, a
word of the account's code location, seen by EXTCODE* instructions as it is. Only who runs an account's code follows it,
and one hop only; so under parallel execution a call of a delegated account reads two code locations, and a delegation
that is made, changed or cleared is a write of one.

Authorisations are applied when their transaction has been paid for, before its outermost frame opens: what becomes of
the frame does not take them back. What their fields show by themselves (chain, last nonce, signature) was checked when
the block's image was made; here remain the account's code and nonce.
"""

from __future__ import annotations

import numpy as np

from contend.evm import layout
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.code.directory import NO_CODE, code_at, intern_code, is_no_code, publish_code
from contend.evm.crypto.keccak import keccak_word
from contend.evm.layout import AUTHORIZATION, RULES
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, store_8, swap_bytes, view_u8
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import LOW_32, ZERO, add, is_zero
from contend.evm.vm.access_table import (
    WARM,
    account_key,
    credit_entry,
    loaded_entry,
    mark_tested,
    mark_touched,
    scratch_address,
    scratch_left,
)
from contend.evm.vm.gas import GAS_NEW_ACCOUNT, GAS_TX_AUTHORIZATION

DELEGATION_BYTES = 23
ONE = (U1, U0, U0, U0)


@kernel()
def _has_marker(machine, code):
    marker = view_u8(code.bytes, DELEGATION_BYTES)
    is_marked = marker[0] == np.uint8(0xEF) and marker[1] == np.uint8(0x01) and marker[2] == np.uint8(0)
    return is_marked and RULES.at(machine.rules).delegates != U0


@kernel(inline=True)
def is_delegated(machine, account):
    """Whether the code of an account, by the entry that holds it, names another account's to be run."""
    code = code_at(machine.codes, account.code)
    return code.size == DELEGATION_BYTES and _has_marker(machine, code)


@kernel()
def delegate_of(machine, account):
    """Address of the account whose code runs where a delegated account is called."""
    data = view_u8(code_at(machine.codes, account.code).bytes, DELEGATION_BYTES)
    high = (swap_bytes(load_8(data, 0)) >> U(8)) & LOW_32
    return swap_bytes(load_8(data, 15)), swap_bytes(load_8(data, 7)), high


@kernel(inline=True)
def _authorization_at(machine, transaction, number):
    """One of the transaction's authorisations; they lie behind its access list."""
    at = machine.calldata + ((transaction.data_size + 7) & ~7)
    at += 32 * (transaction.list_addresses + transaction.list_slots)
    return AUTHORIZATION.item(at, transaction.authorizations, number)


@kernel()
def are_authorities_known(machine, transaction):
    """Whether all that authorisations depend on is loaded; else a location is wanted, and nothing was changed."""
    for number in range(transaction.authorizations):
        authorization = _authorization_at(machine, transaction, number)
        if authorization.is_valid == U0:
            continue
        authority = authorization.authority
        code = loaded_entry(machine, account_key(authority, layout.KIND_CODE))
        if is_null(code):
            return False
        if not is_no_code(code.current) and not is_delegated(machine, code):
            continue
        nonce = loaded_entry(machine, account_key(authority, layout.KIND_NONCE))
        if is_null(nonce):
            return False
        # Whether an account without code and nonce is there at all, its balance says.
        if is_zero(code.current) and is_zero(nonce.current) and authorization.nonce == U0:
            balance = credit_entry(machine, account_key(authority, layout.KIND_BALANCE))
            if is_null(balance):
                return False
            mark_tested(balance)
    return True


@kernel()
def _exists(machine, authority, code, nonce):
    """Whether an account is there (EIP-161). Its balance is loaded where that decides."""
    if not is_zero(code.current) or not is_zero(nonce.current):
        return True
    return not is_zero(credit_entry(machine, account_key(authority, layout.KIND_BALANCE)).current)


@kernel()
def _delegate(machine, account, delegate):
    """Make an account's code name another; the zero address clears it. False when there is no room for the code."""
    if (delegate[0] | delegate[1] | delegate[2]) == U0:
        account.current = ZERO
        account.code = I(NO_CODE)
        return True
    target = view_u8(machine.scratch, layout.SCRATCH_RESERVED)
    store_8(target, 0, swap_bytes((U(0xEF0100) << U(40)) | (delegate[2] << U(8))))
    store_8(target, 7, swap_bytes(delegate[1]))
    store_8(target, 15, swap_bytes(delegate[0]))
    word = keccak_word(target, 0, DELEGATION_BYTES)
    codes, rules = machine.codes, RULES.at(machine.rules)
    add_work(machine, cost_model.HASH_BLOCK, 1)
    add_work(machine, cost_model.CODE_BYTE, DELEGATION_BYTES)
    size, source = I(DELEGATION_BYTES), machine.scratch
    number = intern_code(codes, rules, source, size, word, scratch_address(machine), scratch_left(machine))
    if number < 0 or not publish_code(codes, source, size, word):
        return False
    account.current = word
    account.code = number
    return True


@kernel()
def apply_authorizations(machine, transaction):
    """Apply the authorisations in order, for good, and note the refund. False when there is no room for a code."""
    for number in range(transaction.authorizations):
        authorization = _authorization_at(machine, transaction, number)
        if authorization.is_valid == U0:
            continue
        authority = authorization.authority
        code = loaded_entry(machine, account_key(authority, layout.KIND_CODE))
        code.flags |= WARM
        mark_touched(code)
        if not is_no_code(code.current) and not is_delegated(machine, code):
            continue
        nonce = loaded_entry(machine, account_key(authority, layout.KIND_NONCE))
        if nonce.current[0] != authorization.nonce:
            continue
        if _exists(machine, authority, code, nonce):
            machine.refund += U(GAS_NEW_ACCOUNT - GAS_TX_AUTHORIZATION)
        if not _delegate(machine, code, authorization.address):
            return False
        nonce.current = add(nonce.current, ONE)
    return True
