"""Two-phase commit at the coordinator: prepare, vote, decide, tell the participants.

At its end a transaction upgrades its locks on what it wrote, sends those writes to their owners (PREPARE), and when all
locks are held exclusively (VOTE) it commits: from then on it is certain, and COMMIT tells the owners. Owners that it
only read from are told to release their locks by COMMIT too; they need no PREPARE (the read-only optimisation of Mohan,
Lindsay and Obermarck, "Transaction management in the R* distributed database management system", TODS 1986).

Where the block's order is binding, it commits when it has the commit token besides; see
`strategies.sharded.protocol.commit_order`.

Votes are counted in a plain word of the coordinator (`pending` of a slot), which its own step alone changes, message by
message. A vote that crossed an ABORT is dropped with the phase; the ACK of that ABORT comes behind it, since messages
of one shard to another keep their order.
"""

from __future__ import annotations

from contend.evm.access_list.building.access_log import LOG, log_accesses
from contend.evm.code import cost_model as evm_costs
from contend.evm.layout import MACHINE
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, write_receipt
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_i64
from contend.evm.u256 import add
from contend.evm.vm.access_table import entry_at, is_write
from contend.strategies.accounting import note_abort, spend
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import FAILED, WORKED
from contend.strategies.sharded.protocol.commit_order import may_commit_next, pass_token
from contend.strategies.sharded.protocol.fees import word_to_store
from contend.strategies.sharded.protocol.layout import (
    ABORT,
    COMMIT,
    OWNER_SHIFT,
    PHASE_ABORTING,
    PHASE_COMMITTING,
    PHASE_PREPARING,
    PHASE_VOTING,
    PREPARE,
    PREPARE_COUNT_SHIFT,
    PREPARE_LAST_SHIFT,
    WOUND_KIND,
    WOUND_SHIFT,
)
from contend.strategies.sharded.protocol.lock_free import location_of, lock_what_was_read, may_commit_lock_free
from contend.strategies.sharded.protocol.lock_manager import WAITING, release, upgrade, write
from contend.strategies.sharded.protocol.messages import (
    local_context,
    note_fault,
    outbox_of,
    participants_of,
    send,
    set_runnable,
    slot_of,
)
from contend.strategies.sharded.protocol.run_queue import defer_transaction, end_transaction, queued
from contend.strategies.sharded.protocol.slots import leave_slot, set_phase

COST_FINISH = cost_table.FINISH


@kernel(inline=True)
def _is_write_of(entry, owner):
    """Whether an entry's location is written and belongs to a shard."""
    return entry.location >> OWNER_SHIFT == owner and is_write(entry)


@kernel()
def finish(cluster, shard, slot_number):
    """The machine has come to the end: commit at once, or begin to prepare."""
    slot = slot_of(shard, slot_number)
    machine = MACHINE.at(slot.machine)
    if slot.is_lock_free != 0:
        if may_commit_next(shard, slot_number) and may_commit_lock_free(shard, machine):
            return commit(cluster, shard, slot_number)
        if not lock_what_was_read(shard, slot_number):
            note_fault(cluster)
            return FAILED
    set_phase(slot, PHASE_PREPARING)
    slot.next_participant = 0
    slot.next_entry = 0
    context_number, pending = local_context(shard, slot_number), 0
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if _is_write_of(entry, shard.number):
            if upgrade(cluster, shard, context_number, location_of(entry)) == WAITING:
                pending += 1
    slot.pending = pending
    return send_prepares(cluster, shard, slot_number)


@kernel()
def _next_write(machine, first, owner):
    """Number of the first entry from `first` on that is a write to `owner`; the entry count when there is none."""
    for i in range(first, machine.entry_count):
        if _is_write_of(entry_at(machine, i), owner):
            return i
    return machine.entry_count


@kernel()
def _send_prepare(cluster, shard, slot_number, owner, first, second, is_last):
    """Send one or two writes to their owner: the entries `first`, and `second` unless it is `first` again."""
    machine, message = MACHINE.at(slot_of(shard, slot_number).machine), outbox_of(shard)
    entry = entry_at(machine, first)
    word_count = I(1) if second == first else I(2)
    message.detail = location_of(entry) | (word_count << PREPARE_COUNT_SHIFT) | (I(is_last) << PREPARE_LAST_SHIFT)
    message.word = word_to_store(shard, slot_number, entry)
    if second != first:
        entry = entry_at(machine, second)
        message.second_location = location_of(entry)
        message.second_word = word_to_store(shard, slot_number, entry)
    return send(cluster, shard, PREPARE, owner, slot_number)


@kernel()
def send_prepares(cluster, shard, slot_number):
    """Send the writes to their owners, from where the last call left off for want of room; then wait for votes."""
    slot = slot_of(shard, slot_number)
    machine = MACHINE.at(slot.machine)
    count = machine.entry_count
    participants = participants_of(shard, slot)
    while slot.next_participant < slot.participant_count:
        owner = participants[U(slot.next_participant)]
        first = _next_write(machine, slot.next_entry, owner)
        if first == count:
            slot.next_participant += 1
            slot.next_entry = 0
            continue
        second = _next_write(machine, first + 1, owner)
        after = _next_write(machine, second + 1, owner)
        is_last = second == count or after >= count
        if not _send_prepare(cluster, shard, slot_number, owner, first, first if second == count else second, is_last):
            set_runnable(shard, slot_number)
            return WORKED
        slot.pending += I(is_last)
        slot.next_entry = after
    set_phase(slot, PHASE_VOTING)
    if may_commit(shard, slot_number):
        return commit(cluster, shard, slot_number)
    return WORKED


