"""Where things lie in a shard's memory, and what its messages look like.

Everything is uint64 words. All that a shard's step uses is reached from its worker header and from a header that says
how the shards are coupled; it keeps nothing anywhere else, so that shards may share a process or not.

The numbers are `numpy.int64`: numba compiles a function anew for every Python integer that it is given as a constant.
"""

from __future__ import annotations

import numpy as np

from evm.atomics import CACHE_LINE
from evm.layout import KEY_WORDS


def _numbers(count: int, step: int = 1) -> tuple[np.int64, ...]:
    """Return 0, `step`, twice `step` and so on."""
    return tuple(np.int64(i * step) for i in range(count))


MOST_SLOTS = 64  # one bit each in a word
MOST_SHARDS = 1 << 16

# Header that says how the shards are coupled.
(
    H_RESUME,  # address of the interpreter
    H_SEND,  # addresses of the exchange's functions, see `strategies.shard_messages`
    H_RECEIVE,
    H_CONTROL,  # address of words that all shards see
    H_COSTS,  # picoseconds by class of work, see `strategies.costs`
    H_OVERHEAD,  # picoseconds that a message keeps its sender and its receiver busy
    H_WORDS,
) = _numbers(7)

# Words that all shards see, each on a cache line of its own.
(C_FAULT, C_ARRIVED, C_WORDS) = _numbers(3, CACHE_LINE)

# A message. The first word belongs to the exchange. Short messages end at half length.
(
    MSG_SEQUENCE,
    MSG_HEAD,  # kind, slot, sender, receiver, and whether it is long
    MSG_CLOCK,  # Lamport clock of the sender
    MSG_DETAIL,
    MSG_BODY,
) = _numbers(5)
MSG_KEY = MSG_BODY
MSG_WORD = MSG_BODY
MSG_NUMBER_2, MSG_WORD_2 = MSG_BODY + 4, MSG_BODY + 5
MSG_SHORT, MSG_WORDS = CACHE_LINE, 2 * CACHE_LINE
SLOT_SHIFT, FROM_SHIFT, TO_SHIFT, LONG_SHIFT = 8, 16, 32, 48
KIND_MASK, SLOT_MASK, SHARD_MASK = 0xFF, 0xFF, 0xFFFF

(
    READ,  # home to owner: lock this key's location and tell its word; detail: the transaction's place in the block
    PREPARE,  # home to owner: one or two words to write; detail: first number, how many, whether these are the last
    COMMIT,  # home to owner: write what was prepared, release the locks
    ABORT,  # home to owner: forget what was prepared, release the locks
    VALUE,  # owner to home, for READ; detail: the location's number
    VOTE,  # owner to home, for the last PREPARE: all locks are held
    ACK,  # owner to home, for COMMIT and ABORT
    WOUND,  # owner to home: an older transaction wants what this one holds; detail: which location, see WOUND_KIND
    QUIET,  # to shard 0: all transactions of this home have ended; detail: how many were deferred; body: fees
    TAIL,  # from shard 0: execute the deferred ones now; body: fees so far
    TAIL_DONE,  # to shard 0: body: fees so far
    STOP,  # from shard 0: all is done; body: all fees
    TURN,  # home to home, in the block's order: detail: the place that may commit now; body: fees of those before it
) = _numbers(13)
FIRST_REPLY = VALUE  # from here on the receiver has made room beforehand, see `strategies.rings`
REPLIES_PER_SLOT = 3  # a VALUE or VOTE, an ACK, and a WOUND
COORDINATION_MESSAGES = 4  # that can be under way between two shards at once, the one TURN of all shards among them

PREPARE_COUNT_SHIFT, PREPARE_LAST_SHIFT = 32, 40

# Over which location a transaction was wounded: its kind in the low byte, then number and owner.
WOUND_KIND = 0xFF
WOUND_SHIFT = 8

