"""Serial driver, the plainest one: transactions one after the other, straight on a state.

The serial strategy, genesis and view calls use it. It also shows all that a driver has to do: start a transaction,
resume the machine, answer each location that it needs, and keep what it wrote.

The beneficiary is credited lazily. Its balance in the state lacks the fees of the transactions before; a transaction
that asks for it is given the balance with those fees, and what it writes is stored without them. When the block ends
the sum is added once.
"""

from __future__ import annotations

from contend.evm import errors, layout
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.drivers.read_ahead import read_ahead
from contend.evm.layout import STATE, WORD
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, write_receipt
from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_1
from contend.evm.state import intern_location, location_row
from contend.evm.u256 import add, subtract
from contend.evm.vm.access_table import entry_at, is_write, supply_word
from contend.evm.vm.admission import admission_error, count_admitted
from contend.evm.vm.transaction import end_without_effect, open_machine, start_transaction, transaction_of

# How `run_serially` ended, when not by reaching the last transaction.
FAULT_MACHINE, FAULT_STATE, FAULT_RECEIPTS = -1, -2, -3


@kernel()
def run_serially(resume, machine_address, state_address, table, arena_address, fees_address, coinbase, first, last):
    """Execute transactions `first` to `last` (exclusive) on the state. A block is begun at its first one.

    Parameters
    ----------
    resume : int
        Address of `evm.interpreter.resume`.
    fees_address : int
        Address of a word to which fees are added.
    coinbase : int
        Number of the beneficiary's balance.

    Returns
    -------
    int
        `last`, or a negative fault.
    """
    machine, state = open_machine(machine_address), STATE.at(state_address)
    if first == 0:
        machine.gas_before = I(0)
        machine.blobs_before = I(0)
    fees, arena = WORD.at(fees_address), RECEIPT_ARENA.at(arena_address)
    for index in range(first, last):
        read_ahead(machine, state_address, I(0), index, 1)
        start_transaction(machine, index)
        transaction = transaction_of(machine)
        refused = admission_error(machine, transaction)
        while True:
            if refused != errors.NONE:
                outcome = end_without_effect(machine, refused)
                break
            outcome = call_1(resume, machine_address)
            if outcome != errors.NEED:
                break
            location = intern_location(state_address, machine.pending_location)
            if location < 0:
                return I(FAULT_STATE)
            word = location_row(state, location).value
            if location == coinbase:
                word = add(word, fees.value)
            if not supply_word(machine, location, word):
                return I(FAULT_MACHINE)
            is_ahead = machine.phase == layout.PHASE_BEGIN
            add_work(machine, cost_model.STATE_READ_AHEAD if is_ahead else cost_model.STATE_READ, 1)
        if outcome != errors.DONE:
            return I(FAULT_MACHINE)
        for i in range(machine.entry_count):
            entry = entry_at(machine, i)
            if is_write(entry):
                add_work(machine, cost_model.STATE_WRITE, 1)
                word = subtract(entry.current, fees.value) if entry.location == coinbase else entry.current
                location_row(state, entry.location).value = word
        fees.value = add(fees.value, machine.fee)
        count_admitted(machine, transaction)
        if not write_receipt(machine, RECEIPT.item(table, last, index), arena):
            return I(FAULT_RECEIPTS)
        add_work(machine, cost_model.RECEIPT, 1)
    return I(last)


@kernel()
def credit_beneficiary(state_address, coinbase, fees_address):
    """Add the fees to the beneficiary's balance."""
    balance = location_row(STATE.at(state_address), coinbase)
    balance.value = add(balance.value, WORD.at(fees_address).value)
