"""Read-ahead: memory that a transaction is sure to read, asked for while those before it execute.

A transaction begins with its sender's nonce, code and balance, and its target's code and balance (`evm.vm.sure_reads`).
Which accounts these are stands in the transaction; nothing has to be executed, or predicted, to know it. Where they lie
in the state is two looks into memory that is seldom near, a slot and then a row (`evm.state`), and the second needs
what the first one finds. So they are asked for in two passes, some transactions ahead of the one that executes:
`SLOTS_AHEAD` before it the slots, `ROWS_AHEAD` before it the rows (software pipelining of prefetches: Mowry, Lam and
Gupta, ASPLOS 1992). Nothing is read that counts: who asks in vain, or for what another worker is changing, loses some
nanoseconds.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import BLOCK, STATE, TRANSACTION
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.prefetch import prefetch
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import hash_key, prefetch_row
from contend.evm.vm.access_table import account_key

ROWS_AHEAD, SLOTS_AHEAD = 2, 4  # transactions


@kernel(inline=True)
def _slot_of_account(state, address, kind):
    return I(hash_key(account_key(address, kind))) & state.table_mask


@kernel()
def _ask_for_slots(state, transaction):
    # The slots of one account's kinds lie in one cache line.
    prefetch(state.table + _slot_of_account(state, transaction.sender, layout.KIND_CODE) * WORD_BYTES)
    if transaction.creates == U0:
        prefetch(state.table + _slot_of_account(state, transaction.to, layout.KIND_CODE) * WORD_BYTES)


@kernel(inline=True)
def _ask_for_row(state, heads, address, kind):
    location = prefetch_row(state, _slot_of_account(state, address, kind))
    if heads != 0:
        prefetch(heads + location * WORD_BYTES)


@kernel()
def _ask_for_rows(state, heads, transaction):
    sender, to = transaction.sender, transaction.to
    _ask_for_row(state, heads, sender, layout.KIND_NONCE)
    _ask_for_row(state, heads, sender, layout.KIND_CODE)
    _ask_for_row(state, heads, sender, layout.KIND_BALANCE)
    if transaction.creates == U0:
        _ask_for_row(state, heads, to, layout.KIND_CODE)
        _ask_for_row(state, heads, to, layout.KIND_BALANCE)


@kernel()
def read_ahead(machine, state_address, heads, index, stride):
    """Ask for what the transactions are sure to read that a worker executes soon.

    Parameters
    ----------
    machine : pointer to `evm.layout.MACHINE`
    heads : int
        Address of a word for each location that will be looked at as well; 0 for none.
    index : int
        Of the transaction that is about to execute.
    stride : int
        From there to the next one that the same worker executes, or is likely to.
    """
    state, block = STATE.at(state_address), BLOCK.at(machine.block)
    slots_of, rows_of = index + SLOTS_AHEAD * stride, index + ROWS_AHEAD * stride
    if slots_of < block.size:
        _ask_for_slots(state, TRANSACTION.item(block.transactions, block.size, slots_of))
    if rows_of < block.size:
        _ask_for_rows(state, heads, TRANSACTION.item(block.transactions, block.size, rows_of))
