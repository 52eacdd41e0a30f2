"""Commit point: the transactions before it have executed, and nobody can make them stale any more.

A transaction is told that it is stale by lower ones only, and these tell before they announce that they have executed.
So one that has executed, is not marked, and has nobody below who may execute again, is committed; whoever finds that
moves the commit point on. A transaction that begins at the commit point reads what is final: it enters nowhere, and its
words go to the state at once (`block_stm.settled_words`).

The beneficiary's balance lacks the fees of the block, and no writer of a location could tell a reader that their sum
has changed. So who needs it stands until it is at the commit point.

Memory order. Whoever announces a transaction sets its status, by an exchange, and then looks at the commit point; who
moves that does so by compare-and-swap, and then looks at the next status (both loads sequentially consistent). So one
of them goes on.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.block_stm.layout import STATUS_BITS
from contend.strategies.block_stm.scheduler import is_executed, transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.invalidation import FRESH, resume_followers, stale_read_of
from contend.strategies.optimistic.block_stm_v2.layout import STM_V2

COST_COMMIT = cost_table.VALIDATE


@kernel(inline=True)
def committed(shared):
    """How many transactions are committed."""
    return I(atomics.load_seq_cst(STM_V2.at(shared.own), "committed"))


@kernel()
def move_commit_point(shared, worker):
    """Move the commit point on as far as it goes. Whether anything was done."""
    own, worked = STM_V2.at(shared.own), False
    while True:
        txn_idx = committed(shared)
        if txn_idx >= shared.block_size:
            return worked
        status = atomics.load_seq_cst(transaction_of(shared, txn_idx), "txn_status")
        incarnation = status >> STATUS_BITS
        if not is_executed(status) or stale_read_of(shared, txn_idx, incarnation) != FRESH:
            return worked
        spend(shared, worker, COST_COMMIT, 1)
        worked = True
        if I(atomics.compare_and_swap(own, "committed", U(txn_idx), U(txn_idx + 1))) == txn_idx:
            resume_followers(shared, txn_idx)


@kernel()
def has_its_turn(shared, worker):
    """Whether all below the worker's transaction is committed."""
    move_commit_point(shared, worker)
    return committed(shared) == worker.txn_idx
