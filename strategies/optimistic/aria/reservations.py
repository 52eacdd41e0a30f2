"""Reservations: the lowest reader and the lowest writer of each location in a batch (Aria, section 4.1).

Whoever has executed a transaction enters its place at all locations that it read or wrote, by an atomic minimum: which
worker comes first makes no difference, and so the batch's outcome depends on nothing but the batch. When all have
entered theirs, each can be judged by itself.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.errors import STATUS_INVALID
from contend.evm.layout import BLOCK, TRANSACTION
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.state import intern_location
from contend.evm.vm.access_table import account_key
from contend.evm.vm.transaction import open_machine
from contend.strategies.accounting import spend
from contend.strategies.block_stm.accounting import note_fault
from contend.strategies.block_stm.incarnation import list_address, receipt_of
from contend.strategies.block_stm.layout import LIST_MASK
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import cost_table
from contend.strategies.optimistic.aria.layout import (
    ARIA,
    IN_PLACE,
    PLACE_BITS,
    REORDERED,
    RESERVATION,
)
from contend.strategies.optimistic.occ_window.layout import COMMITTED, SEEN

# A reservation is one access to a line that others write, as those of the turn to commit are.
COST_LOOK, COST_RESERVE = cost_table.TURN_READ, cost_table.TURN_WRITE
NO_CONFLICT = -1


@kernel(inline=True)
def _reservation(aria, location):
    return RESERVATION.item(aria.reservations, aria.locations, location)


@kernel(inline=True)
def _entry(aria, place):
    return (aria.stamp << PLACE_BITS) | U(place)


@kernel()
def is_invalid(shared, txn_idx):
    """Whether a transaction did nothing, as it was executed: its nonce is too high yet, or its sender too poor."""
    return receipt_of(shared, txn_idx).status == STATUS_INVALID


@kernel()
def nonce_of_sender(shared, worker):
    """Location of the nonce of the transaction's sender, which an invalid one may not have come to; or negative."""
    block = BLOCK.at(open_machine(worker.machine).block)
    sender = TRANSACTION.item(block.transactions, block.size, worker.txn_idx).sender
    return I(intern_location(shared.state, account_key(sender, layout.KIND_NONCE)))


@kernel()
def _reserve_nonce(shared, worker, aria, entry):
    """Keep a sender's later transactions behind the worker's, which is invalid. False when the state is full."""
    location = nonce_of_sender(shared, worker)
    if location < 0:
        note_fault(shared)
        return False
    reservation = _reservation(aria, location)
    atomics.minimum(reservation, "reader", entry)
    atomics.minimum(reservation, "writer", entry)
    return True


@kernel()
def reserve(shared, worker, place):
    """Enter what the worker's transaction has read and written. False when the state is full.

    One that was invalid may be valid in its next batch, and is entered as if it wrote all that it has read, and its
    sender's nonce: none of its sender's later transactions overtakes it.
    """
    aria = ARIA.at(shared.own)
    line, entry = transaction_of(shared, worker.txn_idx), _entry(aria, place)
    reads, count = list_address(shared, line.read_set), I(line.read_set & LIST_MASK)
    writes, written = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    invalid = is_invalid(shared, worker.txn_idx)
    for i in range(count):
        reservation = _reservation(aria, SEEN.item(reads, count, i).location)
        atomics.minimum(reservation, "reader", entry)
        if invalid:
            atomics.minimum(reservation, "writer", entry)
    for i in range(written):
        atomics.minimum(_reservation(aria, COMMITTED.item(writes, written, i).location), "writer", entry)
    spend(shared, worker, COST_RESERVE, count + written)
    return not invalid or _reserve_nonce(shared, worker, aria, entry)


@kernel(inline=True)
def _is_below(aria, reserved, entry):
    """Whether a reservation is that of a lower member of the batch."""
    return reserved >> PLACE_BITS == aria.stamp and reserved < entry


@kernel()
def _conflict_of_writes(aria, writes, count, entry):
    """Where a member writes what a lower one writes; and whether it writes what a lower one reads."""
    overtaken = False
    for i in range(count):
        location = COMMITTED.item(writes, count, i).location
        reservation = _reservation(aria, location)
        if _is_below(aria, atomics.load(reservation, "writer"), entry):
            return location, True
        overtaken |= _is_below(aria, atomics.load(reservation, "reader"), entry)
    return I(NO_CONFLICT), overtaken


@kernel()
def _conflict_of_reads(aria, reads, count, entry):
    """Where a member has read what a lower one writes."""
    for i in range(count):
        location = SEEN.item(reads, count, i).location
        if _is_below(aria, atomics.load(_reservation(aria, location), "writer"), entry):
            return location
    return I(NO_CONFLICT)


@kernel()
def _fate_of_invalid(shared, worker, aria, conflict, entry):
    """What becomes of an invalid transaction: it has to come behind its sender's earlier ones."""
    if conflict == NO_CONFLICT:
        conflict = nonce_of_sender(shared, worker)
        if not _is_below(aria, atomics.load(_reservation(aria, conflict), "writer"), entry):
            return I(IN_PLACE)
    return conflict


@kernel()
def fate_of(shared, worker, place):
    """What becomes of the worker's transaction, when all of the batch have reserved.

    Two that write one location cannot both be committed; here either has read it as well, since gas depends on it. One
    that has read what a lower one writes has to come before it, and can unless it must come behind another one, for
    having written what that has read (Aria, section 5, rule 2); without reordering it cannot.
    """
    aria = ARIA.at(shared.own)
    line, entry = transaction_of(shared, worker.txn_idx), _entry(aria, place)
    if U(place) >= atomics.load(aria, "first_deferred"):
        # Nobody knows what that one would have read and written.
        return shared.coinbase
    reads, count = list_address(shared, line.read_set), I(line.read_set & LIST_MASK)
    writes, written = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    spend(shared, worker, COST_LOOK, count + written)
    conflict, overtaken = _conflict_of_writes(aria, writes, written, entry)
    if conflict != NO_CONFLICT:
        return conflict
    conflict = _conflict_of_reads(aria, reads, count, entry)
    if is_invalid(shared, worker.txn_idx):
        return _fate_of_invalid(shared, worker, aria, conflict, entry)
    if conflict == NO_CONFLICT:
        return I(IN_PLACE)
    keeps_place = aria.reorders == U0 or aria.is_bound != U0 or aria.is_alone != U0
    if overtaken or keeps_place:
        return conflict
    return I(REORDERED)
