"""The memory that the workers of one block execution share, and what each worker keeps for itself.

Everything is uint64 words reached from two headers: one for all, one a worker. What several workers write often lies
on cache lines of its own: the scheduler's counters, and one line a transaction for its status and lists.
"""

from __future__ import annotations

from evm.atomics import CACHE_LINE

# Header of the shared memory.
(
    S_SIZE,  # transactions in the block
    S_WORKERS,
    S_STATE,
    S_RESUME,  # address of the interpreter
    S_COINBASE,  # number of the beneficiary's balance
    S_RECEIPTS,
    S_COUNTERS,
    S_TRANSACTIONS,
    S_HEADS,  # one word a location: where its versions begin, or zero
    S_HEADS_SIZE,
    S_ARENA,  # versions, read sets and write sets
    S_ARENA_WORDS,
    S_PREFIXES,  # fees that a transaction saw in the beneficiary's balance
    S_COMMIT_END,  # locations to commit
    S_HINT_ROWS,  # what a dry run found, a row a transaction
    S_PLAN_SIZE,  # transactions in the plan
    S_PLAN_MISSING,  # the first transaction that is not in it
    S_LANES,  # transactions lane by lane, as int64
    S_LANE_STARTS,
    S_LANE_COUNT,
    S_GRAPH_WAITS,  # predecessors that have not finished, one word a transaction
    S_SUCCESSORS,  # as int64
    S_SUCCESSOR_STARTS,
    S_SUCCESSOR_COUNT,
    S_READY,  # queue of transactions, plus one, whose predecessors have finished
    S_SPECULATIVE_STEP,  # address of Block-STM's step, which planned strategies go on with
    S_COSTS,  # picoseconds by class of work, see `strategies.costs`
    S_OWN,  # address of whatever memory a strategy brings itself
    S_WORDS,
) = range(29)

# Counters, each on a cache line of its own.
(
    C_EXECUTION,  # next transaction to consider for execution
    C_VALIDATION,  # next transaction to consider for validation
    C_DECREASES,  # how often either was lowered
    C_ACTIVE,  # tasks handed out and not yet finished
    C_DONE,
    C_ARENA,  # words of the arena handed out
    C_FAULT,
    C_COMMIT,  # next location to commit
    C_HINTS,  # next transaction of a dry run
    C_PLAN_LEFT,  # planned transactions that have not been executed
    C_LANE,  # next lane without a worker
    C_READY_HEAD,
    C_READY_TAIL,
    C_OWN,  # four that a strategy uses as it likes: C_OWN, C_OWN + CACHE_LINE, and so on; zero when a block begins
    _,
    _,
    _,
    C_COUNT,
) = (i * CACHE_LINE for i in range(18))

# A transaction's cache line.
(
    T_STATUS,  # incarnation << 2 | status
    T_WAITING,  # first of the transactions that wait for this one, plus one; a list through T_WAITING_NEXT
    T_WAITING_NEXT,
    T_READS,  # read set: where in the arena << LIST_SHIFT | entries
    T_READS_ROOM,
    T_WRITES,  # write set, likewise
) = range(6)
T_WORDS = CACHE_LINE
LIST_SHIFT = 28  # no machine has room for as many entries, nor has any memory 2**36 words
LIST_MASK = (1 << LIST_SHIFT) - 1

# An entry of a read set: location << 32 | incarnation read, then the version node read (zero: the state).
READ_WORDS = 2
# An entry of a write set: the location, then its version node.
WRITE_WORDS = 2

# A note of an abort: the stale location, then where the note before is.
ABORT_WORDS = 2

# What a transaction saw of the fees before it: whether it looked, then their sum.
PREFIX_WORDS = 5

# Header of a worker.
(
    W_MACHINE,
    W_RECEIPT_ARENA,
    W_PHASE,
    W_TASK,  # kind of the task in hand
    W_TRANSACTION,
    W_INCARNATION,
    W_READS,  # the read set being recorded: a private array, and entries in it
    W_READS_ROOM,
    W_READ_COUNT,
    W_CHUNK,  # the worker's piece of the arena: next free word, and end
    W_CHUNK_END,
    W_NUMBER,
    W_PLANNING,  # whether the worker still follows a plan
    W_LANE_AT,  # next place in the worker's lane, and its end; or the worker's ticket in the queue plus one
    W_LANE_END,
    W_HINTS,
    W_HINTS_ROOM,
    W_HINT_COUNT,
    W_EXECUTIONS,
    W_ABORTS,
    W_VALIDATIONS,
    W_DEPENDENCIES,
    W_WASTED_GAS,
    W_GAS_SPENT,  # by the incarnation in hand
    W_COST,  # of the step in hand, in picoseconds
    W_ACTIVITY,  # what it is: `strategies.clocks.ACTIVITIES`
    W_ABORT_LIST,  # where in the arena the last abort is noted, or zero
    W_ABORTS_BY_KIND,  # four words: storage, balance, nonce, code
) = range(28)
W_OWN = W_ABORTS_BY_KIND + 4  # eight words that a strategy uses as it likes; zero when a block begins
W_WORDS = 40

# What a step returns when it has done no work; a positive result is its cost.
IDLE, FINISHED, FAILED = 0, -1, -2
# What the parts of a step return instead of a cost, which they add to the worker's `W_COST`.
WORKED = 1
