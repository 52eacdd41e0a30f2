"""Memory layout of placeholders, beside Block-STM's: what the strategy reaches by the field `own` of either header."""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, Struct

PLACEHOLDERS = Struct(
    "Placeholders",
    speculative_step=I64,  # address of Block-STM's step, which goes on when every transaction has executed once
    contexts=I64,  # array of CONTEXT
    context_count=I64,
    context_of=I64,  # for each transaction that is put aside the number of its context, as int64
    ready=I64,  # the set of those that are put aside and can go on, see `waiters.ready_set`
    ready_words=I64,
    ready_groups=I64,
    ready_group_count=I64,
    # Counters, each on a cache line of its own.
    next_transaction=LINE_U64,  # the lowest that has no machine yet
    left=LINE_U64,  # transactions that have not been executed
    free_contexts=LINE_U64,  # the last of those in no worker's hands: how often it changed << 32 | number, plus one
    readied=LINE_U64,  # how often a transaction was put into that set
    first_live=LINE_U64,  # every transaction below has run to its end, and told those that waited for it
    executed_prefix=LINE_U64,  # every transaction below has been executed, see `block_stm.executed_prefix`
    first_doubt=LINE_U64,  # no transaction below can have read anything wrong
    news=LINE_U64,  # how often something was left to do for a worker that has nothing
)

PLACEHOLDER_WORKER = Struct(
    "PlaceholderWorker",
    filling=U64,  # whether the worker still executes transactions for the first time
    context=I64,  # number of the context in hand, plus one; or zero
    waits_for=I64,  # the transaction, plus one, for which the worker stands at a read; or zero
    to_wake=U64,  # the next context, plus one, that is to be woken when its word is filled; or zero
    filled=I64,  # words that were filled because somebody waits for them
)

# A machine, and what a worker knows of the transaction on it, whose first incarnation it is. While the worker has it in
# hand, all but the addresses is in the worker's header. One cache line.
CONTEXT = Struct(
    "PlaceholderContext",
    machine=I64,
    reads=I64,
    next=U64,  # number, plus one, of another one: that lies free, or waits for the same transaction
    txn_idx=I64,
    read_count=I64,
    gas_spent=U64,
    location=I64,  # that the machine needs, and the version that it waits for there
    version=I64,
)

NUMBER_BITS, NUMBER_MASK = U(32), U((1 << 32) - 1)
