"""Commit point: the transactions before it have executed, and nobody can make them stale any more.

A transaction is told that it is stale by lower ones only, and these tell before they announce that they have executed.
So one that has executed, is not marked, and has nobody below who may execute again, is committed; whoever finds that
moves the commit point on. A transaction that begins at the commit point reads what is final: it enters nowhere, and its
words go to the state at once (`block_stm.settled_words`).

The beneficiary's balance lacks the fees of the block. Who needs it is given the sum of those below as it is then
(`block_stm.incarnation.fees_below`), and no writer of a location would tell it that this has changed. It is compared
at the commit point, the only validation that there is here.

Memory order. Whoever announces a transaction sets its status, by an exchange, and then looks at the commit point; who
moves that does so by compare-and-swap, and then looks at the next status (both loads sequentially consistent). So one
of them goes on.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import NOBODY, fees_below, fees_seen_of
from contend.strategies.block_stm.layout import STATUS_BITS
from contend.strategies.block_stm.scheduler import is_executed, transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.block_stm_v2.invalidation import FRESH, see_to_aborted, stale_read_of, try_to_abort
from contend.strategies.optimistic.block_stm_v2.layout import STM_V2

COST_COMMIT, COST_FEE = cost_table.VALIDATE, cost_table.FEE


@kernel(inline=True)
def committed(shared):
    """How many transactions are committed."""
    return I(atomics.load_seq_cst(STM_V2.at(shared.own), "committed"))


@kernel()
def _has_seen_other_fees(shared, worker, txn_idx):
    """Whether a transaction was given another sum of the fees below than there is, now that all of them are known."""
    seen = fees_seen_of(shared, txn_idx)
    if seen.seen == U0:
        return False
    spend(shared, worker, COST_FEE, txn_idx)
    blocking, fees = fees_below(shared, txn_idx, False)
    return blocking != NOBODY or not equal(fees, seen.fees)


@kernel()
def _execute_again(shared, worker, txn_idx, incarnation):
    """Abort the transaction at the commit point, which has seen other fees, unless another worker has."""
    if try_to_abort(shared, worker, txn_idx, incarnation, shared.coinbase):
        see_to_aborted(shared, worker, False)


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
        is_right = not _has_seen_other_fees(shared, worker, txn_idx)
        if atomics.load(transaction_of(shared, txn_idx), "txn_status") != status:
            # Another worker has come before, and what has been looked at may be of the next incarnation.
            continue
        if is_right:
            atomics.compare_and_swap(own, "committed", U(txn_idx), U(txn_idx + 1))
        elif committed(shared) == txn_idx:
            _execute_again(shared, worker, txn_idx, incarnation)
            return worked
