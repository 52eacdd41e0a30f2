"""Sure reads: the locations that a transaction reads before its first instruction, whatever their words are.

They are asked for one after the other before anything is done with them. A machine that stops for a location goes on
from where it stopped; but before the first instruction that is the beginning (`evm.vm.transaction`), and what is done
there would be done again for each of them.

So a transaction that turns out to be invalid has read all of them, too; an access list names nothing of it.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.layout import TRANSACTION
from contend.evm.runtime.integers import U0, I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import is_null
from contend.evm.u256 import is_zero
from contend.evm.vm.access_table import account_key, credit_entry

OF_SENDER, MOST = 3, 5  # sure reads


@kernel(inline=True)
def count_sure_reads(transaction):
    """How many locations a transaction (`evm.layout.TRANSACTION`) is sure to read.

    The target of one that creates a contract depends on its nonce, and whoever sends to itself has read all by then.
    """
    sender, to = transaction.sender, transaction.to
    if transaction.creates != U0 or (sender[0] == to[0] and sender[1] == to[1] and sender[2] == to[2]):
        return OF_SENDER
    return MOST - I(is_zero(transaction.value))


@kernel(inline=True)
def _sure_key(transaction, number):
    account = transaction.sender if number < OF_SENDER else transaction.to
    if number == 0:
        return account_key(account, layout.KIND_NONCE)
    if number == 1 or number == OF_SENDER:
        return account_key(account, layout.KIND_CODE)
    return account_key(account, layout.KIND_BALANCE)


@kernel()
def _first_missing(machine, transaction):
    """The first of the transaction's sure reads that the machine was not given yet, or `MOST`."""
    for number in range(count_sure_reads(transaction)):
        if is_null(credit_entry(machine, _sure_key(transaction, number))):
            return number
    return MOST


@kernel()
def want_sure_read(machine):
    """Note the next location that the transaction is sure to read as the pending one. False after the last.

    As a rule the machine has as many entries as it has asked for, and nothing has to be looked up. It has fewer where
    it is resumed without an answer, and more where it was given some without a question.
    """
    transaction = TRANSACTION.at(machine.transaction)
    number = machine.sure_reads
    if machine.entry_count != number:
        number = _first_missing(machine, transaction)
    if number >= count_sure_reads(transaction):
        return False
    machine.sure_reads = max(machine.sure_reads, number + 1)
    machine.pending_location = _sure_key(transaction, number)
    return True
