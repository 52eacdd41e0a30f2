"""Order of execution, where it is not the block's: the longest transactions first (Graham, 1969), as far as is known.

Independent tasks of which the longest come first end at most a third later than they must. How long a transaction
takes is known before only as the gas that it declares; who is given the truth knows its work. Transactions are put in
classes of which each is an eighth of an octave wide, by counting, in time that is linear in their number: within a
class the block's order stands.
"""

from __future__ import annotations

from contend.evm.layout import BLOCK, TRANSACTION
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import count_leading_zeros, view_i64
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import end_step, spend
from contend.strategies.bal.layout import BAL
from contend.strategies.block_stm.hint_table import next_hinted
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FINISHED, WORKED, cost_table

COST_LIST_ITEM = cost_table.LIST_ITEM
CLASSES = 512


@kernel(inline=True)
def class_of(length):
    """Class of a length, the longest first: eight classes an octave, from 0 to `CLASSES` - 1."""
    length = U(max(length, 1)) << U(3)
    octave = U(63) - count_leading_zeros(length)
    return CLASSES - 1 - min(I(octave * U(8) + ((length >> (octave - U(3))) & U(7))), CLASSES - 1)


@kernel()
def _length_of(block, bal, txn_idx):
    if bal.lengths != 0:
        return view_i64(bal.lengths, block.size)[U(txn_idx)]
    return TRANSACTION.item(block.transactions, block.size, txn_idx).gas_limit


@kernel()
def sort_longest_first(block, bal):
    """Put the transactions of a block in their order."""
    starts, order = view_i64(bal.starts, CLASSES + 1), view_i64(bal.order, block.size)
    for i in range(CLASSES + 1):
        starts[U(i)] = 0
    for txn_idx in range(block.size):
        starts[U(class_of(_length_of(block, bal, txn_idx)) + 1)] += 1
    for i in range(CLASSES):
        starts[U(i + 1)] += starts[U(i)]
    for txn_idx in range(block.size):
        found = U(class_of(_length_of(block, bal, txn_idx)))
        order[U(starts[found])] = txn_idx
        starts[found] += 1


@native("int64(int64, int64)")
def order_step(shared_address, worker_address):
    """Put the transactions in their order; the worker who comes first does."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    if next_hinted(shared) > 0:
        return FINISHED
    sort_longest_first(BLOCK.at(open_machine(worker.machine).block), BAL.at(shared.own))
    spend(shared, worker, COST_LIST_ITEM, 2 * shared.block_size)
    return end_step(worker, WORKED)
