"""What no instruction of the loop does, logged: payment, transfers, calls, and the end of frames and transactions.

The sender's nonce and all codes are inputs whose change nothing survives. Of the sender's balance it is guarded whether
it suffices; what is prepaid, moved and given back is operations. A call has its operands pinned; where it pays, it is
guarded whether the balance suffices, and whether the balance of who is paid is zero, which an account that is there
for the first time costs. Creations, SELFDESTRUCT and authorisations break the log.
"""

from __future__ import annotations

from contend.evm import errors, opcodes
from contend.evm.layout import KIND_BALANCE, KIND_STORAGE
from contend.evm.redo_log.branches import pin_operand
from contend.evm.redo_log.entries import guard_less, guard_zero, input_word, operate_with
from contend.evm.redo_log.log_layout import REDO_LOG
from contend.evm.redo_log.numbers import (
    clear_numbers,
    entry_number,
    move_numbers,
    set_entry_number,
    set_input_number,
    set_number_at,
)
from contend.evm.redo_log.undone import number_notes, undo_numbers
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import ZERO, add, is_zero, multiply, subtract
from contend.evm.vm.access_table import KIND_SHIFT, account_key, entry_at, find_entry, supply_word
from contend.evm.vm.call import CALL_ENTERED, CALL_FAILED_SOFTLY, frame_at, stack_word, to_address
from contend.evm.vm.transaction import purchase, transaction_of

BALANCE, STORAGE = U(KIND_BALANCE), U(KIND_STORAGE)
ADD, SUB = opcodes.ADD, opcodes.SUB


@kernel(inline=True)
def log_of(machine):
    """The log of what the machine executes."""
    return REDO_LOG.at(machine.redo_log)


@kernel()
def begin_log(machine):
    """Forget what was logged before; the machine's transaction has been started and nothing executed."""
    log = log_of(machine)
    for i in range(log.marked):
        entry = entry_at(machine, i)
        set_entry_number(log.numbers, entry, 0)
        set_input_number(log.numbers, entry, 0)
    log.marked = 0
    log.count = 1
    log.notes = 0
    log.placed = 0
    log.gas_seen = 0
    log.broken = U0


@kernel()
def forgo_log(machine):
    """Keep no log of what the machine executes, by the interpreter without one: as a broken log, it has no numbers."""
    log_of(machine).broken = U1


@kernel()
def supply_input(machine, location, word):
    """As `evm.vm.access_table.supply_word`, and log the word; its number, 0 for one that must not change, or -1."""
    key, log = machine.pending_location, log_of(machine)
    if not supply_word(machine, location, word):
        return I(-1)
    if log.broken != U0:
        return I(0)
    log.marked = machine.entry_count
    kind = key[2] >> KIND_SHIFT
    if kind & U(0xFF) != BALANCE and kind & U(0xFF) != STORAGE:
        return I(0)
    number = input_word(log, word)
    entry = find_entry(machine, key)
    set_entry_number(log.numbers, entry, number)
    set_input_number(log.numbers, entry, number)
    return number


@kernel()
def _balance_of(machine, address):
    return find_entry(machine, account_key(address, KIND_BALANCE))


@kernel()
def _log_transfer(machine, log, sender, recipient, value):
    """Log a transfer that has been made. Notes of the journal have been numbered up to it."""
    debited, credited = _balance_of(machine, sender), _balance_of(machine, recipient)
    numbers = log.numbers
    # Of a transfer to oneself the second note has the word between the two.
    between = add(debited.current, ZERO)
    if entry_number(numbers, debited) != 0:
        if sender[0] == recipient[0] and sender[1] == recipient[1] and sender[2] == recipient[2]:
            between = subtract(debited.current, value)
        set_entry_number(numbers, debited, operate_with(log, SUB, entry_number(numbers, debited), value, between))
    number = operate_with(log, ADD, entry_number(numbers, credited), value, credited.current)
    set_entry_number(numbers, credited, number)


@kernel()
def log_beginning(machine):
    """Log what a transaction does before its first instruction, when it has done it."""
    log, transaction = log_of(machine), transaction_of(machine)
    if transaction.creates != U0 or transaction.authorizations != 0:
        log.broken = U1
        return
    sender, value = transaction.sender, transaction.value
    gas_limit = U(transaction.gas_limit)
    balance = _balance_of(machine, sender)
    needed, _ = purchase(gas_limit, transaction.max_fee, value, transaction.blob_fee_limit)
    number = entry_number(log.numbers, balance)
    guard_less(log, number, needed)
    prepaid = add(multiply((gas_limit, U0, U0, U0), transaction.gas_price), transaction.blob_fee)
    paid = operate_with(log, SUB, number, prepaid, subtract(balance.original, prepaid))
    set_entry_number(log.numbers, balance, paid)
    # A transfer's notes have the words before it, and their numbers.
    number_notes(machine, log)
    if not is_zero(value):
        _log_transfer(machine, log, sender, transaction.to, value)