# Header of a shard's worker.
(
    W_SHARD,
    W_SHARDS,
    W_SLOT_COUNT,
    W_ENDPOINT,  # what the exchange's functions are given
    W_INBOX,
    W_OUTBOX,
    W_STATE,
    W_LOCKS,  # one word a location
    W_LOCKS_SIZE,
    W_NODES,
    W_NODES_SIZE,
    W_FREE_NODE,  # list of nodes that were given back
    W_FRESH_NODE,  # from here on they were never handed out
    W_SESSIONS,
    W_SLOTS,
    W_FREE,  # bit mask of slots without a transaction
    W_RUNNABLE,  # bit mask of slots that can go on without a message
    W_TURN,  # slot after which to look for the next runnable one
    W_RECORDS,
    W_COUNT,  # transactions whose home this is
    W_NEXT,  # first record that was not considered yet
    W_READY,  # array: records whose predecessor ended after they had been passed by
    W_READY_HEAD,
    W_READY_TAIL,
    W_ENDED,  # records that have ended or are deferred
    W_DEFERRED,  # records left for the tail
    W_TAIL_NEXT,
    W_RECEIPTS,
    W_RECEIPT_ARENA,
    W_MODE,
    W_CLOCK,
    W_QUIET,  # at shard 0: shards that have reported
    W_TAILS,  # at shard 0: array of how many each deferred
    W_TAIL_SHARD,  # at shard 0: whose tail it is
    W_EXECUTIONS,
    W_ABORTS,
    W_CROSS_SHARD,
    W_MESSAGES,
    W_DEFERRALS,
    W_LOCK_WAITS,
    W_WASTED_GAS,
    W_COST,  # of the step in hand, in picoseconds
    W_ACTIVITY,  # what it is: `strategies.clocks.ACTIVITIES`
    W_BLAMES,  # array: for each abort the location, as owner << 32 | number
    W_BLAMES_ROOM,
    W_BLAME_COUNT,
    W_ORDERED,  # whether transactions commit in the block's order
    W_MAY_COMMIT,  # the place whose turn it is, if its home is here, else NO_PLACE
    W_ABORTS_BY_KIND,  # four words: storage, balance, nonce, code
) = _numbers(49)
W_FEES = W_ABORTS_BY_KIND + 4
W_TOTAL_FEES = W_FEES + 4  # at shard 0
W_BENEFICIARY = W_TOTAL_FEES + 4  # key of its balance
W_WORDS = W_BENEFICIARY + KEY_WORDS

NO_PLACE = (1 << 64) - 1

MODE_BLOCK, MODE_QUIET, MODE_TAIL, MODE_STOPPED = _numbers(4)

# A transaction whose home this shard is.
(
    T_PLACE,  # in the block: its age, for locks
    T_PREDECESSOR,  # record of the same sender's transaction before it, plus one; or zero
    T_SUCCESSOR,
    T_STATE,
    T_TIME,  # when it committed, by the Lamport clock
    T_NEXT_HOME,  # home of the transaction that follows in the block; of the last one its own
) = _numbers(6)
T_WORDS = CACHE_LINE
NEW, PASSED_BY, STARTED, DEFERRED, ENDED = _numbers(5)

# A slot: a machine, and the transaction that it executes.
(
    S_MACHINE,
    S_RECORD,
    S_PHASE,
    S_LIGHT,  # it holds no locks, because nothing has interrupted it yet
    S_WOUNDED,  # which location (see WOUND_KIND), plus one; or zero
    S_PENDING,  # answers and upgrades that it waits for
    S_PARTICIPANTS,  # array of shards other than home that it has asked for something
    S_PARTICIPANT_COUNT,
    S_AT,  # how far sending to participants has come
    S_ENTRY,
    S_NUMBER,  # location of this shard that it waits for
    S_GAS,  # spent by this execution
    S_DEFER,  # it ends deferred, not to be started again
) = _numbers(13)
S_WORDS = 2 * CACHE_LINE

(
    PHASE_FREE,
    PHASE_WAITING,  # for a word, from here or elsewhere
    PHASE_GRANTED,  # a lock of this shard was granted
    PHASE_ASKING,  # a READ is to be sent
    PHASE_TURN,  # for its turn, to learn the fees of those before it
    PHASE_PREPARING,  # PREPAREs are to be sent
    PHASE_VOTING,
    PHASE_COMMITTING,  # decided; COMMITs are to be sent, or ACKs to come
    PHASE_ABORTING,
    PHASE_RESTART,
) = _numbers(10)
LAST_UNDECIDED = PHASE_VOTING

# What a shard knows about a slot of any shard that holds locks here.
(
    E_PLACE,  # of its transaction in the block
    E_LOCKS,  # first of its lock nodes
    E_WRITES,  # first of the words it has prepared
    E_PENDING,  # upgrades that the vote waits for
    E_PREPARED,
    E_WOUNDED,
) = _numbers(6)
E_WORDS = CACHE_LINE

# A lock that is held or waited for. Those held come first in a location's list, then those that wait, oldest first.
(
    N_SESSION,
    N_PLACE,
    N_NUMBER,
    N_HELD,
    N_WANTED,
    N_NEXT,  # of the same location
    N_NEXT_OF_SESSION,
) = _numbers(7)
# A prepared word, in the same pool.
P_NUMBER, P_WORD, P_NEXT = 0, 1, N_NEXT
N_WORDS = CACHE_LINE
NO_NODE = 0
LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE = _numbers(3)

# A location's lock word: its first node, and whether the location was written in this block.
LOCK_NODE_MASK = 0xFFFFFFFF
LOCK_WRITTEN = 1 << 63

# Owner and number of a location, packed in the entry of the transaction that read it.
OWNER_SHIFT = 32
NUMBER_MASK = 0xFFFFFFFF
