"""The plainest driver: transactions one after the other, straight on a state.

The serial strategy, genesis and view calls use it. It also shows all that a driver has to do: start a transaction,
resume the machine, answer each location that it needs, and keep what it wrote.

The beneficiary is credited lazily. Its balance in the state lacks the fees of the transactions before; a transaction
that asks for it is given the balance with those fees, and what it writes is stored without them. When the block ends
the sum is added once.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import costs, errors, layout
from evm.access import LOADED, entries_of, provide
from evm.costs import add_work
from evm.jit import kernel
from evm.pointers import call_1, view_u64
from evm.receipts import ARENA_WORDS, R_WORDS, write_receipt
from evm.state import intern_location
from evm.transaction import open_machine, start_transaction
from evm.words import add, equal, get, get_at, put, put_at, subtract

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

# How `run_directly` ended, when not by reaching the last transaction.
FAULT_MACHINE, FAULT_STATE, FAULT_RECEIPTS = -1, -2, -3


@kernel()
def run_directly(resume, machine_address, state, table_address, arena_address, fees_address, coinbase, first, last):
    """Execute transactions `first` to `last` (exclusive) on the state.

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
    machine = open_machine(machine_address)
    header = view_u64(state, layout.STATE_WORDS)
    values = view_u64(I(header[U(layout.STATE_VALUES)]), I(header[U(layout.STATE_CAPACITY)]) * 4)
    table = view_u64(table_address, last * R_WORDS)
    arena = view_u64(arena_address, ARENA_WORDS)
    fees = view_u64(fees_address, 4)
    for index in range(first, last):
        start_transaction(machine, index)
        while True:
            outcome = call_1(resume, machine_address)
            if outcome != errors.NEED:
                break
            number = intern_location(state, machine, layout.M_WANTED)
            if number < 0:
                return FAULT_STATE
            word = get(values, number)
            if number == coinbase:
                word = add(word, get(fees, 0))
            if not provide(machine, number, word):
                return FAULT_MACHINE
            add_work(machine, costs.STATE_READ, 1)
        if outcome != errors.DONE:
            return FAULT_MACHINE
        entries = entries_of(machine)
        for i in range(I(machine[U(layout.M_ENTRY_COUNT)])):
            at = i * layout.ENTRY_WORDS
            if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U(0):
                current = get_at(entries, at + layout.ENTRY_CURRENT)
                if not equal(current, get_at(entries, at + layout.ENTRY_ORIGINAL)):
                    add_work(machine, costs.STATE_WRITE, 1)
                    number = I(entries[U(at + layout.ENTRY_ID)])
                    put(values, number, subtract(current, get(fees, 0)) if number == coinbase else current)
        put_at(fees, 0, add(get(fees, 0), get_at(machine, layout.M_FEE)))
        if not write_receipt(machine, table, index, arena):
            return FAULT_RECEIPTS
        add_work(machine, costs.RECEIPT, 1)
    return last


@kernel()
def credit_beneficiary(state, coinbase, fees_address):
    """Add the fees to the beneficiary's balance."""
    header = view_u64(state, layout.STATE_WORDS)
    values = view_u64(I(header[U(layout.STATE_VALUES)]), I(header[U(layout.STATE_CAPACITY)]) * 4)
    put(values, coinbase, add(get(values, coinbase), get(view_u64(fees_address, 4), 0)))
