"""Storage: SLOAD and SSTORE (EIP-2200, EIP-2929, EIP-3529), TLOAD and TSTORE (EIP-1153)."""

from __future__ import annotations

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.layout import RULES
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import ZERO
from contend.evm.vm.access_table import (
    WARM,
    find_entry,
    find_or_insert,
    is_warm,
    set_warm,
    set_word,
    transient_key,
)
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import (
    GAS_COLD_SLOAD,
    GAS_STORAGE_SENTRY,
    GAS_WARM_ACCESS,
    store_gas_of,
)
from contend.evm.vm.instructions.operands import CONTINUE, OUT_OF_GAS, SUSPENDED, charge, drop, operand, replace
from contend.evm.vm.storage_generation import is_listed_slot, slot_entry


@kernel(inline=True)
def load_slot(machine, frame, registers, slot, entry):
    """SLOAD of the slot that an entry is of, or of one whose word is not known."""
    if is_null(entry):
        if registers.gas < (GAS_WARM_ACCESS if is_listed_slot(machine, frame.address, slot) else GAS_COLD_SLOAD):
            return OUT_OF_GAS
        return SUSPENDED
    if is_warm(entry):
        if not charge(registers, GAS_WARM_ACCESS):
            return OUT_OF_GAS
    else:
        if not charge(registers, GAS_COLD_SLOAD):
            return OUT_OF_GAS
        if not set_warm(machine, entry):
            return errors.JOURNAL_CAPACITY

    replace(registers, 0, entry.current)
    return CONTINUE


@instruction(op.SLOAD)
def sload(machine, frame, registers):
    """Load a slot of the frame's account."""
    slot = operand(registers, 0)
    return load_slot(machine, frame, registers, slot, slot_entry(machine, frame.address, slot))


@kernel()
def _store_gas(entry, new, clear_refund):
    return store_gas_of(entry.original, entry.current, new, clear_refund)


@kernel(inline=True)
def store_slot(machine, registers, new, entry):
    """The rest of SSTORE, to the slot that an entry is of, or to one whose word is not known."""
    if is_null(entry):
        return SUSPENDED
    gas, refund = _store_gas(entry, new, RULES.at(machine.rules).clear_refund)
    if not is_warm(entry):
        gas += GAS_COLD_SLOAD
    if not charge(registers, gas):
        return OUT_OF_GAS

    if not set_word(machine, entry, new):
        return errors.JOURNAL_CAPACITY
    entry.flags |= WARM
    machine.refund += U(refund)
    drop(registers, 2)
    return CONTINUE


@instruction(op.SSTORE)
def sstore(machine, frame, registers):
    """Store a word in a slot of the frame's account."""
    slot, new = operand(registers, 0), operand(registers, 1)

    if frame.static != U0:
        return errors.STATIC_VIOLATION
    if registers.gas <= GAS_STORAGE_SENTRY:
        registers.gas = I(-1)
        return OUT_OF_GAS
    return store_slot(machine, registers, new, slot_entry(machine, frame.address, slot))


@instruction(op.TLOAD)
def tload(machine, frame, registers):
    """Load a transient slot of the frame's account."""
    entry = find_entry(machine, transient_key(frame.address, operand(registers, 0)))
    if is_null(entry):
        replace(registers, 0, ZERO)
    else:
        replace(registers, 0, entry.current)
    return CONTINUE


@instruction(op.TSTORE)
def tstore(machine, frame, registers):
    """Store a word in a transient slot of the frame's account, until the transaction ends."""
    slot, new = operand(registers, 0), operand(registers, 1)

    if frame.static != U0:
        return errors.STATIC_VIOLATION
    entry = find_or_insert(machine, transient_key(frame.address, slot))
    if is_null(entry):
        return errors.ENTRY_CAPACITY
    if not set_word(machine, entry, new):
        return errors.JOURNAL_CAPACITY

    drop(registers, 2)
    return CONTINUE
