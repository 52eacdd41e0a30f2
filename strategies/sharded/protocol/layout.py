"""Memory layout of a shard, and of the messages between shards.

All that a shard's step uses is reached from its header (`SHARD`) and from a header that says how the shards are
connected (`CLUSTER`); it keeps nothing anywhere else, so that shards may share a process or not.

Two words are used throughout. A transaction's *index* is its place in the block, and its age for locks. Its *position*
is its place in the run queue of its coordinator, the shard that executes it.

The numbers are `numpy.int64`: numba compiles a function anew for every Python integer that it is given as a constant.
"""

from __future__ import annotations

import numpy as np

from contend.evm.runtime.atomics import CACHE_LINE
from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, U256, Struct, words


def _numbers(count: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(i) for i in range(count))


MOST_SLOTS = 64  # one bit each in a word
MOST_SHARDS = 1 << 16
NO_INDEX, NO_POSITION = np.int64(-1), np.int64(-1)

CLUSTER = Struct(
    "Cluster",
    resume=I64,  # address of the interpreter
    send=I64,  # addresses of the exchange's functions, see `strategies.sharded.protocol.messages`
    receive=I64,
    control=I64,  # address of the words that all shards see
    costs=I64,  # picoseconds by class of work, see `strategies.clocks.cost_table`
    overhead_ps=U64,  # that a message keeps its sender and its receiver busy
)

# Words that all shards see.
CONTROL = Struct("Control", fault=LINE_U64, arrived=LINE_U64)

# A message. The first word belongs to the exchange. A short message ends at half length, behind `word`.
MESSAGE = Struct(
    "Message",
    sequence=U64,
    head=U64,  # kind, slot, sender, receiver, and whether it is long
    clock=U64,  # Lamport clock of the sender
    detail=I64,
    word=U256,
    second_location=I64,  # of a PREPARE with two writes
    second_word=U256,
    unused=words(3),
)
# The same memory, where it is a READ: a long message.
READ_REQUEST = Struct("ReadRequest", envelope=words(3), index=I64, key=KEY, unused=words(5))
MESSAGE_WORDS, SHORT_MESSAGE_WORDS = 2 * CACHE_LINE, CACHE_LINE
assert MESSAGE.words == READ_REQUEST.words == MESSAGE_WORDS
assert MESSAGE.offsets["second_location"] == SHORT_MESSAGE_WORDS
assert READ_REQUEST.offsets["index"] == MESSAGE.offsets["detail"]

# Fields of a message's head.
KIND_MASK, SLOT_MASK, SHARD_MASK = U(0xFF), U(0xFF), U(0xFFFF)
SLOT_SHIFT, FROM_SHIFT, TO_SHIFT, LONG_SHIFT = U(8), U(16), U(32), U(48)

(
    READ,  # coordinator to participant: lock this key's location and tell its word; with the transaction's index
    PREPARE,  # coordinator to participant: one or two words to write; detail: see PREPARE_COUNT_SHIFT
    COMMIT,  # coordinator to participant: write what was prepared, release the locks
    ABORT,  # coordinator to participant: forget what was prepared, release the locks
    VALUE,  # participant to coordinator, for READ; detail: the location's number
    VOTE,  # participant to coordinator, for the last PREPARE: all locks are held
    ACK,  # participant to coordinator, for COMMIT and ABORT
    WOUND,  # participant to coordinator: an older transaction wants what this one holds; detail: see WOUND_KIND
    QUIET,  # to the leader: all transactions of this shard have ended; detail: how many were deferred; word: fees
    EPILOGUE,  # from the leader: execute the deferred ones now; word: fees so far
    EPILOGUE_DONE,  # to the leader: word: fees so far
    STOP,  # from the leader: all is done; word: all fees
    COMMIT_TOKEN,  # coordinator to coordinator, in the block's order; detail: the index that may commit; word: fees
) = _numbers(13)
FIRST_REPLY = VALUE  # from here on the receiver has made room beforehand, see `strategies.sharded.transport.rings`
REPLIES_PER_SLOT = 3  # a VALUE or VOTE, an ACK, and a WOUND
CONTROL_MESSAGES = 4  # that can be under way between two shards at once, the one commit token among them

# Detail of a PREPARE: the first location's number, how many words, whether they are the last.
LOCATION_MASK = np.int64(0xFFFFFFFF)
PREPARE_COUNT_SHIFT, PREPARE_LAST_SHIFT, PREPARE_COUNT_MASK = np.int64(32), np.int64(40), np.int64(3)

# Over which location a transaction was wounded: its kind in the low byte, then its owner and number.
WOUND_KIND, WOUND_SHIFT = np.int64(0xFF), np.int64(8)

# Owner and number of a location, packed in the entry of the transaction that read it.
OWNER_SHIFT = np.int64(32)