@kernel()
def log_refund(machine, before):
    """Log what the sender has got back at the transaction's end, when its balance was this word."""
    log = log_of(machine)
    log.left = frame_at(machine, I(0)).gas
    log.refund = machine.refund
    log.floor_gas = machine.floor_gas
    if machine.status != errors.STATUS_SUCCESS:
        # Gas was lost, or a refund taken back.
        log.gas_seen = log.count
    if log.broken != U0:
        return
    balance = _balance_of(machine, transaction_of(machine).sender)
    returned = subtract(balance.current, before)
    number = operate_with(log, ADD, entry_number(log.numbers, balance), returned, balance.current)
    set_entry_number(log.numbers, balance, number)


@kernel()
def sender_balance(machine):
    """The sender's balance now, or zero where it was never asked for."""
    balance = _balance_of(machine, transaction_of(machine).sender)
    return ZERO if is_null(balance) else balance.current


@kernel(inline=True)
def operands_of_call(operation):
    """How many words a call takes from the stack."""
    return 7 if operation == opcodes.CALL or operation == opcodes.CALLCODE else 6


@kernel()
def pin_call(machine, operation):
    """Pin the operands of a call that is about to be made; break the log for what is no call."""
    log = log_of(machine)
    if operation == opcodes.CREATE or operation == opcodes.CREATE2 or operation == opcodes.SELFDESTRUCT:
        log.broken = U1
        return
    log.gas_seen = log.count
    top = machine.stack + 32 * frame_at(machine, machine.depth).stack_top
    for below in range(operands_of_call(operation)):
        pin_operand(log, log.numbers, top - 32 * (below + 1))


@kernel()
def value_of_call(machine, operation):
    """Wei that a call that is about to be made moves, and the account that it names; zeros for what is no call."""
    if operation == opcodes.CREATE or operation == opcodes.CREATE2 or operation == opcodes.SELFDESTRUCT:
        return ZERO, (U0, U0, U0)
    top = frame_at(machine, machine.depth).stack_top
    target = to_address(stack_word(machine, top - 2).value)
    if operation == opcodes.CALL or operation == opcodes.CALLCODE:
        return stack_word(machine, top - 3).value, target
    return ZERO, target


@kernel()
def log_call(machine, depth, size, operation, value, target, called):
    """Log a call that has been made from the frame at a depth, whose memory had a size, or that has failed."""
    log = log_of(machine)
    caller = frame_at(machine, depth)
    if caller.memory_size > size:
        clear_numbers(log.numbers, machine.memory + caller.memory_base + size, caller.memory_size - size)
    if called == CALL_FAILED_SOFTLY:
        set_number_at(log.numbers, machine.stack + 32 * (caller.stack_top - 1), 0)
    if is_zero(value) or log.broken != U0:
        return
    payer, paid = _balance_of(machine, caller.address), _balance_of(machine, target)
    if not is_null(payer):
        guard_less(log, entry_number(log.numbers, payer), value)
    if operation == opcodes.CALL and not is_null(paid):
        guard_zero(log, entry_number(log.numbers, paid))
    if operation == opcodes.CALL and called == CALL_ENTERED:
        number_notes(machine, log)
        _log_transfer(machine, log, caller.address, target, value)


@kernel()
def undo_log(machine, frame):
    """Take back the numbers of all that a frame did, before `evm.vm.call.undo_frame`."""
    undo_numbers(machine, log_of(machine), frame.journal_count)


@kernel()
def log_return(machine, depth, error):
    """Log the end of a call, after which the frame at a depth goes on."""
    log, caller = log_of(machine), frame_at(machine, depth)
    log.gas_seen = log.count
    if error == errors.NONE or error == errors.REVERTED:
        size = min(caller.return_size, machine.output_size) if log.placed != 0 else I(0)
        move_numbers(log, machine.memory + caller.memory_base + caller.return_at, machine.output, size)
    set_number_at(log.numbers, machine.stack + 32 * (caller.stack_top - 1), 0)
