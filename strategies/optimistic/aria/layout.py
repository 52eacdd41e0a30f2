"""Memory layout of Aria's batches, beside Block-STM's: what its workers reach by the field `own` of either header.

Of Block-STM's memory it uses the arena, the heads, and of a transaction its status (`OPEN` or `DEFERRED`), read set and
write set; these have the window's forms (`optimistic.occ_window.layout`): a head leads to the one committed version.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, LINE_U64, U64, U256, Struct

ARIA = Struct(
    "Aria",
    reservations=I64,  # array of RESERVATION, one a location
    locations=I64,  # how many these are
    stamp=U64,  # of the batch in hand, lower than those of all before it
    members=I64,  # array of transactions, those of the batch first, ascending
    fates=I64,  # what becomes of each of them: REORDERED, IN_PLACE, or the location that it conflicts at
    order=I64,  # array of transactions, in the order of commit
    room=I64,  # entries of each of these arrays
    size=I64,  # members that a batch is filled up to, between the next two
    least=I64,
    most=I64,
    count=I64,  # members of this one
    fresh=I64,  # the lowest transaction that has not been in any batch
    ordered=I64,  # transactions that are committed
    reorders=U64,  # whether who has only read what a lower one writes is put before it
    is_bound=U64,  # whether the block's order is to be kept
    is_alone=U64,  # whether the first member has read the beneficiary's balance, so that it stays the first
    fees=U256,  # of all committed transactions
    # Counters, each on a cache line of its own.
    ticket=LINE_U64,  # stage << PLACE_BITS | the next member that has not been taken in it
    done=LINE_U64,  # members that are through with the stage
    first_conflict=LINE_U64,  # the lowest member that conflicts with a lower one
    first_deferred=LINE_U64,  # the lowest member that has to be the first of its batch, and is not
    next_final=LINE_U64,  # the next transaction whose writes go to the state
    batches=LINE_U64,
)
PLACE_BITS = U(24)
PLACE_MASK = U((1 << 24) - 1)
# Stages of a batch. A ticket counts them on and on, so that none is ever seen twice.
EXECUTE, DECIDE, APPLY, STAGES = range(4)

ARIA_WORKER = Struct("AriaWorker", place=I64)  # of the member that is the worker's task

# The lowest member of the batch that reads, and that writes, a location: stamp << PLACE_BITS | its place. Entries of
# earlier batches are higher, so that nothing is cleared.
RESERVATION = Struct("AriaReservation", reader=U64, writer=U64)

OPEN, DEFERRED = range(2)  # status: it was executed; it needs to be the first of its batch

REORDERED, IN_PLACE = -2, -1
