"""Accounts: BALANCE, SELFBALANCE and the EXTCODE* instructions, charged by whether the account is warm (EIP-2929)."""

from __future__ import annotations

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.code.directory import EMPTY_HASH_WORD, code_at, is_no_code
from contend.evm.layout import KIND_BALANCE, KIND_CODE, KIND_NONCE
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import ZERO, from_u64, is_zero
from contend.evm.vm.access_table import account_key, find_or_insert, is_warm, loaded_entry, mark_touched, set_warm
from contend.evm.vm.call import is_precompile, reach, to_address
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_COLD_ACCOUNT_ACCESS, GAS_COPY_WORD, GAS_WARM_ACCESS
from contend.evm.vm.instructions.environment import copy_padded
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    SUSPENDED,
    drop,
    grow_memory,
    operand,
    push,
    replace,
    words_in,
)

ABSURD_RANGE = 2 << 32  # what `reach` says of an absurd range


@kernel(inline=True)
def _access_gas(machine, account, address):
    """Gas of accessing an account now. Its entry is that of its code."""
    if is_precompile(machine, address) or is_warm(account):
        return GAS_WARM_ACCESS
    return GAS_COLD_ACCOUNT_ACCESS


@kernel()
def _code_size(machine, address):
    """Size of an account's code, and whether it is known."""
    entry = loaded_entry(machine, account_key(address, KIND_CODE))
    if is_null(entry):
        return ZERO, False
    return from_u64(U(code_at(machine.codes, entry.code).size)), True


@kernel()
def _code_hash(machine, address):
    """Hash of an account's code, zero for an account that is none (EIP-1052); and whether it is known."""
    code = loaded_entry(machine, account_key(address, KIND_CODE))
    if is_null(code):
        return ZERO, False
    if not is_no_code(code.current):
        return code.current, True
    balance = loaded_entry(machine, account_key(address, KIND_BALANCE))
    if is_null(balance):
        return ZERO, False
    if not is_zero(balance.current):
        return EMPTY_HASH_WORD, True
    nonce = loaded_entry(machine, account_key(address, KIND_NONCE))
    if is_null(nonce):
        return ZERO, False
    if not is_zero(nonce.current):
        return EMPTY_HASH_WORD, True
    return ZERO, True


@kernel()
def _balance(machine, address):
    """Balance of an account, and whether it is known."""
    entry = loaded_entry(machine, account_key(address, KIND_BALANCE))
    if is_null(entry):
        return ZERO, False
    return entry.current, True


@kernel()
def _account_word(machine, operation, address, gas_left):
    """Outcome of BALANCE, EXTCODESIZE or EXTCODEHASH, the word that it gives, and its gas."""
    account = find_or_insert(machine, account_key(address, KIND_CODE))
    if is_null(account):
        return errors.ENTRY_CAPACITY, ZERO, 0
    gas = _access_gas(machine, account, address)
    if gas > gas_left:
        return OUT_OF_GAS, ZERO, 0
    mark_touched(account)
    if operation == op.BALANCE:
        word, is_known = _balance(machine, address)
    elif operation == op.EXTCODESIZE:
        word, is_known = _code_size(machine, address)
    else:
        word, is_known = _code_hash(machine, address)
    if not is_known:
        return SUSPENDED, ZERO, 0
    if gas == GAS_COLD_ACCOUNT_ACCESS and not set_warm(machine, account):
        return errors.JOURNAL_CAPACITY, ZERO, 0
    return CONTINUE, word, gas


@instruction(op.BALANCE, op.EXTCODESIZE, op.EXTCODEHASH)
def account_word(machine, frame, registers):
    """Balance of an account, size of its code, or hash of its code."""
    target = to_address(operand(registers, 0))

    ended, word, gas = _account_word(machine, I(registers.instruction), target, registers.gas)
    if ended != CONTINUE:
        return ended
    registers.gas -= gas

    replace(registers, 0, word)
    return CONTINUE


@instruction(op.SELFBALANCE)
def selfbalance(machine, frame, registers):
    """Balance of the frame's own account (EIP-1884)."""
    entry = loaded_entry(machine, account_key(frame.address, KIND_BALANCE))
    if is_null(entry):
        return SUSPENDED
    push(registers, entry.current)
    return CONTINUE


@instruction(op.EXTCODECOPY)
def extcodecopy(machine, frame, registers):
    """Copy an account's code to memory."""
    target = to_address(operand(registers, 0))
    to, offset, count = operand(registers, 1), operand(registers, 2), operand(registers, 3)

    account = find_or_insert(machine, account_key(target, KIND_CODE))
    if is_null(account):
        return errors.ENTRY_CAPACITY
    gas, end = _access_gas(machine, account, target), reach(to, count)
    if end < ABSURD_RANGE:
        gas += GAS_COPY_WORD * words_in(I(count[0]))
    if gas > registers.gas:
        return OUT_OF_GAS
    if is_null(loaded_entry(machine, account_key(target, KIND_CODE))):
        return SUSPENDED
    registers.gas -= gas
    grown = grow_memory(machine, registers, end)
    if grown != CONTINUE:
        return grown
    mark_touched(account)
    if not is_precompile(machine, target) and not is_warm(account) and not set_warm(machine, account):
        return errors.JOURNAL_CAPACITY

    if not is_zero(count):
        code = code_at(machine.codes, account.code)
        copy_padded(machine, registers.memory + I(to[0]), code.bytes, code.size, offset, I(count[0]))
    drop(registers, 4)
    return CONTINUE
