"""Memory layout of Block-STM's second version, beside the first's: what is reached by the field `own` of either header.

Of the first version's memory it uses multi-version memory, statuses with their lists of dependents, and write sets.
There are no read sets: who has read a word stands in a list at the word.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, U256, Struct, words

STM_V2 = Struct(
    "BlockSTMv2",
    marks=I64,  # array of MARKS, one a transaction
    compares_values=U64,  # whether a write makes a read stale only where the word differs
    expects_writers=U64,  # whether who reads a contended location is expected to write there
    # Counters, each on a cache line of its own.
    committed=LINE_U64,  # the commit point: the transactions before it are executed and stay as they are
    standing=LINE_U64,  # workers that stand at a read
    progress=LINE_U64,  # how often something was written or announced for which a worker may stand at a read
)

STM_V2_WORKER = Struct(
    "BlockSTMv2Worker",
    waits_for=I64,  # the transaction, plus one, for which the worker stands at a read; or zero
    aborted=U64,  # the last transaction, plus one, that it has aborted and not seen to; a list through next_dependent
)

# One cache line a transaction.
MARKS = Struct(
    "BlockSTMv2Marks",
    stale=U64,  # the incarnation that was found stale last, plus one << LOCATION_BITS | the location that was
    expected=I64,  # address of the last EXPECTED_WRITE, or zero
    followers=U64,  # the last of those, plus one, that are executed again when it is committed; by next_dependent
    free=words(5),
)
LOCATION_BITS, LOCATION_MASK = U(32), U((1 << 32) - 1)

# Who has read a word. `next` is as the head of the list, see `READ_VERSION`.
READER = Struct("BlockSTMv2Reader", who=U64, next=U64)
WHO_BITS, WHO_MASK = U(32), U((1 << 32) - 1)  # transaction << WHO_BITS | incarnation

# A VERSION, whose word for the incarnation that has written it is that of its readers: the tag says the former, since
# here it is renewed by every incarnation that writes, whatever the word.
READ_VERSION = Struct(
    "BlockSTMv2Version",
    txn_idx=I64,
    tag=U64,
    word=U256,
    readers=U64,  # epoch << HEAD_SHIFT | where in the arena the last READER is; of another epoch: nobody
    next=U64,
)
READERS = Struct("BlockSTMv2Readers", readers=U64)  # any word that is the head of a list of readers

# A version that was made before its transaction has run to its end, since it is expected to write there.
EXPECTED_WRITE = Struct("BlockSTMv2Expected", location=I64, version=I64, previous=I64)

# The score of a location, see `expected_writers`; with an epoch of another block it is EVEN.
LEAST_SCORE, EVEN, MOST_SCORE = U(0), U(64), U(80)
SCORE_MASK = U(127)