# Header of a shard.
SHARD = Struct(
    "Shard",
    number=I64,
    shard_count=I64,
    slot_count=I64,
    endpoint=I64,  # what the exchange's functions are given
    inbox=I64,
    outbox=I64,
    state=I64,
    cold=I64,  # address of what lies behind the state (`evm.layout.COLD`), or zero
    reader=I64,  # address of a machine's header that asks there for others
    # Locks.
    locks=I64,  # one word a location
    lock_count=I64,
    nodes=I64,  # pool of `LOCK` and `STAGED_WRITE`
    node_count=I64,
    free_node=I64,  # list of nodes that were given back
    unused_node=I64,  # from here on they were never handed out
    contexts=I64,
    # Slots.
    slots=I64,
    free_slots=U64,  # bit mask of slots without a transaction
    runnable_slots=U64,  # bit mask of slots that can go on without a message
    next_slot=I64,  # at which to begin to look for a runnable one
    # Run queue.
    queue=I64,
    queue_size=I64,
    next_position=I64,  # first one that was not considered yet
    ready=I64,  # array of positions whose predecessor ended after they had been passed by
    ready_head=I64,
    ready_tail=I64,
    ended=I64,  # transactions that have ended or are deferred
    deferred=I64,  # transactions left for the epilogue
    epilogue_position=I64,
    receipts=I64,
    receipt_arena=I64,
    access_rows=I64,  # rows of the log of accesses, by position plus one; or 0: there is none
    access_log=I64,
    # Progress.
    mode=I64,
    clock=U64,
    keeps_order=I64,  # whether transactions commit in the block's order
    commit_index=I64,  # the transaction that may commit now, if the commit token is here, else NO_INDEX
    quiet_shards=I64,  # at the leader: shards that have reported
    deferred_by_shard=I64,  # at the leader: array
    epilogue_shard=I64,  # at the leader: the shard that comes next in the epilogue
    # Counters, see `strategies.accounting`.
    executions=U64,
    aborts=U64,
    wait_restarts=U64,
    waits=U64,
    cross_shard=U64,
    messages=U64,
    deferrals=U64,
    wasted_gas=U64,
    aborts_by_kind=words(4),  # storage, balance, nonce, code
    abort_causes=I64,  # array: for each abort the location, as owner << 32 | number
    abort_cause_room=I64,
    abort_cause_count=I64,
    cost_ps=U64,  # of the step in hand
    activity=I64,  # what it is: `strategies.clocks.ACTIVITIES`
    txn_idx=I64,  # of the execution that was run last: its transaction,
    execution=U64,  # and which of the shard's executions it is
    # Fees.
    fees=U256,
    total_fees=U256,  # at the leader
    beneficiary=KEY,  # of its balance
)
LEADER = np.int64(0)  # the shard that brings the block to its end, see `strategies.sharded.protocol.epilogue`

MODE_BLOCK, MODE_QUIET, MODE_EPILOGUE, MODE_STOPPED = _numbers(4)

# A transaction of a shard's run queue.
QUEUED = Struct(
    "QueuedTransaction",
    index=I64,
    predecessor=I64,  # position of the same sender's transaction before it, plus one; or zero
    successor=I64,
    status=I64,
    commit_time=I64,  # by the Lamport clock
    next_coordinator=I64,  # coordinator of the transaction that follows in the block; of the last one its own
    unused=words(2),
)
NEW, PASSED_BY, STARTED, DEFERRED, ENDED = _numbers(5)

# A slot: a machine, and the transaction that it executes here, at its coordinator.
SLOT = Struct(
    "Slot",
    machine=I64,
    position=I64,
    phase=I64,
    is_lock_free=I64,  # it holds no locks, because nothing has interrupted it yet
    wounded=I64,  # over which location (see WOUND_KIND), plus one; or zero
    pending=I64,  # answers and upgrades that it waits for
    participants=I64,  # array of shards other than this one that it has asked for something
    participant_count=I64,
    next_participant=I64,  # how far sending to participants has come
    next_entry=I64,
    location=I64,  # of this shard that it waits for
    gas_spent=U64,  # by this execution
    execution=U64,  # which of the shard's executions it is
    is_deferred=I64,  # it ends deferred, not to be started again
    unused=words(2),
)

(
    PHASE_FREE,
    PHASE_RUNNING,  # its machine runs, within one step
    PHASE_WAITING,  # for a word, from here or elsewhere
    PHASE_GRANTED,  # a lock of this shard was granted
    PHASE_ASKING,  # a READ is to be sent
    PHASE_TOKEN,  # for the commit token, to learn the fees of those before it
    PHASE_PREPARING,  # PREPAREs are to be sent
    PHASE_VOTING,
    PHASE_COMMITTING,  # decided; COMMITs are to be sent, or ACKs to come
    PHASE_ABORTING,
    PHASE_RESTART,
) = _numbers(11)
LAST_UNDECIDED = PHASE_VOTING

# Transaction context: what a shard knows of the transaction in a slot of any shard that holds or wants locks here.
CONTEXT = Struct(
    "TransactionContext",
    index=I64,
    locks=I64,  # first of its locks
    writes=I64,  # first of its staged writes
    pending_upgrades=I64,  # that the vote waits for
    is_prepared=I64,
    is_wounded=I64,
    unused=words(2),
)

# A lock that is held or waited for. Those held come first in a location's list, then those that wait, oldest first.
LOCK = Struct(
    "Lock",
    context=I64,
    index=I64,
    location=I64,
    held=I64,
    wanted=I64,
    next=I64,  # of the same location
    next_of_context=I64,
    unused=words(1),
)
# A word that is to be written when its transaction commits, in the same pool.
STAGED_WRITE = Struct("StagedWrite", location=I64, word=U256, next=I64, unused=words(2))
assert LOCK.words == STAGED_WRITE.words
assert LOCK.offsets["next"] == STAGED_WRITE.offsets["next"]
NO_NODE = np.int64(0)
LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE = _numbers(3)

# A location's lock word: its first lock, and whether the location was written in this block.
LOCK_NODE_MASK, LOCK_WRITTEN = U(0xFFFFFFFF), U(1 << 63)
