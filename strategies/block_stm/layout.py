"""Memory layout of Block-STM: what the workers of one block execution share, and what each keeps for itself.

All of it is reached from two headers, `SHARED` and, one a worker, `WORKER`. What several workers write often lies on
cache lines of its own: the counters of the shared header, and one line a transaction. Variable-sized data (versions,
read sets, write sets) lies in the arena, from which each worker takes chunks; a fresh arena is never cleared.

Strategies over the same workers (planned ones, plug-ins) bring structs of their own, reached by the field `own` of
either header (`strategies.block_stm.strategy.OptimisticStrategy`).
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, U256, Struct, words

SHARED = Struct(
    "BlockSTMShared",
    block_size=I64,  # transactions in the block
    state=I64,
    resume=I64,  # address of the interpreter
    coinbase=I64,  # location of the beneficiary's balance
    receipts=I64,
    costs=I64,  # picoseconds by class of work, see `strategies.clocks.cost_table`
    transactions=I64,  # array of TRANSACTION
    rows=I64,  # array of ROW: the state's
    rows_count=I64,
    epoch=U64,  # of the block at this state: a head of another one says that nobody has written the location yet
    fees_seen=I64,  # array of FEES_SEEN
    arena=I64,
    arena_words=I64,
    own=I64,  # address of a strategy's own struct
    settles=U64,  # whether final words go to the state at once, see `strategies.block_stm.settled_words`
    far=I64,  # how far above one that has not executed a stale incarnation waits for it; 0 for nowhere
    compares_values=U64,  # whether a read is stale only where the word differs, see `strategies.block_stm.validation`
    workers=I64,  # how many
    hints=I64,  # array of HINT, see `strategies.block_stm.hint_table`
    expects=U64,  # whether these are all there, for those who execute
    source=I64,  # address of the own struct of the source that fills the hints
    access_rows=I64,  # rows of the log of accesses (`evm.access_list.building.access_log`), or 0: there is none
    list_build=I64,  # address of the `BUILD` of the access list that is made of it
    list_stage=I64,  # of its building, and how many parts that stage has
    list_parts=I64,
    # Counters, each on a cache line of its own. The first five are those of the paper's algorithms 4 and 5.
    execution_idx=LINE_U64,  # next transaction to try and execute
    validation_idx=LINE_U64,  # next transaction to try and validate
    decrease_cnt=LINE_U64,  # how often either index was decreased
    num_active_tasks=LINE_U64,  # workers that have a task, or look for the next
    done_marker=LINE_U64,
    fault=LINE_U64,  # something was full: every worker stops, and the block is executed again with more room
    arena_used=LINE_U64,  # words of the arena handed out
    written=LINE_U64,  # the last of the chunks of written locations (WRITTEN)
    first_doubt=LINE_U64,  # no transaction below can have read anything wrong, see `validation.is_certain`
    next_hint=LINE_U64,  # the next transaction of a pass over the hint table
)

# What is expected of one transaction.
HINT = Struct(
    "Hint",
    gas=I64,  # that it may use; 0 where nobody knows
    entries=I64,  # address of its entries, as int64: location and marks
    count=I64,
    writes=I64,  # address of its write set, where versions are laid out while the row is filled
)

# One of the accesses that are expected of the transaction in hand, see `strategies.block_stm.expected_accesses`.
EXPECTED = Struct(
    "BlockSTMExpected",
    hashed=U64,  # hash of the location's key
    location=I64,
    version=I64,  # address of the transaction's own VERSION, or zero
)

# One cache line a transaction.
TRANSACTION = Struct(
    "BlockSTMTransaction",
    txn_status=U64,  # incarnation number << STATUS_BITS | status
    txn_dependency=U64,  # first of the transactions that wait for this one, plus one; a list through next_dependent
    next_dependent=U64,
    read_set=U64,  # where in the arena << LIST_SHIFT | entries
    read_set_words=I64,  # that fit there
    write_set=U64,  # likewise
    is_planned=U64,  # whether it was executed as a plan said, and not aborted since
    waiters=U64,  # first of the machines that stand at a placeholder of this one, see `strategies.placeholder`
)
STATUS_BITS, STATUS_MASK = U(2), U(3)
READY_TO_EXECUTE, EXECUTING, EXECUTED, ABORTING = range(4)
# No machine has room for as many entries.
LIST_SHIFT, LIST_MASK = U(28), U((1 << 28) - 1)

READ = Struct(
    "BlockSTMRead",
    origin=U64,  # location << ORIGIN_SHIFT | incarnation that wrote the version
    version=I64,  # address of the VERSION, or zero for the state
)
ORIGIN_SHIFT, ORIGIN_MASK = U(32), U((1 << 32) - 1)
WRITE = Struct("BlockSTMWrite", location=I64, version=I64)

# What a transaction saw of the fees below it in the beneficiary's balance.
FEES_SEEN = Struct("BlockSTMFeesSeen", seen=U64, fees=U256)

# A location's row of the state (`evm.layout.LOCATION`), whose spare words lie in the cache line of the word.
ROW = Struct(
    "BlockSTMRow",
    key=KEY,
    arrival=U64,
    value=U256,
    head=U64,  # epoch << HEAD_SHIFT | LEADS_TO_TOWER | where in the arena its TOWER or VERSION is
    settled_by=U64,  # epoch << HEAD_SHIFT | SETTLING | the transaction, plus one, whose word `value` is
    # Of strategies that keep who has read what (`strategies.optimistic.block_stm_v2`).
    readers=U64,  # epoch << HEAD_SHIFT | where in the arena the last reader is of the word in the state
    contended=U64,  # epoch << HEAD_SHIFT | a score: whether readers of the location are its next writers
)
# No memory has 2**36 words.
ARENA_BITS = 36
LEADS_TO_TOWER = U(1 << ARENA_BITS)  # else to the location's only version
SETTLING = U(1 << ARENA_BITS)  # the word is being written
HEAD_SHIFT, HEAD_MASK = U(ARENA_BITS + 1), U((1 << ARENA_BITS) - 1)
MOST_EPOCHS = 1 << (64 - ARENA_BITS - 1)

# The versions of one location that has several: a skip list, from the highest transaction down.
LEVELS = 7
TOWER = Struct(
    "BlockSTMTower",
    first=words(LEVELS),  # the first version of each level
    top=U64,  # a level from which on a search need not look higher: the highest that has a version, as a rule
)
VERSION = Struct(
    "BlockSTMVersion",
    txn_idx=I64,
    tag=U64,  # incarnation that gave it its word << TAG_SHIFT | ABSENT | ESTIMATE
    word=U256,
    written=U64,  # the last incarnation that wrote here, plus one; only who executes the transaction looks
    next=U64,  # the next version on level 0; those on the version's further levels follow
)
LINK = Struct("BlockSTMLink", version=U64)  # any word that links to a version
ESTIMATE, ABSENT, TAG_SHIFT = U(1), U(2), U(2)

# Locations that got a version, as the worker noted them that gave them the first: what commit has to look at.
WRITTEN_LOCATIONS = 61
WRITTEN = Struct("BlockSTMWritten", previous=U64, count=I64, locations=words(WRITTEN_LOCATIONS))

# An abort: the location that was stale, and the worker's abort before.
ABORT = Struct("BlockSTMAbort", location=I64, previous=I64)

WORKER = Struct(
    "BlockSTMWorker",
    machine=I64,
    receipt_arena=I64,
    own=I64,  # address of a strategy's own struct
    phase=I64,
    runs_on=U64,  # whether a step goes on until there is no task, since workers do not take turns
    task=I64,  # kind of the task in hand
    txn_idx=I64,
    incarnation=U64,
    is_active=U64,  # whether num_active_tasks counts it
    reads_final=U64,  # whether all below the incarnation in hand was final when it began to read
    settles=U64,  # whether its words go to the state at once, and its reads need not be noted
    settled=I64,  # the last WRITTEN of those that it has settled, or zero
    reads=I64,  # the read set being recorded: a private array of READ
    reads_room=I64,
    read_count=I64,
    expected=I64,  # array of EXPECTED: how many the transaction in hand has, and where to look first
    expected_count=I64,
    expected_next=I64,
    met_location=I64,  # that the machine needed last, and the ESTIMATE that its read met there
    met_version=I64,
    chunk=I64,  # the worker's piece of the arena: next free word, and end
    chunk_end=I64,
    written=I64,  # the WRITTEN that the worker fills, or zero
    write_count=I64,  # locations that the incarnation in hand has written, once it has run to its end
    surprises=U64,  # whether its writes, which are visible, may have made others stale
    gas_spent=U64,  # by the incarnation in hand
    cost_ps=U64,  # of the step in hand
    activity=U64,  # what it is: `strategies.clocks.ACTIVITIES`
    aborts_noted=I64,  # the last ABORT, or zero
    hint_list=I64,  # the worker's list of hinted accesses, as int64: address, room, used
    hint_room=I64,
    hint_count=I64,
    access_log=I64,  # address of the worker's `LOG` of accesses
    # Counters, see `strategies.accounting`.
    executions=U64,
    aborts=U64,
    wait_restarts=U64,
    repairs=U64,
    waits=U64,
    aborts_by_kind=words(4),  # and repairs: storage, balance, nonce, code
    validations=U64,
    wasted_gas=U64,
    dry_runs=U64,
)
TASK_NONE, TASK_EXECUTE, TASK_VALIDATE = range(3)
