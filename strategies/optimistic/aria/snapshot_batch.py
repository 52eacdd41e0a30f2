"""Batches: which transactions are executed against the same snapshot, and in which order the committed ones come.

Those that conflicted come first in the next batch, in their order, so that the lowest of all is committed by every
batch: a transaction is in no more batches than there are lower ones. What conflicts was executed for nothing, the more
of it the larger the batch; but a small batch keeps workers waiting at its end. So its size follows what is found.

The order of a batch's commits. Who has read what another one writes comes before it. A *reordered* member has read what
a lower one writes, and written nothing that a lower one has read; one *in place* has read nothing that a lower one
writes. So if a reader is above the writer, the reader is reordered; if it is below, the writer is in place. Reordered
members from the highest down, and behind them those in place from the lowest up, put every reader before its writer:
of two reordered ones the reader is above, of two in place it is below. Nothing has to be sorted.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_i64
from contend.evm.u256 import add
from contend.strategies.accounting import spend
from contend.strategies.block_stm.incarnation import receipt_of
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.aria.layout import (
    APPLY,
    ARIA,
    IN_PLACE,
    OPEN,
    PLACE_BITS,
    PLACE_MASK,
    REORDERED,
    STAGES,
)

COST_MEMBER = cost_table.FEE


@macro
def members_of(aria):
    """View of the batch's transactions."""
    return view_i64(aria.members, aria.room)


@macro
def fates_of(aria):
    """View of what becomes of them."""
    return view_i64(aria.fates, aria.room)


@kernel(inline=True)
def stage_of(ticket):
    """Stage of a ticket: `EXECUTE`, `DECIDE` or `APPLY`."""
    return I(ticket >> PLACE_BITS) % STAGES


@kernel(inline=True)
def is_committed(aria, place):
    """Whether a member is committed by its batch, as its fate is; where the order is bound nobody overtakes."""
    if aria.is_bound != U0 and U(place) >= atomics.load(aria, "first_conflict"):
        return False
    return fates_of(aria)[U(place)] < 0


@kernel()
def _append(shared, aria, txn_idx):
    """Put a transaction behind those that are committed."""
    view_i64(aria.order, aria.room)[U(aria.ordered)] = txn_idx
    aria.ordered += 1
    aria.fees = add(aria.fees, receipt_of(shared, txn_idx).fee)


@kernel()
def _append_committed(shared, aria):
    """Put the batch's committed transactions in order; see above."""
    members, fates = members_of(aria), fates_of(aria)
    for back in range(aria.count):
        place = aria.count - 1 - back
        if fates[U(place)] == REORDERED and is_committed(aria, place):
            _append(shared, aria, members[U(place)])
    for place in range(aria.count):
        if fates[U(place)] == IN_PLACE and is_committed(aria, place):
            _append(shared, aria, members[U(place)])


@kernel(inline=True)
def _adapt(aria, kept):
    """Halve batches of which more than an eighth conflicted, and double them where less than a sixteenth did."""
    if 8 * kept > aria.count:
        aria.size = max(aria.size // 2, aria.least)
    elif 16 * kept < aria.count:
        aria.size = min(2 * aria.size, aria.most)


@kernel()
def fill_batch(shared, aria):
    """Keep the members that were not committed, and take new ones behind them, up to the size of a batch."""
    members, kept = members_of(aria), 0
    for place in range(aria.count):
        if not is_committed(aria, place):
            members[U(kept)] = members[U(place)]
            transaction_of(shared, members[U(place)]).txn_status = U(OPEN)
            kept += 1
    _adapt(aria, kept)
    while kept < aria.size and aria.fresh < shared.block_size:
        members[U(kept)] = aria.fresh
        aria.fresh += 1
        kept += 1
    aria.count = kept
    aria.stamp -= U1
    aria.is_alone = U0
    atomics.store(aria, "first_conflict", PLACE_MASK)
    atomics.store(aria, "first_deferred", PLACE_MASK)


@kernel()
def close_ticket(aria):
    """Give out nothing more: what is there to be taken changes."""
    ticket = atomics.load(aria, "ticket")
    atomics.store(aria, "ticket", ticket | PLACE_MASK)


@kernel()
def end_stage(shared, worker, stage):
    """All members are through with a stage: begin the next one, or the next batch. The worker is the last.

    Who has looked at the ticket of the old stage must not take by it what belongs to the next one.
    """
    aria = ARIA.at(shared.own)
    close_ticket(aria)
    if stage == APPLY:
        spend(shared, worker, COST_MEMBER, 2 * aria.count)
        atomics.add(aria, "batches", U1)
        _append_committed(shared, aria)
        fill_batch(shared, aria)
    atomics.store(aria, "done", U0)
    ticket = atomics.load(aria, "ticket")
    atomics.store(aria, "ticket", ((ticket >> PLACE_BITS) + U1) << PLACE_BITS)
