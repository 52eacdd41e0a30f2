"""Memory layout of the window, beside Block-STM's: what its workers reach by the field `own` of either header.

Of Block-STM's memory it uses the arena, the heads, and of a transaction its status (`UNEXECUTED` and so on), read set
and write set. A head leads to the `COMMITTED` version of a location itself, since there is never a second one.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, U256, Struct

WINDOW = Struct(
    "OccWindow",
    most=U64,  # the largest size, as `size` is given
    adapts=U64,  # whether the size follows what is found at transactions' turns
    compares_values=U64,  # whether a read is stale only where the word differs
    fees=U256,  # of all committed transactions; written by the worker that has the turn
    fresh=U64,  # transactions in a row that were fresh, likewise; `strategies.optimistic.redo` logs while they are few
    code_writes=U64,  # writes of codes that are committed, likewise; `strategies.optimistic.redo` counts them
    # Counters, each on a cache line of its own.
    next_txn=LINE_U64,  # the next transaction to be executed
    committed=LINE_U64,  # the commit point: transactions that are committed
    size=LINE_U64,  # transactions from the commit point on that may be executed << SIZE_BITS; by who has the turn
    turn=LINE_U64,  # whether some worker has the turn to commit
    next_final=LINE_U64,  # the next transaction whose writes go to the state
)

SIZE_BITS = U(10)
ONE = U(1 << 10)  # a window of one transaction, the smallest

WINDOW_WORKER = Struct("OccWindowWorker", has_turn=U64)

# A transaction's status: it is executed before its turn, or is known to need its turn.
UNEXECUTED, PENDING, DEFERRED = range(3)

# A read: the location, and its head as it was.
SEEN = Struct("OccSeen", location=I64, head=U64)

# A write, prepared when its transaction has run to its end; the location's version from the moment that a head leads
# to it. It is never altered and its memory is never used again, so that a head stands for a word.
COMMITTED = Struct("OccCommitted", location=I64, word=U256)
