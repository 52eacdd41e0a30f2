"""Final words: what the block's transactions wrote goes to the state, by all workers, a few transactions a step.

A version is final if its location's head still leads to it. So every location is written once, by whoever comes to the
last transaction that wrote it.
"""

from __future__ import annotations

import numpy as np

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel, native
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.incarnation import list_address, state_value
from contend.strategies.block_stm.layout import LIST_MASK, SHARED, TRANSACTION, WORKER
from contend.strategies.block_stm.mv_memory import head_of
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.block_stm.workspace import Locations, Workspace
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, cost_table
from contend.strategies.optimistic.occ_window.committed import head_to
from contend.strategies.optimistic.occ_window.layout import COMMITTED, WINDOW

COST_COMMIT_LOCATION = cost_table.COMMIT_LOCATION
TRANSACTIONS_A_STEP = 16


@kernel()
def store_final_words(shared, txn_idx):
    """Write the final words of a transaction to the state. How many words it wrote, final or not."""
    packed = transaction_of(shared, txn_idx).write_set
    writes, count = list_address(shared, packed), I(packed & LIST_MASK)
    for i in range(count):
        version = COMMITTED.item(writes, count, i)
        if head_of(shared, version.location) == head_to(shared, packed, i):
            state_value(shared, version.location).value = version.word
    return count


@kernel()
def store_words_from(shared, worker, first):
    """Write the final words of the transactions of a step, from the first on; `FINISHED` if there are none."""
    if first >= shared.block_size:
        return FINISHED
    looked_at = 0
    for txn_idx in range(first, min(first + TRANSACTIONS_A_STEP, shared.block_size)):
        looked_at += store_final_words(shared, txn_idx)
    worker.activity = U(ACT_COMMIT)
    spend(shared, worker, COST_COMMIT_LOCATION, looked_at)
    return WORKED


@native("int64(int64, int64)")
def final_words_step(shared_address, worker_address):
    """Write the final words of the next transactions."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    first = I(atomics.add(WINDOW.at(shared.own), "next_final", U(TRANSACTIONS_A_STEP)))
    return end_step(worker, store_words_from(shared, worker, first))


@kernel()
def count_writes(transactions, size):
    """Writes of so many transactions whose structs lie at an address."""
    total = 0
    for i in range(size):
        total += I(TRANSACTION.item(transactions, size, i).write_set & LIST_MASK)
    return total


@kernel()
def list_writes(shared_address, found):
    """Fill `found` with the locations that the block's transactions wrote, one after the other."""
    shared = SHARED.at(shared_address)
    at = 0
    for txn_idx in range(shared.block_size):
        packed = transaction_of(shared, txn_idx).write_set
        writes, count = list_address(shared, packed), I(packed & LIST_MASK)
        for i in range(count):
            found[at] = COMMITTED.item(writes, count, i).location
            at += 1


def written_locations(space: Workspace) -> Locations:
    """Locations that a block's transactions wrote, and the beneficiary's balance, each once. Outside the time."""
    size = int(space.shared["block_size"])
    found = np.zeros(count_writes(int(space.transactions.ctypes.data), size) + 1, np.int64)
    list_writes(space.address, found)
    found[-1] = space.shared["coinbase"]
    return np.unique(found)
