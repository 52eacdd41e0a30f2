"""Final words: what the batches committed goes to the state, by all workers, a few transactions a step."""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import native
from contend.strategies.accounting import end_step, spend
from contend.strategies.aria.layout import ARIA
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, cost_table
from contend.strategies.occ_window.final_words import TRANSACTIONS_A_STEP, store_final_words

COST_COMMIT_LOCATION = cost_table.COMMIT_LOCATION


@native("int64(int64, int64)")
def final_words_step(shared_address, worker_address):
    """Write the final words of the next transactions."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    first = I(atomics.add(ARIA.at(shared.own), "next_final", U(TRANSACTIONS_A_STEP)))
    if first >= shared.block_size:
        return FINISHED
    looked_at = 0
    for txn_idx in range(first, min(first + TRANSACTIONS_A_STEP, shared.block_size)):
        looked_at += store_final_words(shared, txn_idx)
    worker.activity = U(ACT_COMMIT)
    spend(shared, worker, COST_COMMIT_LOCATION, looked_at)
    return end_step(worker, WORKED)
