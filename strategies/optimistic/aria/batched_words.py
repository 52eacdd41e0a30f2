"""Final words: what the batches committed goes to the state, by all workers, a few transactions a step."""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import native
from contend.strategies.accounting import end_step
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.optimistic.aria.layout import ARIA
from contend.strategies.optimistic.occ_window.final_words import TRANSACTIONS_A_STEP, store_words_from


@native("int64(int64, int64)")
def final_words_step(shared_address, worker_address):
    """Write the final words of the next transactions."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    first = I(atomics.add(ARIA.at(shared.own), "next_final", U(TRANSACTIONS_A_STEP)))
    return end_step(worker, store_words_from(shared, worker, first))
