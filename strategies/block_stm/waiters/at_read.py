"""At a read: a transaction that stands where it reads, its machine kept, until a lower one has written there.

All that it has done so far it keeps: stack, memory, frames and read set. When the version that it met has its word, the
read is answered from there, without a search. A version above that one and below its own place, which was not there
before, nobody expected: it is found by validation, as it would be had it come a moment after the read.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, FAULTED, NOBODY, supply
from contend.strategies.block_stm.layout import ESTIMATE
from contend.strategies.block_stm.mv_memory import FOUND_ESTIMATE, FOUND_STATE, read_from, writer_of
from contend.strategies.block_stm.settled_words import settled_word, settler_of
from contend.strategies.clocks import ACT_WAIT


@kernel()
def answer_where_it_waited(shared, worker):
    """Answer the read at the version that the worker's transaction met; results as of `incarnation.answer_read`.

    Not for the beneficiary's balance, which takes more than a word.
    """
    found, version, tag, word = read_from(worker.met_version)
    if found == FOUND_ESTIMATE:
        worker.met_version = version
        return BLOCKED, writer_of(version)
    if found == FOUND_STATE:
        tag, word = settled_word(shared, worker.met_location)
        if tag & ESTIMATE != U0:
            return BLOCKED, settler_of(tag)
    return (ANSWERED if supply(shared, worker, worker.met_location, version, tag, word) else FAULTED), NOBODY


@kernel()
def stand(worker, own, writer):
    """Let the worker stand at its read until a transaction has written there; `own.waits_for` says for which."""
    own.waits_for = I(writer + 1)
    worker.waits += U1
    worker.activity = U(ACT_WAIT)