@kernel(inline=True)
def may_commit(shard, slot_number):
    """Whether a transaction that asked for votes has them all, and the commit token where one is needed."""
    return slot_of(shard, slot_number).pending == 0 and may_commit_next(shard, slot_number)


@kernel()
def take_vote(cluster, shard, slot_number):
    """Handle a VOTE: commit if it was the last thing that was missing."""
    slot = slot_of(shard, slot_number)
    check(slot.pending > 0)
    slot.pending -= 1
    if slot.phase != PHASE_VOTING or not may_commit(shard, slot_number):
        return WORKED
    return commit(cluster, shard, slot_number)


@kernel()
def _write_own(cluster, shard, slot_number, machine):
    """Write what a transaction wrote to locations of this shard."""
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if _is_write_of(entry, shard.number):
            write(shard, location_of(entry), word_to_store(shard, slot_number, entry))
            spend(cluster, shard, evm_costs.STATE_WRITE, 1)


@kernel()
def _log_accesses(cluster, shard, machine, position):
    """Keep what a transaction touched, where an access list is made. False when the log is full."""
    if shard.access_rows == 0:
        return True
    spend(cluster, shard, cost_table.LIST_ACCESS, machine.entry_count)
    return log_accesses(machine, shard.access_rows, position + 1, shard.queue_size + 2, LOG.at(shard.access_log))


@kernel()
def commit(cluster, shard, slot_number):
    """Decide for a transaction: nothing can undo it from here on.

    Its time by the Lamport clock is its place in the serialisation order, see `strategies.sharded.strategy`.
    """
    slot = slot_of(shard, slot_number)
    machine, position = MACHINE.at(slot.machine), slot.position
    shard.clock += U1
    queued(shard, position).commit_time = I(shard.clock)
    _write_own(cluster, shard, slot_number, machine)
    if slot.is_lock_free == 0:
        release(cluster, shard, local_context(shard, slot_number))
    receipt = RECEIPT.item(shard.receipts, shard.queue_size, position)
    if not write_receipt(machine, receipt, RECEIPT_ARENA.at(shard.receipt_arena)):
        note_fault(cluster)
        return FAILED
    if not _log_accesses(cluster, shard, machine, position):
        note_fault(cluster)
        return FAILED
    shard.fees = add(shard.fees, machine.fee)
    if slot.participant_count != 0:
        shard.cross_shard += U1
    end_transaction(shard, position)
    if shard.keeps_order != 0:
        pass_token(cluster, shard, position)
    spend(cluster, shard, COST_FINISH, 1)
    return _announce(cluster, shard, slot_number, PHASE_COMMITTING)


@kernel()
def _note_cause(shard, cause):
    """Count an abort by the kind of location that caused it, and keep which one. False when there is no room."""
    note_abort(shard, cause & WOUND_KIND)
    count, room = shard.abort_cause_count, shard.abort_cause_room
    if count == room:
        return False
    view_i64(shard.abort_causes, room)[U(count)] = cause >> WOUND_SHIFT
    shard.abort_cause_count = count + 1
    return True


@kernel()
def abort(cluster, shard, slot_number):
    """Undo a transaction of which nothing is certain yet: it is started again, or deferred.

    One that is deferred waits for the fees of all others, and is begun again then: no abort, but a restart after a
    wait.
    """
    slot = slot_of(shard, slot_number)
    shard.wasted_gas += slot.gas_spent
    if slot.is_deferred != 0:
        shard.wait_restarts += U1
        defer_transaction(shard, slot.position)
    else:
        check(slot.wounded > 0)
        if not _note_cause(shard, slot.wounded - 1):
            note_fault(cluster)
            return FAILED
    release(cluster, shard, local_context(shard, slot_number))
    return _announce(cluster, shard, slot_number, PHASE_ABORTING)


@kernel()
def _announce(cluster, shard, slot_number, phase):
    """Begin to tell the participants what was decided."""
    slot = slot_of(shard, slot_number)
    set_phase(slot, phase)
    slot.wounded = 0
    slot.next_participant = 0
    slot.pending = slot.participant_count
    shard.runnable_slots &= ~(U1 << U(slot_number))
    return send_decision(cluster, shard, slot_number)


@kernel()
def send_decision(cluster, shard, slot_number):
    """Send COMMIT or ABORT to the participants that were not told yet."""
    slot = slot_of(shard, slot_number)
    kind = COMMIT if slot.phase == PHASE_COMMITTING else ABORT
    participants = participants_of(shard, slot)
    while slot.next_participant < slot.participant_count:
        if not send(cluster, shard, kind, participants[U(slot.next_participant)], slot_number):
            set_runnable(shard, slot_number)
            return WORKED
        slot.next_participant += 1
    if slot.pending == 0:
        leave_slot(shard, slot_number)
    return WORKED


@kernel()
def take_acknowledgement(shard, slot_number):
    """Handle an ACK: the slot is left with the last one."""
    slot = slot_of(shard, slot_number)
    check(slot.pending > 0)
    slot.pending -= 1
    if slot.pending == 0:
        leave_slot(shard, slot_number)
